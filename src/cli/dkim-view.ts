// Keys for people: the table of them, the block of configuration of one, and the steps from an old key to a new one. Old
// and new overlap, so that at no time mail is signed with a key that a receiver cannot find.

import { dkimName } from '../identity/record.ts'
import type { SenderKey } from '../identity/sender.ts'
import { quotedStrings } from '../identity/zone.ts'
import { DAY } from '../util/clock.ts'
import type { Page } from './output.ts'
import { table } from './table.ts'
import type { Paint } from './terminal.ts'

interface ShownKey {
  readonly selector: string
  readonly file: string
  readonly state: SenderKey['state'] | undefined
}

export function keyBlock({ selector, file, state }: ShownKey): string[] {
  return [
    '[[domain.dkim]]',
    `selector = ${JSON.stringify(selector)}`,
    `key_file = ${JSON.stringify(file)}`,
    ...(state === undefined || state === 'sign' ? [] : [`state = ${JSON.stringify(state)}`]),
  ]
}

export interface Rotation {
  readonly old: SenderKey
  readonly made: { readonly domain: string; readonly selector: string; readonly file: string; readonly record: string }
  /** Keys that stay as they are. */
  readonly others: readonly SenderKey[]
  readonly shownFile: (file: string) => string
  readonly paint: Paint
  /** How long mail may be under way. */
  readonly lifetimeMs: number
}

// Receivers look at a signature again when mail is forwarded or fetched late.
const GRACE_MS = 4 * DAY

export function rotationSteps({ old, made, others, shownFile, paint, lifetimeMs }: Rotation): string[] {
  const { domain, selector, file, record } = made
  const days = Math.ceil((lifetimeMs + GRACE_MS) / DAY)
  const blocks = (oldState: SenderKey['state'], newState: SenderKey['state']): string[] => [
    ...keyBlock({ ...old, state: oldState }),
    '',
    ...keyBlock({ selector, file, state: newState }),
    ...others.flatMap((key) => ['', ...keyBlock({ ...key, file: shownFile(key.file) })]),
  ]
  return [
    paint('bold', '1. Publish the new key. The old one goes on signing'),
    `${dkimName(selector, domain)}. IN TXT ${quotedStrings(record)}`,
    '',
    paint('bold', `2. Name it in the configuration of ${domain}, and studs reload`),
    ...blocks('sign', 'publish'),
    '',
    paint(
      'bold',
      `3. When studs dkim list ${domain} says "published", and an hour or the TTL of the zone is over, let it sign, and reload`,
    ),
    ...blocks('retired', 'sign'),
    '',
    paint('bold', `4. ${days} days later no mail that ${old.selector} signed is under way`),
    `Remove its block, ${old.file}, and the record ${dkimName(old.selector, domain)}.`,
  ]
}

export interface KeyRow {
  readonly domain: string
  readonly selector: string
  readonly algorithm: string
  readonly bits: number | undefined
  readonly state: string
  readonly dns: string
  readonly message: string
  readonly key_file: string
}

/** What DNS says, and the file, stand below where the page is narrow: both are wanted whole. */
export function keyTable(rows: readonly KeyRow[], page: Page): string[] {
  return table(
    rows,
    [
      { title: 'DOMAIN', value: (row) => row.domain },
      { title: 'SELECTOR', value: (row) => row.selector },
      { title: 'KEY', value: (row) => (row.bits === undefined ? row.algorithm : `${row.algorithm} ${row.bits}`) },
      { title: 'STATE', value: (row) => row.state },
      { title: 'DNS', value: (row) => row.dns, colour: (row) => (row.dns === 'published' ? 'green' : 'red') },
      { title: 'WHY', value: (row) => row.message, long: 'below' },
      { title: 'FILE', value: (row) => row.key_file, long: 'below' },
    ],
    page,
  )
}
