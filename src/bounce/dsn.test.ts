import { describe, expect, test } from 'vitest'
import { looksLikeDeliveryStatus, readDeliveryStatus, statusOf } from './dsn.ts'
import type { ReportedRecipient } from './report.ts'

const HEAD = 'Reporting-MTA: dns; mx.example.net\nArrival-Date: Thu, 1 Oct 2026 10:00:00 +0000\n\n'

interface Case {
  readonly name: string
  readonly content: string
  readonly expected: readonly { readonly [Name in keyof ReportedRecipient]?: ReportedRecipient[Name] | undefined }[]
}

const CASES: readonly Case[] = [
  {
    name: 'as the standard has it',
    content: `${HEAD}Original-Recipient: rfc822;sales@example.org\nFinal-Recipient: rfc822; jane@example.org\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx1.example.org\nDiagnostic-Code: smtp; 550 5.1.1 <jane@example.org>:\n  No such user (in reply to RCPT TO command)\n`,
    expected: [
      {
        address: 'jane@example.org',
        original: 'sales@example.org',
        action: 'failed',
        status: '5.1.1',
        code: 550,
        command: 'RCPT',
        remoteMta: 'mx1.example.org',
        diagnostic: '550 5.1.1 <jane@example.org>: No such user (in reply to RCPT TO command)',
      },
    ],
  },
  {
    name: 'several groups',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@example.org\nAction: delayed\nStatus: 4.4.1\n`,
    expected: [
      { address: 'a@example.org', action: 'failed', status: '5.1.1' },
      { address: 'b@example.org', action: 'delayed', status: '4.4.1' },
    ],
  },
  {
    name: 'groups without blank lines, message fields too',
    content:
      'Reporting-MTA: dns; mx.example.net\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; b@example.org\nAction: failed\nStatus: 5.2.2\n',
    expected: [
      { address: 'a@example.org', status: '5.1.1' },
      { address: 'b@example.org', status: '5.2.2' },
    ],
  },
  {
    name: 'groups that begin with the action',
    content: `${HEAD}Action: failed\nFinal-Recipient: rfc822; a@example.org\nStatus: 5.1.1\n\nAction: failed\nFinal-Recipient: rfc822; b@example.org\nStatus: 5.2.1\n`,
    expected: [
      { address: 'a@example.org', status: '5.1.1' },
      { address: 'b@example.org', status: '5.2.1' },
    ],
  },
  {
    name: 'a group torn by a blank line',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\n\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 full\n`,
    expected: [{ address: 'a@example.org', action: 'failed', status: '5.2.2', code: 552 }],
  },
  {
    name: 'original before final, each after a blank line of its own',
    content: `${HEAD}Original-Recipient: rfc822; a@example.org\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.0.0\n\nOriginal-Recipient: rfc822; b@example.org\nFinal-Recipient: rfc822; b@example.org\nAction: failed\nStatus: 5.0.0\n`,
    expected: [{ address: 'a@example.org' }, { address: 'b@example.org' }],
  },
  {
    name: 'type left out, brackets, comment, other case',
    content:
      'FINAL-RECIPIENT: <Jane.Roe@Example.ORG> (unknown)\nACTION: Failure\nSTATUS: 5.1.1 (Bad destination mailbox address)\n',
    expected: [{ address: 'Jane.Roe@Example.ORG', action: 'failed', status: '5.1.1' }],
  },
  {
    name: 'a local user, the address in the original recipient',
    content: `${HEAD}Original-Recipient: rfc822; jane@example.org\nFinal-Recipient: LOCAL; jane\nAction: failed\nStatus: 5.2.0\n`,
    expected: [{ address: 'jane@example.org' }],
  },
  {
    name: 'a domain of the inside only',
    content: `${HEAD}Original-Recipient: rfc822; jane@example.org\nFinal-Recipient: rfc822; @store1.example.org:jane@ims_daemon\nAction: failed\nStatus: 5.2.2\n`,
    expected: [{ address: 'jane@example.org', original: undefined }],
  },
  {
    name: 'X-Actual-Recipient is not who it was sent to',
    content: `${HEAD}Final-Recipient: RFC822; jane@example.org\nX-Actual-Recipient: RFC822; |/usr/bin/filter jane\nAction: failed\nStatus: 5.3.0\n`,
    expected: [{ address: 'jane@example.org' }],
  },
  {
    name: 'RFC 6533: address beyond ASCII',
    content: `${HEAD}Final-Recipient: utf-8; \\x{79C1}@example.org\nAction: failed\nStatus: 5.1.1\n`,
    expected: [{ address: '私@example.org' }],
  },
  {
    name: 'a quoted local part',
    content: `${HEAD}Final-Recipient: rfc822; "jane roe"@example.org\nAction: failed\nStatus: 5.1.1\n`,
    expected: [{ address: '"jane roe"@example.org' }],
  },
  {
    name: 'action misspelt or missing is told by the status',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\nAction: faild\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@example.org\nStatus: 4.2.2\n\nFinal-Recipient: rfc822; c@example.org\nStatus: 2.1.5\n\nFinal-Recipient: rfc822; d@example.org\nDiagnostic-Code: smtp; 451 later\n`,
    expected: [{ action: 'failed' }, { action: 'delayed' }, { action: 'delivered' }, { action: 'delayed', code: 451 }],
  },
  {
    name: 'expired: failed with a temporary status stays failed',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 4.4.7\n`,
    expected: [{ action: 'failed', status: '4.4.7' }],
  },
  {
    name: 'the diagnostic says more than 5.0.0',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.2.1 disabled\n`,
    expected: [{ status: '5.2.1', code: 550 }],
  },
  {
    name: 'folding lost',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 The account\n550-5.1.1 does not exist. See\n550 5.1.1 http://example.org/help\n`,
    expected: [
      {
        diagnostic: '550-5.1.1 The account 550-5.1.1 does not exist. See 550 5.1.1 http://example.org/help',
        code: 550,
      },
    ],
  },
  {
    name: 'one address twice: the failure tells more',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\nAction: delayed\nStatus: 4.4.1\n\nFinal-Recipient: rfc822; A@example.org\nAction: failed\nStatus: 5.4.1\n`,
    expected: [{ address: 'A@example.org', action: 'failed' }],
  },
  {
    name: 'indented or quoted as a whole',
    content: '  > Final-Recipient: rfc822; a@example.org\n  > Action: failed\n  > Status: 5.1.1\n',
    expected: [{ address: 'a@example.org', status: '5.1.1' }],
  },
  {
    name: 'a name with spaces (Notes), and words behind the address',
    content: `${HEAD}Final-Recipient: rfc822;Jane Roe/Sales/Example@EXAMPLE.ORG\nAction: failed\n\nFinal-Recipient: rfc822; b@example.org via mx\nAction: failed\n`,
    expected: [{ address: 'Jane Roe/Sales/Example@EXAMPLE.ORG' }, { address: 'b@example.org' }],
  },
  {
    name: 'a program that was given the address',
    content: `${HEAD}Final-Recipient: rfc822; |/usr/bin/filter jane@example.org\nAction: failed\n`,
    expected: [{ address: 'jane@example.org' }],
  },
  {
    name: 'no recipient at all',
    content: HEAD,
    expected: [],
  },
  {
    name: 'a program that failed has no SMTP code',
    content: `${HEAD}Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.3.0\nDiagnostic-Code: X-Unix; 127\n`,
    expected: [{ diagnostic: 'X-Unix; 127', code: undefined }],
  },
]

test.each(CASES)('$name', ({ content, expected }) => {
  const { recipients } = readDeliveryStatus(content)
  expect(recipients).toHaveLength(expected.length)
  for (const [at, fields] of expected.entries())
    for (const [name, value] of Object.entries(fields))
      expect([name, recipients[at]?.[name as keyof ReportedRecipient]]).toEqual([name, value])
})

test('keeps the envelope id', () => {
  expect(readDeliveryStatus(`Original-Envelope-Id: QQ314159\n${HEAD}`).envelopeId).toBe('QQ314159')
})

test('names at most 100 recipients', () => {
  const groups = Array.from({ length: 500 }, (_, n) => `Final-Recipient: rfc822; r${n}@example.org\nAction: failed\n`)
  expect(readDeliveryStatus(HEAD + groups.join('\n')).recipients).toHaveLength(100)
})

describe('status', () => {
  test.each([
    ['5.1.1', undefined, '5.1.1'],
    [' 5.1.1 (unknown)', undefined, '5.1.1'],
    ['5 . 1 . 1', undefined, '5.1.1'],
    ['5.0.0', '5.2.2', '5.2.2'],
    ['5.0.0', '4.2.2', '5.0.0'],
    ['4.0.0', '4.2.2', '4.2.2'],
    ['5.1.2', '5.2.2', '5.1.2'],
    [undefined, '5.2.2', '5.2.2'],
    ['none', undefined, undefined],
    ['192.0.2.1', undefined, undefined],
    ['5.X.X', undefined, '5.0.0'],
    ['4', undefined, '4.0.0'],
    ['550', undefined, undefined],
    ['4.4.7', '4.2.2', '4.2.2'],
    ['4.4.7', '4.0.0', '4.4.7'],
    ['4.4.7', '5.1.1', '4.4.7'],
    ['5.4.7', '4.2.2', '5.4.7'],
  ])('%j with %j quoted is %j', (field, quoted, expected) => {
    expect(statusOf({ field, quoted })).toBe(expected)
  })

  test.each([
    ['5.0.0', 450, undefined, '4.0.0'],
    ['5.0.0', 450, '4.2.2', '4.2.2'],
    ['5.0.0', 550, undefined, '5.0.0'],
    ['4.0.0', 554, undefined, '4.0.0'],
    ['4.0.0', 554, '5.7.1', '5.7.1'],
    ['5.1.1', 450, undefined, '5.1.1'],
    ['4.2.2', 552, '5.2.2', '5.2.2'],
    ['5.4.7', 450, '4.2.2', '4.2.2'],
    [undefined, 450, undefined, undefined],
  ])('%j over a reply of %i and %j is %j', (field, code, quoted, expected) => {
    expect(statusOf({ field, code, quoted })).toBe(expected)
  })
})

test('knows delivery status fields under any name', () => {
  expect(looksLikeDeliveryStatus('text\nFinal-recipient: rfc822;a@example.org\nAction: failed')).toBe(true)
  expect(looksLikeDeliveryStatus('The Final-Recipient: field names the recipient, Action: what happened')).toBe(false)
})
