// The words of the reference, made from the schema: type, default, range, environment variable of each option, and the
// text of `studs config describe`. The commented file and the Markdown page are laid out by their neighbours.

import { tomlValue } from './effective.ts'
import { nameOf } from './override.ts'
import { type Field, type Node, type Path, root, type ValueNode } from './shape.ts'
import { nearest } from './suggest.ts'

const TYPE_WORDS: Readonly<Record<Exclude<ValueNode['type'], 'choice'>, string>> = {
  text: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  address: 'IP address',
  duration: 'duration',
  size: 'size',
  rate: 'rate',
  network: 'network',
}

/** For a terminal: none is narrower. */
const TEXT_WIDTH = 80
/** Of the headers in the brief list, the longest with a gap. */
const SECTION_WIDTH = 20

/** `duration`, `"a", "b" or "c"`, `whole number, 1 to 16`, `list of texts`. */
export function typeText(node: Node): string {
  if (node.kind === 'table') return 'table'
  if (node.kind === 'tables') return 'array of tables'
  if (node.kind === 'list') return listText(node.item)
  if (node.type === 'choice') {
    const choices = node.choices.map((choice) => JSON.stringify(choice))
    return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
  }
  return TYPE_WORDS[node.type] + rangeText(node)
}

/** Words have a plural; choices do not. */
function listText(item: ValueNode): string {
  if (item.type === 'choice') return `list, each ${typeText(item)}`
  return `list of ${TYPE_WORDS[item.type]}${item.type === 'address' ? 'es' : 's'}${rangeText(item)}`
}

function rangeText({ min, max }: ValueNode): string {
  if (min !== undefined && max !== undefined && Number.isFinite(max)) return ` from ${min} to ${max}`
  return min === undefined ? '' : ` from ${min}`
}

/** The default as TOML; undefined when there is none. */
export function defaultText(field: Field): string | undefined {
  return field.default === undefined ? undefined : tomlValue(field.default)
}

/** `duration, default "30s"`. */
export function factsText(field: Field): string {
  if (field.isRequired) return `${typeText(field.node)}, must be given`
  const value = defaultText(field)
  return value === undefined
    ? `${typeText(field.node)}, not set by default`
    : `${typeText(field.node)}, default ${value}`
}

/** The variable that sets an option; parts such as `<name>` stand for what one chooses. */
export function variableText(path: Path): string {
  return path
    .map((part, at) =>
      part.startsWith('<') ? part.toUpperCase() : nameOf([part]).slice(at === 0 ? 0 : 'STUDS__'.length),
    )
    .join('__')
}

/** How an entry of an array of tables is named in a variable. */
export function entryPart(field: Field): string {
  return field.node.kind === 'tables' && field.node.item.fields.has('name') ? '<name>' : '<index>'
}

/** The header of a section as it stands in the file. */
export function headerText(path: Path, node: Node): string {
  return node.kind === 'tables' ? `[[${path.join('.')}]]` : `[${path.join('.')}]`
}

export type SectionText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unknown'; readonly suggestion: string | undefined }

/** For the terminal: the sections in brief, or one section in full (`delivery`, or `delivery.mode` for one option). */
export function describeSection(name: string | undefined): SectionText {
  if (name === undefined) {
    const lines = [...root.fields.values()].flatMap((field) =>
      wrap(field.description, TEXT_WIDTH - SECTION_WIDTH).map(
        (line, at) => (at === 0 ? headerText([field.key], field.node) : '').padEnd(SECTION_WIDTH) + line,
      ),
    )
    return { kind: 'text', text: `${lines.join('\n')}\n` }
  }
  const [section = '', option] = name.replace(/[[\]]/g, '').split('.')
  const field = root.fields.get(section)
  const fields = field === undefined ? [] : fieldsBelow(field)
  const chosen =
    option === undefined ? fields : fields.filter(({ path }) => path.some((part, at) => at > 0 && part === option))
  if (field === undefined) return { kind: 'unknown', suggestion: nearest(section, root.fields.keys()) }
  if (chosen.length === 0) {
    const near = nearest(
      option ?? '',
      fields.map((below) => below.field.key),
    )
    return { kind: 'unknown', suggestion: near === undefined ? section : `${section}.${near}` }
  }
  const head = `${wrap(`${headerText([section], field.node)}  ${field.description}`, TEXT_WIDTH).join('\n')}\n`
  return { kind: 'text', text: [head, ...chosen.map(describeOption)].join('\n') }
}

function describeOption({ field, path }: Below): string {
  const name = path
    .filter((part) => !part.startsWith('<'))
    .slice(1)
    .join('.')
  return `  ${name}: ${factsText(field)}\n${wrap(field.description, TEXT_WIDTH - 6)
    .map((line) => `      ${line}\n`)
    .join('')}      ${variableText(path)}\n`
}

export interface Below {
  readonly field: Field
  /** With `<name>` and `<index>` for entries. */
  readonly path: Path
}

/** Every option below a section, also in arrays of tables within its entries. */
export function fieldsBelow(field: Field, above: Path = []): Below[] {
  const path = [...above, field.key]
  if (field.node.kind === 'table') return [...field.node.fields.values()].flatMap((below) => fieldsBelow(below, path))
  if (field.node.kind !== 'tables') return [{ field, path }]
  const entry = [...path, entryPart(field)]
  return [...field.node.item.fields.values()].flatMap((below) => fieldsBelow(below, entry))
}

/** Breaks prose into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}
