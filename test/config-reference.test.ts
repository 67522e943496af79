// The committed reference is the generated one, and every line of the commented configuration is true.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { describeSection, fieldsBelow } from '../src/config/describe.ts'
import { markdownReference } from '../src/config/describe-markdown.ts'
import { tomlReference } from '../src/config/describe-toml.ts'
import { exampleOf } from '../src/config/example.ts'
import { environment } from '../src/config/load.ts'
import { schema } from '../src/config/schema.ts'
import { root } from '../src/config/shape.ts'
import { load, temporaryFolder } from './support/config-file.ts'

const PROJECT = join(import.meta.dirname, '..')
const ALL = [...root.fields.values()].flatMap((field) => fieldsBelow(field))

// STUDS_UPDATE=1 vitest run test/config-reference.test.ts writes them anew.
test.each([
  ['config/studs.toml', tomlReference],
  ['docs/configuration.md', markdownReference],
])('%s is what the schema generates', (name, generate) => {
  const file = join(PROJECT, name)
  if (environment().STUDS_UPDATE === '1') writeFileSync(file, generate())
  expect(readFileSync(file, 'utf8')).toBe(generate())
})

describe('the commented configuration', () => {
  // "#key = value" and "#[[header]]" are options; "# prose" is not.
  const uncommented = tomlReference().replace(/^#(?=\S)/gm, '')

  test('as shipped equals the defaults', () => {
    const folder = temporaryFolder()
    expect(load(tomlReference(), {}, folder).settings).toEqual(load('', {}, folder).settings)
  })

  test('is valid with every option switched on', () => {
    expect(schema.safeParse(parse(uncommented)).error).toBeUndefined()
  })

  test('gives the defaults for every option that has one', () => {
    const written = schema.parse(parse(uncommented))
    const defaults = schema.parse({})
    const { ca, ca_file } = written.delivery // no defaults, as message_rate
    expect(written.delivery).toEqual({
      ...defaults.delivery,
      message_rate: { count: 1000, per: 3_600_000 },
      shaping: 'config/shaping.toml',
      ca,
      ca_file,
    })
    expect(written.listener).toEqual(defaults.listener)
    expect(written.network).toEqual(defaults.network)
    expect(written.pool).toEqual(defaults.pool)
    for (const section of ['data', 'log', 'api', 'tls', 'submission', 'queue', 'suppression', 'sandbox'] as const) {
      expect(written[section]).toEqual(defaults[section])
    }
  })

  test.each(ALL.map(({ field, path }) => [path.join('.'), field.key] as const))('names %s', (_, key) => {
    expect(uncommented).toMatch(new RegExp(`^${key} = `, 'm'))
  })
})

describe('every option', () => {
  test.each(ALL.map(({ field, path }) => [path.join('.'), field, path] as const))(
    '%s is described, with a default or an example',
    (_, field, path) => {
      expect(field.description).toMatch(/^\S.*[.)]$/)
      const plain = path.filter((part) => !part.startsWith('<'))
      const given = root.fields.get(plain[0]!)?.default
      const isDefaultEntry = Array.isArray(given) && given.length > 0
      if (field.default === undefined && !(field.isRequired && isDefaultEntry)) expect(exampleOf(plain)).toBeDefined()
    },
  )
})

describe('describeSection', () => {
  test('lists the sections', () => {
    const described = describeSection(undefined)
    for (const key of root.fields.keys()) expect(described).toMatchObject({ text: expect.stringContaining(`[${key}]`) })
  })

  test.each([
    ['delivery', 'mode: "sandbox" or "internet", default "sandbox"'],
    ['delivery', 'STUDS__DELIVERY__CONNECT_TIMEOUT'],
    ['[[listener]]', 'port: whole number from 0 to 65535, must be given'],
    ['domain', 'dkim.selector: text, must be given'],
    ['domain.dkim', 'STUDS__DOMAIN__<NAME>__DKIM__<INDEX>__KEY_FILE'],
    ['queue.retry', 'list of durations, default ["5m", "10m"'],
  ])('%s tells %s', (section, text) => {
    expect(describeSection(section)).toMatchObject({ kind: 'text', text: expect.stringContaining(text) })
  })

  test('one option only tells that one', () => {
    expect(describeSection('delivery.mode')).toMatchObject({ text: expect.not.stringContaining('connect_timeout') })
  })

  test.each([
    ['delivry', 'delivery'],
    ['delivery.mod', 'delivery.mode'],
    ['delivery.banana', 'delivery'],
    ['banana', undefined],
  ])('%s is unknown', (section, suggestion) => {
    expect(describeSection(section)).toEqual({ kind: 'unknown', suggestion })
  })
})
