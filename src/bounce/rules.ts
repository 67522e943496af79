// Reads the rules of the classifier: data in TOML, checked as a whole before any of it is used. The shipped file lies
// beside this one; its samples are run by the tests.

import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import type { SmtpCommand } from '../mail/reply.ts'
import { type Action, CATEGORIES, type Category } from './verdict.ts'

export interface Rule {
  /** Id and version: `mailbox-unknown@1`. */
  readonly name: string
  readonly pattern: RegExp
  readonly category: Category
  /** Replaces what the category alone would do with the message. */
  readonly action?: Action
  /** The one provider whose replies it is for; absent: everybody's. */
  readonly scope?: string
  /** The commands whose replies it is for; absent: any. */
  readonly commands?: ReadonlySet<SmtpCommand>
  /** Its words say little: asked only when the enhanced code says nothing. */
  readonly weak: boolean
  readonly note?: string
  /** Replies in the receivers' form, each as `550 5.1.1 text`. */
  readonly samples: readonly string[]
}

export interface Rules {
  /** In the order they are asked. */
  readonly rules: readonly Rule[]
  /** MX host suffixes of each provider. */
  readonly providers: ReadonlyMap<string, string>
  /** By `5.1.1`, `1.1` or `1.*`, the most exact first. */
  readonly enhanced: ReadonlyMap<string, Category>
  /** By basic code. */
  readonly basic: ReadonlyMap<string, Category>
  /** By command, for a permanent refusal that says nothing else. */
  readonly command: ReadonlyMap<string, Category>
  /** By category: what is done with a message that got a permanent refusal of it; `fail` where nothing stands. */
  readonly action: ReadonlyMap<string, Action>
}

/** The rules are wrong; the message names the rule and what to mend. */
export class RulesError extends Error {
  override readonly name = 'RulesError'
  readonly code = 'rules'
}

const COMMANDS = ['banner', 'EHLO', 'HELO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'dot'] as const
const category = z.enum(Object.keys(CATEGORIES) as [Category, ...Category[]])
const action = z.enum(['fail', 'retry', 'retry-elsewhere', 'slow', 'suspend'])
const table = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value).default({})

const fileSchema = z.strictObject({
  providers: table(z.array(z.string().regex(/^[a-z0-9.-]+$/, 'expected a lower-case host name')).min(1)),
  enhanced: table(category),
  basic: table(category),
  command: z.partialRecord(z.enum(COMMANDS), category).default({}),
  action: table(action),
  rule: z.array(
    z.strictObject({
      id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case words joined by "-"'),
      version: z.number().int().min(1).default(1),
      match: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
      category,
      action: action.optional(),
      scope: z.string().optional(),
      commands: z.array(z.enum(COMMANDS)).min(1).optional(),
      weak: z.boolean().default(false),
      note: z.string().optional(),
      samples: z
        .array(z.string().regex(/^\d{3} /, 'expected a reply: "550 5.1.1 text"'))
        .min(1, 'a rule needs a sample'),
    }),
  ),
})
type File = z.output<typeof fileSchema>

/** Reads rules from TOML text. Throws RulesError. */
export function parseRules(text: string): Rules {
  const file = fileSchema.safeParse(parsedToml(text))
  if (!file.success) throw new RulesError(`the rules are not valid:\n${z.prettifyError(file.error)}`)
  const { providers, enhanced, basic, command, action: actions } = file.data
  const rules = file.data.rule.map(compiled)
  const names = new Set<string>()
  for (const { name, scope } of rules) {
    const id = name.slice(0, name.indexOf('@'))
    if (names.has(id)) throw new RulesError(`there are two rules "${id}"`)
    names.add(id)
    if (scope !== undefined && !(scope in providers))
      throw new RulesError(`rule "${id}": no provider "${scope}" in [providers]`)
  }
  return {
    rules,
    providers: new Map(Object.entries(providers).flatMap(([name, hosts]) => hosts.map((host) => [host, name]))),
    enhanced: new Map(Object.entries(enhanced)),
    basic: new Map(Object.entries(basic)),
    command: new Map(Object.entries(command)),
    action: new Map(Object.entries(actions)),
  }
}

/** The rules that come with Studs. */
export function shippedRules(): Rules {
  return parseRules(readFileSync(new URL('rules.toml', import.meta.url), 'utf8'))
}

function parsedToml(text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof TomlError) throw new RulesError(`the rules are not TOML: ${error.message}`, { cause: error })
    throw error
  }
}

function compiled({ id, version, match, commands, scope, action: does, note, ...rest }: File['rule'][number]): Rule {
  return {
    name: `${id}@${version}`,
    pattern: patternOf(id, typeof match === 'string' ? [match] : match),
    category: rest.category,
    weak: rest.weak,
    samples: rest.samples,
    ...(does === undefined ? {} : { action: does }),
    ...(scope === undefined ? {} : { scope }),
    ...(commands === undefined ? {} : { commands: new Set(commands) }),
    ...(note === undefined ? {} : { note }),
  }
}

function patternOf(id: string, alternatives: readonly string[]): RegExp {
  try {
    return new RegExp(alternatives.map((alternative) => `(?:${alternative})`).join('|'), 'iu')
  } catch (error) {
    throw new RulesError(`rule "${id}": ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
