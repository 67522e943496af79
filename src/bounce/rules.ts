// The rules of the classifier, put together from files: the shipped ones, which lie in rules/ beside this file in the
// order in which they are asked, and perhaps an operator's own before them. Checked as a whole before any of it is used.

import { readFileSync } from 'node:fs'
import type { SmtpCommand } from '../mail/reply.ts'
import { folded } from './mask.ts'
import { type RuleFile, RulesError, readRuleFile, type WrittenRule } from './rule-file.ts'
import type { Action, Category, CoarseClass } from './verdict.ts'

export { RulesError } from './rule-file.ts'

export interface Rule {
  /** Id and version: `mailbox-unknown@1`. */
  readonly name: string
  readonly pattern: RegExp
  /** Where this matches too, the rule says nothing. */
  readonly unless?: RegExp
  readonly category: Category
  /** Where the reply is about something else than most of its category; what is done follows the category alone. */
  readonly class?: CoarseClass
  /** Replaces what the category alone would do with the message. */
  readonly action?: Action
  /** The one provider whose replies it is for; absent: everybody's. */
  readonly scope?: string
  /** The commands whose replies it is for; absent: any. */
  readonly commands?: ReadonlySet<SmtpCommand>
  /** Its words say little: asked only when the enhanced code says nothing. */
  readonly weak: boolean
  /** From the operator's file: asked before all shipped ones, whatever their scope. */
  readonly isOwn: boolean
  readonly note?: string
  /** Replies in the receivers' form, each as `550 5.1.1 text`. */
  readonly samples: readonly string[]
}

export interface Rules {
  /** In the order they are asked, but for the scope. */
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

/** In the order in which their rules are asked. */
const SHIPPED = [
  'codes.toml',
  'words.toml',
  'providers.toml',
  'rates.toml',
  'sending.toml',
  'message.toml',
  'mailbox.toml',
  'site.toml',
  'remainder.toml',
] as const

interface Source {
  /** As shown to people. */
  readonly name: string
  readonly text: string
  readonly isOwn: boolean
}

/** Reads rules from TOML text alone. Throws RulesError. */
export function parseRules(text: string): Rules {
  return assembled([{ name: 'the rules', text, isOwn: false }])
}

/** The rules that come with Studs. */
export function shippedRules(): Rules {
  return assembled(shippedSources())
}

/** The shipped rules with an operator's own, given as TOML text, before them. Throws RulesError. */
export function rulesWithOwn(text: string, name: string): Rules {
  return assembled([{ name, text, isOwn: true }, ...shippedSources()])
}

function shippedSources(): Source[] {
  return SHIPPED.map((name) => ({
    name,
    text: readFileSync(new URL(`rules/${name}`, import.meta.url), 'utf8'),
    isOwn: false,
  }))
}

function assembled(sources: readonly Source[]): Rules {
  const files = sources.map((source) => ({ ...source, file: readRuleFile(source.text, source.name) }))
  const merged = <Value>(of: (file: RuleFile) => Readonly<Record<string, Value>>): Map<string, Value> =>
    // Backwards: what the first file says, holds.
    new Map(files.toReversed().flatMap(({ file }) => Object.entries(of(file))))
  const words = merged((file) => file.words)
  const providers = merged((file) =>
    Object.fromEntries(Object.entries(file.providers).flatMap(([name, hosts]) => hosts.map((host) => [host, name]))),
  )
  const known = new Set(providers.values())
  /** By id, where it is: the operator's comes first. */
  const taken = new Map<string, () => string>()
  const rules = files.flatMap(({ file, isOwn }) =>
    file.rule.map((written, at) => {
      const { id, scope } = written
      const other = taken.get(id)
      if (other !== undefined)
        throw new RulesError(
          `there are two rules "${id}", one in ${other()} and one in ${file.placeOf(at)}: rename one of them`,
        )
      taken.set(id, () => file.placeOf(at))
      if (scope !== undefined && !known.has(scope))
        throw new RulesError(
          `rule "${id}" in ${file.placeOf(at)}: no provider "${scope}" in [providers]; add its MX hosts there`,
        )
      return compiled(written, { source: () => file.placeOf(at), words, isOwn })
    }),
  )
  return {
    rules,
    providers,
    enhanced: merged((file) => file.enhanced),
    basic: merged((file) => file.basic),
    command: merged((file) => file.command as Record<string, Category>),
    action: merged((file) => file.action),
  }
}

type Words = ReadonlyMap<string, string | readonly string[]>

function compiled(
  { id, version, match, unless, commands, scope, action: does, note, ...rest }: WrittenRule,
  given: { readonly source: () => string; readonly words: Words; readonly isOwn: boolean },
): Rule {
  return {
    name: `${id}@${version}`,
    pattern: patternOf(match, { ...given, id }),
    category: rest.category,
    weak: rest.weak,
    isOwn: given.isOwn,
    samples: rest.samples,
    ...(unless === undefined ? {} : { unless: patternOf(unless, { ...given, id }) }),
    ...(rest.class === undefined ? {} : { class: rest.class }),
    ...(does === undefined ? {} : { action: does }),
    ...(scope === undefined ? {} : { scope }),
    ...(commands === undefined ? {} : { commands: new Set(commands) }),
    ...(note === undefined ? {} : { note }),
  }
}

function patternOf(
  match: string | readonly string[],
  { id, source, words }: { readonly id: string; readonly source: () => string; readonly words: Words },
): RegExp {
  const expand = (text: string): string =>
    text.replaceAll(/%([a-z-]+)%/g, (_, name: string) => {
      const word = words.get(name)
      if (word === undefined) throw new RulesError(`rule "${id}" in ${source()}: no word "${name}" in [words]`)
      return oneOf(word, expand)
    })
  try {
    // Folded as the text is, so that people may write the accents of their language.
    return new RegExp(folded(oneOf(match, expand)), 'iu')
  } catch (error) {
    if (error instanceof RulesError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new RulesError(`rule "${id}" in ${source()}: ${message}`, { cause: error })
  }
}

function oneOf(match: string | readonly string[], expand: (text: string) => string): string {
  return `(?:${(typeof match === 'string' ? [match] : match).map(expand).join('|')})`
}
