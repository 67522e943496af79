// One file of rules as it is written: TOML text to checked data and back to nothing. Knows the form of a rule, not what
// the rules say nor in which order they are asked.

import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import { lineIndex } from '../config/lines.ts'
import { nearest } from '../config/suggest.ts'
import { CATEGORIES, type Category, COARSE_CLASSES } from './verdict.ts'

/** The rules are wrong; the message names the file, the rule and what to mend. */
export class RulesError extends Error {
  override readonly name = 'RulesError'
  readonly code = 'rules'
}

const COMMANDS = ['banner', 'EHLO', 'HELO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'dot'] as const
const category = z.enum(Object.keys(CATEGORIES) as [Category, ...Category[]])
const action = z.enum(['fail', 'retry', 'retry-elsewhere', 'slow', 'suspend'])
const table = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value).default({})
const patterns = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)])

const rule = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case words joined by "-"'),
  version: z.number().int().min(1).default(1),
  match: patterns,
  unless: patterns.optional(),
  category,
  class: z.enum(COARSE_CLASSES).optional(),
  action: action.optional(),
  scope: z.string().optional(),
  commands: z.array(z.enum(COMMANDS)).min(1).optional(),
  weak: z.boolean().default(false),
  note: z.string().optional(),
  samples: z
    .array(z.string().regex(/^\d{3} |\S \S/, 'expected a reply: "550 5.1.1 text"'))
    .min(1, 'a rule needs a sample'),
})

const fileSchema = z.strictObject({
  providers: table(z.array(z.string().regex(/^[a-z0-9.-]+$/, 'expected a lower-case host name')).min(1)),
  words: table(patterns),
  enhanced: table(category),
  basic: table(category),
  command: z.partialRecord(z.enum(COMMANDS), category).default({}),
  action: table(action),
  rule: z.array(rule).default([]),
})

type Written = z.output<typeof fileSchema>
export type WrittenRule = Written['rule'][number]
export interface RuleFile extends Written {
  /** `own.toml:12`: where the nth rule begins. */
  placeOf(rule: number): string
}

/** Throws RulesError with everything that is wrong with the form. */
export function readRuleFile(text: string, name: string): RuleFile {
  const raw = parsedToml(text, name)
  const file = fileSchema.safeParse(raw)
  if (file.success) return { ...file.data, placeOf: (rule) => placed(name, lineIndex(text).get(`rule.${rule}`)) }
  const lines = lineIndex(text)
  const problems = file.error.issues
    .flatMap((issue) => problemsOf(issue, raw))
    .map(({ path, said }) => ({ line: lineOf(lines, path), text: `${subject(path, raw)}: ${said}` }))
    .toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
  const listed = problems.map(
    ({ line, text: sentence }) => `  ${line === undefined ? '' : `line ${line}, `}${sentence}`,
  )
  throw new RulesError(`the rules in ${name} are not valid:\n${listed.join('\n')}`)
}

function placed(name: string, line: number | undefined): string {
  return line === undefined ? name : `${name}:${line}`
}

function parsedToml(text: string, name: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const said = (error.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '')
    throw new RulesError(`the rules in ${placed(name, error.line)}:${error.column} are not TOML: ${said}`, {
      cause: error,
    })
  }
}

type Keys = readonly string[]

/** The line of the key, or of the nearest thing around it that is written. */
function lineOf(lines: ReadonlyMap<string, number>, path: Keys): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(path.slice(0, length).join('.'))
    if (line !== undefined) return line
  }
  return undefined
}

/** `rule "my-rule", category` rather than `rule.3.category`: people look for the name. */
function subject(path: Keys, raw: unknown): string {
  const [section, index, ...rest] = path
  if (section !== 'rule' || index === undefined) return path.join('.') || 'the file'
  const id = valueAt(raw, ['rule', index, 'id'])
  const name = typeof id === 'string' ? `rule "${id}"` : `rule ${Number(index) + 1}`
  return rest.length === 0 ? name : `${name}, ${rest.join('.')}`
}

function valueAt(raw: unknown, path: Keys): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string, unknown>>)[key]
        : undefined,
    raw,
  )
}

interface Problem {
  readonly path: Keys
  readonly said: string
}

function problemsOf(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const known = path[0] === 'command' ? COMMANDS : Object.keys(path[0] === 'rule' ? rule.shape : fileSchema.shape)
    return issue.keys.map((key) => ({ path: [...path, key], said: `there is no such key${guess(key, known)}` }))
  }
  const value = valueAt(raw, path)
  if (value === undefined) return [{ path, said: 'is missing' }]
  return [{ path, said: explained(issue, value, path) }]
}

function explained(issue: z.core.$ZodIssue, value: unknown, path: Keys): string {
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String)
    const isCategory = known.length === Object.keys(CATEGORIES).length
    const near = guess(value, known)
    const all = isCategory ? '; `studs bounce explain` lists them' : `; expected one of ${known.join(', ')}`
    return `there is no ${isCategory ? 'category' : 'such word'} ${JSON.stringify(value)}${near === '' ? all : near}`
  }
  if (issue.code === 'invalid_union') return 'expected a text in quotes, or a list of such texts'
  if (issue.code === 'invalid_type') return `expected ${EXPECTED[issue.expected] ?? issue.expected}`
  if (issue.code === 'too_small') return path.at(-1) === 'samples' ? 'a rule needs a sample' : 'must not be empty'
  return issue.message
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list, ["like", "this"]',
  record: 'a table',
  object: 'a table, [[rule]]',
}

/** `; did you mean "…"?`, or nothing when no word is near. */
function guess(word: unknown, known: readonly string[]): string {
  const near = typeof word === 'string' ? nearest(word, known) : undefined
  return near === undefined ? '' : `; did you mean "${near}"?`
}
