// Environment overrides: STUDS__SECTION__KEY writes into the raw document before the schema sees it, so that the same
// rules and messages hold for file and environment. Arrays of tables take an index or the name of an entry.

import { type Document, setFromVariable } from './document.ts'
import type { Problem } from './problem.ts'
import { type Field, isIndex, isTable, type Node, type Path, root, type TableNode, type TablesNode } from './shape.ts'
import { nearest } from './suggest.ts'

export type Environment = Readonly<Record<string, string | undefined>>

const PREFIX = 'STUDS__'

/** One variable being applied: what it says, and how far down its name has been followed. */
interface Assignment {
  readonly variable: string
  readonly text: string
  readonly document: Document
  readonly tree: Record<string, unknown>
  readonly path: Path
  readonly rest: readonly string[]
}

/** Applies every override to `document`; returns what is wrong with them. Empty variables count as not set. */
export function applyOverrides(document: Document, env: Environment): Problem[] {
  const problems: Problem[] = []
  for (const { variable, text, segments } of overridesIn(env)) {
    const problem = assign(root, { variable, text, document, tree: document.tree, path: [], rest: segments })
    if (problem !== undefined) problems.push({ ...problem, variable })
  }
  return problems
}

// In the order of their parts: a whole section before its keys, index 0 before 1.
function overridesIn(env: Environment) {
  return Object.entries(env)
    .flatMap(([variable, text]) =>
      variable.startsWith(PREFIX) && text !== undefined && text !== ''
        ? [{ variable, text, segments: variable.slice(PREFIX.length).split('__') }]
        : [],
    )
    .toSorted((one, other) => compareParts(one.segments, other.segments))
}

function compareParts(one: readonly string[], other: readonly string[]): number {
  for (const [at, part] of one.entries()) {
    const against = other[at]
    if (against === undefined) return 1
    const order = isIndex(part) && isIndex(against) ? Number(part) - Number(against) : part.localeCompare(against)
    if (order !== 0) return order
  }
  return one.length - other.length
}

function assign(table: TableNode, assignment: Assignment): Problem | undefined {
  const { tree, path, rest } = assignment
  const [segment = '', ...below] = rest
  const field = table.fields.get(segment.toLowerCase())
  if (field === undefined) return unknownPart(table, assignment, segment)
  const here = { ...assignment, path: [...path, field.key], rest: below }
  if (below.length === 0) return write(table, field, here)
  if (field.node.kind === 'tables') return assignEntry(field.node, { ...here, tree: ownArray(tree, field) })
  if (field.node.kind !== 'table') {
    return { path: here.path.join('.'), message: 'is one value and has no parts', cure: `use ${nameOf(here.path)}` }
  }
  const child = ownTable(tree, field.key)
  return child === undefined ? undefined : assign(field.node, { ...here, tree: child })
}

function write(
  table: TableNode,
  field: Field,
  { tree, text, document, path, variable }: Assignment,
): Problem | undefined {
  const value = read(field.node, text)
  if (value === undefined)
    return { path: path.join('.'), message: 'expected JSON', cure: `for example ${nameOf(path)}='[…]'` }
  tree[field.key] = value
  setFromVariable(document, { path, variable })
  forgetTwin(table, { tree, document, path })
  return undefined
}

// The environment outranks the file: a secret given here replaces the file's, in whichever of its two forms.
function forgetTwin(table: TableNode, { tree, document, path }: Pick<Assignment, 'tree' | 'document' | 'path'>): void {
  const key = path.at(-1) ?? ''
  const twin = key.endsWith('_file') ? key.slice(0, -'_file'.length) : `${key}_file`
  const line = [...path.slice(0, -1), twin].join('.')
  if (table.fields.has(twin) && document.lines.delete(line)) delete tree[twin]
}

function assignEntry(
  node: TablesNode,
  assignment: Assignment & { tree: Record<string, unknown> },
): Problem | undefined {
  const { tree, path, rest } = assignment
  const entries = tree.entries
  // Not an array: the file has it wrong, and the schema will say so.
  if (!Array.isArray(entries)) return undefined
  const [segment = '', ...below] = rest
  const index = isIndex(segment) ? Number(segment) : indexByName(entries, segment)
  if (index === undefined)
    return { path: path.join('.'), message: `"${segment}" means more than one entry`, cure: 'use its index' }
  if (index > entries.length) {
    return {
      path: path.join('.'),
      message: `entry ${index} would leave a gap`,
      cure: `the next index is ${entries.length}`,
    }
  }
  if (index === entries.length)
    entries.push(isIndex(segment) || !node.item.fields.has('name') ? {} : { name: segment.toLowerCase() })
  const entry: unknown = entries[index]
  if (!isTable(entry)) return undefined
  const here = { ...assignment, tree: entry, path: [...path, String(index)], rest: below }
  return below.length === 0 ? writeEntry(entries, here) : assign(node.item, here)
}

function writeEntry(entries: unknown[], { path, text, document, variable }: Assignment): Problem | undefined {
  const value = json(text)
  if (!isTable(value))
    return { path: path.join('.'), message: 'expected a JSON object', cure: `for example ${variable}='{"name": "…"}'` }
  entries[Number(path.at(-1))] = value
  setFromVariable(document, { path, variable })
  return undefined
}

/** The place of the entry called `segment`; one past the end when there is none; undefined when several are. */
function indexByName(entries: readonly unknown[], segment: string): number | undefined {
  const wanted = variablePart(segment)
  const found = entries.flatMap((entry, index) =>
    isTable(entry) && typeof entry.name === 'string' && variablePart(entry.name) === wanted ? [index] : [],
  )
  return found.length > 1 ? undefined : (found[0] ?? entries.length)
}

// Shells allow only letters, digits and "_" in names: "shop.example" is written SHOP_EXAMPLE.
function variablePart(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '_')
}

function ownTable(tree: Record<string, unknown>, key: string): Record<string, unknown> | undefined {
  if (!Object.hasOwn(tree, key)) tree[key] = {}
  const child = tree[key]
  return isTable(child) ? child : undefined
}

// Entries that are not in the file are the default ones: STUDS__LISTENER__SUBMISSION__PORT changes the default listener.
function ownArray(tree: Record<string, unknown>, field: Field): { entries: unknown } {
  if (!Object.hasOwn(tree, field.key)) tree[field.key] = structuredClone(field.default ?? [])
  return { entries: tree[field.key] }
}

/** The text of a variable as the type of its option; texts that do not fit are left for the schema to refuse. */
function read(node: Node, text: string): unknown {
  if (node.kind === 'list' && !text.trimStart().startsWith('['))
    return text.split(',').map((item) => read(node.item, item.trim()))
  if (node.kind !== 'value') return json(text)
  if (node.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  const isNumber = (node.type === 'integer' || node.type === 'number') && /^-?\d+(\.\d+)?$/.test(text)
  return isNumber ? Number(text) : text
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Whoever asked says what was expected; the parser's own words ("Unexpected token") help nobody.
    return undefined
  }
}

function unknownPart(table: TableNode, { path }: Assignment, segment: string): Problem {
  const suggestion = nearest(segment, table.fields.keys())
  const what = path.length === 0 ? 'section' : 'option'
  const cure = suggestion === undefined ? undefined : `did you mean ${nameOf([...path, suggestion])}?`
  const key = segment.slice(0, 64).toLowerCase()
  return { path: [...path, key].join('.'), message: `there is no ${what} "${key}"`, ...(cure && { cure }) }
}

/** The variable that sets `path`. */
export function nameOf(path: Path): string {
  return PREFIX + path.map(variablePart).join('__')
}
