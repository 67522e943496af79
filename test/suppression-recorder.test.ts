// The recorder on the real store: what a failure leaves behind, on both roads, and what it never does.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import { createLiveness } from '../src/journal/liveness.ts'
import { createRecorder, type Failure, type Recorded, type Recorder } from '../src/journal/record-failure.ts'
import { type EmailAddress, parseAddress } from '../src/mail/address.ts'
import type { Cause, Way } from '../src/mail/outcome.ts'
import { openStore } from '../src/store/lmdb.ts'
import type { Store } from '../src/store/store.ts'
import { createSuppressionList, type SuppressionList } from '../src/suppression/list.ts'
import { createStrikeBook, type StrikeBook } from '../src/suppression/strikes.ts'
import { createSurges } from '../src/suppression/surges.ts'
import { createTrials } from '../src/suppression/trials.ts'
import { DAY, HOUR, MINUTE, systemClock } from '../src/util/clock.ts'
import { FakeClock } from './support/fake-clock.ts'

const settings = {
  softStrikes: 3,
  strikeSpacing: DAY,
  strikeMemory: 180 * DAY,
  lowerCaseLocalPart: true,
  globalTenants: 3,
  globalDecay: 180 * DAY,
  roles: [],
  spikeMinimum: 50,
  spikeFactor: 5,
  spikeShare: 0.5,
  spikeHold: 3 * DAY,
}
const jane: EmailAddress = parseAddress('Jane@Example.com')!.text
const way: Way = { site: 'example.com', source: 'ip1', mx: 'mx1.example.com', mxAddress: '192.0.2.25', durationMs: 5 }

const said = (code: number, text: string): Cause => ({
  kind: 'reply',
  command: 'RCPT',
  reply: { code, lines: [text], ...(/^[45]\.\d+\.\d+/.test(text) ? { enhanced: text.split(' ')[0]! } : {}) },
})
const UNKNOWN_USER = said(550, '5.1.1 <Jane@Example.com>: Recipient address rejected: User unknown')
const FULL = said(552, '5.2.2 <Jane@Example.com> mailbox full')
const LISTED = said(554, '5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org')
const NXDOMAIN: Cause = { kind: 'dns', code: '5.1.2', detail: 'example.com does not exist' }

let store: Store
let clock: FakeClock
let list: SuppressionList
let strikes: StrikeBook
let recorder: Recorder
let count = 0

beforeEach(() => {
  store = openStore({ directory: mkdtempSync(join(tmpdir(), 'studs-recorder-')), mapSize: 2 ** 28, clock: systemClock })
  clock = new FakeClock()
  strikes = createStrikeBook({ store })
  list = createSuppressionList({
    store,
    strikes,
    settings: () => settings,
    clock,
    record: () => ({ writes: [], publish: () => undefined }),
  })
  recorder = createRecorder({
    classifier: createClassifier(shippedRules()),
    list,
    strikes,
    surges: createSurges({ store, settings: () => settings, tenants: () => 4, clock }),
    trials: createTrials(clock),
    settings,
    tenants: ['a', 'b', 'c', 'd'],
    liveness: createLiveness(clock),
    clock,
  })
})
afterEach(() => store.close())

async function fail(cause: Cause, more: Partial<Failure> = {}): Promise<Recorded> {
  const recorded = recorder.recordFailure({
    tenant: 'a',
    message: `message-${count++}`,
    n: 0,
    recipient: jane,
    attempt: 1,
    cause,
    way,
    ending: 'failed',
    useGlobal: true,
    ...more,
  })
  await store.write(recorded.writes)
  return recorded
}

async function deliver(message: string): Promise<number> {
  const writes = recorder.recordDelivery({ tenant: 'a', recipient: jane, message, way })
  await store.write(writes)
  return writes.length
}

const isSuppressed = (tenant = 'a'): boolean => list.find(tenant, jane) !== undefined

describe('a hard failure', () => {
  test('suppresses at once, with the whole story', async () => {
    const { suppression, verdict } = await fail(UNKNOWN_USER, { message: 'm1' })
    expect(verdict).toMatchObject({ category: 'bad-mailbox', kind: 'hard' })
    expect(list.find('a', jane)).toEqual(suppression)
    expect(suppression).toMatchObject({
      scope: 'a',
      target: 'jane@example.com',
      reason: 'hard_bounce',
      createdAt: clock.now(),
      who: 'studs',
      evidence: {
        rule: expect.stringMatching(/^mailbox-unknown@\d+$/),
        category: 'bad-mailbox',
        code: 10,
        cause: UNKNOWN_USER,
        message: 'm1',
        mx: 'mx1.example.com',
        source: 'ip1',
        site: 'example.com',
      },
    })
  })

  test('that came back as a bounce does the same', async () => {
    expect((await fail(UNKNOWN_USER, { ending: 'bounced' })).suppression).toBeDefined()
  })

  test('leaves an older entry its story', async () => {
    const first = await fail(UNKNOWN_USER, { message: 'm1' })
    const second = await fail(UNKNOWN_USER, { message: 'm2' })
    expect(second.writes.filter(({ table }) => table !== 'tally')).toEqual([])
    expect(second.suppression).toBeUndefined()
    expect(list.find('a', jane)).toEqual(first.suppression)
  })

  test('two within one commit make one entry', async () => {
    const both = ['m1', 'm2'].map((message) =>
      recorder.recordFailure({
        tenant: 'a',
        message,
        n: 0,
        recipient: jane,
        attempt: 1,
        cause: UNKNOWN_USER,
        ending: 'failed',
        useGlobal: true,
      }),
    )
    await store.write(both.flatMap(({ writes }) => writes))
    expect([...list.scan({})].length).toBe(1)
  })

  test('is nothing yet while the message is tried again', async () => {
    expect((await fail(UNKNOWN_USER, { ending: 'deferred' })).writes).toEqual([])
  })

  test('said with 450 until the message expired is a strike', async () => {
    const { suppression } = await fail(
      { kind: 'expired', last: said(450, '4.1.1 User unknown') },
      { ending: 'expired' },
    )
    expect(suppression).toBeUndefined()
    expect(strikes.read('a', 'jane@example.com')).toMatchObject({ count: 1 })
  })
})

describe('soft failures', () => {
  test('suppress at the third message, spaced by a day, with the messages that counted', async () => {
    for (const message of ['m1', 'm2']) {
      await fail(FULL, { message })
      await fail(FULL, { message: `${message}-same-day` })
      expect(isSuppressed()).toBe(false)
      await clock.advance(25 * HOUR)
    }
    const { suppression } = await fail(FULL, { message: 'm3' })
    expect(suppression).toMatchObject({
      reason: 'soft_bounce_limit',
      evidence: { category: 'quota-issues', strikes: ['m1', 'm2', 'm3'] },
    })
    expect(isSuppressed()).toBe(true)
    expect(strikes.read('a', 'jane@example.com')).toBeUndefined()
  })

  test('a delivery between them clears the count, and costs no write where there is none', async () => {
    expect(await deliver('m0')).toBe(0)
    await fail(FULL)
    await clock.advance(25 * HOUR)
    expect(await deliver('m1')).toBe(1)
    expect(strikes.read('a', 'jane@example.com')).toBeUndefined()
    expect(await deliver('m2')).toBe(0)
  })

  test('that come back after a 250 count on: the 250 alone proves nothing', async () => {
    for (const message of ['m1', 'm2', 'm3']) {
      expect(isSuppressed()).toBe(false)
      await deliver(message)
      await fail(FULL, { message, ending: 'bounced' })
      await clock.advance(25 * HOUR)
    }
    expect(isSuppressed()).toBe(true)
  })

  test('a message that got through and did not come back makes them void', async () => {
    for (const message of ['m1', 'm2']) {
      await deliver(message)
      await fail(FULL, { message, ending: 'bounced' })
      await clock.advance(25 * HOUR)
    }
    await deliver('good')
    await clock.advance(25 * HOUR)
    await deliver('m4')
    await fail(FULL, { message: 'm4', ending: 'bounced' })
    expect(strikes.read('a', 'jane@example.com')).toMatchObject({ count: 1, messages: ['m4'] })
  })

  test('tenants count apart', async () => {
    await fail(FULL)
    expect(strikes.read('b', 'jane@example.com')).toBeUndefined()
  })
})

test('a name server of ours that knows no domain at all blames nobody', async () => {
  for (let day = 0; day < 4; day++) {
    expect((await fail(NXDOMAIN)).verdict).toMatchObject({ category: 'dns-failure' })
    await clock.advance(25 * HOUR)
  }
  expect(isSuppressed()).toBe(false)
  expect(strikes.read('a', 'jane@example.com')).toBeUndefined()
})

test('a domain gone once is DNS trouble, gone again a day later a bad domain', async () => {
  // Others are found meanwhile.
  const others = () => recorder.recordDelivery({ tenant: 'b', recipient: jane, message: 'm-other', way })
  others()
  expect((await fail(NXDOMAIN)).verdict).toMatchObject({ category: 'dns-failure', kind: 'soft', code: 21 })
  expect(isSuppressed()).toBe(false)
  await clock.advance(25 * HOUR)
  others()
  const { verdict, suppression } = await fail(NXDOMAIN)
  expect(verdict).toMatchObject({ category: 'bad-domain', kind: 'hard', code: 10 })
  expect(suppression).toMatchObject({ reason: 'hard_bounce', evidence: { category: 'bad-domain' } })
})

test('a null MX suppresses at once', async () => {
  expect((await fail({ kind: 'dns', code: '5.1.10', detail: 'null MX' })).suppression).toMatchObject({
    evidence: { category: 'bad-domain' },
  })
})

describe('what is not the fault of the recipient', () => {
  test.each<[string, Cause]>([
    ['our IP is listed', LISTED],
    ['spam', said(554, '5.7.1 Spam message rejected')],
    ['virus', said(550, '5.7.1 This message contains a virus')],
    ['DMARC', said(550, "5.7.26 rejected by domain's DMARC policy")],
    ['relaying', said(554, '5.7.1 Relay access denied')],
    ['too large', said(552, '5.3.4 Message size exceeds fixed limit')],
    ['unknown words', said(550, 'xyzzy')],
    [
      'AUTH',
      { kind: 'reply', command: 'AUTH', reply: { code: 550, enhanced: '5.1.1', lines: ['5.1.1 User unknown'] } },
    ],
    [
      'MAIL',
      { kind: 'reply', command: 'MAIL', reply: { code: 550, enhanced: '5.1.1', lines: ['5.1.1 User unknown'] } },
    ],
    ['our own error', { kind: 'local', code: '4.3.0', detail: 'out of file descriptors' }],
    ['no reply to the dot', { kind: 'ambiguous', detail: 'connection lost' }],
    ['TLS', { kind: 'tls', detail: 'handshake' }],
    ['no such local address', { kind: 'connect', detail: 'bind EADDRNOTAVAIL 203.0.113.9', ours: true }],
    ['our resolver is down', { kind: 'dns', code: '4.4.3', detail: 'no name server could be reached', ours: true }],
    ['a loop back to us', { kind: 'local', code: '5.4.6', detail: 'mail for example.com loops back to this relay' }],
    ['a prohibited address', { kind: 'local', code: '5.4.4', detail: '10.0.0.1 (private)' }],
    ['no route for IPv6', { kind: 'connect', detail: 'connect ENETUNREACH 2001:db8::25', ours: true }],
  ])('%s: ten of them on ten days leave nothing', async (_what, cause) => {
    for (let at = 0; at < 10; at++) {
      for (const ending of ['failed', 'expired', 'bounced', 'deferred'] as const)
        expect((await fail(cause, { ending })).writes).toEqual([])
      await clock.advance(25 * HOUR)
    }
    expect(isSuppressed()).toBe(false)
  })
})

describe('silence', () => {
  const REFUSED: Cause = { kind: 'connect', detail: 'connect ECONNREFUSED 192.0.2.25:25' }
  const MUTE: Cause = { kind: 'timeout', detail: 'no greeting within 5 minutes', command: 'banner' }
  const SERVFAIL: Cause = { kind: 'dns', code: '4.4.3', detail: 'the name server failed (SERVFAIL)' }
  const elsewhere: Way = { site: 'mx.other.example', source: 'ip1', durationMs: 5 }
  const joe = parseAddress('joe@other.example')!.text
  const hearOthers = (source = 'ip1'): unknown =>
    recorder.recordDelivery({ tenant: 'a', recipient: joe, message: 'other', way: { ...elsewhere, source } })
  const count = (): number => strikes.read('a', 'jane@example.com')?.count ?? 0

  /** Five messages to jane on five days; what was heard just before each of them. */
  async function fiveDays(cause: Cause, before: () => unknown, more: Partial<Failure> = {}): Promise<Recorded[]> {
    const all: Recorded[] = []
    for (let day = 0; day < 5; day++) {
      await before()
      await clock.advance(10 * MINUTE)
      all.push(await fail({ kind: 'expired', last: cause }, { ending: 'expired', ...more }))
      await clock.advance(25 * HOUR)
    }
    return all
  }

  test.each([REFUSED, MUTE, SERVFAIL])('of everybody is ours: nobody is suppressed for it (%j)', async (cause) => {
    await fiveDays(cause, () => undefined)
    expect(count()).toBe(0)
    expect(isSuppressed()).toBe(false)
  })

  test.each([REFUSED, MUTE, SERVFAIL])('of one site while others answer is a strike (%j)', async (cause) => {
    const [first] = await fiveDays(cause, hearOthers)
    expect(first?.verdict).toMatchObject({ kind: 'soft', fault: 'recipient-system' })
    expect(isSuppressed()).toBe(true)
  })

  test('a refusal elsewhere shows as well as a delivery that the source works; a report does not', async () => {
    const refused = { recipient: joe, way: elsewhere }
    await fail(LISTED, { ...refused, ending: 'bounced' })
    expect((await fail(REFUSED)).writes).toEqual([])
    await fail(LISTED, { ...refused, ending: 'deferred' })
    expect((await fail(REFUSED)).writes).not.toEqual([])
  })

  test('counts only when the same source was heard, and within the hour', async () => {
    hearOthers('ip2')
    await fail(REFUSED)
    hearOthers()
    await clock.advance(HOUR)
    await fail(REFUSED)
    expect(count()).toBe(0)
  })

  test('of a static next hop is never a strike', async () => {
    const routed: Way = { site: 'route:smart.example:25', source: 'ip1', mx: 'smart.example', durationMs: 5 }
    await fiveDays(REFUSED, hearOthers, { way: routed })
    expect(count()).toBe(0)
  })

  test('of a site that answered within the day means that it shuts us out', async () => {
    await deliver('m0')
    await clock.advance(HOUR)
    hearOthers()
    const { verdict, writes } = await fail(REFUSED)
    expect(verdict).toMatchObject({ category: 'site-unreachable', code: 59, kind: 'block' })
    expect(writes).toEqual([])
    expect(recorder.classify({ cause: REFUSED, way })).toEqual(verdict)
    await clock.advance(DAY)
    expect((await fail(REFUSED)).verdict).toMatchObject({ category: 'no-answer-from-host', code: 29, kind: 'soft' })
  })

  test('of a big provider means the same, known or not', async () => {
    const google: Way = { ...way, site: 'aspmx.l.google.com', mx: 'aspmx.l.google.com' }
    hearOthers()
    expect(await fail(REFUSED, { way: google })).toMatchObject({ verdict: { code: 59 }, writes: [] })
  })
})

test('an attempt without a reply to its dot is marked, also once it expired', async () => {
  const cause: Cause = { kind: 'ambiguous', detail: 'connection lost' }
  expect((await fail(cause, { ending: 'deferred' })).ambiguous).toBe(true)
  expect((await fail({ kind: 'expired', last: cause }, { ending: 'expired' })).ambiguous).toBe(true)
  expect((await fail(FULL)).ambiguous).toBe(false)
})

describe('what several tenants learned', () => {
  test('holds for all at the third, for a time, and names nobody', async () => {
    const cause = said(
      550,
      '5.1.1 <Jane@Example.com> User unknown; mail from app@tenant-c.example via out.tenant-c.example id 4fQx7k2MzNz9',
    )
    await fail(UNKNOWN_USER, { tenant: 'a' })
    await fail(UNKNOWN_USER, { tenant: 'b' })
    expect(isSuppressed('d')).toBe(false)
    await fail(cause, { tenant: 'c', message: 'secret-message' })
    const entry = list.find('d', jane)
    expect(entry).toMatchObject({
      scope: '*',
      reason: 'hard_bounce',
      expiresAt: clock.now() + settings.globalDecay,
      evidence: { category: 'bad-mailbox' },
    })
    expect(JSON.stringify(entry)).not.toMatch(/secret|tenant-c|app@|4fQx7k2MzNz9|"ip1"/)
    await clock.advance(settings.globalDecay)
    expect(isSuppressed('d')).toBe(false)
    expect(isSuppressed('a')).toBe(true)
  })

  test('a tenant that does not share neither teaches nor is taught', async () => {
    for (const tenant of ['a', 'b', 'c']) await fail(UNKNOWN_USER, { tenant, useGlobal: tenant !== 'c' })
    expect(isSuppressed('d')).toBe(false)
  })

  test('domains, strikes and entries by hand do not teach', async () => {
    for (const tenant of ['a', 'b', 'c']) await fail({ kind: 'dns', code: '5.1.10', detail: 'null MX' }, { tenant })
    expect(isSuppressed('d')).toBe(false)
    expect(isSuppressed('a')).toBe(true)
  })
})
