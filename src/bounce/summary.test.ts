import { describe, expect, test } from 'vitest'
import { createClassifier } from './classify.ts'
import type { ParsedReport, ReportedRecipient } from './report.ts'
import { causeOf, judged } from './report-cause.ts'
import { shippedRules } from './rules.ts'
import { summaryOf } from './summary.ts'

const classifier = createClassifier(shippedRules())
const failed = (fields: Partial<ReportedRecipient>): ReportedRecipient => ({
  address: 'jane@example.org',
  action: 'failed',
  diagnostic: '',
  ...fields,
})

describe('a reported recipient', () => {
  test('becomes the reply of a server', () => {
    const recipient = failed({ status: '5.1.1', code: 550, command: 'RCPT', diagnostic: '550-5.1.1 No such user' })
    expect(causeOf(recipient)).toEqual({
      kind: 'reply',
      command: 'RCPT',
      reply: { code: 550, enhanced: '5.1.1', lines: ['5.1.1 No such user'] },
    })
  })

  test('is said with its status where no code was given', () => {
    expect(causeOf(failed({ status: '5.2.2', diagnostic: 'no' }))).toMatchObject({
      reply: { code: 0, enhanced: '5.2.2', lines: ['5.2.2 no'] },
    })
  })

  test.each([
    ['a code', failed({ code: 550, diagnostic: '550 No such user' }), 'bad-mailbox'],
    ['words only', failed({ diagnostic: 'mailbox is full' }), 'quota-issues'],
    ['a status only', failed({ status: '5.1.1' }), 'bad-mailbox'],
    ['5.0.0 and words', failed({ status: '5.0.0', diagnostic: 'User unknown' }), 'bad-mailbox'],
    [
      'what is said to us, not of them',
      failed({ code: 550, command: 'MAIL', diagnostic: '550 User unknown' }),
      'invalid-sender',
    ],
    ['nothing', failed({}), 'other'],
    ['a delay', failed({ action: 'delayed', status: '4.2.2', diagnostic: 'mailbox is full' }), 'delayed'],
    ['a delivery', failed({ action: 'delivered', status: '2.0.0' }), 'non-bounce'],
  ])('%s', (_name, recipient, category) => {
    expect(judged(recipient, classifier).category).toBe(category)
  })

  test('is not tried again by whoever reports that it failed', () => {
    expect(judged(failed({ status: '4.4.1', code: 451, diagnostic: '451 later' }), classifier).action).toBe('fail')
  })
})

describe('a summary', () => {
  const report = (fields: Partial<ParsedReport>): ParsedReport => ({
    kind: 'dsn',
    family: 'rfc3464',
    recipients: [],
    subject: '',
    from: 'bob@example.org',
    references: [],
    tokens: [],
    ...fields,
  })

  test('of a failure', () => {
    const recipients = [failed({ code: 552, diagnostic: '552 mailbox is full' })]
    expect(summaryOf(report({ recipients }), classifier)).toEqual({
      kind: 'dsn',
      recipients: [
        {
          address: 'jane@example.org',
          action: 'failed',
          status: '5.0.0',
          reply: '552',
          category: 'quota-issues',
          code: 22,
          hard: false,
          reason: 'full',
          diagnostic: '552 mailbox is full',
        },
      ],
    })
  })

  test.each([
    ['its own status first', 'exim', { status: '5.2.2', diagnostic: 'retry timeout exceeded' }, '5.2.2'],
    ['then the class of the reply', 'exim', { code: 550, diagnostic: '550 temporary' }, '5.0.0'],
    ['a reply that was temporary', 'general', { code: 450, diagnostic: '450 later' }, '4.0.0'],
    ['words that say so', 'general', { diagnostic: 'Host is temporarily out of order' }, '4.0.0'],
    ['sendmail that waited', 'sendmail', { diagnostic: 'Deferred: Connection timed out' }, '4.0.0'],
    ['no such user stays that', 'general', { diagnostic: 'User unknown, temporarily or not' }, '5.0.0'],
    ['Exim that gave up', 'exim', { diagnostic: 'retry timeout exceeded' }, '4.0.0'],
    ['Exim over a full mailbox', 'exim', { diagnostic: 'mailbox is full: retry timeout exceeded' }, '4.0.0'],
    ['Exim over a domain', 'exim', { diagnostic: 'Unrouteable address' }, '5.0.0'],
    ['others that gave up', 'x', { diagnostic: 'delivery time expired' }, '5.0.0'],
    ['a delay', 'x', { action: 'delayed' }, '4.0.0'],
    ['a delivery', 'x', { action: 'relayed' }, '2.0.0'],
  ] as const)('gives a status: %s', (_name, family, fields, status) => {
    const { recipients } = summaryOf(report({ family, recipients: [failed(fields)] }), classifier)
    expect(recipients.map((each) => each.status)).toEqual([status])
  })

  test.each([
    ['complaint', 'arf', 'arf', ['jane@example.org']],
    ['unsubscribe', 'apple', 'arf', ['bob@example.org']],
    ['unsubscribe', 'subject', 'other', []],
    ['auto-reply', 'rfc3834', 'vacation', []],
    ['challenge', 'tmda', 'other', []],
    ['aggregate', 'dmarc', 'other', []],
    ['mail', 'mail', 'none', []],
    ['unknown', 'unknown', 'none', []],
  ] as const)('of %s by %s is %s', (kind, family, expected, addresses) => {
    const recipients = kind === 'complaint' ? [failed({ action: 'delivered' })] : []
    const summary = summaryOf(report({ kind, family, recipients }), classifier)
    expect([summary.kind, summary.recipients.map(({ address }) => address)]).toEqual([expected, addresses])
  })
})
