// The schema as plain data: tables, lists and values with their type, default and description. The only file that looks
// inside zod's types; the overrides, the messages and the reference are written against this instead.

import { z } from 'zod'
import { schema } from './schema.ts'

export interface Field {
  readonly key: string
  readonly description: string
  readonly node: Node
  /** As it would stand in the file; undefined when there is none. */
  readonly default: unknown
  readonly isRequired: boolean
}

export interface TableNode {
  readonly kind: 'table'
  readonly fields: ReadonlyMap<string, Field>
}

/** An array of tables: `[[listener]]`. */
export interface TablesNode {
  readonly kind: 'tables'
  readonly item: TableNode
}

export interface ListNode {
  readonly kind: 'list'
  readonly item: ValueNode
}

export interface ValueNode {
  readonly kind: 'value'
  readonly type:
    | 'text'
    | 'integer'
    | 'number'
    | 'boolean'
    | 'choice'
    | 'address'
    | 'duration'
    | 'size'
    | 'rate'
    | 'network'
  readonly choices: readonly string[]
  readonly min: number | undefined
  readonly max: number | undefined
}

export type Node = TableNode | TablesNode | ListNode | ValueNode

/** A path from the root of the file: keys, and indexes of arrays as text. */
export type Path = readonly string[]

// Never printed, not even when the value is wrong.
const SECRET_KEYS: ReadonlySet<string> = new Set(['password'])
const UNITS = ['duration', 'size', 'rate', 'network'] as const

export const root: TableNode = tableOf(schema)

export function isSecret(path: Path): boolean {
  return SECRET_KEYS.has(path.at(-1) ?? '')
}

/** Whether `value` is a table of the raw document. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The field at `path` of the schema; the path of an entry (`listener.0`) gives the field of its array. */
export function fieldAt(path: Path): Field | undefined {
  let table: TableNode = root
  let field: Field | undefined
  for (const [at, key] of path.entries()) {
    if (field?.node.kind === 'tables' && isIndex(key)) continue
    if (at > 0 && field?.node.kind !== 'table' && field?.node.kind !== 'tables') return field
    field = table.fields.get(key)
    if (field === undefined) return undefined
    if (field.node.kind === 'table') table = field.node
    if (field.node.kind === 'tables') table = field.node.item
  }
  return field
}

/** The table of the schema at `path` (of a section or of one entry of an array of tables). */
export function tableAt(path: Path): TableNode | undefined {
  if (path.length === 0) return root
  const node = fieldAt(path)?.node
  if (node?.kind === 'table') return node
  return node?.kind === 'tables' ? node.item : undefined
}

export function isIndex(key: string): boolean {
  return /^\d{1,6}$/.test(key)
}

function tableOf(object: z.ZodObject): TableNode {
  const fields = Object.entries(object.shape).map(([key, type]) => [key, fieldOf(key, type)] as const)
  return { kind: 'table', fields: new Map(fields) }
}

function fieldOf(key: string, type: z.core.$ZodType): Field {
  const description = z.globalRegistry.get(type)?.description ?? ''
  if (type instanceof z.ZodPrefault) {
    return { key, description, node: nodeOf(type.def.innerType), default: type.def.defaultValue, isRequired: false }
  }
  if (type instanceof z.ZodOptional) {
    return { key, description, node: nodeOf(type.def.innerType), default: undefined, isRequired: false }
  }
  return { key, description, node: nodeOf(type), default: undefined, isRequired: true }
}

function nodeOf(type: z.core.$ZodType): Node {
  if (type instanceof z.ZodObject) return tableOf(type)
  if (!(type instanceof z.ZodArray)) return valueNode(type)
  const item = nodeOf(type.element)
  if (item.kind === 'table') return { kind: 'tables', item }
  if (item.kind === 'value') return { kind: 'list', item }
  throw new TypeError('a list of lists has no place in the configuration')
}

function valueNode(type: z.core.$ZodType): ValueNode {
  const plain = { kind: 'value', choices: [], min: undefined, max: undefined } as const
  const unit = UNITS.find((name) => name === z.globalRegistry.get(type)?.unit)
  if (unit !== undefined) return { ...plain, type: unit }
  if (type instanceof z.ZodBoolean) return { ...plain, type: 'boolean' }
  if (type instanceof z.ZodEnum) return { ...plain, type: 'choice', choices: type.options.map(String) }
  if (type instanceof z.ZodIPv4 || type instanceof z.ZodIPv6) return { ...plain, type: 'address' }
  if (type instanceof z.ZodString) return { ...plain, type: 'text' }
  if (type instanceof z.ZodNumber) {
    const [min, max] = [type.minValue ?? undefined, type.maxValue ?? undefined]
    return {
      ...plain,
      type: type.format === 'safeint' ? 'integer' : 'number',
      min,
      max: max === Number.MAX_SAFE_INTEGER ? undefined : max,
    }
  }
  throw new TypeError(`the configuration has no word for the type ${type._zod.def.type}`)
}
