// One file of shaping as it is written: TOML text to checked sections, every value with its line. A file is taken as a
// whole or not at all; everything that is wrong with it is said at once, each with its line. Knows the form of a section,
// not which of them wins.

import { z } from 'zod'
import { type Document, parseDocument, placeOf } from '../config/document.ts'
import { ConfigError, type Problem } from '../config/problem.ts'
import { isTable } from '../config/shape.ts'
import { nearest } from '../config/suggest.ts'
import { type Rate, rate } from '../config/units.ts'
import { parseDomain } from '../mail/address.ts'
import { compiledRule, RULE_VALUES, type Rule, ruleSchema, type WrittenRule } from './rule.ts'
import type { Level, Place } from './section.ts'
import { camel, PROVIDER_VALUES, VALUES, type ValueName, type Values } from './values.ts'

/** One section, or the part of it that is for one source only. */
export interface Section {
  readonly level: Level
  /** '' for the level default. */
  readonly name: string
  readonly source: string | undefined
  readonly values: { readonly [Name in ValueName]?: Values[Name] }
  /** Why: where a number comes from. */
  readonly note: string | undefined
  placeOf(name: ValueName): Place
}

export interface ProviderSection {
  readonly name: string
  /** Ends of MX host names; undefined: those the classifier knows the provider by. */
  readonly mx: readonly string[] | undefined
  readonly place: Place
}

export interface SourceTotal {
  readonly name: string
  readonly messageRate: Rate
  readonly place: Place
}

export interface ShapingFile {
  readonly name: string
  readonly sections: readonly Section[]
  /** Of each section, in the order they are written. */
  readonly rules: readonly Rule[]
  readonly providers: readonly ProviderSection[]
  /** What a source may send over all its paths. */
  readonly sources: readonly SourceTotal[]
  /** Names of sources that the file speaks of, with the place of the first mention. */
  readonly mentioned: ReadonlyMap<string, Place>
}

const LABEL = /^[a-z0-9][a-z0-9._-]{0,62}$/
const label = () => z.string().regex(LABEL, 'expected a name of lower-case letters, digits, ".", "_" and "-"')
const hostEnd = () =>
  z.string().refine((text) => {
    const host = text.replace(/^\./, '')
    return parseDomain(host) === host
  }, 'expected the end of a host name in lower case, such as "google.com"')
const optional = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject(shape).partial()
const note = { note: z.string() }
const plain = optional({ ...VALUES, ...note })
const rule = z.array(ruleSchema).optional()
const section = plain.extend({ rule, source: z.record(label(), plain).optional() })
const ofProvider = optional({ ...VALUES, ...PROVIDER_VALUES, ...note })
const provider = ofProvider.extend({
  rule,
  mx: z.array(hostEnd()).min(1).optional(),
  source: z.record(label(), ofProvider).optional(),
})
const total = z.strictObject({ message_rate: rate(), note: z.string().optional() })

const domainKey = z
  .string()
  .refine((text) => parseDomain(text) === text, 'expected a domain as in DNS: lower case, no @, no "*"')
const fileSchema = z.strictObject({
  default: section.optional(),
  provider: z.record(label(), provider).optional(),
  site: z.record(z.string().min(1), section).optional(),
  domain: z.record(domainKey, section).optional(),
  source: z.record(label(), total).optional(),
})

/** Throws a ConfigError that names every line that is wrong. */
export function readShapingFile(text: string, name: string): ShapingFile {
  const document = parseDocument(text, name)
  const parsed = fileSchema.safeParse(document.tree)
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, document))
    throw new ConfigError(problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0)))
  }
  return new Reader(document, name).read(parsed.data)
}

type Written = z.output<typeof fileSchema>
type WrittenSection = Readonly<Record<string, unknown>> & { readonly note?: string | undefined }

class Reader {
  readonly #document: Document
  readonly #name: string
  readonly #sections: Section[] = []
  readonly #rules: Rule[] = []
  readonly #mentioned = new Map<string, Place>()

  constructor(document: Document, name: string) {
    this.#document = document
    this.#name = name
  }

  read(file: Written): ShapingFile {
    if (file.default !== undefined) this.#take('default', '', file.default)
    for (const level of ['provider', 'site', 'domain'] as const)
      for (const [name, written] of Object.entries(file[level] ?? {})) this.#take(level, name, written)
    const sources = Object.entries(file.source ?? {}).map(([name, { message_rate }]) => {
      this.#mention(name, ['source', name])
      return { name, messageRate: message_rate, place: this.#place(['source', name, 'message_rate'], ['source', name]) }
    })
    const providers = Object.entries(file.provider ?? {}).map(([name, { mx }]) => ({
      name,
      mx: mx?.map((end) => end.replace(/^\./, '')),
      place: this.#place(['provider', name], ['provider', name]),
    }))
    return {
      name: this.#name,
      sections: this.#sections,
      rules: this.#rules,
      providers,
      sources,
      mentioned: this.#mentioned,
    }
  }

  #take(level: Level, name: string, written: WrittenSection): void {
    const path = level === 'default' ? ['default'] : [level, name]
    const { source, rule, ...own } = written
    for (const [at, each] of ((rule ?? []) as readonly WrittenRule[]).entries()) {
      const place = { ...this.#place([...path, 'rule', String(at)], path), section: `[${header([...path, 'rule'])}]` }
      this.#rules.push(compiledRule(each, { level, section: name, place }))
    }
    // A section that is there only for its rules shapes nothing.
    if (rule === undefined || Object.keys(own).length > 0)
      this.#add({ level, name, source: undefined, path, written: own })
    if (!isTable(source)) return
    for (const [sourceName, values] of Object.entries(source)) {
      const at = [...path, 'source', sourceName]
      this.#mention(sourceName, at)
      this.#add({ level, name, source: sourceName, path: at, written: values as WrittenSection })
    }
  }

  #add(given: {
    readonly level: Level
    readonly name: string
    readonly source: string | undefined
    readonly path: readonly string[]
    readonly written: WrittenSection
  }): void {
    const { path, written, ...at } = given
    const keys = new Map<string, string>()
    const values: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(written)) {
      if (!(key in VALUES) && !(key in PROVIDER_VALUES)) continue
      keys.set(camel(key), key)
      values[camel(key)] = value
    }
    this.#sections.push({
      ...at,
      values,
      note: written.note,
      placeOf: (name) => this.#place([...path, keys.get(name) ?? name], path),
    })
  }

  #mention(source: string, path: readonly string[]): void {
    if (!this.#mentioned.has(source)) this.#mentioned.set(source, this.#place(path, path))
  }

  #place(path: readonly string[], of: readonly string[]): Place {
    return { file: this.#name, line: placeOf(this.#document, path).line ?? 1, section: header(of) }
  }
}

/** `[domain."example.com"]` */
function header(path: readonly string[]): string {
  return `[${path.map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key))).join('.')}]`
}

function problemsOf(issue: z.core.$ZodIssue, document: Document): Problem[] {
  const path = writtenPath(issue.path.map(String), document.tree)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], document))
  // The key itself is wrong: what stands inside says how.
  if (issue.code === 'invalid_key')
    return [{ path: path.join('.'), ...placeOf(document, path), message: issue.issues[0]?.message ?? issue.message }]
  const value = valueAt(path, document.tree)
  const message =
    value === undefined
      ? 'is missing'
      : issue.code === 'invalid_union' && issue.message === 'Invalid input'
        ? 'expected a rate such as "100/min", or "unlimited"'
        : words(issue)
  return [{ path: path.join('.'), ...placeOf(document, path), message: withValue(message, value) }]
}

function valueAt(path: readonly string[], tree: unknown): unknown {
  return path.reduce<unknown>((at, key) => (isTable(at) || Array.isArray(at) ? Reflect.get(at, key) : at), tree)
}

/** One text that stands for a list of one has no index in the file. */
function writtenPath(path: string[], tree: unknown): string[] {
  return path.at(-1) === '0' && typeof valueAt(path.slice(0, -1), tree) === 'string' ? path.slice(0, -1) : path
}

function words(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      return issue.origin === 'array' ? 'must not be empty' : `must be at least ${issue.minimum}`
    case 'invalid_value':
      return `expected one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'invalid_type':
      return `expected ${issue.expected === 'int' ? 'a whole number' : (EXPECTED[issue.expected] ?? issue.expected)}`
    default:
      return issue.message
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  number: 'a whole number',
  string: 'a text in quotes',
  array: 'a list, ["like", "this"]',
  object: 'a table',
  record: 'a table',
}

function withValue(message: string, value: unknown): string {
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value)
  return !isPlain || message.includes(', not ') ? message : `${message}, not ${JSON.stringify(value)}`
}

const SECTION_KEYS = ['default', 'provider', 'site', 'domain', 'source']

function unknownKey(path: readonly string[], document: Document): Problem {
  const key = path.at(-1) ?? ''
  const inProvider = path[0] === 'provider'
  const isInRule = path.at(-3) === 'rule'
  const known = isInRule
    ? Object.keys(RULE_VALUES)
    : path.length === 1
      ? SECTION_KEYS
      : ['note', 'rule', ...Object.keys(VALUES), ...(inProvider ? Object.keys(PROVIDER_VALUES) : [])]
  const suggestion = nearest(key, known)
  const where = path.length === 1 ? 'section or key' : 'key'
  const cure =
    suggestion !== undefined
      ? `did you mean "${suggestion}"?`
      : key in PROVIDER_VALUES
        ? 'only a [provider.…] has it'
        : path.length === 1
          ? 'values stand in [default], [provider.NAME], [site."…"], [domain."…"] or [source.NAME]'
          : undefined
  return {
    path: path.join('.'),
    ...placeOf(document, path),
    message: `unknown ${where} ${JSON.stringify(key.slice(0, 60))}`,
    ...(cure !== undefined && { cure }),
  }
}
