// One file of rules as it is written: TOML text to checked data and back to nothing. Knows the form of a rule, not what
// the rules say nor in which order they are asked.

import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import { CATEGORIES, type Category } from './verdict.ts'

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

export type RuleFile = z.output<typeof fileSchema>
export type WrittenRule = RuleFile['rule'][number]

/** Throws RulesError with everything that is wrong with the form. */
export function readRuleFile(text: string, name: string): RuleFile {
  const raw = parsedToml(text, name)
  const file = fileSchema.safeParse(raw)
  if (file.success) return file.data
  const problems = file.error.issues.map((issue) => `  ${place(issue.path, raw)}: ${issue.message}`)
  throw new RulesError(`the rules in ${name} are not valid:\n${problems.join('\n')}`)
}

function parsedToml(text: string, name: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof TomlError)
      throw new RulesError(`the rules in ${name} are not TOML: ${error.message}`, { cause: error })
    throw error
  }
}

/** `rule "my-rule", category` rather than `rule.3.category`: people look for the name. */
function place(path: readonly PropertyKey[], raw: unknown): string {
  const [section, index, ...rest] = path.map(String)
  if (section !== 'rule' || index === undefined) return path.map(String).join('.') || 'the file'
  const rules = (raw as { readonly rule?: readonly { readonly id?: unknown }[] }).rule
  const id = rules?.[Number(index)]?.id
  const name = typeof id === 'string' ? `rule "${id}"` : `rule ${Number(index) + 1}`
  return rest.length === 0 ? name : `${name}, ${rest.join('.')}`
}
