// Tables for people: columns as wide as their widest cell. When that is too much for the terminal, columns give way: they
// shrink, the widest first, and some go below their row. What does not fit its cell is cut with …, or wrapped where
// it would lose its meaning. In a file or pipe nothing is cut.

import { type Colour, type Paint, padEnd, padStart, truncate, widthOf, wrap } from './terminal.ts'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'right'
  /** May shrink to this many columns when the table is too wide. Absent: never. */
  readonly least?: number
  /**
   * What becomes of a cell when the table is too wide. Absent: cut. wrap: within its column. below: whole, below its row.
   * line-below: one line below its row, where `least` columns are not to be had beside the others.
   */
  readonly long?: 'wrap' | 'below' | 'line-below'
  readonly colour?: (row: Row) => Colour | undefined
}

interface TablePage {
  readonly width: number
  readonly paint: Paint
  readonly isFile?: boolean
}

const GAP = '  '
const BELOW = '    '

export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], page: TablePage): string[] {
  const available = page.isFile === true ? Number.POSITIVE_INFINITY : page.width
  const { across, below, widths } = laidOut(rows, columns, available)
  const head = across.map(({ title, align }, at) => page.paint('dim', padded(title, widths[at] ?? 0, align)))
  return [
    head.join(GAP).trimEnd(),
    ...rows.flatMap((row) => [...rowLines(row, { across, widths }, page), ...linesBelow(row, below, page)]),
  ]
}

interface Laid<Row> {
  readonly across: readonly Column<Row>[]
  /** Of those across. */
  readonly widths: readonly number[]
  readonly below: readonly Column<Row>[]
}

function laidOut<Row>(rows: readonly Row[], columns: readonly Column<Row>[], available: number): Laid<Row> {
  const natural = naturalWidths(rows, columns)
  if (totalOf(natural) <= available) return { across: columns, widths: natural, below: [] }
  const without = (...which: readonly Column<Row>['long'][]): Laid<Row> => {
    const across = columns.filter(({ long }) => long === undefined || !which.includes(long))
    const below = columns.filter((column) => !across.includes(column))
    return { across, below, widths: fitted(across, naturalWidths(rows, across), available) }
  }
  const beside = without('below')
  return totalOf(beside.widths) <= available ? beside : without('below', 'line-below')
}

function naturalWidths<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): number[] {
  return columns.map(({ title, value }) => Math.max(widthOf(title), ...rows.map((row) => widthOf(value(row)))))
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1)
}

function rowLines<Row>(row: Row, { across, widths }: Pick<Laid<Row>, 'across' | 'widths'>, page: TablePage): string[] {
  const cells = across.map(({ value, long }, at) => {
    const width = widths[at] ?? 0
    return long === 'wrap' ? wrap(value(row), width) : [truncate(value(row), width)]
  })
  const height = Math.max(1, ...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    across
      .map(({ align, colour }, at) => {
        const text = padded(cells[at]?.[line] ?? '', widths[at] ?? 0, align)
        const shade = colour?.(row)
        return shade === undefined ? text : page.paint(shade, text)
      })
      .join(GAP)
      .trimEnd(),
  )
}

function linesBelow<Row>(row: Row, below: readonly Column<Row>[], page: TablePage): string[] {
  const width = Math.max(1, page.width - BELOW.length)
  return below
    .flatMap(({ value, long }) => (long === 'below' ? wrap(value(row), width) : [truncate(value(row), width)]))
    .filter((line) => line !== '')
    .map((line) => page.paint('dim', BELOW + line))
}

function padded(text: string, width: number, align: 'right' | undefined): string {
  return align === 'right' ? padStart(truncate(text, width), width) : padEnd(truncate(text, width), width)
}

/** Takes columns from the widest shrinkable one until the table fits or nothing more can give way. */
function fitted<Row>(columns: readonly Column<Row>[], widths: number[], available: number): number[] {
  for (let excess = totalOf(widths) - available; excess > 0; excess--) {
    let widest = -1
    columns.forEach((column, at) => {
      const canShrink = column.least !== undefined && (widths[at] ?? 0) > column.least
      if (canShrink && (widest < 0 || (widths[at] ?? 0) > (widths[widest] ?? 0))) widest = at
    })
    if (widest < 0) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}
