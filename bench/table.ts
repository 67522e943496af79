// Tables for people: columns as wide as what stands in them, numbers to the right.

export type Cell = string | number

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(cell))]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const isNumber = head.map((_, column) => rows.every((row) => /^[-–\d.,× ]*$/.test(cell(row[column] ?? ''))))
  const text = (line: readonly string[]): string =>
    line
      .map((word, column) => (isNumber[column] ? word.padStart(widths[column]!) : word.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd()
  return lines.map((line) => `  ${text(line)}`).join('\n')
}

function cell(value: Cell): string {
  if (typeof value === 'string') return value
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)
}
