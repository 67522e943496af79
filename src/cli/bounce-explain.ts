// `studs bounce explain`: what a code or category means, what happened and what to do, from the handbook that
// docs/bounces.md is made of.

import type { Command } from 'commander'
import { type Names, namesOf } from '../bounce/names.ts'
import { CATEGORIES, type Category } from '../bounce/verdict.ts'
import { nearest } from '../config/suggest.ts'
import { CODES, categoriesOf, HANDBOOK } from './handbook.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { MEANINGS } from './meaning.ts'
import { createOutput, type Page } from './output.ts'
import type { GlobalOptions } from './session.ts'
import { table } from './table.ts'
import { wrap } from './terminal.ts'

interface Explained {
  readonly category: Category
  readonly code: number
  readonly label: string
  readonly kind: string
  readonly fault: string
  readonly class: string
  readonly meaning: string
  readonly happened: string
  readonly cure: string
  readonly address: string
  readonly names: Names
}

export function addExplainCommand(bounce: Command, io: Io): void {
  bounce
    .command('explain')
    .description('Say what a code or category means, what happened and what to do')
    .argument('[code-or-category]', 'e.g. 51 or spam-related; without it all of them are listed')
    .action((wanted: string | undefined, _options: object, command: Command) => {
      const output = createOutput(io, command.optsWithGlobals<GlobalOptions>())
      if (wanted === undefined) output.items(CODES.flatMap(({ code }) => categoriesOf(code)).map(explained), listed)
      else output.items(found(wanted).map(explained), explainedLines)
    })
}

function listed(entries: readonly Explained[], page: Page): string[] {
  return table(
    entries,
    [
      { title: 'CODE', align: 'right', value: ({ code }) => String(code) },
      { title: 'CATEGORY', value: ({ category }) => category },
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'MEANING', value: ({ meaning }) => meaning, least: 20, long: 'wrap' },
    ],
    page,
  )
}

function found(wanted: string): Category[] {
  const text = wanted.trim().toLowerCase()
  if (text in CATEGORIES) return [text as Category]
  const categories = /^\d+$/.test(text) ? categoriesOf(Number(text)) : []
  if (categories.length > 0) return categories
  throw new CliError(EXIT.notFound, `There is no code or category "${wanted}"; ${hint(text)}`)
}

function hint(text: string): string {
  if (/^[2-5]\d\d$|^\d\.\d/.test(text))
    return `that is what a server said: studs bounce classify "${text} …" tells what Studs makes of it.`
  const near = nearest(text, Object.keys(CATEGORIES))
  return near === undefined ? `codes are ${CODES.map(({ code }) => code).join(', ')}.` : `did you mean "${near}"?`
}

function explained(category: Category): Explained {
  const { code, kind, fault, class: coarse } = CATEGORIES[category]
  const { label = '', address = '' } = CODES.find((entry) => entry.code === code) ?? {}
  const meaning = MEANINGS[category]
  return {
    category,
    code,
    label,
    kind,
    fault,
    class: coarse,
    meaning,
    ...HANDBOOK[category],
    address,
    names: namesOf(category),
  }
}

function explainedLines(entries: readonly Explained[], page: Page): string[] {
  const [first] = entries
  if (first === undefined) return []
  const head = page.paint('bold', `Code ${first.code}: ${first.label}`)
  return [head, ...wrap(first.address, page.width), ...entries.flatMap((entry) => ['', ...categoryLines(entry, page)])]
}

function categoryLines({ category, kind, fault, meaning, happened, cure, names }: Explained, page: Page): string[] {
  const { paint, width } = page
  const { sparkpost, kumomta, postmark, ses, marketing } = names
  const others = `SparkPost ${sparkpost}, KumoMTA ${kumomta}, Postmark ${postmark}, SES ${ses}, marketing tools "${marketing}"`
  const indented = (text: string): string[] => wrap(text, width - 2).map((line) => `  ${line}`)
  return [
    `${paint('bold', category)}  ${paint('dim', `${kind}, fault ${fault}`)}`,
    ...indented(`${meaning} ${happened}`),
    ...indented(`Do: ${cure}`),
    ...indented(`Elsewhere: ${others}`),
  ]
}
