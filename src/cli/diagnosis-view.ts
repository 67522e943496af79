// Diagnoses for people: one line each, and below it, where something is wrong, what should be there, what is, and what to do.

import { type Diagnosis, isError, isOk } from '../identity/diagnosis.ts'
import { CliError, EXIT } from './io.ts'
import type { Output, Page } from './output.ts'
import { type Colour, padEnd, widthOf, wrap } from './terminal.ts'
import { counted } from './time.ts'

const MARKS: Readonly<Record<'ok' | 'skipped' | Diagnosis['severity'], { mark: string; colour: Colour }>> = {
  ok: { mark: '✓', colour: 'green' },
  skipped: { mark: '·', colour: 'dim' },
  note: { mark: '·', colour: 'cyan' },
  warning: { mark: '!', colour: 'yellow' },
  error: { mark: '✗', colour: 'red' },
}
const INDENT = '  '
const LABEL_WIDTH = 10
const LEAST_WIDTH = 40

export function diagnosisLines(diagnosis: Diagnosis, { width, paint }: Page): string[] {
  const { topic, subject, state, severity, message } = diagnosis
  const { mark, colour } = MARKS[state === 'ok' || state === 'skipped' ? state : severity]
  const head = `${paint(colour, mark)} ${paint('dim', padEnd(topic, 12))} ${subject}`
  // Where nothing was expected, "different" says nothing that the message does not.
  const isCompared = diagnosis.expected !== undefined || state === 'unknown'
  const said = `${isOk(diagnosis) || !isCompared ? '' : `${state}: `}${message}`
  const lines =
    widthOf(head) + 2 + widthOf(said) <= width
      ? [`${head}  ${isOk(diagnosis) ? paint('dim', said) : said}`]
      : [head, ...indented(said, width)]
  if (isOk(diagnosis)) return lines
  const more = (['expected', 'found', 'cure'] as const).flatMap((label) => {
    const value = diagnosis[label]
    return value === undefined ? [] : labelled({ label: label === 'cure' ? 'do' : label, value, width, paint })
  })
  return [...lines, ...more]
}

function indented(text: string, width: number): string[] {
  return wrap(text, Math.max(LEAST_WIDTH, width - 4)).map((line) => `${INDENT}${INDENT}${line}`)
}

function labelled(given: { label: string; value: string; width: number; paint: Page['paint'] }): string[] {
  const { label, value, width, paint } = given
  const room = Math.max(LEAST_WIDTH, width - 4 - LABEL_WIDTH)
  return wrap(value, room).map((line, at) => {
    const name = at === 0 ? paint('dim', padEnd(label, LABEL_WIDTH)) : ' '.repeat(LABEL_WIDTH)
    return `${INDENT}${INDENT}${name}${label === 'do' ? paint('bold', line) : line}`
  })
}

/** `2 errors, 1 warning, 12 ok`. */
export function summaryLine(diagnoses: readonly Diagnosis[], { paint }: Page): string {
  const open = diagnoses.filter((each) => !isOk(each))
  const count = (severity: Diagnosis['severity']): number => open.filter((each) => each.severity === severity).length
  const [errors, warnings, notes] = [count('error'), count('warning'), count('note')]
  const parts = [
    ...(errors > 0 ? [paint('red', counted(errors, 'error'))] : []),
    ...(warnings > 0 ? [paint('yellow', counted(warnings, 'warning'))] : []),
    ...(notes > 0 ? [counted(notes, 'note')] : []),
    paint('green', `${diagnoses.length - open.length} ok`),
  ]
  return parts.join(', ')
}

/** Ends the command with 1 when there is an error; whatever is to be said has been. */
export function failOnErrors(diagnoses: readonly Diagnosis[]): void {
  if (diagnoses.some(isError)) throw new CliError(EXIT.failed, '')
}

/** Diagnoses as JSON lines, or in sections with their titles. */
export function showSections(
  output: Output,
  sections: readonly { readonly title: string; readonly diagnoses: readonly Diagnosis[] }[],
): void {
  const all = sections.flatMap(({ title, diagnoses }) =>
    diagnoses.map((diagnosis) => ({ section: title, ...diagnosis })),
  )
  output.items(all, (items, page) => {
    const titles = [...new Set(items.map(({ section }) => section))]
    const lines = titles.flatMap((title) => [
      page.paint('bold', title),
      ...items.filter(({ section }) => section === title).flatMap((each) => diagnosisLines(each, page)),
      '',
    ])
    return [...lines, summaryLine(items, page)]
  })
}
