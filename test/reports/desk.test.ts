// The desk on a whole relay: how sure it is of whom, what it does by itself and what it leaves to a person.

import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import { verify } from '../../src/queue/verify.ts'
import type { IncomingReport } from '../../src/reports/desk.ts'
import { idKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { systemClock } from '../../src/util/clock.ts'
import { RETURN_PATHS, startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { complaint, ndr } from '../support/report-mails.ts'

afterEach(stopRelays)

const UNKNOWN = { status: '5.1.1', diagnostic: '550 5.1.1 User unknown' }
const ingest = (raw: string): IncomingReport => ({
  origin: { kind: 'ingest', who: 'ann' },
  to: '',
  raw: Buffer.from(raw, 'latin1'),
  sizeBytes: raw.length,
})
const suppressed = (relay: TestRelay): string[] =>
  relay.relay.suppressions.list({ limit: 100 }).entries.map(({ target, reason }) => `${target} ${reason}`)

async function delivered(to = 'ok@a.test', toml = RETURN_PATHS, more: Record<string, unknown> = {}) {
  const relay = await startTestRelay({ toml })
  const message = await relay.send(to, more)
  await relay.record('delivered', { message })
  const mail = relay.relay.sandbox!.inbox.list().findLast(({ recipients }) => recipients.includes(to))!
  return { relay, message, headers: mail.raw.toString('latin1').split('\r\n\r\n')[0]! }
}

describe('whose report it is', () => {
  test('the token in the headers given back is as good as the return path', async () => {
    const { relay, message, headers } = await delivered()
    expect(headers).toMatch(/^X-Studs-Token: b-[0-9a-v]{40}$/m)
    const entry = await relay.relay.desk.take(ingest(ndr({ ...UNKNOWN, recipient: 'ok@a.test', original: headers })))
    expect(entry).toMatchObject({
      outcome: 'bounced',
      suppressed: true,
      about: { message, n: 0, evidence: 'token', confidence: 'certain' },
    })
    expect(suppressed(relay)).toEqual(['ok@a.test hard_bounce'])
  })

  test('a Message-ID is known to others too: a person decides', async () => {
    const { relay, headers } = await delivered()
    const original = headers.match(/^Message-ID: .*$/im)![0]
    const entry = await relay.relay.desk.take(ingest(ndr({ ...UNKNOWN, recipient: 'OK@a.test', original })))
    expect(entry).toMatchObject({ outcome: 'review', about: { evidence: 'message-id', confidence: 'likely' } })
    expect(entry.review?.why).toContain('Message-ID')
    expect(suppressed(relay)).toEqual([])
    const accepted = await relay.relay.desk.decide(entry.id, { as: 'accept', who: 'ann' })
    expect(accepted).toMatchObject({ outcome: 'bounced', review: { decided: { who: 'ann' } } })
    expect(await relay.record('bounced')).toMatchObject({ who: 'ann', report: { id: entry.id } })
    expect(suppressed(relay)).toEqual(['ok@a.test hard_bounce'])
  })

  test('of a Message-ID whose mail went to others, nobody', async () => {
    const { relay, headers } = await delivered()
    const original = headers.match(/^Message-ID: .*$/im)![0]
    const entry = await relay.relay.desk.take(ingest(ndr({ ...UNKNOWN, recipient: 'other@a.test', original })))
    expect(entry.about).toBeUndefined()
    expect(entry).toMatchObject({ outcome: 'review', review: { why: expect.stringContaining('no recipient') } })
    // There is nobody to do it to: it stays on the list until it is dismissed.
    expect(await relay.relay.desk.decide(entry.id, { as: 'accept', who: 'ann' })).toEqual(entry)
    expect(relay.relay.desk.get(entry.id)).toEqual(entry)
    expect(await relay.relay.desk.decide(entry.id, { as: 'dismiss', who: 'ann' })).toMatchObject({
      outcome: 'dismissed',
    })
  })

  test('address and subject within a week are weak; another subject is nothing', async () => {
    const { relay } = await delivered('ok@a.test', RETURN_PATHS, { subject: 'Invoice 17' })
    const about = (subject: string) =>
      relay.relay.desk.take(ingest(ndr({ ...UNKNOWN, recipient: 'ok@a.test', original: `Subject: ${subject}` })))
    expect(await about('Invoice 17')).toMatchObject({ outcome: 'review', about: { confidence: 'weak' } })
    expect((await about('Invoice 18')).about).toBeUndefined()
    expect(suppressed(relay)).toEqual([])
  })
})

describe('a person decides once', () => {
  test('two at one time: one of them', async () => {
    const { relay, headers } = await delivered()
    const original = headers.match(/^Message-ID: .*$/im)![0]
    const { id } = await relay.relay.desk.take(ingest(ndr({ ...UNKNOWN, recipient: 'ok@a.test', original })))
    const decisions = await Promise.all(
      (['accept', 'dismiss', 'accept'] as const).map((as) => relay.relay.desk.decide(id, { as, who: as })),
    )
    expect(decisions.filter((entry) => entry !== undefined)).toHaveLength(1)
    expect(relay.relay.desk.get(id)).toMatchObject({ outcome: 'bounced', review: { decided: { who: 'accept' } } })
    expect(relay.relay.desk.list({ limit: 10, review: true }).entries).toEqual([])
    expect(await relay.relay.desk.decide(id, { as: 'dismiss', who: 'late' })).toBeUndefined()
  })
})

describe('reports of one recipient', () => {
  test('the second bounce is recorded and changes nothing', async () => {
    const { relay, headers } = await delivered()
    const raw = ndr({
      recipient: 'ok@a.test',
      status: '5.2.2',
      diagnostic: '552 5.2.2 Mailbox full',
      original: headers,
    })
    const [first, second] = await Promise.all([relay.relay.desk.take(ingest(raw)), relay.relay.desk.take(ingest(raw))])
    expect([first.outcome, second.outcome].sort()).toEqual(['bounced', 'noted'])
    expect(relay.records.filter(({ kind }) => kind === 'bounced')).toHaveLength(1)
    expect(relay.records.filter(({ kind }) => kind === 'reported')).toHaveLength(1)
  })

  test('of several recipients named, the one it went to counts', async () => {
    const { relay, headers } = await delivered()
    const raw = ndr({ ...UNKNOWN, recipient: 'other@b.test', original: headers }).replace(
      'Final-Recipient: rfc822; other@b.test',
      'Final-Recipient: rfc822; ok@a.test\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\nFinal-Recipient: rfc822; other@b.test',
    )
    expect(await relay.relay.desk.take(ingest(raw))).toMatchObject({
      outcome: 'noted',
      verdict: { category: 'delayed' },
    })
    expect(suppressed(relay)).toEqual([])
  })
})

describe('complaints', () => {
  test.each([
    ['abuse', 'complained', ['ok@a.test complaint']],
    ['fraud', 'complained', ['ok@a.test complaint']],
    ['opt-out', 'unsubscribed', ['ok@a.test unsubscribe']],
    ['not-spam', 'noted', []],
    ['auth-failure', 'noted', []],
  ])('of type %s with a token of ours: %s', async (type, outcome, entries) => {
    const { relay, headers } = await delivered()
    expect(await relay.relay.desk.take(ingest(complaint({ type, original: headers })))).toMatchObject({ outcome })
    expect(suppressed(relay)).toEqual(entries)
  })

  test('without a token and without a signature of a feedback loop: a person decides', async () => {
    const { relay, headers } = await delivered(
      'ok@a.test',
      `${RETURN_PATHS}\n[bounce]\nfeedback_domains = ["provider.test"]`,
    )
    const original = headers
      .split('\r\n')
      .filter((line) => !/^X-Studs-Token:/i.test(line))
      .join('\r\n')
    const entry = await relay.relay.desk.take(ingest(complaint({ original: `${original}\r\nTo: ok@a.test` })))
    expect(entry.outcome).toBe('review')
    expect(suppressed(relay)).toEqual([])
  })
})

test('one click unsubscribes; a token of another purpose does not', async () => {
  const { relay, headers } = await delivered()
  const token = headers.match(/^X-Studs-Token: (\S+)$/m)![1]!
  expect(await relay.relay.desk.unsubscribe(token, '192.0.2.1')).toBeUndefined()
  expect(await relay.relay.desk.unsubscribe(token.replace(/^b/, 'u'), '192.0.2.1')).toBeUndefined()
  expect(suppressed(relay)).toEqual([])
})

test('what people write to a mailbox that is read for reports is not kept', async () => {
  const { relay, headers } = await delivered()
  const raw = `From: Jane <jane@a.test>\r\nTo: app@sender.test\r\nSubject: Re: Hello\r\n\r\nThank you.\r\n`
  const mailbox = (text: string): IncomingReport => ({
    ...ingest(text),
    origin: { kind: 'mailbox', mailbox: 'office' },
  })
  const before = relay.records.length
  expect(await relay.relay.desk.take(mailbox(raw))).toMatchObject({ report: { kind: 'mail' }, outcome: 'noted' })
  expect(relay.relay.desk.list({ limit: 10 }).entries).toEqual([])
  expect(relay.records).toHaveLength(before)
  const bounce = ndr({ ...UNKNOWN, recipient: 'ok@a.test', original: headers })
  expect(await relay.relay.desk.take(mailbox(bounce))).toMatchObject({ outcome: 'bounced' })
  expect(relay.relay.desk.list({ limit: 10 }).entries).toHaveLength(1)
})

test('status counts what waits for a person, and verify finds an index without its report', async () => {
  const { relay, headers } = await delivered()
  const api = createClient({ kind: 'socket', path: relay.relay.socket }, {})
  const original = headers.match(/^Message-ID: .*$/im)![0]
  const { id } = await relay.relay.desk.take(ingest(ndr({ ...UNKNOWN, recipient: 'ok@a.test', original })))
  expect((await api.status()).counts).toMatchObject({ reports: 1, open_reviews: 1 })
  await relay.relay.desk.decide(id, { as: 'dismiss', who: 'ann' })
  expect((await api.status()).counts).toMatchObject({ reports: 1, open_reviews: 0 })
  expect((await api.status()).listeners.map(({ name }) => name)).toEqual(['trusted', 'bounces'])
  await relay.stop()
  const store = openStore({ directory: join(relay.directory, 'data'), mapSize: 2 ** 30, clock: systemClock })
  expect(await verify(store)).toMatchObject({ counts: { reports: 1 }, problemCount: 0 })
  await store.write([{ table: 'report', key: idKey(id), value: undefined }])
  expect((await verify(store)).problems).toContainEqual(
    expect.stringMatching(`^report-by-message .* needs report ${id}, which is not there$`),
  )
  await store.close()
})
