// All that is known of why an address may not be mailed, tenant by tenant. Reads only. A tenant never learns whose mail
// taught what all tenants know: its story has its own messages, and of the others nothing.

import type { Settings } from '../config/schema.ts'
import type { StoredRecord } from '../journal/record.ts'
import { type EmailAddress, parseAddress } from '../mail/address.ts'
import type { Core } from '../queue/core.ts'
import { addressTarget } from '../suppression/normalise.ts'
import { GLOBAL_SCOPE, standingOf } from '../suppression/suppression.ts'
import type { Clock } from '../util/clock.ts'
import type { SuppressionStory } from './operations.ts'
import { OperationError } from './problem.ts'
import { toWire } from './wire.ts'

export interface StoryParts {
  readonly core: Pick<Core, 'suppressions' | 'journal' | 'gate' | 'queue'>
  readonly settings: () => Settings
  readonly clock: Clock
}

/** Messages whose records tell the story of an address, and changes made by hand. */
const STORY_MESSAGES = 10
const STORY_CHANGES = 20

/** Of each of the tenants that knows something of the address; where none does, one story that says so. */
export function storiesOf(parts: StoryParts, text: string, tenants: readonly string[]): readonly SuppressionStory[] {
  const address = parseAddress(text)
  if (address === undefined) throw new OperationError('invalid', `Not a mail address: ${text}`)
  const [only, ...others] = tenants
  const stories = tenants.map((tenant) => storyOf(parts, address.text, tenant))
  if (only !== undefined && others.length === 0) return stories
  const own = stories.filter(hasOwn)
  if (own.length > 0) return own
  const shared = stories.find(({ active }) => active !== undefined) ?? stories.find(({ entries }) => entries.length > 0)
  return [shared ?? { target: address.text, tenant: GLOBAL_SCOPE, entries: [], events: [] }]
}

function hasOwn({ tenant, active, entries, strikes, events }: SuppressionStory): boolean {
  const hasEntry = active?.scope === tenant || entries.some(({ scope }) => scope === tenant)
  return hasEntry || strikes !== undefined || events.some((event) => event.tenant === tenant)
}

function storyOf(parts: StoryParts, address: EmailAddress, tenant: string): SuppressionStory {
  const { core, settings, clock } = parts
  const { entries, strikes } = core.suppressions.why(tenant, address)
  const active = core.gate.find(tenant, address)
  const trial = entries.map((entry) => core.gate.trial(entry)).find((message) => message !== undefined)
  return {
    target: address,
    tenant,
    ...(active === undefined ? {} : { active: toWire(active) }),
    entries: entries.map((entry) => ({ ...toWire(entry), standing: standingOf(entry, clock.now()) })),
    ...(trial === undefined || core.queue.message(trial)?.tenant !== tenant ? {} : { trial }),
    ...(strikes === undefined
      ? {}
      : {
          strikes: toWire({
            count: strikes.count,
            needed: settings().suppression.softStrikes,
            firstAt: strikes.first,
            lastAt: strikes.last,
            messages: strikes.messages,
          }),
        }),
    events: eventsOf(parts, address, tenant).map(toWire),
  }
}

function eventsOf({ core, settings }: StoryParts, address: EmailAddress, tenant: string): StoredRecord[] {
  const { journal } = core
  const isAbout = (record: StoredRecord): boolean =>
    record.tenant === tenant && record.recipient.toLowerCase() === address.toLowerCase()
  const ofMessages = journal
    .messagesTo(address, STORY_MESSAGES)
    .reverse()
    .flatMap((id) => journal.ofMessage(id).filter(isAbout))
  const target = addressTarget(address, settings().suppression)
  const byHand = [target, target.slice(target.lastIndexOf('@'))]
    .flatMap((each) => journal.changesOf(each, STORY_CHANGES).reverse())
    .filter((record) => record.tenant === tenant || record.tenant === GLOBAL_SCOPE)
  return [...ofMessages, ...byHand].sort((a, b) => a.at - b.at)
}
