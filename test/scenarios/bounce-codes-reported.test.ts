// Every row of the bounce-code table that can come back as mail: delivered first, then a report over real SMTP to the
// bounce listener leads to this code, this record, this state, and to a suppression or to none. What is said while
// delivering: bounce-codes.test.ts.

import { createTransport } from 'nodemailer'
import { afterEach, expect, test } from 'vitest'
import type { Category } from '../../src/bounce/verdict.ts'
import { createClient } from '../../src/http/client.ts'
import { hashPassword } from '../../src/inbound/password.ts'
import type { RecordKind } from '../../src/journal/record.ts'
import { RETURN_PATHS, startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { answer, complaint, type NdrText, ndr } from '../support/report-mails.ts'

afterEach(stopRelays)

const suppressions = (relay: TestRelay): string[] =>
  relay.relay.suppressions.list({ limit: 100 }).entries.map(({ target, reason }) => `${target} ${reason}`)
const stateOf = async (relay: TestRelay, id: string): Promise<string | undefined> =>
  (await createClient({ kind: 'socket', path: relay.relay.socket }, {}).message(id))?.to[0]?.state.kind

interface Expected {
  readonly code: number
  readonly category: Category
  readonly kind: Extract<RecordKind, 'bounced' | 'complained' | 'unsubscribed' | 'reported'>
  readonly suppressed?: string
}

async function expectReport(relay: TestRelay, to: string, message: string, expected: Expected): Promise<void> {
  const { code, category, kind, suppressed } = expected
  const record = await relay.record(kind, { message })
  expect(record).toMatchObject({ recipient: to, verdict: { code, category } })
  expect(await stateOf(relay, message)).toBe(kind === 'bounced' ? 'bounced' : 'delivered')
  expect(suppressions(relay)).toEqual(suppressed === undefined ? [] : [`${to} ${suppressed}`])
}

/** The sandbox's recipients that answer by mail. */
const RECIPIENTS: readonly (Expected & { readonly to: string })[] = [
  { to: 'late-ndr@a.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'late-ndr@gmail.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'late-ndr@outlook.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'late-ndr@yahoo.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'late-ndr@exim.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'qmail@a.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'exchange@a.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'wrong-name@a.test', code: 10, category: 'bad-mailbox', kind: 'bounced', suppressed: 'hard_bounce' },
  { to: 'late-full@gmail.test', code: 22, category: 'quota-issues', kind: 'bounced' },
  { to: 'vacation@a.test', code: 60, category: 'auto-reply', kind: 'reported' },
  { to: 'delayed-then-ok@a.test', code: 70, category: 'delayed', kind: 'reported' },
  { to: 'challenge@a.test', code: 100, category: 'challenge-response', kind: 'reported' },
  { to: 'fbl@a.test', code: 200, category: 'spam-complaint', kind: 'complained', suppressed: 'complaint' },
]

test.each(RECIPIENTS)('$code $category: $to', async ({ to, ...expected }) => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  await expectReport(relay, to, await relay.send(to), expected)
})

/** What receivers write in reports on a recipient that was delivered. */
type Ndr = readonly [code: number, category: Category, text: NdrText, suppressed: 'hard_bounce' | undefined]
const NDRS: readonly Ndr[] = (
  [
    [10, 'bad-mailbox', { status: '5.1.1', diagnostic: '550 5.1.1 <ok@a.test>: User unknown' }, 'hard_bounce'],
    [
      10,
      'inactive-mailbox',
      { status: '5.2.1', diagnostic: '550 5.2.1 This mailbox has been disabled' },
      'hard_bounce',
    ],
    [20, 'transient', { status: '4.3.0', diagnostic: '451 4.3.0 Temporary lookup failure' }],
    [
      21,
      'dns-failure',
      {
        status: '5.4.4',
        diagnostic: 'Host or domain name not found. Name service error for name=a.test type=MX: Host not found',
      },
    ],
    [22, 'quota-issues', { status: '5.2.2', diagnostic: '552 5.2.2 Mailbox is full' }],
    [23, 'message-too-large', { status: '5.3.4', diagnostic: '552 5.3.4 Message size exceeds fixed limit' }],
    [29, 'no-answer-from-host', { status: '4.4.1', diagnostic: '451 4.4.1 Not delivered' }],
    [40, 'other', { status: '5.0.0', diagnostic: '554 5.0.0 Transaction failed' }],
    [50, 'policy-related', { status: '5.7.1', diagnostic: '550 5.7.1 Refused by local policy' }],
    [
      50,
      'authentication',
      { status: '5.7.26', diagnostic: '550 5.7.26 Message rejected by the DMARC policy of sender.test' },
    ],
    [
      51,
      'spam-related',
      {
        status: '5.7.1',
        diagnostic: '554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org',
      },
    ],
    [52, 'content-related', { status: '5.7.1', diagnostic: '550 5.7.1 Message content rejected, spam detected' }],
    [
      53,
      'virus-related',
      { status: '5.7.1', diagnostic: '550 5.7.1 Message rejected: it contains a virus (Eicar-Test)' },
    ],
    [54, 'relaying-issues', { status: '5.7.1', diagnostic: '554 5.7.1 <ok@a.test>: Relay access denied' }],
  ] satisfies readonly (readonly [number, Category, NdrText, 'hard_bounce'?])[]
).map(([code, category, text, suppressed]) => [code, category, text, suppressed])

test.each(NDRS)('%i %s, in a bounce', async (code, category, text, suppressed) => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  const message = await relay.send('ok@a.test')
  await relay.record('delivered')
  const raw = ndr({ recipient: 'ok@a.test', ...text })
  expect(await relay.report(relay.returnPathOf('ok@a.test'), raw)).toMatch(/^250 /)
  const expected = { code, category, kind: 'bounced' as const, ...(suppressed === undefined ? {} : { suppressed }) }
  await expectReport(relay, 'ok@a.test', message, expected)
  expect(relay.records.find(({ kind }) => kind === 'bounced')?.report).toMatchObject({
    kind: 'dsn',
    evidence: 'return-path',
  })
})

const ORIGINAL = (relay: TestRelay): string =>
  `Return-Path: <${relay.returnPathOf('ok@a.test')}>\r\nFrom: app@sender.test\r\nSubject: Hello\r\n\r\nHello.`

type Compose = (relay: TestRelay) => string
const OTHERS: readonly (readonly [what: string, sender: string, raw: Compose, expected: Expected])[] = [
  [
    'what a machine answers that does not say so',
    '',
    () => answer('ok@a.test'),
    { code: 60, category: 'auto-reply', kind: 'reported' },
  ],
  [
    'an answer by a person',
    'ok@a.test',
    () => answer('ok@a.test'),
    { code: 0, category: 'non-bounce', kind: 'reported' },
  ],
  [
    'a report of success',
    '',
    () => ndr({ recipient: 'ok@a.test', action: 'delivered', status: '2.0.0' }),
    { code: 0, category: 'non-bounce', kind: 'reported' },
  ],
  [
    'not spam after all',
    'fbl@provider.test',
    (relay) => complaint({ type: 'not-spam', original: ORIGINAL(relay) }),
    { code: 0, category: 'non-bounce', kind: 'reported' },
  ],
  // The return path says whose it is, but not why it came back.
  ['a bounce that names nobody', '', () => ndr({}), { code: 40, category: 'other', kind: 'bounced' }],
  [
    'a notice of delay',
    '',
    () => ndr({ recipient: 'ok@a.test', action: 'delayed', status: '4.4.1' }),
    { code: 70, category: 'delayed', kind: 'reported' },
  ],
  [
    'an opt-out',
    'fbl@provider.test',
    (relay) => complaint({ type: 'opt-out', original: ORIGINAL(relay) }),
    { code: 90, category: 'unsubscribe', kind: 'unsubscribed', suppressed: 'unsubscribe' },
  ],
  [
    'fraud',
    'fbl@provider.test',
    (relay) => complaint({ type: 'fraud', original: ORIGINAL(relay) }),
    { code: 200, category: 'spam-complaint', kind: 'complained', suppressed: 'complaint' },
  ],
]

test.each(OTHERS)('%s', async (_, sender, compose, expected) => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  const message = await relay.send('ok@a.test')
  await relay.record('delivered')
  expect(await relay.report(relay.returnPathOf('ok@a.test'), compose(relay), sender)).toMatch(/^250 /)
  await expectReport(relay, 'ok@a.test', message, expected)
})

test('90 unsubscribe: a mail to the address that List-Unsubscribe names', async () => {
  const toml = `${RETURN_PATHS}
[[listener]]
name = "submission"
port = 0
tls = "starttls"
auth = "required"
[[credential]]
name = "news"
password = "${await hashPassword('secret')}"
list_unsubscribe = true
`
  const relay = await startTestRelay({ toml })
  const transport = createTransport({
    host: '127.0.0.1',
    port: relay.relay.listeners.find(({ name }) => name === 'submission')!.port,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
    auth: { user: 'news', pass: 'secret' },
  })
  const to = 'unsubscribe@a.test'
  await transport.sendMail({ from: 'app@sender.test', to, subject: 'News', text: 'News.\n' })
  transport.close()
  const { message } = await relay.record('delivered')
  await expectReport(relay, to, message!, {
    code: 90,
    category: 'unsubscribe',
    kind: 'unsubscribed',
    suppressed: 'unsubscribe',
  })
})

test('a bounce to the From address instead of the return path finds its recipient by the token in the headers', async () => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  const message = await relay.send('mimecast@a.test')
  const record = await relay.record('bounced', { message })
  expect(record).toMatchObject({
    recipient: 'mimecast@a.test',
    verdict: { code: 10, category: 'bad-mailbox' },
    report: { evidence: 'token' },
  })
  expect(await stateOf(relay, message)).toBe('bounced')
  expect(suppressions(relay)).toEqual(['mimecast@a.test hard_bounce'])
})

test('30 no-address: a bounce that names nobody, to an address that says nothing either', async () => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  expect(await relay.report('postmaster@bounce.sender.test', ndr({}))).toMatch(/^250 /)
  const record = await relay.record('reported')
  expect(record).toMatchObject({ verdict: { code: 30, category: 'no-address', kind: 'other' } })
  expect(record).not.toHaveProperty('message')
  expect(suppressions(relay)).toEqual([])
})

test('a bounce to a forged return path is refused, and nothing is recorded', async () => {
  const relay = await startTestRelay({ toml: RETURN_PATHS })
  const refused = new Promise((resolve) => relay.relay.sandbox!.reports.on('report', resolve))
  const message = await relay.send('forged-ndr@a.test')
  expect(await refused).toMatchObject({ outcome: 'refused', words: expect.stringMatching(/^550 5\.1\.1 /) })
  // The sandbox answers faster than our own record of the delivery is durable.
  await relay.record('delivered', { message })
  expect(relay.relay.journal.ofMessage(message).map(({ kind }) => kind)).toEqual(['accepted', 'delivered'])
  expect(suppressions(relay)).toEqual([])
})
