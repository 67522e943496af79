// The configuration on its way in: the raw tree of the TOML file plus where each value came from. Overrides and secrets
// are written into it; afterwards it is filled with defaults and handed to the schema.

import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { lineIndex } from './lines.ts'
import { ConfigError, type Problem } from './problem.ts'
import { isTable, type Node, type Path, type TableNode } from './shape.ts'

/** Where a value came from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly line: number }
  | { readonly kind: 'env'; readonly variable: string }

export interface Document {
  /** Keys and values as in the file, in units for people. */
  readonly tree: Record<string, unknown>
  /** The file's name as shown to people; undefined without a file. */
  readonly file: string | undefined
  readonly lines: Map<string, number>
  /** Environment variables by the path they wrote. */
  readonly variables: Map<string, string>
}

export function emptyDocument(): Document {
  return { tree: {}, file: undefined, lines: new Map(), variables: new Map() }
}

/** Reads and parses `file`; throws a ConfigError with line and column for what is no TOML. */
export function readDocument(file: string, shownAs: string): Document {
  return parseDocument(readText(file, shownAs), shownAs)
}

export function parseDocument(text: string, shownAs: string): Document {
  try {
    return { tree: parse(text), file: shownAs, lines: lineIndex(text), variables: new Map() }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const message = (error.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', 'not valid TOML: ')
    throw new ConfigError([
      { ...tomlCure(message), path: '', message, file: shownAs, line: error.line, column: error.column },
    ])
  }
}

function readText(file: string, shownAs: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    throw new ConfigError([{ path: '', file: shownAs, ...readFailure(error) }])
  }
}

/** What to tell people about a file that could not be read. */
export function readFailure(error: unknown): Pick<Problem, 'message' | 'cure'> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  const known: Record<string, Pick<Problem, 'message' | 'cure'>> = {
    ENOENT: { message: 'there is no such file' },
    EACCES: { message: 'no permission to read the file', cure: 'let the user that Studs runs as read it' },
    EISDIR: { message: 'is a folder, not a file' },
    ERR_ENCODING_INVALID_ENCODED_DATA: { message: 'is not UTF-8 text', cure: 'save it as UTF-8' },
  }
  return known[code] ?? { message: `cannot be read (${code})` }
}

// What people mostly did when the parser complains so.
function tomlCure(message: string): Pick<Problem, 'cure'> {
  if (/redefine/.test(message)) return { cure: 'the key or section stands twice; keep one' }
  if (/invalid value|numeric literal/.test(message)) return { cure: 'texts, durations and sizes need quotes: "10m"' }
  if (/illegal character in key|incomplete key|expected an? /i.test(message))
    return { cure: 'each line is key = value, and each section header [name]' }
  return {}
}

/** Writes a value at `path` on behalf of `variable`; what the file said of it and below is forgotten. */
export function setFromVariable(document: Document, { path, variable }: { path: Path; variable: string }): void {
  const key = path.join('.')
  for (const known of [...document.lines.keys(), ...document.variables.keys()]) {
    if (known !== key && !known.startsWith(`${key}.`)) continue
    document.lines.delete(known)
    document.variables.delete(known)
  }
  document.variables.set(key, variable)
}

/** Where exactly the value at `path` came from. */
export function originOf(document: Document, path: Path): Origin {
  for (let length = path.length; length > 0; length--) {
    const variable = document.variables.get(path.slice(0, length).join('.'))
    if (variable !== undefined) return { kind: 'env', variable }
  }
  const line = document.lines.get(path.join('.'))
  return line === undefined ? { kind: 'default' } : { kind: 'file', line }
}

/** Where to look for the cause of a problem at `path`: there, or at the nearest thing around it that somebody wrote. */
export function placeOf(document: Document, path: Path): Pick<Problem, 'file' | 'line' | 'variable'> {
  for (let length = path.length; length > 0; length--) {
    const key = path.slice(0, length).join('.')
    const variable = document.variables.get(key)
    if (variable !== undefined) return { variable }
    const line = document.lines.get(key)
    if (line !== undefined && document.file !== undefined) return { file: document.file, line }
  }
  return document.file === undefined ? {} : { file: document.file }
}

/** The tree with every default filled in. Wrong types and unknown keys stay, for the schema to refuse. */
export function fillDefaults(node: TableNode, tree: Record<string, unknown>): Record<string, unknown> {
  const filled: Record<string, unknown> = { ...tree }
  for (const field of node.fields.values()) {
    const given = Object.hasOwn(tree, field.key) ? tree[field.key] : undefined
    const value = fillValue(field.node, given ?? structuredClone(field.default))
    if (value !== undefined) filled[field.key] = value
  }
  return filled
}

function fillValue(node: Node, value: unknown): unknown {
  // To zod a date is an object without keys, that is, an empty table.
  if (value instanceof Date && node.kind !== 'value') return value.toISOString()
  if (node.kind === 'table' && isTable(value)) return fillDefaults(node, value)
  if (node.kind === 'tables' && Array.isArray(value)) {
    return value.map((entry: unknown) => fillValue(node.item, entry))
  }
  return value
}
