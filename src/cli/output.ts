// How commands print. With --json every item is one line of JSON exactly as the API says it. For people a command gives
// a renderer, and what the renderer gets to see has been made printable before: no text written by a stranger can
// steer the terminal, whichever command shows it.

import type { EpochMs } from '../util/clock.ts'
import type { Io } from './io.ts'
import { jsonLine, type Paint, painter, printable, printableDeep, wrap } from './terminal.ts'

export interface OutputOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color?: boolean
}

export interface Page {
  readonly width: number
  /** Standard output is no terminal: tables are as wide as they are. */
  readonly isFile?: boolean
  readonly paint: Paint
  /** When it is printed; ages count up to it. */
  readonly now: EpochMs
}

export interface Output {
  readonly page: Page
  /** The items as JSON lines, or as the lines that `render` makes of them. */
  items<Item>(items: readonly Item[], render: (items: readonly Item[], page: Page) => readonly string[]): void
  /** A single thing, likewise. */
  item<Item>(item: Item, render: (item: Item, page: Page) => readonly string[]): void
  /** What was done: JSON, or a sentence unless --quiet. */
  done(result: object, sentence: string): void
  /** Advice beside the result, on stderr; nothing with --quiet. */
  note(sentence: string): void
  /** What went wrong, on stderr. */
  error(sentence: string): void
}

const INDENT = '  '
const ERROR = 'error:'
const LEAST_WIDTH = 20

/** Prose: broken at spaces on a terminal, as it is in a file. Further lines are moved in. Not for coloured text. */
export function proseLines(
  text: string,
  { width, isFile }: Pick<Page, 'width' | 'isFile'>,
  indent: string = INDENT,
): string[] {
  if (isFile === true) return [text]
  const [first = '', ...others] = wrap(text, Math.max(LEAST_WIDTH, width))
  if (others.length === 0) return [first]
  const rest = wrap(text.slice(first.length).trimStart(), Math.max(LEAST_WIDTH, width - indent.length))
  return [first, ...rest.map((line) => `${indent}${line}`)]
}

/** Further lines are moved in, so that none can pass for a sentence of ours. */
function printableLines(text: string, page: Page): string {
  const [first = '', ...others] = text.split('\n')
  // The first line stands behind a word of ours.
  const told = proseLines(`${ERROR} ${printable(first)}`, page)
    .join('\n')
    .slice(ERROR.length + 1)
  return [told, ...others.map((line) => `${INDENT}${printable(line.trimEnd())}`)].join('\n')
}

export function createOutput(io: Io, options: OutputOptions): Output {
  const isJson = options.json === true
  const isQuiet = options.quiet === true
  const hasColour = io.color && options.color !== false
  const page: Page = { width: io.width, isFile: !io.isTty, paint: painter(hasColour), now: io.clock.now() }
  const print = (lines: readonly string[]): void => {
    if (lines.length > 0) io.out(`${lines.join('\n')}\n`)
  }
  return {
    page,
    items: (items, render) => print(isJson ? items.map(jsonLine) : render(printableDeep(items), page)),
    item: (item, render) => print(isJson ? [jsonLine(item)] : render(printableDeep(item), page)),
    done: (result, sentence) => {
      if (isJson) print([jsonLine(result)])
      else if (!isQuiet) print(proseLines(printable(sentence), page))
    },
    note: (sentence) => {
      if (!isQuiet) io.err(`${page.paint('dim', proseLines(printable(sentence), page).join('\n'))}\n`)
    },
    error: (sentence) => io.err(`${page.paint('red', ERROR)} ${printableLines(sentence, page)}\n`),
  }
}
