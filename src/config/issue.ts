// From what zod found wrong to sentences for people: every issue becomes problems with a path, what was expected, what was
// there (never a secret) and, for slips of the hand, what was probably meant.

import type { z } from 'zod'
import type { Problem } from './problem.ts'
import { type Field, fieldAt, isSecret, type Node, type Path, root, tableAt } from './shape.ts'
import { nearest } from './suggest.ts'

const SHOWN_LENGTH = 60

/** `value` is what stood at the issue's path in the raw tree. */
export function problemsOf(issue: z.core.$ZodIssue, value: unknown): Problem[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
  const { message, cure } = explain({ issue, value, path })
  return [{ path: path.join('.'), message, ...(cure !== undefined && { cure }) }]
}

interface Finding {
  readonly issue: z.core.$ZodIssue
  readonly value: unknown
  readonly path: Path
}

function explain({ issue, value, path }: Finding): { message: string; cure?: string | undefined } {
  const node = nodeAt(path)
  const was = isSecret(path) ? '' : `, not ${show(value)}`
  if (value === undefined) return { message: 'is missing', cure: fieldAt(path)?.description }
  switch (issue.code) {
    case 'invalid_type':
      return { message: `expected ${expected(node)}${was}`, cure: typeCure(node, value) }
    case 'invalid_value':
      return { message: `expected ${expected(node)}${was}`, cure: choiceCure(node, value) }
    case 'too_small':
      if (Array.isArray(value) && Number(issue.minimum) > 1) return { message: lengthText(issue.minimum, value) }
      return { message: typeof value === 'number' ? `must be at least ${issue.minimum}${was}` : 'must not be empty' }
    case 'too_big':
      if (Array.isArray(value)) return { message: lengthText(issue.maximum, value) }
      return { message: `must be at most ${issue.maximum}${was}` }
    case 'custom':
      return { message: issue.message }
    default:
      return {
        message:
          node?.kind === 'value' && node.type === 'address' ? `expected an IP address${was}` : `${issue.message}${was}`,
      }
  }
}

function lengthText(wanted: number | bigint, list: readonly unknown[]): string {
  return `needs ${wanted} entries, not ${list.length}`
}

function nodeAt(path: Path): Node | undefined {
  const field = fieldAt(path)
  const isEntry = field !== undefined && path.at(-1) !== field.key
  if (!isEntry) return field?.node
  return field.node.kind === 'tables' || field.node.kind === 'list' ? field.node.item : field.node
}

const EXPECTED: Record<string, string> = {
  text: 'a text in quotes',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  address: 'an IP address',
  duration: 'a duration such as "10m"',
  size: 'a size such as "25MiB"',
  rate: 'a rate such as "100/min"',
  network: 'a network such as "10.0.0.0/8"',
}

function expected(node: Node | undefined): string {
  if (node === undefined) return 'something else'
  if (node.kind === 'table') return 'a table'
  if (node.kind === 'tables') return 'an array of tables, [[like this]]'
  if (node.kind === 'list') return 'a list, ["like", "this"]'
  return node.type === 'choice'
    ? `one of ${node.choices.map((choice) => `"${choice}"`).join(', ')}`
    : (EXPECTED[node.type] ?? node.type)
}

function typeCure(node: Node | undefined, value: unknown): string | undefined {
  if (node?.kind === 'tables' && typeof value === 'object' && !Array.isArray(value))
    return 'write the section as [[name]] instead of [name]'
  if (node?.kind === 'table' && Array.isArray(value)) return 'write the section as [name] instead of [[name]]'
  return undefined
}

function choiceCure(node: Node | undefined, value: unknown): string | undefined {
  if (node?.kind !== 'value' || typeof value !== 'string') return undefined
  const choice = nearest(value, node.choices)
  return choice === undefined ? undefined : `did you mean "${choice}"?`
}

function unknownKey(path: Path, key: string): Problem {
  const candidates = tableAt(path)?.fields.keys() ?? []
  const suggestion = nearest(key, candidates)
  const shown = show(key)
  const message = path.length === 0 ? `unknown section or key ${shown}` : `unknown key ${shown} in ${sectionName(path)}`
  const cure = suggestion === undefined ? elsewhere(key) : `did you mean "${suggestion}"?`
  return { path: [...path, key.slice(0, SHOWN_LENGTH)].join('.'), message, ...(cure !== undefined && { cure }) }
}

// A key below the wrong header is the commonest slip in TOML: a [[table]] lasts until the next header.
function elsewhere(key: string): string | undefined {
  const sections = [...root.fields.values()].filter((field) => tableAt([field.key])?.fields.has(key))
  return sections.length === 0
    ? undefined
    : `it is an option of ${sections.map((field) => header(field)).join(' and ')}`
}

function sectionName(path: Path): string {
  const field = fieldAt(path)
  return field === undefined ? `[${path.join('.')}]` : header(field, path)
}

function header(field: Field, path: Path = [field.key]): string {
  const name = path.filter((key) => !/^\d+$/.test(key)).join('.')
  return field.node.kind === 'tables' ? `[[${name}]]` : `[${name}]`
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  if (typeof value === 'object' && value !== null) return 'a table'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
}
