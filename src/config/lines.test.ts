import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { lineIndex } from './lines.ts'

/** Written one line per array item, so that the expected numbers can be counted. */
function linesOf(...text: string[]): Map<string, number> {
  const toml = text.join('\n')
  parse(toml) // what is indexed must be TOML, or the test says nothing
  return lineIndex(toml)
}

function expectLines(index: Map<string, number>, expected: Record<string, number>): void {
  expect(Object.fromEntries(Object.keys(expected).map((key) => [key, index.get(key)]))).toEqual(expected)
}

test('keys below tables, with comments and blank lines between', () => {
  const index = linesOf(
    '# first',
    '',
    '[node]',
    'id = 1 # [not.a.table]',
    '',
    '  [ delivery ]  ',
    '\tport=25',
    "tls = 'none'",
  )
  expectLines(index, { node: 3, 'node.id': 4, delivery: 6, 'delivery.port': 7, 'delivery.tls': 8 })
})

test('a table stands where it is named first, if only on the way to another', () => {
  const index = linesOf('[a.b]', 'x = 1', '[a.c]', 'y = 1', '[d.e]', '[d]', 'z = 1')
  expectLines(index, { a: 1, 'a.b': 1, 'a.c': 3, d: 5, 'd.e': 5 })
})

test('arrays of tables count their entries', () => {
  const index = linesOf('[[listener]]', 'name = "a"', '[[listener]]', 'name = "b"', 'port = 1')
  expectLines(index, {
    listener: 1,
    'listener.0': 1,
    'listener.0.name': 2,
    'listener.1': 3,
    'listener.1.name': 4,
    'listener.1.port': 5,
  })
})

test('tables within arrays of tables belong to the newest entry', () => {
  const index = linesOf(
    '[[domain]]',
    'name = "a"',
    '[[domain.dkim]]',
    'selector = "1"',
    '[[domain.dkim]]',
    'selector = "2"',
    '[[domain]]',
    'name = "b"',
    '[[domain.dkim]]',
    'selector = "3"',
    '[domain.more]',
    'x = 1',
  )
  expectLines(index, {
    'domain.0.dkim.0.selector': 4,
    'domain.0.dkim.1.selector': 6,
    'domain.1.name': 8,
    'domain.1.dkim.0.selector': 10,
    'domain.1.more.x': 12,
  })
})

test('dotted and quoted keys', () => {
  const index = linesOf(
    'delivery.port = 25',
    'delivery . "tls" = "none"',
    '"log".\'level\' = "info"',
    '"\\u0061b" = 1',
    '"\\U00000061c" = 1',
  )
  expectLines(index, { delivery: 1, 'delivery.port': 1, 'delivery.tls': 2, 'log.level': 3, ab: 4 })
})

test('inline tables and lists over several lines', () => {
  const index = linesOf(
    'pool = [',
    '  # a comment with ] and }',
    '  { name = "a", sources = [{ source = "x" }, { source = "y", weight = 2 }] },',
    '  { name = "b", sources = [',
    '    { source = "z" },',
    '  ] },',
    ']',
    'after = 1',
  )
  expectLines(index, {
    pool: 1,
    'pool.0.name': 3,
    'pool.0.sources.1.weight': 3,
    'pool.1': 4,
    'pool.1.sources.0.source': 5,
    after: 8,
  })
})

test('lists of values have a line per value', () => {
  const index = linesOf('[queue]', 'retry = ["5m",', '  "10m", # ten', '  "20m"', ']', 'jitter = 0.1')
  expectLines(index, {
    'queue.retry': 2,
    'queue.retry.0': 2,
    'queue.retry.1': 3,
    'queue.retry.2': 4,
    'queue.jitter': 6,
  })
})

test('nothing in a string is taken for structure', () => {
  const index = linesOf(
    'a = "x # no \\" comment ] }"',
    "b = 'c:\\'",
    'c = """',
    '[not.a.table]',
    'd = 1',
    '\\"""',
    'ends with two""""',
    "e = '''",
    '[[no]]',
    "'''",
    'f = 1',
  )
  expectLines(index, { a: 1, b: 2, c: 3, e: 8, f: 11 })
  expect([...index.keys()]).toEqual(['a', 'b', 'c', 'e', 'f'])
})

test('Windows line ends and dates', () => {
  const index = lineIndex('[a]\r\nb = 1979-05-27T07:32:00Z\r\n\r\nc = 1.5e3\r\n')
  expectLines(index, { a: 1, 'a.b': 2, 'a.c': 4 })
})

test.each(['[', '[[', '"', 'a =', 'a = [', 'a = {', 'a = [[[[', '= = =', '\u0000', '"""', 'a = {b', ']]]]', 'a."'])(
  'ends on %j, which is no TOML',
  (text) => {
    expect(lineIndex(text).size).toBeLessThan(10)
  },
)
