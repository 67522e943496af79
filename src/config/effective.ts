// The effective options one by one, as people see them: a readable name, the value as it would stand in the file, secrets
// hidden. What `studs config show` prints and what a reload compares.

import { isSecret, isTable, type Path, root, type TableNode } from './shape.ts'

export interface Option {
  /** In the tree: `listener.0.port` as parts. */
  readonly path: Path
  /** For people, entries by their name: `listener.submission.port`. */
  readonly label: string
  /** Labels of the entries of arrays of tables that it is part of, outermost first. */
  readonly entries: readonly string[]
  /** The value as in the file; REDACTED for a secret. */
  readonly value: unknown
  /** Tells two values apart, secrets too. Not to be printed. */
  readonly identity: string
}

export const REDACTED = '***'

/** Every option that has a value, in the order of the schema. */
export function optionsOf(tree: Readonly<Record<string, unknown>>): Option[] {
  return [...walk({ table: root, tree, path: [], label: [], entries: [] })]
}

/** A value as TOML. */
export function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`
  if (isTable(value))
    return `{ ${Object.entries(value)
      .map(([key, item]) => `${key} = ${tomlValue(item)}`)
      .join(', ')} }`
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

interface Walk {
  readonly table: TableNode
  readonly tree: Readonly<Record<string, unknown>>
  readonly path: Path
  readonly label: readonly string[]
  readonly entries: readonly string[]
}

function* walk({ table, tree, path, label, entries }: Walk): Iterable<Option> {
  for (const { key, node } of table.fields.values()) {
    const value = tree[key]
    const here = { path: [...path, key], label: [...label, key], entries }
    if (value === undefined) continue
    if (node.kind === 'table' && isTable(value)) yield* walk({ ...here, table: node, tree: value })
    else if (node.kind === 'tables' && Array.isArray(value)) yield* walkEntries(node.item, value, here)
    else yield option(here, value)
  }
}

function* walkEntries(
  table: TableNode,
  values: readonly unknown[],
  at: Omit<Walk, 'table' | 'tree'>,
): Iterable<Option> {
  // The first option of every entry is the one it is known by: a name, a network, a domain.
  const [nameKey = ''] = table.fields.keys()
  for (const [index, tree] of values.entries()) {
    if (!isTable(tree)) continue
    const label = [...at.label, String(tree[nameKey] ?? index)]
    yield* walk({ table, tree, path: [...at.path, String(index)], label, entries: [...at.entries, label.join('.')] })
  }
}

function option({ path, label, entries }: Omit<Walk, 'table' | 'tree'>, value: unknown): Option {
  return {
    path,
    label: label.join('.'),
    entries,
    value: isSecret(path) ? REDACTED : value,
    identity: JSON.stringify(value),
  }
}
