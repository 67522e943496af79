import { expect, test } from 'vitest'
import { shorten } from './shorten.ts'

test.each([
  ['short enough', 'deferred for now', 16, 'deferred for now'],
  ['inside a word', 'temporarily deferred due to volume', 30, 'temporarily deferred due to…'],
  ['at the end of a word', 'temporarily deferred due to volume', 28, 'temporarily deferred due to…'],
  ['one less: the … needs its place', 'temporarily deferred due to volume', 27, 'temporarily deferred due…'],
  ['after a comma', 'temporarily deferred, due to volume', 23, 'temporarily deferred…'],
  ['a long word behind a short one', 'see https://postmaster.example.com/error', 20, 'see https://postmas…'],
  ['no spaces', '您的邮件被退回来了因为邮箱已满', 10, '您的邮件被退回来了…'],
  ['half a character', 'spam😀😀', 6, 'spam…'],
  ['spaces only', ' '.repeat(9), 5, '…'],
  ['nothing', '', 5, ''],
])('%s', (_, text, most, shown) => {
  expect(shorten(text, most)).toBe(shown)
  expect(shown.length).toBeLessThanOrEqual(most)
})
