import { describe, expect, test } from 'vitest'
import { DAY, HOUR } from '../util/clock.ts'
import { scanHead } from './head.ts'
import { isOwn, readOwnHeaders } from './own-headers.ts'

const now = Date.UTC(2026, 10, 22)

function read(...lines: string[]) {
  const text = lines.map((line) => `${line}\r\n`).join('')
  const fields = scanHead(text).fields.filter(({ name }) => isOwn(name))
  return readOwnHeaders(text, fields, { now, hasPool: (name) => name === 'bulk' })
}

describe('what is taken in', () => {
  test.each([
    [['X-Studs-Tag: a', 'x-studs-tag: b', 'X-PM-Tag: a', 'X-Mailgun-Tag: c'], { tags: ['a', 'b', 'c'] }],
    [
      ['X-Studs-Metadata-Order-Id: 7', 'X-PM-Metadata-b: =?utf-8?q?=C3=B6?='],
      { metadata: { 'order-id': '7', b: 'ö' } },
    ],
    [['X-Mox-Extra-Campaign: x'], { metadata: { campaign: 'x' } }],
    [['X-Mailgun-Variables: {"a":1,"b":"two","c":{"d":true}}'], { metadata: { a: '1', b: 'two', c: '{"d":true}' } }],
    [['X-Studs-Pool: bulk'], { pool: 'bulk' }],
    [['X-Studs-Expires: 4h'], { expiresAt: now + 4 * HOUR }],
    [['X-Studs-Expires: 2026-11-23T00:00:00Z'], { expiresAt: now + DAY }],
    [['X-Studs-Send-At: 2026-11-23T01:00:00+01:00'], { sendAt: now + DAY }],
    [[`X-Studs-Send-At: ${(now + DAY) / 1000}`], { sendAt: now + DAY }],
    [['X-Studs-Send-At: 2020-01-01T00:00:00Z'], { sendAt: Date.UTC(2020, 0, 1) }],
    [['X-Studs-Idempotency-Key: k 1'], { idempotencyKey: 'k 1' }],
    [['Bcc: a@b', 'X-SMTPAPI: whatever', 'X-Mailer: not ours', 'Received: x'], {}],
  ])('%j', (lines, expected) => {
    expect(read(...lines)).toEqual({ tags: [], metadata: {}, ...expected })
  })

  test('a key may be called __proto__', () => {
    const own = read('X-Studs-Metadata-__proto__: x')
    expect(JSON.stringify(own)).toContain('"__proto__":"x"')
  })
})

describe('what refuses the message', () => {
  test('a pool of somebody else', () => {
    const text = '5.7.1 X-Studs-Pool: there is no pool "other" for this tenant'
    expect(read('X-Studs-Pool: other')).toMatchObject({ code: 550, text })
  })

  test.each([
    ['X-Studs-Expires: later', 'X-Studs-Expires: expected a duration'],
    ['X-Studs-Expires: 0', 'X-Studs-Expires: the time is in the past'],
    ['X-Studs-Expires: 2020-01-01T00:00:00Z', 'X-Studs-Expires: the time is in the past'],
    ['X-Studs-Expires: 31d', 'X-Studs-Expires: the time is more than 30 days ahead'],
    ['X-Studs-Send-At: 2027-01-01T00:00:00Z', 'X-Studs-Send-At: the time is more than 30 days ahead'],
    ['X-Studs-Send-At: 2026-13-01T00:00:00Z', 'X-Studs-Send-At: expected an RFC 3339 time'],
    ['X-Studs-Send-At: 12', 'X-Studs-Send-At: expected an RFC 3339 time'],
    ['X-Studs-Tag:', 'X-Studs-Tag: a tag has 1 to'],
    [`X-Studs-Tag: ${'t'.repeat(129)}`, 'X-Studs-Tag: a tag has 1 to'],
    ['X-Studs-Metadata-: x', 'X-Studs-Metadata-: a metadata key has'],
    [`X-Studs-Metadata-a: ${'v'.repeat(513)}`, 'X-Studs-Metadata-a: a metadata value has'],
    ['X-Mailgun-Variables: [1]', 'X-Mailgun-Variables: expected a JSON object'],
    ['X-Mailgun-Variables: {', 'X-Mailgun-Variables: expected a JSON object'],
    ['X-Studs-Idempotency-Key:', 'X-Studs-Idempotency-Key: expected 1 to 255'],
    ['X-Studs-Tags: a', 'X-Studs-Tags: there is no such header'],
  ])('%s', (line, sentence) => {
    expect(read(line)).toMatchObject({ code: 554, text: expect.stringContaining(`5.6.0 ${sentence}`) })
  })

  test('more tags or metadata than fit, and an expiry before the sending', () => {
    const tags = Array.from({ length: 11 }, (_, n) => `X-Studs-Tag: t${n}`)
    expect(read(...tags)).toMatchObject({ code: 554 })
    expect(read(...tags.slice(1))).toMatchObject({ tags: { length: 10 } })
    const metadata = Array.from({ length: 21 }, (_, n) => `X-Studs-Metadata-k${n}: v`)
    expect(read(...metadata)).toMatchObject({ code: 554 })
    expect(read('X-Studs-Expires: 1h', 'X-Studs-Send-At: 2026-11-23T00:00:00Z')).toMatchObject({ code: 554 })
  })
})
