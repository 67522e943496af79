// Whatever stands in the file or the environment: loading ends in settings or in a ConfigError, never in anything else.

import fc from 'fast-check'
import { stringify } from 'smol-toml'
import { expect, onTestFinished, test } from 'vitest'
import { fieldsBelow } from '../src/config/describe.ts'
import { tomlReference } from '../src/config/describe-toml.ts'
import { lineIndex } from '../src/config/lines.ts'
import { ConfigError, loadSettings } from '../src/config/load.ts'
import { root } from '../src/config/shape.ts'
import { type Folder, temporaryFolder } from './support/config-file.ts'

const SEED = { seed: 20_261_121 }
const SECTIONS = [...root.fields.keys()]
const PATHS = [...root.fields.values()].flatMap((field) => fieldsBelow(field)).map(({ path }) => path)

/** Loads, and counts how it ended; anything but settings and a ConfigError with problems goes through to the test. */
function tally(folder: Folder) {
  const counts = { loaded: 0, refused: 0 }
  const attempt = (content: string | Uint8Array, env: Record<string, string> = {}): void => {
    const file = folder.write('studs.toml', content)
    try {
      loadSettings({ file, env, cwd: folder.path })
      counts.loaded++
    } catch (error) {
      if (!(error instanceof ConfigError) || error.problems.length === 0) throw error
      for (const { message } of error.problems) expect(message).not.toBe('')
      counts.refused++
    }
  }
  return { counts, attempt }
}

const value = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    '0',
    '10m',
    '25MiB',
    '0.0.0.0',
    '::',
    'default',
    'smtp://127.0.0.1:25',
    '*',
    -1,
    0,
    1.5,
    2 ** 31,
    true,
    [],
    {},
    [{}],
    ['5m'],
    [[]],
  ),
  fc.jsonValue({ maxDepth: 3 }).filter((json) => json !== null),
  fc.date({ min: new Date(0), max: new Date(2e12), noInvalidDate: true }),
)
const entry = fc.dictionary(
  fc.oneof(fc.constantFrom(...PATHS.flat()), fc.string(), fc.constantFrom('__proto__', 'constructor', 'a.b')),
  value,
  { maxKeys: 6 },
)

test('any bytes', () => {
  const { counts, attempt } = tally(temporaryFolder())
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => attempt(bytes)),
    { ...SEED, numRuns: 300 },
  )
  expect(counts.refused).toBeGreaterThan(200)
})

test('any text made of the pieces of TOML', () => {
  const piece = fc.constantFrom(
    '[',
    ']',
    '[[',
    ']]',
    '{',
    '}',
    '"',
    '"""',
    "'",
    '=',
    ',',
    '.',
    '#',
    '\n',
    ' ',
    'node',
    'id',
    'listener',
    '1',
    '\\',
    '\\u0041',
  )
  const { counts, attempt } = tally(temporaryFolder())
  const run = (text: string): void => {
    attempt(text)
    lineIndex(text)
  }
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      run,
    ),
    { ...SEED, numRuns: 500 },
  )
  expect(counts.refused).toBeGreaterThan(100)
})

test('the reference with pieces cut out and switched on', () => {
  const reference = tomlReference().replace(/^#(?=\S)/gm, '')
  const { counts, attempt } = tally(temporaryFolder())
  const cut = fc.tuple(fc.nat(reference.length), fc.nat(400), fc.string({ maxLength: 5 }))
  fc.assert(
    fc.property(cut, ([start, length, filling]) =>
      attempt(reference.slice(0, start) + filling + reference.slice(start + length)),
    ),
    { ...SEED, numRuns: 150 },
  )
  expect(counts.refused).toBeGreaterThan(100)
})

test('any tree of values under the names of the options', () => {
  const tree = fc.dictionary(fc.constantFrom(...SECTIONS), fc.oneof(entry, fc.array(entry, { maxLength: 3 }), value), {
    maxKeys: 4,
  })
  const { counts, attempt } = tally(temporaryFolder())
  fc.assert(
    fc.property(tree, (table) => {
      const toml = tomlOf(table)
      if (toml !== undefined) attempt(toml)
    }),
    { ...SEED, numRuns: 600 },
  )
  expect(counts.refused).toBeGreaterThan(200)
  expect(counts.loaded).toBeGreaterThan(5)
})

/** Undefined for what TOML cannot say. */
function tomlOf(table: Record<string, unknown>): string | undefined {
  try {
    return stringify(table)
  } catch {
    // Null within a list, or a lone surrogate: no such file can exist.
    return undefined
  }
}

test('any variables', () => {
  const part = fc.oneof(
    fc.constantFrom(...PATHS.flat()),
    fc.constantFrom('0', '1', '99', '', '_', '__PROTO__', 'constructor', 'DEFAULT', 'é'),
    fc.string({ maxLength: 5 }),
  )
  const name = fc.oneof(
    fc.constantFrom(...PATHS).map((path) => path.map((key) => key.replace(/<.*>/, '0')).join('__')),
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join('__')),
  )
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('true', '10', '5m', '0.0.0.0', '[]', '{}', '[{}]', '[null]', '{"__proto__": 1}'),
  )
  const { counts, attempt } = tally(temporaryFolder())
  const variables = fc.dictionary(
    name.map((suffix) => `STUDS__${suffix.toUpperCase()}`),
    text,
    { maxKeys: 4 },
  )
  fc.assert(
    fc.property(variables, (env) => attempt('[[domain]]\nname = "a.example"', env)),
    { ...SEED, numRuns: 600 },
  )
  expect(counts.refused).toBeGreaterThan(300)
  expect(counts.loaded).toBeGreaterThan(5)
})

test('a prototype is never written to', () => {
  onTestFinished(() => expect(({} as Record<string, unknown>).polluted).toBeUndefined())
  const { attempt } = tally(temporaryFolder())
  attempt('[__proto__]\npolluted = 1')
  attempt('[node.__proto__]\npolluted = 1')
  attempt('[[listener]]\nname = "a"\nport = 1\n[listener.constructor.prototype]\npolluted = 1')
  attempt('', { STUDS__NODE: '{"__proto__": {"polluted": 1}}', STUDS__CREDENTIAL____PROTO____POLLUTED: '1' })
})

test('a deep or long text ends soon', () => {
  const { attempt, counts } = tally(temporaryFolder())
  attempt(`a = ${'['.repeat(100_000)}`)
  attempt(`[${'a.'.repeat(5_000)}b]`)
  attempt(`node = """${'x\\"'.repeat(300_000)}"""`)
  attempt(`${'k'.repeat(300_000)} = 1`)
  attempt(`# ${'x'.repeat(1_000_000)}\n${'\n'.repeat(200_000)}[node]\nid = 1`)
  expect(counts).toEqual({ loaded: 1, refused: 4 })
})
