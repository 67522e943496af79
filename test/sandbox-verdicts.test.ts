// The sandbox's replies must teach what real ones teach: in every family's words, the classifier sees what was meant.

import { expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import type { Category } from '../src/bounce/verdict.ts'
import { enhancedCodeOf, type SmtpCommand, type SmtpReply } from '../src/mail/reply.ts'
import { BEHAVIOURS } from '../src/sandbox/behaviours.ts'
import { type Family, type ReplyName, replyOf, writeReply } from '../src/sandbox/replies.ts'

const MEANT: Partial<Record<ReplyName, Category>> = {
  'user-unknown': 'bad-mailbox',
  'mailbox-full': 'quota-issues',
  'mailbox-full-hard': 'quota-issues',
  inactive: 'inactive-mailbox',
  greylist: 'greylisted',
  tempfail: 'transient',
  'blocked-ip': 'spam-related',
  spam: 'content-related',
  dmarc: 'authentication',
  'rate-limited': 'rate-limited',
  'too-large': 'message-too-large',
  'relay-denied': 'relaying-issues',
}
// Yahoo says more with its codes than with its words: its replies may be read in two ways.
const ALSO: Record<string, Category> = { 'yahoo spam': 'policy-related', 'yahoo rate-limited': 'spam-related' }
const FAMILIES: Family[] = ['google', 'microsoft', 'yahoo', 'exim', 'postfix']
const PLACES = {
  recipient: 'user-unknown@example.test',
  domain: 'example.test',
  client: '127.0.0.1',
  mx: 'mx.example.test',
  id: '4440000001',
  seconds: '300',
  'sender-domain': 'shop.test',
}

const classifier = createClassifier(shippedRules())

test.each(
  FAMILIES.flatMap((family) =>
    Object.entries(MEANT).map(([name, category]) => ({ family, name: name as ReplyName, category })),
  ),
)('$family, $name: $category', ({ family, name, category }) => {
  const stage = BEHAVIOURS.find(({ reply }) => reply === name)?.at
  const reply = parsed(writeReply(replyOf(name, family), PLACES))
  const { verdict, by } = classifier.explain({ cause: { kind: 'reply', reply, command: stage as SmtpCommand } })
  expect([category, ALSO[`${family} ${name}`]]).toContain(verdict.category)
  expect(by).not.toBe('default')
})

function parsed(text: string): SmtpReply {
  const lines = text.trimEnd().split('\r\n')
  const code = Number(lines[0]?.slice(0, 3))
  const words = lines.map((line) => line.slice(4))
  const enhanced = enhancedCodeOf(code, words[0] ?? '')
  return { code, lines: words, ...(enhanced === undefined ? {} : { enhanced }) }
}
