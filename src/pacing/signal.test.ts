import { expect, test } from 'vitest'
import { createClassifier } from '../bounce/classify.ts'
import { replyFrom } from '../bounce/pasted.ts'
import { shippedRules } from '../bounce/rules.ts'
import type { Cause, Outcome } from '../mail/outcome.ts'
import type { SmtpCommand } from '../mail/reply.ts'
import { isAboutRate, signalOf } from './signal.ts'

const classifier = createClassifier(shippedRules())
const judge = (cause: Cause) => classifier.classify({ cause })
const way = { site: 'mx.a.example', source: 'one', durationMs: 10 }
const said = (text: string, command: SmtpCommand = 'RCPT'): Cause => ({
  kind: 'reply',
  command,
  reply: replyFrom(text),
})
const outcomeOf = (cause: Cause): Outcome => {
  const isFinal = cause.kind === 'reply' && cause.reply.code >= 500
  return { kind: isFinal ? 'failed' : 'deferred', cause, way }
}

test.each<[string, Cause, ReturnType<typeof signalOf>]>([
  ['too fast', said('450 4.7.1 Rate limit exceeded, slow down'), 'deferred'],
  ['unusual rate', said('450 4.7.28 unusual rate of unsolicited mail from your IP address', 'DATA'), 'deferred'],
  ['repute', said('451 4.7.1 Deferred due to poor reputation of your IP', 'dot'), 'deferred'],
  [
    'listed, for good',
    said('554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org', 'MAIL'),
    'deferred',
  ],
  ['421 in the midst', said('421 4.7.0 Too many messages in one session', 'MAIL'), 'refused'],
  ['421 at the door', said('421 4.7.0 Service not available', 'banner'), 'refused'],
  ['a server that is shut down', said('421 4.3.2 Service shutting down', 'banner'), 'absent'],
  ['a server in maintenance', said('421 4.3.2 System not accepting network messages', 'EHLO'), 'absent'],
  ['too many at the door', said('421 4.3.2 Too many connections from your host', 'banner'), 'refused'],
  ['shut down in the midst', said('421 4.3.2 Service shutting down', 'MAIL'), 'refused'],
  ['554 at the door', said('554 5.7.1 No SMTP service for you', 'banner'), 'refused'],
  ['450 to EHLO', said('450 4.7.1 Not now', 'EHLO'), 'refused'],
  ['no connection', { kind: 'connect', detail: 'refused' }, 'absent'],
  ['no greeting', { kind: 'timeout', detail: 'no greeting', command: 'banner' }, 'absent'],
  ['no network of our own', { kind: 'connect', detail: 'no route', ours: true }, undefined],
  ['broken in DATA', { kind: 'connect', detail: 'reset', command: 'DATA' }, undefined],
  ['no name', { kind: 'dns', code: '4.4.3', detail: 'SERVFAIL' }, undefined],
  ['no TLS', { kind: 'tls', detail: 'expired' }, undefined],
  ['too fast, and when again', said('450 4.7.1 Rate limit exceeded, please try again in 10 minutes'), 'deferred'],
  ['greylisting', said('450 4.2.0 Greylisted, try again in 5 minutes'), undefined],
  ['greylisting by 421', said('421 4.7.1 Greylisting in action, please come back in 00:05:00'), undefined],
  ['full', said('452 4.2.2 Mailbox full'), undefined],
  ['nobody', said('550 5.1.1 No such user'), undefined],
  [
    'one who gets too much',
    said('450 4.2.1 The user you are trying to contact is receiving mail too quickly'),
    undefined,
  ],
  ['content', said('550 5.7.1 Message contains a virus', 'dot'), undefined],
  ['our DKIM', said('550 5.7.26 Unauthenticated mail is prohibited: DKIM failed', 'dot'), undefined],
])('%s', (_, cause, expected) => {
  expect(signalOf(outcomeOf(cause), judge)).toBe(expected)
})

test('what was delivered is good news, what was not tried no news', () => {
  const reply = replyFrom('250 2.0.0 Ok')
  expect(signalOf({ kind: 'delivered', reply, way }, judge)).toBe('accepted')
  expect(signalOf({ kind: 'returned', reason: 'suspended', retryAfterMs: 0 }, judge)).toBeUndefined()
})

test.each<[string, boolean]>([
  ['450 4.7.1 Rate limit exceeded, try again in 10 minutes', true],
  ['421 4.7.0 Too many connections, retry after 300 seconds', true],
  ['450 4.2.0 Greylisted, try again in 10 minutes', false],
  ['450 4.2.1 The user you are trying to contact is receiving mail too quickly. Try again in 10 minutes', false],
  ['451 4.3.0 Backend down, try again in 10 minutes', false],
])('%s: the path waits: %s', (text, expected) => {
  expect(isAboutRate(said(text), judge)).toBe(expected)
})
