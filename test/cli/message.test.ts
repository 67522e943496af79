import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReportKind } from '../../src/bounce/report.ts'
import type { JournalRecord } from '../../src/journal/record.ts'
import type { Cause } from '../../src/mail/outcome.ts'
import type { SmtpCommand } from '../../src/mail/reply.ts'
import { DELIVERED, refusal, type Served, serveFixture, WAY } from '../http/fixture.ts'
import { about, reportEntry } from '../support/report-entry.ts'
import { type CliResult, runCli } from './run-cli.ts'

function refusalOf(command: SmtpCommand, text: string): Cause {
  const [code, enhanced] = text.split(' ')
  return { kind: 'reply', command, reply: { code: Number(code), enhanced: enhanced!, lines: [text.slice(4)] } }
}

let relay: Served
let id: string
beforeAll(async () => {
  relay = await serveFixture()
  const accepted = await relay.accept({ to: ['jane@example.net', 'bob@example.org'], subject: 'Welcome aboard' })
  id = accepted.id
  await relay.clock.advance(420)
  await relay.settle(
    accepted.flights[0],
    refusal(
      450,
      '4.2.1 The user you are trying to contact is receiving mail at a rate that',
      '4.2.1 prevents additional messages from being delivered.',
    ),
  )
  await relay.settle(
    accepted.flights[1],
    refusal(550, '5.1.1 The email account that you tried to reach does not exist'),
  )
  await relay.clock.advance(300_000)
  const { flights } = await relay.core.queue.claim({ tenant: 'default', domain: 'example.net' as never }, 10)
  await relay.settle(flights[0], DELIVERED)
})
afterAll(() => relay.close())

const studs = (words: string[], more: object = {}): Promise<CliResult> =>
  runCli(words, { clock: relay.clock, configFile: relay.configFile, ...more })

describe('studs message', () => {
  test('tells the whole story', async () => {
    const { code, out, err } = await studs(['message', id])
    // Rules get new versions.
    expect(out.replaceAll(/(by [a-z-]+)@\d+/g, '$1@2')).toBe(`\
Message ${id}
  Subject     Welcome aboard
  From        News <news@shop.example>
  Envelope    news@shop.example to 2 recipients
  Message-ID  <a1@app.example>
  Accepted    2026-11-21 23:20:11 UTC from 10.0.0.5 (app1.internal), submission, TLSv1.3
  Sent by     tenant default, credential app1, #welcome
  Size        12.4 KiB

.0 jane@example.net  delivered
  23:20:11.120  +0.0s       accepted      from 10.0.0.5
  23:20:11.540  +0.4s       deferred      attempt 1 at mx1.example.net [192.0.2.5]
                from 203.0.113.10 over TLSv1.3, after 214ms, to RCPT:
                450-4.2.1 The user you are trying to contact is receiving mail at a rate
                    that
                450 4.2.1 prevents additional messages from being delivered.
                → rate-limited (70, other, fault: sender) by recipient-too-fast@2. The
                  receiver limits how fast we may send.
                next attempt 2026-11-21 23:25:11 UTC, in 5m
  23:25:11.540  +5m         delivered     attempt 2 at mx1.example.net [192.0.2.5]
                from 203.0.113.10 over TLSv1.3, after 214ms:
                250 2.0.0 OK queued as 4F2A

.1 bob@example.org  failed
  23:20:11.120  +0.0s       accepted      from 10.0.0.5
  23:20:11.540  +0.4s       failed        attempt 1 at mx1.example.net [192.0.2.5]
                from 203.0.113.10 over TLSv1.3, after 214ms, to RCPT:
                550 5.1.1 The email account that you tried to reach does not exist
                → bad-mailbox (10, hard, fault: recipient) by mailbox-unknown@2. There
                  is no such mailbox.
  23:20:11.540  +0.4s       suppression   hard_bounce for tenant default, by studs
`)
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  test('fits the width it is given', async () => {
    for (const width of [60, 80, 100]) {
      const { out } = await studs(['message', id], { width })
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
    }
  })

  test('of one recipient only', async () => {
    const { out } = await studs(['message', `${id}.1`])
    expect(out).toContain('bob@example.org')
    expect(out).not.toContain('jane@example.net')
  })

  test.each([[['message', '<a1@app.example>']], [['message', 'a1@app.example']]])('is found by %j', async (words) => {
    expect((await studs(words)).out).toContain(`Message ${id}\n`)
  })

  test('--to shows the newest messages to an address, oldest first, and nobody else', async () => {
    const second = await relay.accept({
      to: ['JANE@example.net', 'eve@example.net'],
      messageId: '<second@app.example>',
    })
    const { out } = await studs(['message', '--to', 'jane@example.net'])
    expect([...out.matchAll(/^Message (\S+)$/gm)].map(([, found]) => found)).toEqual([id, second.id])
    expect(out).not.toContain('eve@example.net')
    expect([
      ...(await studs(['message', '--to', 'jane@example.net', '--limit', '1'])).out.matchAll(/^Message/gm),
    ]).toHaveLength(1)
  })

  test('--json is one object a line, exactly as the API says it', async () => {
    const { out } = await studs(['message', id, '--json'])
    const [story] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(story.message).toEqual(JSON.parse((await relay.fetch(`/api/v1/messages/${id}`)).body))
    expect(story.events).toEqual(JSON.parse((await relay.fetch(`/api/v1/messages/${id}/events`)).body).items)
  })

  test.each<[string, Cause, string]>([
    [
      'a downgrade that was refused: before anything was said of the mail',
      { kind: 'tls', detail: 'the server offers no STARTTLS', command: 'STARTTLS' },
      'from 203.0.113.10, after 214ms:\ntls 4.7.5: the server offers no STARTTLS',
    ],
    [
      'no connection',
      { kind: 'connect', detail: 'refused' },
      'from 203.0.113.10, after 214ms:\nconnect 4.4.1: refused',
    ],
    [
      'a refusal in the clear',
      refusalOf('RCPT', '450 4.2.1 later'),
      'from 203.0.113.10 over plaintext, after 214ms, to RCPT:\n450 4.2.1 later',
    ],
    [
      'a refusal of the connection',
      refusalOf('banner', '421 4.3.2 busy'),
      'from 203.0.113.10, after 214ms, to banner:\n421 4.3.2 busy',
    ],
  ])('what went in the clear, and what did not: %s', async (_, cause, lines) => {
    const sent = await relay.accept({ to: ['kim@example.net'] })
    const { tls: _tls, ...way } = WAY
    await relay.settle(sent.flights[0], { kind: 'deferred', cause, way })
    const { out } = await studs(['message', sent.id])
    expect(out.replaceAll(/\n +/g, '\n')).toContain(lines)
    const { items } = JSON.parse((await relay.fetch(`/api/v1/messages/${sent.id}/events`)).body)
    expect(items.find(({ kind }: { kind: string }) => kind === 'deferred').status).toMatch(/^4\.\d\.\d$/)
  })

  test('what is not known is exit code 3', async () => {
    expect(await studs(['message', '0000000000000'])).toEqual({
      code: 3,
      out: '',
      err: 'error: Nothing is known of 0000000000000.\n',
    })
    expect((await studs(['message', 'nobody@app.example'])).code).toBe(3)
    expect((await studs(['message', '--to', 'nobody@example.net'])).code).toBe(3)
    expect((await studs(['message', `${id}.7`])).code).toBe(3)
  })

  test.each([
    [['message']],
    [['message', 'x', '--to', 'jane@example.net']],
    [['message', '--to', 'nonsense']],
    [['message', '--to', 'a@b.example', '--limit', '0']],
  ])('%j is a usage error', async (words) => {
    const { code, out, err } = await studs(words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).not.toBe('')
  })
})

describe('what came back', () => {
  const report = (kind: ReportKind, more: object = {}) => ({
    id: '6h00q80e00k00',
    kind,
    evidence: 'return-path',
    ...more,
  })
  const record = async (
    message: string,
    fields: Partial<JournalRecord> & Pick<JournalRecord, 'kind'>,
  ): Promise<void> => {
    const { writes } = relay.core.journal.compose({
      at: relay.clock.now(),
      tenant: 'default',
      message,
      n: 0,
      recipient: 'ann@example.net',
      ...fields,
    })
    await relay.store.write(writes)
  }

  test('waits for a person, or names somebody else: the story says so', async () => {
    const sent = await relay.accept({ to: ['ann@example.net'] })
    const said = (await studs(['message', sent.id], { width: 200 })).out
    expect(said).toContain('tried until')
    await relay.settle(sent.flights[0], DELIVERED)
    const doubtful = { why: 'it was found by address and subject alone' }
    const odd = { why: 'it names bob@example.net, but the mail went to ann@example.net' }
    const found = about({ message: sent.id, recipient: 'ann@example.net' })
    await relay.store.write([
      ...relay.book.compose(
        reportEntry({ id: '6h00q80e00k01', outcome: 'review', review: doubtful, about: found }),
        undefined,
      ),
      ...relay.book.compose(
        reportEntry({ id: '6h00q80e00k02', outcome: 'bounced', review: odd, about: found }),
        undefined,
      ),
    ])
    await record(sent.id, { kind: 'reported', why: doubtful.why, report: report('dsn', { id: '6h00q80e00k01' }) })
    await record(sent.id, { kind: 'bounced', report: report('dsn', { id: '6h00q80e00k02' }) })
    const { out } = await studs(['message', sent.id], { width: 200 })
    expect(out).toContain(
      'It waits for a person. If it is right: studs bounce review accept 6h00q80e00k01. If not: studs bounce review dismiss 6h00q80e00k01',
    )
    expect(out).toContain(`odd: ${odd.why}`)
    expect(out).toContain('Somebody should look: studs bounce show 6h00q80e00k02')
    expect(out).not.toContain('tried until')
    expect(await studs(['message', '6h00q80e00k02'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('It is a report: studs bounce show 6h00q80e00k02'),
    })
  })

  test('stands in the timeline: which report, why it is about this recipient, what it said', async () => {
    const sent = await relay.accept({ to: ['ann@example.net'] })
    await relay.settle(sent.flights[0], DELIVERED)
    await relay.clock.advance(3_600_000)
    const reply = { code: 550, enhanced: '5.1.1', lines: ['5.1.1 No such user'] }
    const cause = { kind: 'reply' as const, command: 'RCPT' as const, reply }
    const verdict = relay.core.classifier.classify({ cause })
    await record(sent.id, { kind: 'bounced', cause, verdict, report: report('dsn') })
    await record(sent.id, {
      kind: 'reported',
      report: report('challenge', { evidence: 'token', link: 'https://example.net/prove/1' }),
    })
    await record(sent.id, { kind: 'complained', why: 'abuse', report: report('complaint', { evidence: 'message-id' }) })
    await record(sent.id, { kind: 'unsubscribed', report: report('unsubscribe', { evidence: 'carrier dove' }) })
    const { out } = await studs(['message', sent.id])
    expect(out.slice(out.indexOf('.0 ann'))).toBe(`\
.0 ann@example.net  delivered
  23:25:11.540  +0.0s       accepted      from 10.0.0.5
  23:25:11.540  +0.0s       delivered     attempt 1 at mx1.example.net [192.0.2.5]
                from 203.0.113.10 over TLSv1.3, after 214ms:
                250 2.0.0 OK queued as 4F2A
  2026-11-22
  00:25:11.540  +1h         bounced       delivery report 6h00q80e00k00
                about this recipient because it came to the signed return path
                550 5.1.1 No such user
                → bad-mailbox (10, hard, fault: recipient) by ${verdict.rule}. There
                  is no such mailbox.
  00:25:11.540  +1h         reported      challenge 6h00q80e00k00
                about this recipient because it carries our signed token
                prove it at https://example.net/prove/1
  00:25:11.540  +1h         complained    complaint 6h00q80e00k00
                about this recipient because it names the Message-ID and the recipient
                because: abuse
  00:25:11.540  +1h         unsubscribed  unsubscribe request 6h00q80e00k00
                found by carrier dove
`)
  })
})

describe('what strangers wrote', () => {
  const EVIL = '\u001b[2J\u001b]0;owned\u0007\u009b31m\r250 OK\u202eexe'
  const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

  test('cannot steer the terminal, on any way it gets there', async () => {
    const { id: evil, flights } = await relay.accept({
      to: ['victim@example.net'],
      subject: `Hi ${EVIL}`,
      messageId: `<${EVIL}@x>`,
    })
    await relay.settle(flights[0], refusal(451, `4.7.1 ${EVIL}`))
    await relay.client.suppress('victim@example.net', { note: EVIL, who: EVIL })
    const commands = [
      ['message', evil],
      ['message', '--to', 'victim@example.net'],
      ['queue', 'list'],
      ['queue', 'show', evil],
      ['suppress', 'list'],
      ['suppress', 'why', 'victim@example.net'],
      ['top', '--once'],
      ['bounce', 'classify', `550 ${EVIL}`],
      ['message', EVIL],
      ['suppress', 'check', EVIL],
      ['suppress', 'add', 'evil\u009b31m\u202e@example.net'],
      ['suppress', 'rm', EVIL],
      ['queue', 'hold', EVIL],
    ]
    for (const words of commands) {
      const people = await studs(words)
      expect({ words, text: people.out + people.err, steers: STEERING.test(people.out + people.err) }).toMatchObject({
        steers: false,
      })
      const machine = await studs([...words, '--json'])
      expect({ words, steers: STEERING.test(machine.out) }).toMatchObject({ steers: false })
    }
    expect((await studs(['message', evil])).out).toContain('Hi ␛[2J␛]0;owned␇�31m␍250 OK�exe')
    expect(JSON.parse((await studs(['message', evil, '--json'])).out).message.headers.subject).toBe(`Hi ${EVIL}`)
  })

  test('is exported to a file as it is, to a terminal harmlessly', async () => {
    expect((await studs(['suppress', 'export'])).out).toContain(EVIL)
    const shown = (await studs(['suppress', 'export'], { isTty: true })).out
    expect(STEERING.test(shown)).toBe(false)
    expect(shown).toContain('victim@example.net')
  })

  test('with colours only our own escapes are there', async () => {
    const { out } = await studs(['message', '--to', 'victim@example.net'], { color: true })
    expect(out).toContain('\u001b[1m')
    expect(STEERING.test(out.replace(/\u001b\[\d+m/g, ''))).toBe(false)
    expect((await studs(['--no-color', 'message', '--to', 'victim@example.net'], { color: true })).out).not.toContain(
      '\u001b',
    )
  })
})
