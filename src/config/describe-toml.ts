// Lays out config/studs.toml: every option, commented out, with its type, default and consequence. Prose is "# text" and
// an option is "#key = value", so that taking away one "#" switches an option on.

import { factsText, headerText, wrap } from './describe.ts'
import { tomlValue } from './effective.ts'
import { exampleOf } from './example.ts'
import { type Field, isTable, type Path, root, type TableNode, type TablesNode } from './shape.ts'

const WIDTH = 110

const PREAMBLE = `# The configuration of Studs. Every option stands here with its default, commented out: this file as it is changes nothing.
# Take away the "#" before "key = value" (and before the [[header]] above it, if that is commented out) to set an option.
#
# Durations "30s", "10m", "1h 20m", "3d"; sizes "500B", "256KiB", "25MiB"; rates "100/min", "5/10s". Relative paths start at
# the folder of this file; if that is called "config", at its parent. Unknown keys are errors.
# STUDS__SECTION__KEY in the environment outranks this file: STUDS__DELIVERY__MODE=internet.
#
# studs config check    says whether this file is right, without starting anything
# studs config show     says which values hold and where each comes from
# kill -HUP             makes a running Studs read it again; what is wrong then changes nothing`

export function tomlReference(): string {
  const sections = [...root.fields.values()].map((field) =>
    field.node.kind === 'tables' ? entries(field, field.node) : section(field),
  )
  return `${[PREAMBLE, ...sections].join('\n\n')}\n`
}

function section({ key, node, description }: Field): string {
  if (node.kind !== 'table') throw new TypeError(`[${key}] is no section`)
  const options = [...node.fields.values()].map((field) =>
    option(field, { path: [key, field.key], value: field.default }),
  )
  return [`${prose(description)}\n${headerText([key], node)}`, ...options].join('\n\n')
}

/** One entry with everything explained, then the further default entries, if any. */
function entries(field: Field, node: TablesNode, path: Path = [field.key]): string {
  const given = Array.isArray(field.default) ? field.default.filter(isTable) : []
  const [first = {}, ...others] = given
  const note = given.length === 0 ? 'None by default; an example:' : 'By default:'
  const head = `${prose(field.description)}\n${prose(note)}\n#${headerText(path, node)}`
  const more = others.map((entry) =>
    [`#${headerText(path, node)}`, ...Object.entries(entry).map(([key, value]) => line(key, value))].join('\n'),
  )
  return [head, ...entryOptions(node.item, { path, entry: first }), ...more].join('\n\n')
}

function entryOptions(table: TableNode, { path, entry }: { path: Path; entry: Record<string, unknown> }): string[] {
  const fields = [...table.fields.values()]
  const plain = fields.filter(({ node }) => node.kind !== 'tables' && node.kind !== 'table')
  const below = fields.flatMap((field) => (field.node.kind === 'table' ? [{ field, node: field.node }] : []))
  const nested = fields.flatMap((field) => (field.node.kind === 'tables' ? [{ field, node: field.node }] : []))
  return [
    ...plain.map((field) => option(field, { path: [...path, field.key], value: entry[field.key] ?? field.default })),
    ...below.flatMap(({ field, node }) => [
      `${prose(field.description)}\n#${headerText([...path, field.key], node)}`,
      ...entryOptions(node, { path: [...path, field.key], entry: {} }),
    ]),
    ...nested.map(({ field, node }) =>
      entries({ ...field, default: entry[field.key] ?? field.default }, node, [...path, field.key]),
    ),
  ]
}

function option(field: Field, { path, value }: { path: Path; value: unknown }): string {
  return `${prose(field.description)}\n${prose(`${factsText(field)}`)}\n${line(field.key, value ?? exampleOf(path))}`
}

function line(key: string, value: unknown): string {
  return `#${key} = ${tomlValue(value)}`
}

function prose(text: string): string {
  return wrap(text, WIDTH)
    .map((row) => `# ${row}`)
    .join('\n')
}
