// Tables for people: columns as wide as their widest cell, and when that is too much for the terminal, the columns
// that may shrink give way, the widest first. Cells are cut with …, never wrapped: one row, one line. In a file or pipe
// nothing is cut.

import { type Colour, type Paint, padEnd, padStart, truncate, widthOf } from './terminal.ts'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'right'
  /** May be cut down to this many columns when the table is too wide. Absent: never cut. */
  readonly least?: number
  readonly colour?: (row: Row) => Colour | undefined
}

const GAP = '  '

export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  page: { readonly width: number; readonly paint: Paint; readonly isFile?: boolean },
): string[] {
  const cells = rows.map((row) => columns.map((column) => column.value(row)))
  const widths = fitted(
    columns,
    columns.map((column, at) => Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[at] ?? '')))),
    page.isFile === true ? Number.POSITIVE_INFINITY : page.width,
  )
  const cell = (text: string, at: number): string => {
    const width = widths[at] ?? 0
    return columns[at]?.align === 'right'
      ? padStart(truncate(text, width), width)
      : padEnd(truncate(text, width), width)
  }
  const head = columns.map((column, at) => page.paint('dim', cell(column.title, at)))
  const body = rows.map((row, index) =>
    columns.map((column, at) => {
      const text = cell(cells[index]?.[at] ?? '', at)
      const colour = column.colour?.(row)
      return colour === undefined ? text : page.paint(colour, text)
    }),
  )
  return [head, ...body].map((line) => line.join(GAP).trimEnd())
}

/** Takes columns from the widest shrinkable one until the table fits or nothing more can give way. */
function fitted<Row>(columns: readonly Column<Row>[], widths: number[], available: number): number[] {
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - available
  for (; excess > 0; excess--) {
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
