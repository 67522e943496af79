import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatId } from '../util/id.ts'
import { dayOf, looksLikeReturnPath, makeReturnPath, type ReturnPathKey, readReturnPath } from './return-path.ts'

const key: ReturnPathKey = { id: 3, secret: Buffer.alloc(32, 7) }
const other: ReturnPathKey = { id: 4, secret: Buffer.alloc(32, 8) }
const TODAY = 20_000
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz-_.+'

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const id = fc.tuple(u32, u32).map(([high, low]) => formatId(high, low))
const recipient = fc.record({ id, n: u32, expiresDay: fc.integer({ min: TODAY, max: 65_535 }) })
const localOf = (parts: { id: string; n: number; expiresDay: number }): string =>
  makeReturnPath({ key, ...parts, domain: 'bounce.example' }).split('@')[0]!

describe('a return path', () => {
  test('reads back, also among other keys and upper-cased', () => {
    fc.assert(
      fc.property(recipient, (parts) => {
        const local = localOf(parts)
        const expected = { kind: 'ok', ...parts }
        expect(readReturnPath(local, [other, key], TODAY)).toEqual(expected)
        expect(readReturnPath(local.toUpperCase(), [key], TODAY)).toEqual(expected)
      }),
    )
  })

  test('is a valid local part of 42 octets', () => {
    const path = makeReturnPath({ key, id: '0000000000001', n: 2, expiresDay: TODAY, domain: 'bounce.example' })
    expect(path).toMatch(/^b-[0-9a-v]{40}@bounce\.example$/)
    expect(looksLikeReturnPath(path.split('@')[0]!)).toBe(true)
    expect(looksLikeReturnPath('b-ill')).toBe(false)
  })

  test('with any character changed is refused', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 41 }), fc.constantFrom(...ALPHABET))
    fc.assert(
      fc.property(recipient, change, (parts, [at, character]) => {
        const local = localOf(parts)
        fc.pre(local[at] !== character)
        expect(readReturnPath(`${local.slice(0, at)}${character}${local.slice(at + 1)}`, [key], TODAY)).toEqual({
          kind: 'bad',
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('cut or lengthened is refused', () => {
    const local = localOf({ id: '0000000000001', n: 0, expiresDay: TODAY })
    for (let length = 0; length < local.length; length++) {
      expect(readReturnPath(local.slice(0, length), [key], TODAY)).toEqual({ kind: 'bad' })
    }
    expect(readReturnPath(`${local}0`, [key], TODAY)).toEqual({ kind: 'bad' })
  })

  test('of an unknown key, or of another key with the same id, is refused', () => {
    const local = localOf({ id: '0000000000001', n: 0, expiresDay: TODAY })
    expect(readReturnPath(local, [], TODAY)).toEqual({ kind: 'bad' })
    expect(readReturnPath(local, [other], TODAY)).toEqual({ kind: 'bad' })
    expect(readReturnPath(local, [{ id: key.id, secret: other.secret }], TODAY)).toEqual({ kind: 'bad' })
  })

  test('is good through its last day and expired after it', () => {
    const local = localOf({ id: '0000000000001', n: 5, expiresDay: TODAY })
    expect(readReturnPath(local, [key], TODAY)).toMatchObject({ kind: 'ok' })
    expect(readReturnPath(local, [key], TODAY + 1)).toEqual({
      kind: 'expired',
      id: '0000000000001',
      n: 5,
      expiresDay: TODAY,
    })
  })

  test('forged and expired is bad: a forger learns no dates', () => {
    const forged = makeReturnPath({
      key: { id: key.id, secret: Buffer.alloc(32) },
      id: '0000000000001',
      n: 0,
      expiresDay: 1,
      domain: 'x.example',
    })
    expect(readReturnPath(forged.split('@')[0]!, [key], TODAY)).toEqual({ kind: 'bad' })
  })

  test('never throws, whatever the local part', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => readReturnPath(text, [key], TODAY).kind === 'bad'))
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 40, maxLength: 40 }),
        (text) => readReturnPath(`b-${text}`, [key], TODAY).kind === 'bad',
      ),
    )
  })

  test('needs a key id that fits', () => {
    expect(() =>
      makeReturnPath({
        key: { id: 16, secret: key.secret },
        id: '0000000000001',
        n: 0,
        expiresDay: 1,
        domain: 'x.example',
      }),
    ).toThrow(RangeError)
  })

  test('days are counted in UTC', () => {
    expect(dayOf(Date.UTC(1970, 0, 2) - 1)).toBe(0)
    expect(dayOf(Date.UTC(1970, 0, 2))).toBe(1)
  })
})
