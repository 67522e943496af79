// Replies inside other words, in the forms of the servers that pass them on.

import { describe, expect, test } from 'vitest'
import { createClassifier } from './classify.ts'
import { replyFrom } from './pasted.ts'
import { quotedIn } from './quoted.ts'
import { shippedRules } from './rules.ts'

describe('a quoted reply', () => {
  test.each([
    [
      'Postfix',
      'host mx.example.net[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)',
      { text: '550 5.1.1 User unknown', code: 550, command: 'RCPT' },
    ],
    [
      'Postfix at the banner',
      'host mx.example.net[192.0.2.9] refused to talk to me: 554 5.7.1 no',
      { text: '554 5.7.1 no', code: 554, command: 'banner' },
    ],
    [
      'Exim',
      'SMTP error from remote mail server after MAIL FROM:<a@example.org> SIZE=9: host mx.example.net [192.0.2.9]: 550 no',
      { text: '550 no', code: 550, command: 'MAIL' },
    ],
    [
      'Exim after the message',
      'host mx.example.net [192.0.2.9] SMTP error from remote mail server after end of data: 554 spam',
      { text: '554 spam', code: 554, command: 'dot' },
    ],
    [
      'qmail',
      '192.0.2.9 does not like recipient. Remote host said: 552 5.2.2 full Giving up on 192.0.2.9.',
      { text: '552 5.2.2 full', code: 552, command: 'RCPT' },
    ],
    [
      'sendmail',
      '>>> MAIL From:<a@example.org> <<< 501 5.1.8 no >>> QUIT <<< 421 bye',
      { text: '501 5.1.8 no', code: 501, command: 'MAIL' },
    ],
    ['Exchange', "Remote Server returned '550 5.1.10 not found'", { text: "550 5.1.10 not found'", code: 550 }],
    [
      'a hosted service',
      "5.1.0 - Unknown address error 550-'5.2.2 <jane@example.com> Mailbox full' (delivery attempts: 0)",
      { text: '550 5.2.2 <jane@example.com> Mailbox full', code: 550 },
    ],
    [
      'the innermost of two',
      'host a said: 450 4.1.1 undeliverable: host b said: 550 5.1.1 User unknown (in reply to RCPT TO command)',
      { text: '550 5.1.1 User unknown', code: 550, command: 'RCPT' },
    ],
  ])('%s', (_, text, quoted) => {
    expect(quotedIn(text)).toEqual(quoted)
  })

  test.each([
    '550 5.1.1 User unknown',
    'Connection timed out',
    '',
    '550-Verification failed for <a@example.org>; Response: 550 5.1.1 no such user; Sender verify failed',
  ])('none in %j', (text) => {
    expect(quotedIn(text)).toBeUndefined()
  })
})

describe('its verdict', () => {
  const classifier = createClassifier(shippedRules())
  const verdict = (text: string) =>
    classifier.classify({ cause: { kind: 'reply', command: 'RCPT', reply: replyFrom(text) } })

  test('is that of the reply, and the code that we were told says whether to try again', () => {
    expect(
      verdict('450 4.1.1 unverified: host b said: 550 5.1.1 User unknown (in reply to RCPT TO command)'),
    ).toMatchObject({ category: 'bad-mailbox', action: 'retry' })
    expect(verdict('host b said: 550 5.1.1 User unknown (in reply to RCPT TO command)').action).toBe('fail')
  })

  test('never blames the recipient for what was said before RCPT', () => {
    const said = verdict('host b said: 550 5.1.1 User unknown (in reply to MAIL FROM command)')
    expect(said.kind).not.toBe('hard')
  })

  test('a hostile text takes no long time', () => {
    const started = performance.now()
    for (const text of [
      'said: '.repeat(400),
      '<<< 5'.repeat(400),
      'SMTP error from remote server after '.repeat(60),
      '>>> QUIT'.repeat(250),
    ])
      verdict(text)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
