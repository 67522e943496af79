// What the journal says of the rules: what would change with other ones, and which replies none of them knows. Both go
// over the records of some days, in portions, so that a relay under way goes on meanwhile.

import { z } from 'zod'
import { type Classifier, createClassifier } from '../bounce/classify.ts'
import { rulesFromText } from '../bounce/load-rules.ts'
import { masked } from '../bounce/mask.ts'
import { type Rules, RulesError } from '../bounce/rules.ts'
import type { Verdict } from '../bounce/verdict.ts'
import type { Journal } from '../journal/journal.ts'
import type { RecordKind, StoredRecord } from '../journal/record.ts'
import { causeText } from '../mail/outcome.ts'
import { type Clock, DAY } from '../util/clock.ts'
import { checked } from './input.ts'
import { OperationError } from './problem.ts'
import { type RulesTrial, trialOf } from './rules-trial.ts'

const MOST_DAYS = 366
const MOST_RULES_BYTES = 1024 * 1024

const days = z.coerce.number().int().min(1).max(MOST_DAYS).default(7)
export const testRulesBody = z.strictObject({
  /** The TOML text of the file. */
  rules: z.string().max(MOST_RULES_BYTES),
  /** As errors should name it. */
  name: z.string().min(1).max(1000).default('the rules'),
  days,
})
export const unknownQuery = z.strictObject({ days, limit: z.coerce.number().int().min(1).max(1000).default(50) })

export interface UnknownReply {
  /** What they have in common: addresses, ids and numbers masked. */
  readonly text: string
  readonly count: number
  readonly first_at: string
  readonly last_at: string
  /** One of them, verbatim. */
  readonly example: string
  /** Who said it, where that is known. */
  readonly mx?: string
  /** One message that met it. */
  readonly message?: string
}

export interface RulesOperations {
  /** Judges the failures of the last days anew, with the rules given as the operator's own. */
  testRules(request: z.input<typeof testRulesBody>): Promise<RulesTrial>
  /** Replies that no rule knows, the most frequent first. */
  unknownReplies(query: z.input<typeof unknownQuery>): Promise<readonly UnknownReply[]>
}

interface Parts {
  readonly core: { readonly journal: Journal; readonly classifier: Classifier }
  readonly clock: Clock
}

const FAILURES: readonly RecordKind[] = ['failed', 'deferred', 'bounced', 'expired']
const PORTION = 500

export function rulesOperations({ core: { journal, classifier }, clock }: Parts): RulesOperations {
  const failures = (lastDays: number): AsyncGenerator<StoredRecord> => since(journal, clock.now() - lastDays * DAY)
  return {
    testRules: async (request) => {
      const { rules, name, days: lastDays } = checked(testRulesBody, request)
      const candidate = createClassifier(readRules(rules, name))
      return trialOf({ failures: failures(lastDays), standing: classifier, candidate, days: lastDays })
    },
    unknownReplies: async (query) => {
      const { days: lastDays, limit } = checked(unknownQuery, query)
      return (await unknown(failures(lastDays), classifier)).slice(0, limit)
    },
  }
}

/** Oldest first. What is written meanwhile may or may not be among them. */
async function* since(journal: Journal, from: number): AsyncGenerator<StoredRecord> {
  let position: string | undefined = `${Math.max(0, from)}-0`
  while (position !== undefined) {
    const portion: StoredRecord[] = journal.since(position, { limit: PORTION, kinds: FAILURES })
    yield* portion
    position = portion.length < PORTION ? undefined : portion.at(-1)?.position
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function unknown(failures: AsyncIterable<StoredRecord>, classifier: Classifier): Promise<UnknownReply[]> {
  const clusters = new Map<string, UnknownReply>()
  for await (const { cause, verdict, at, way, message } of failures) {
    if (cause === undefined || verdict === undefined || !isUnknown(verdict)) continue
    // A rule may have come since.
    if (!isUnknown(classifier.classify({ cause, ...(way?.mx === undefined ? {} : { mx: way.mx }) }))) continue
    const example = causeText(cause)
    const text = masked(example)
    const seenAt = new Date(at).toISOString()
    const known = clusters.get(text)
    clusters.set(text, {
      text,
      count: (known?.count ?? 0) + 1,
      first_at: known?.first_at ?? seenAt,
      last_at: seenAt,
      example,
      ...(way?.mx === undefined ? {} : { mx: way.mx }),
      ...(message === undefined ? {} : { message }),
    })
  }
  return [...clusters.values()].toSorted((one, other) => other.count - one.count)
}

/** No rule matched, and no code told more than "no". */
function isUnknown({ rule, category }: Verdict): boolean {
  return rule === 'default' || rule.startsWith('command-') || (category === 'other' && rule.startsWith('code-'))
}

function readRules(text: string, name: string): Rules {
  try {
    return rulesFromText(text, name)
  } catch (error) {
    if (error instanceof RulesError) throw new OperationError('invalid', sentence(error.message))
    throw error
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
