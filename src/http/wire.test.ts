import { expect, test } from 'vitest'
import { toWire } from './wire.ts'

test('keys become snake_case and times RFC 3339, at any depth', () => {
  const at = Date.UTC(2026, 10, 21, 23, 20, 11, 120)
  const record = {
    at,
    dueAt: at + 1000,
    way: { mxAddress: '192.0.2.5', durationMs: 214 },
    list: [{ createdAt: at }],
    pendingUntil: at,
    n: 0,
  }
  expect(toWire(record)).toEqual({
    at: '2026-11-21T23:20:11.120Z',
    due_at: '2026-11-21T23:20:12.120Z',
    way: { mx_address: '192.0.2.5', duration_ms: 214 },
    list: [{ created_at: '2026-11-21T23:20:11.120Z' }],
    pending_until: '2026-11-21T23:20:11.120Z',
    n: 0,
  })
})

test('the keys of metadata belong to the app', () => {
  expect(toWire({ metadata: { userId: '43', expiresAt: '5' } })).toEqual({ metadata: { userId: '43', expiresAt: '5' } })
})

test('a number that is no date leaves its field out instead of throwing', () => {
  expect(JSON.stringify(toWire({ at: Number.NaN, dueAt: 1e300, n: 1 }))).toBe('{"n":1}')
})

test('null, false and empty texts stay', () => {
  expect(toWire({ aB: null, c: false, d: '' })).toEqual({ a_b: null, c: false, d: '' })
})
