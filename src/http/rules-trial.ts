// What another set of rules would have made of the failures of some days, counted by recipients: one that was tried ten
// times counts once. Pure but for the records it is given. Memory is bounded: beyond so many recipients counts are "at
// least".

import type { Classifier } from '../bounce/classify.ts'
import type { Verdict } from '../bounce/verdict.ts'
import type { StoredRecord } from '../journal/record.ts'
import { type Cause, causeStatus, causeText } from '../mail/outcome.ts'

type Judgement = Pick<Verdict, 'category' | 'code' | 'action' | 'rule'>

export interface RuleChange {
  readonly from: Judgement
  readonly to: Judgement
  /** Recipients of messages. */
  readonly count: number
  /** Verbatim, different ones, some of them. */
  readonly examples: readonly string[]
}

export interface RulesTrial {
  readonly days: number
  /** Recipients of messages whose failures were judged again. */
  readonly recipients: number
  readonly changed: number
  /** Addresses that a failure would have suppressed at once, and did not; and the other way round. Strikes are not counted. */
  readonly newly_suppressed: number
  readonly no_longer_suppressed: number
  /** The most frequent first. */
  readonly changes: readonly RuleChange[]
  /** There were more than could be told apart. */
  readonly at_least?: true
}

const EXAMPLES = 3
const MOST_KEYS = 500_000

interface Open {
  readonly from: Verdict
  readonly to: Verdict
  readonly recipients: Set<string>
  readonly examples: string[]
}

export async function trialOf(given: {
  readonly failures: AsyncIterable<StoredRecord>
  readonly standing: Classifier
  readonly candidate: Classifier
  readonly days: number
}): Promise<RulesTrial> {
  const changes = new Map<string, Open>()
  const all = new Set<string>()
  const changed = new Set<string>()
  const newly = new Set<string>()
  const noLonger = new Set<string>()
  for await (const record of given.failures) {
    const { cause, way } = record
    if (cause === undefined) continue
    const recipient = `${record.message}.${record.n}`
    note(all, recipient)
    const failure = { cause, ...(way?.mx === undefined ? {} : { mx: way.mx }) }
    const from = given.standing.classify(failure)
    const to = given.candidate.classify(failure)
    if (from.category === to.category && from.action === to.action && from.rule === to.rule) continue
    note(changed, recipient)
    const [did, would] = [suppresses(from, record, cause), suppresses(to, record, cause)]
    if (did !== would) note(would ? newly : noLonger, `${record.tenant} ${record.recipient.toLowerCase()}`)
    const key = [from, to].map(({ category, action, rule }) => `${category} ${action} ${rule}`).join(' ')
    const change = changes.get(key) ?? { from, to, recipients: new Set(), examples: [] }
    changes.set(key, change)
    note(change.recipients, recipient)
    const text = causeText(cause)
    if (change.examples.length < EXAMPLES && !change.examples.includes(text)) change.examples.push(text)
  }
  return {
    days: given.days,
    recipients: all.size,
    changed: changed.size,
    newly_suppressed: newly.size,
    no_longer_suppressed: noLonger.size,
    changes: [...changes.values()]
      .toSorted((one, other) => other.recipients.size - one.recipients.size)
      .map(({ from, to, recipients, examples }) => ({
        from: judgement(from),
        to: judgement(to),
        count: recipients.size,
        examples,
      })),
    ...(all.size < MOST_KEYS ? {} : { at_least: true }),
  }
}

function note(seen: Set<string>, key: string): void {
  if (seen.size < MOST_KEYS) seen.add(key)
}

/** As the policy does at once (suppression/policy.ts): a hard no of the recipient as the last word, said for good. */
function suppresses({ kind, fault }: Verdict, { kind: ending }: StoredRecord, cause: Cause): boolean {
  if (kind !== 'hard' || fault !== 'recipient') return false
  return (ending === 'failed' || ending === 'bounced') && !causeStatus(cause, false).startsWith('4')
}

function judgement({ category, code, action, rule }: Verdict): Judgement {
  return { category, code, action, rule }
}
