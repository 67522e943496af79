import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorsOf } from './authors.ts'

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const domains = (value: string) => authorsOf(value)?.map(({ text }) => text)

describe('every address of a From value', () => {
  test.each([
    ['me@own.test', ['me@own.test']],
    ['A Name <me@own.test>', ['me@own.test']],
    ['"Doe, <ceo@victim.test>" <me@own.test>', ['me@own.test']],
    ['"a \\" b" <me@own.test>', ['me@own.test']],
    ['(ceo@victim.test) me@own.test', ['me@own.test']],
    ['me@own.test (Jane)', ['me@own.test']],
    ['Jane <me@own.test> (x)', ['me@own.test']],
    ['(a (b) <me@own.test>) <ceo@victim.test>', ['ceo@victim.test']],
    ['(\\) <me@own.test>) ceo@victim.test', ['ceo@victim.test']],
    ['(") <me@own.test> (")', ['me@own.test']],
    ['me@own.test, ceo@victim.test', ['me@own.test', 'ceo@victim.test']],
    ['"x" <me@own.test>, y <ceo@victim.test>', ['me@own.test', 'ceo@victim.test']],
    [', me@own.test,', ['me@own.test']],
    ['Acme, Inc. <me@own.test>', ['me@own.test']],
    ['"ceo"@victim.test', ['ceo@victim.test']],
    ['"a, b"@victim.test', ['"a, b"@victim.test']],
    ['ceo @ victim.test', ['ceo@victim.test']],
    ['<ceo\t@victim.test >', ['ceo@victim.test']],
    ['<ceo(x)@victim.test>', ['ceo@victim.test']],
    ['ceo@victim.test <me@own.test>', ['me@own.test', 'ceo@victim.test']],
    ['ceo @victim.test or so <me@own.test>', ['me@own.test', 'ceo@victim.test']],
    ['=?utf-8?q?J=C3=B6rg?= <me@own.test>', ['me@own.test']],
    [latin1('Jörg à la <jörg@bücher.test>'), ['jörg@xn--bcher-kva.test']],
    ['<ceo@VICTIM.test.>', ['ceo@victim.test']],
  ])('%j → %j', (value, expected) => {
    expect(domains(value)).toEqual(expected)
  })

  test.each([
    '',
    'root',
    'Jane <me>',
    '<>',
    'Boss <@x:ceo@victim.test>',
    'Boss <@x,@y:ceo@victim.test>',
    'G: ceo@victim.test;',
    'G: Boss <ceo@victim.test>;',
    'Boss ceo@victim.test',
    '<me@own.test> <ceo@victim.test>',
    '<me@own.test> ceo@victim.test',
    '<me@own.test>, ceo@victim.test x',
    '<<ceo@victim.test>',
    '<ceo@victim.test',
    'ceo@victim.test>',
    '<me@own.test, ceo@victim.test>',
    '<a@b@victim.test>',
    '<ceo@vic(x)tim.test>',
    '<ceo@victim . test>',
    '"ceo@victim.test", me@own.test',
    '"ceo"@victim.test <me@own.test>',
    'ceo@victim..test <me@own.test>',
    '(unended me@own.test',
    '"unended me@own.test',
    `${'x'.repeat(8192)} <me@own.test>`,
  ])('%j cannot be read', (value) => {
    expect(authorsOf(value)).toBeUndefined()
  })

  test('an address that is read stands in the value', () => {
    const value = fc.string({
      unit: fc.constantFrom('a@x.test', 'b@y.test', '"', '\\', '(', ')', '<', '>', ',', ' ', '@', ':', ';'),
      maxLength: 30,
    })
    fc.assert(
      fc.property(value, (any) => {
        const outsideQuotesAndComments = /^[^"()\\]*$/.test(any) ? (any.match(/[ab]@[xy]\.test/g) ?? []) : []
        const found = authorsOf(any)?.map(({ domain }) => domain) ?? ['x.test', 'y.test']
        // Read or refused, but never read with an address left out.
        for (const address of outsideQuotesAndComments) expect(found).toContain(address.slice(2))
      }),
      { seed: 1, numRuns: 20_000 },
    )
  })

  test('no value is dear to read', () => {
    for (const unit of ['\\"', '"\\', '(', '()', '<', '@', ' ', ' @', '""', 'a@b.test,']) {
      const value = `"${unit.repeat(8190 / unit.length)}`
      const started = process.cpuUsage()
      authorsOf(value)
      authorsOf(value.slice(1))
      const used = process.cpuUsage(started)
      // A few milliseconds each; quadratic ones took seconds.
      expect((used.user + used.system) / 1000).toBeLessThan(200)
    }
  })
})
