import { expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { counted, countText, durationText, offsetText, sizeText } from './time.ts'

test.each([
  [0, '0ms'],
  [214, '214ms'],
  [-5, '0ms'],
  [1500, '1.5s'],
  [45 * SECOND, '45s'],
  [59.7 * SECOND, '1m'],
  [5 * MINUTE, '5m'],
  [80 * MINUTE, '1h 20m'],
  [3 * DAY + 4 * HOUR + 5 * MINUTE, '3d 4h'],
  [DAY + 5 * MINUTE, '1d'],
])('%i ms lasts %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test.each([
  [0, '+0.0s'],
  [-20, '+0.0s'],
  [340, '+0.3s'],
  [302 * SECOND, '+5m 2s'],
  [2 * HOUR + 3 * MINUTE, '+2h 3m'],
  [DAY + 2 * HOUR, '+1d 2h'],
])('%i ms after the start is %s', (ms, text) => {
  expect(offsetText(ms)).toBe(text)
})

test.each([
  [512, '512 B'],
  [12_700, '12.4 KiB'],
  [25 * 2 ** 20, '25.0 MiB'],
  [64 * 2 ** 30, '64.0 GiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})

test('counts are grouped and named', () => {
  expect([countText(999), countText(1_234_567)]).toEqual(['999', '1,234,567'])
  expect([counted(1, 'recipient'), counted(0, 'recipient')]).toEqual(['1 recipient', '0 recipients'])
})
