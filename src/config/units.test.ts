import { describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { parseCidr, parseDuration, parseRate, parseSize } from './units.ts'

describe('parseDuration', () => {
  test.each([
    ['0', 0],
    ['250ms', 250],
    ['30s', 30 * SECOND],
    ['10m', 10 * MINUTE],
    ['10min', 10 * MINUTE],
    ['1h 20m', 80 * MINUTE],
    ['1h20m', 80 * MINUTE],
    ['1.5h', 90 * MINUTE],
    ['4d 12h', 4 * DAY + 12 * HOUR],
    ['3 d', 3 * DAY],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  test.each(['', '10', 'm', '10x', '-5m', '10m5', '1h,20m', '1e3s', '5 minutes', '٣s', `${'9'.repeat(400)}d`])(
    '"%s" is none',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  )
})

describe('parseSize', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['500B', 500],
    ['256KiB', 262_144],
    ['25 MiB', 26_214_400],
    ['1.5GiB', 1_610_612_736],
    ['2kB', 2000],
    ['3MB', 3_000_000],
    ['1GB', 1e9],
  ])('%s is %i bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  test.each(['', 'B', '-1', '10 mb', '10K', '1TiB', '0x10', '9'.repeat(400), `${'9'.repeat(20)}GiB`])(
    '"%s" is none',
    (text) => expect(parseSize(text)).toBeUndefined(),
  )
})

describe('parseRate', () => {
  test.each([
    ['100/min', { count: 100, per: MINUTE }],
    ['20/h', { count: 20, per: HOUR }],
    ['5/10s', { count: 5, per: 10 * SECOND }],
    ['1 / 2 day', { count: 1, per: 2 * DAY }],
  ])('%s', (text, rate) => expect(parseRate(text)).toEqual(rate))

  test.each(['', '100', '0/s', '5/0s', '-1/s', '1.5/s', '/s', '5/fortnight', `${'9'.repeat(400)}/s`])(
    '"%s" is none',
    (text) => expect(parseRate(text)).toBeUndefined(),
  )
})

describe('parseCidr', () => {
  test.each([
    ['10.0.0.0/8', { address: '10.0.0.0', prefix: 8, family: 4 }],
    ['192.0.2.7', { address: '192.0.2.7', prefix: 32, family: 4 }],
    ['0.0.0.0/0', { address: '0.0.0.0', prefix: 0, family: 4 }],
    ['2001:db8::/32', { address: '2001:db8::', prefix: 32, family: 6 }],
    ['::1', { address: '::1', prefix: 128, family: 6 }],
    ['::ffff:10.0.0.0/104', { address: '::ffff:10.0.0.0', prefix: 104, family: 6 }],
  ])('%s', (text, network) => expect(parseCidr(text)).toEqual(network))

  // An empty or odd prefix must never be read as 0: that would trust everybody.
  test.each([
    '',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/9',
    '10.0.0.0/-1',
    '10.0.0.0/0x8',
    '10.0.0.0/1e1',
    '10.0.0.0/ 8',
    '10.0.0',
    'fe80::1%eth0',
    'example.com/8',
  ])('"%s" is none', (text) => expect(parseCidr(text)).toBeUndefined())
})
