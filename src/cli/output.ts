// How commands print. With --json every item is one line of JSON exactly as the API says it. For people a command gives
// a renderer, and what the renderer gets to see has been made printable before: no text written by a stranger can
// steer the terminal, whichever command shows it.

import type { EpochMs } from '../util/clock.ts'
import type { Io } from './io.ts'
import { jsonLine, type Paint, painter, printable, printableDeep } from './terminal.ts'

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

/** Further lines are moved in, so that none can pass for a sentence of ours. */
function printableLines(text: string): string {
  const [first = '', ...others] = text.split('\n')
  return [printable(first), ...others.map((line) => `  ${printable(line.trimEnd())}`)].join('\n')
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
      else if (!isQuiet) print([printable(sentence)])
    },
    note: (sentence) => {
      if (!isQuiet) io.err(`${page.paint('dim', printable(sentence))}\n`)
    },
    error: (sentence) => io.err(`${page.paint('red', 'error:')} ${printableLines(sentence)}\n`),
  }
}
