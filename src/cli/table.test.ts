import { describe, expect, test } from 'vitest'
import { type Column, table } from './table.ts'
import { painter, widthOf } from './terminal.ts'

interface Row {
  readonly id: string
  readonly count: number
  readonly text: string
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'COUNT', align: 'right', value: ({ count }) => String(count) },
  { title: 'TEXT', value: ({ text }) => text, least: 6, colour: ({ count }) => (count > 9 ? 'red' : undefined) },
]
const ROWS: readonly Row[] = [
  { id: 'a.0', count: 7, text: 'short' },
  { id: 'b.12', count: 12, text: 'a reply that goes on and on' },
]
const page = (width: number, color = false) => ({ width, paint: painter(color) })

test('columns are as wide as they must be', () => {
  expect(table(ROWS, COLUMNS, page(80))).toEqual([
    'ID    COUNT  TEXT',
    'a.0       7  short',
    'b.12     12  a reply that goes on and on',
  ])
})

test('what may shrink is cut when the terminal is narrow', () => {
  expect(table(ROWS, COLUMNS, page(30))).toEqual([
    'ID    COUNT  TEXT',
    'a.0       7  short',
    'b.12     12  a reply that goe…',
  ])
})

test('nothing shrinks below its least width, ids never', () => {
  expect(table(ROWS, COLUMNS, page(5))[2]).toBe('b.12     12  a rep…')
})

test('colours do not count as columns', () => {
  const lines = table(ROWS, COLUMNS, page(80, true))
  expect(lines[2]).toContain('\u001b[31m')
  expect(widthOf(lines[2]!)).toBe('b.12     12  a reply that goes on and on'.length)
})

test('wide characters keep the columns straight', () => {
  const lines = table(
    [
      { id: '你好', count: 1, text: 'x' },
      { id: 'ab', count: 2, text: 'y' },
    ],
    COLUMNS,
    page(80),
  )
  expect(lines.slice(1)).toEqual(['你好      1  x', 'ab        2  y'])
})

test('no rows leave the titles', () => {
  expect(table([], COLUMNS, page(80))).toEqual(['ID  COUNT  TEXT'])
})

describe('what gives way', () => {
  const row = {
    name: 'mta1@mx.example.com',
    state: 'suspended',
    said: '421 4.7.28 Too much mail from your address today',
  }
  type Row = typeof row
  const name = { title: 'NAME', value: (each: Row) => each.name, least: 8 }
  const state = { title: 'STATE', value: (each: Row) => each.state }
  const said = { title: 'SAID', value: (each: Row) => each.said }

  test('a cell that wraps, within its column', () => {
    expect(table([row], [name, state, { ...said, least: 12, long: 'wrap' }], page(44))).toEqual([
      'NAME             STATE      SAID',
      'mta1@mx.exampl…  suspended  421 4.7.28 Too',
      '                            much mail from',
      '                            your address',
      '                            today',
    ])
  })

  test('a column that goes below, whole', () => {
    const columns = [name, state, { ...said, long: 'below' }] as const
    expect(table([row, { ...row, said: '' }], columns, page(40))).toEqual([
      'NAME                 STATE',
      'mta1@mx.example.com  suspended',
      '    421 4.7.28 Too much mail from your',
      '    address today',
      'mta1@mx.example.com  suspended',
    ])
    expect(table([row], columns, page(100))).toHaveLength(2)
    expect(table([row], columns, { ...page(40), isFile: true })).toHaveLength(2)
  })

  test('one line below, only where there is too little room beside', () => {
    const columns = [name, state, { ...said, least: 20, long: 'line-below' }] as const
    expect(table([row], columns, page(60))).toEqual([
      'NAME                 STATE      SAID',
      'mta1@mx.example.com  suspended  421 4.7.28 Too much mail fr…',
    ])
    expect(table([row], columns, page(38))).toEqual([
      'NAME                 STATE',
      'mta1@mx.example.com  suspended',
      '    421 4.7.28 Too much mail from you…',
    ])
  })
})
