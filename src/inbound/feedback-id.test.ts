import { expect, test } from 'vitest'
import type { Domain } from '../mail/address.ts'
import { feedbackIdHeader } from './feedback-id.ts'

const headerOf = (tag: string | undefined, domain = 'example.com'): string =>
  feedbackIdHeader({ tag, tenant: 'acme', domain: domain as Domain })

test.each([
  ['spring', 'Feedback-ID: spring:acme:mail:example.com\r\n'],
  [undefined, 'Feedback-ID: acme:mail:example.com\r\n'],
  ['a:b, c\r\nX-Evil: 1', 'Feedback-ID: a-b-c-X-Evil-1:acme:mail:example.com\r\n'],
  ['Frühling', 'Feedback-ID: Fr-hling:acme:mail:example.com\r\n'],
  ['x'.repeat(200), `Feedback-ID: ${'x'.repeat(40)}:acme:mail:example.com\r\n`],
])('tag %j', (tag, expected) => {
  expect(headerOf(tag)).toBe(expected)
})

test.each([
  'example.com',
  'a.bc',
  'ab.cd',
  'fifteen.example',
  'sixteen2.example',
  'very.long.name.of.a.sender.example.com',
])('the sender of %s has 5 to 15 characters', (domain) => {
  const id = headerOf(undefined, domain).trimEnd().split(':').at(-1)!
  expect(id.length).toBeGreaterThanOrEqual(5)
  expect(id.length).toBeLessThanOrEqual(15)
})

test('senders that begin alike are told apart, and stay the same', () => {
  expect(headerOf(undefined, 'news.example.com')).not.toBe(headerOf(undefined, 'news.example.net'))
  expect(headerOf(undefined, 'news.example.com')).toBe(headerOf(undefined, 'news.example.com'))
})
