// Automation rules as they are written in a shaping file: what a receiver says, and what is done about it for how long.
// Knows their form and whether a reply meets one; who is asked in which order is shaping.ts's, what is done the queue's.

import { basename } from 'node:path'
import { z } from 'zod'
import { masked } from '../bounce/mask.ts'
import { CATEGORIES, type Category } from '../bounce/verdict.ts'
import { duration, formatDuration, type Milliseconds, type Rate, rate } from '../config/units.ts'
import type { Cause } from '../mail/outcome.ts'
import { DAY, SECOND } from '../util/clock.ts'
import { checkedPattern, MATCHED_CHARACTERS } from './pattern.ts'
import type { Level, Place } from './section.ts'

/** `none`: nothing, and no further rule is asked. */
export const RULE_ACTIONS = ['slow', 'suspend', 'rest_source', 'pause_tenant', 'none'] as const
export type RuleAction = (typeof RULE_ACTIONS)[number]

export interface Rule {
  readonly level: Level
  /** Of the section it stands in; '' for the level default. */
  readonly section: string
  /** By which a file replaces a rule of the presets. */
  readonly name: string | undefined
  readonly action: RuleAction
  /** All that are there must be met. */
  readonly patterns: readonly RegExp[] | undefined
  readonly categories: readonly Category[] | undefined
  readonly codes: readonly string[] | undefined
  /** So often within so long; absent: at once. */
  readonly after: Rate | undefined
  readonly forMs: Milliseconds
  /** With slow. */
  readonly messageRate: Rate | undefined
  readonly connections: number | undefined
  readonly note: string | undefined
  readonly samples: readonly string[]
  readonly place: Place
}

/** What was said, as rules are held against it. */
export interface Saying {
  /** Code and text, what varies (addresses, ids) masked. */
  readonly text: string
  readonly code: number | undefined
  readonly enhanced: string | undefined
  readonly category: Category
}

const LONGEST_MS = 7 * DAY
const LONGEST_PATTERN = 500
const CODE = /^[45]\d\d$|^[45]\.\d{1,3}\.\d{1,3}$/

const oneOrMore = <Item extends z.ZodType<unknown, string>>(item: Item) =>
  z
    .union([z.string(), z.array(z.string()).min(1)], { error: 'expected a text in quotes, or a list of such texts' })
    .transform((given): string[] => (typeof given === 'string' ? [given] : given))
    .pipe(z.array(item))
const pattern = z
  .string()
  .min(1)
  .max(LONGEST_PATTERN, `must not be longer than ${LONGEST_PATTERN} characters`)
  .transform((text, context) => {
    const checked = checkedPattern(text)
    if ('pattern' in checked) return checked.pattern
    context.addIssue({ code: 'custom', message: checked.problem })
    return z.NEVER
  })

export const RULE_VALUES = {
  name: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case words joined by "-"')
    .optional(),
  match: oneOrMore(pattern).optional(),
  category: oneOrMore(z.enum(Object.keys(CATEGORIES) as [Category, ...Category[]])).optional(),
  code: oneOrMore(z.string().regex(CODE, 'expected a reply code such as "421" or "4.7.28"')).optional(),
  action: z.enum(RULE_ACTIONS),
  after: rate().optional(),
  for: duration()
    .refine((ms) => ms >= SECOND && ms <= LONGEST_MS, `must be from "1s" to "${formatDuration(LONGEST_MS)}"`)
    .optional(),
  message_rate: rate().optional(),
  connections: z.number().int().min(1).optional(),
  note: z.string().optional(),
  samples: z.array(z.string().regex(/^[45]\d\d /, 'expected a reply: "421 4.7.0 text"')).optional(),
}

type Fields = z.output<z.ZodObject<typeof RULE_VALUES>>

export const ruleSchema = z.strictObject(RULE_VALUES).superRefine((written, context) => {
  for (const [key, message] of contradictions(written))
    context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message })
})

export type WrittenRule = z.output<typeof ruleSchema>

const MOST_COUNTED = 1000

function* contradictions(rule: Fields): Iterable<readonly [keyof Fields | undefined, string]> {
  const { action, match, category, code, after, message_rate, connections } = rule
  if (match === undefined && category === undefined && code === undefined)
    yield [undefined, 'says nothing of the reply: give match, category or code']
  if (action !== 'none' && rule.for === undefined) yield ['for', 'is missing']
  if (action === 'slow' && message_rate === undefined && connections === undefined)
    yield [undefined, 'slow needs message_rate or connections']
  if (action !== 'slow' && message_rate !== undefined)
    yield ['message_rate', `goes with action "slow", not "${action}"`]
  if (action !== 'slow' && connections !== undefined) yield ['connections', `goes with action "slow", not "${action}"`]
  if (after !== undefined && after.count > MOST_COUNTED) yield ['after', `must be at most ${MOST_COUNTED} in any time`]
  for (const sample of rule.samples ?? []) {
    if (match !== undefined && !match.some((each) => each.test(textOf(sample))))
      yield ['samples', `${JSON.stringify(sample.slice(0, 60))} does not meet the rule's own match`]
  }
}

/** The reply as rules look at it. */
export function textOf(reply: string): string {
  return masked(reply).slice(0, MATCHED_CHARACTERS)
}

export function sayingOf(cause: Cause, category: Category): Saying {
  if (cause.kind !== 'reply') return { text: '', code: undefined, enhanced: undefined, category }
  const { code, enhanced, lines } = cause.reply
  return { text: textOf(`${code} ${lines.join(' ')}`), code, enhanced, category }
}

export function meets({ patterns, categories, codes }: Rule, said: Saying): boolean {
  if (categories !== undefined && !categories.includes(said.category)) return false
  if (codes !== undefined && !codes.some((code) => code === said.enhanced || code === String(said.code))) return false
  return patterns === undefined || (said.text !== '' && patterns.some((each) => each.test(said.text)))
}

export function compiledRule(
  written: WrittenRule,
  at: { readonly level: Level; readonly section: string; readonly place: Place },
): Rule {
  return {
    ...at,
    name: written.name,
    action: written.action,
    patterns: written.match,
    categories: written.category,
    codes: written.code,
    after: written.after,
    forMs: written.for ?? 0,
    messageRate: written.message_rate,
    connections: written.connections,
    note: written.note,
    samples: written.samples ?? [],
  }
}

/** `rule shaping.toml:12`: who has done it. The folder says nothing: there is one such file. */
export function ruleName({ place }: Rule): string {
  return `rule ${basename(place.file)}:${place.line}`
}
