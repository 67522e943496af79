// DMARC records found the way receivers find them (RFC 9989 §4.10: a walk up the tree of names), and what is aligned with
// the domain of From. Pure but for the look-ups it is given.

import type { Lookup } from './lookup.ts'
import { parseTags } from './tags.ts'

export interface DmarcRecord {
  /** Domain below whose _dmarc it stands. */
  readonly at: string
  readonly text: string
  readonly tags: ReadonlyMap<string, string>
}

export type DmarcWalk =
  | {
      readonly kind: 'walked'
      /** The nearest first. */
      readonly records: readonly DmarcRecord[]
      /** Names with several records, which count as none (§4.10). */
      readonly ambiguous: readonly string[]
      /** Records that begin as one and cannot be read. */
      readonly broken: readonly { readonly at: string; readonly text: string }[]
    }
  | { readonly kind: 'failed'; readonly name: string; readonly detail: string }

const MAX_QUERIES = 8

export async function walkDmarc(domain: string, lookup: Pick<Lookup, 'txt'>): Promise<DmarcWalk> {
  const records: DmarcRecord[] = []
  const ambiguous: string[] = []
  const broken: { at: string; text: string }[] = []
  for (const at of namesUp(domain)) {
    const answer = await lookup.txt(`_dmarc.${at}`)
    // Above a record that was found, only who is aligned with whom hangs on it.
    if (answer.kind === 'failed' && records.length === 0)
      return { kind: 'failed', name: `_dmarc.${at}`, detail: answer.detail }
    const texts = answer.kind === 'ok' ? answer.items.filter((text) => /^\s*v\s*=\s*DMARC1\b/i.test(text)) : []
    if (texts.length > 1) ambiguous.push(at)
    const [text] = texts
    if (text === undefined || texts.length > 1) continue
    const tags = parseTags(text)
    if (tags === undefined || tags.get('v') !== 'DMARC1' || [...tags.keys()][0] !== 'v') broken.push({ at, text })
    else records.push({ at, text, tags })
  }
  return { kind: 'walked', records, ambiguous, broken }
}

/** The domain and its parents; of a long one the middle is left out (§4.10, step 4). */
function namesUp(domain: string): string[] {
  const labels = domain.split('.')
  const names = labels.map((_, at) => labels.slice(at).join('.'))
  return names.length <= MAX_QUERIES ? names : [...names.slice(0, 1), ...names.slice(-(MAX_QUERIES - 1))]
}

/** §4.10.2: one marked as such, else the highest name with a record; a domain without any stands for itself. */
export function organizationalDomain(domain: string, records: readonly DmarcRecord[]): string {
  for (const { at, tags } of records) {
    if (tags.get('psd') === 'n') return at
    if (tags.get('psd') === 'y' && at !== domain) {
      const below = domain.slice(0, -at.length - 1).split('.')
      return `${below.at(-1)}.${at}`
    }
  }
  return records.at(-1)?.at ?? domain
}
