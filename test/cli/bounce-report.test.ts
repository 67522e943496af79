// studs bounce list, show, raw, review and ingest, over the socket of a running relay and on the store of a stopped one.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReportEntry } from '../../src/reports/report-entry.ts'
import { idMaker } from '../../src/util/id.ts'
import { DELIVERED, openFixture, type Served, START, serveFixture } from '../http/fixture.ts'
import { about, parsedReport, reportEntry } from '../support/report-entry.ts'
import { type CliOptions, type CliResult, runCli } from './run-cli.ts'

const MESSAGE = '0000000000001'
const EVIL = '\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n250 OK\u202eexe'
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

let relay: Served
let makeId: () => string
beforeEach(async () => {
  relay = await serveFixture()
  makeId = idMaker(relay.clock, 5)
})
afterEach(() => relay.close())

const studs = (words: string[], more: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli(['bounce', ...words], { clock: relay.clock, configFile: relay.configFile, width: 110, ...more })
const keep = async (given: Partial<ReportEntry> = {}, raw?: string): Promise<ReportEntry> => {
  const entry = reportEntry({ id: makeId(), at: START, ...given })
  await relay.store.write(relay.book.compose(entry, raw === undefined ? undefined : Buffer.from(raw, 'latin1')))
  return entry
}
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

const bounced = (): Promise<ReportEntry> =>
  keep(
    {
      outcome: 'bounced',
      suppressed: true,
      about: about({ message: MESSAGE }),
      origin: {
        kind: 'listener',
        listener: 'bounces',
        address: '192.0.2.7',
        helo: 'mx.example.net',
        tls: 'TLSv1.3',
        sender: '',
      },
      to: 'b-0123@bounce.shop.example',
      verdict: {
        category: 'bad-mailbox',
        code: 10,
        kind: 'hard',
        fault: 'recipient',
        class: 'recipient',
        action: 'fail',
        rule: 'mailbox-unknown@2',
      },
    },
    'From: x\r\n\r\n\xffgone\r\n',
  )

describe('studs bounce list', () => {
  test('newest first, one line each, and as JSON exactly what the API says', async () => {
    const first = await bounced()
    const second = await keep({ outcome: 'review', review: { why: 'no recipient of ours was found in it' } })
    expect((await studs(['list'])).out).toBe(`\
ID             TIME (UTC)   KIND  OUTCOME  ADDRESS           CATEGORY     WORDS
${second.id}  11-21 23:20  dsn   review   jane@example.net               550 5.1.1 No such user
${first.id}  11-21 23:20  dsn   bounced  jane@example.net  bad-mailbox  550 5.1.1 No such user
`)
    expect(lines((await studs(['list', '--json'])).out)).toEqual(
      JSON.parse((await relay.fetch('/api/v1/bounces')).body).items,
    )
  })

  test('fits a terminal of 80 columns; into a file or pipe nothing is cut', async () => {
    const recipient = 'somebody.with.a.long.name@department.example.net'
    await keep({
      outcome: 'bounced',
      review: { why: 'it names jane@example.net, but the mail went to somebody else' },
      about: about({ message: MESSAGE, recipient }),
      report: parsedReport({
        recipients: [{ address: recipient, action: 'delayed', diagnostic: `450 ${'try again later '.repeat(9)}` }],
      }),
    })
    for (const words of [['list'], ['review', 'list']]) {
      const seen = await studs(words, { width: 80, isTty: true })
      for (const line of seen.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
      expect((await studs(words, { width: 80 })).out).toContain(recipient)
    }
    const { out } = await studs(['review', 'list'], { width: 80, isTty: true })
    expect(out).toContain('\n  it names jane@example.net, but the mail went to somebody else\n')
  })

  test('mail to the postmaster shows who wrote', async () => {
    await keep({
      outcome: 'noted',
      review: { why: 'somebody wrote to you' },
      report: parsedReport({ kind: 'mail', family: 'mail', recipients: [], from: 'ann@example.org', subject: 'Help' }),
    })
    expect((await studs(['list'])).out).toMatch(/mail +noted \(review\) +ann@example\.org +Help\n/)
    expect((await studs(['review', 'list'])).out).toMatch(/mail +ann@example\.org +nobody found\n/)
  })

  test('filters', async () => {
    const first = await bounced()
    const second = await keep({ outcome: 'review', review: { why: 'weak' } })
    const ids = async (...words: string[]): Promise<string[]> =>
      lines((await studs(['list', '--json', ...words])).out).map(({ id }) => id)
    expect(await ids('--review')).toEqual([second.id])
    expect(await ids('--outcome', 'bounced')).toEqual([first.id])
    expect(await ids('--tenant', 'default')).toEqual([first.id])
    expect(await ids('--message', MESSAGE)).toEqual([first.id])
    expect(await ids('--address', 'JANE@example.net')).toEqual([second.id, first.id])
    expect(await ids('--address', 'bob@example.net')).toEqual([])
    expect((await studs(['list', '--tenant', 'shop'])).out).toBe('None.\n')
  })

  test('goes on over pages that a rare filter leaves empty, and says when there may be more', async () => {
    const wanted = await bounced()
    const many = Array.from({ length: 2100 }, () => reportEntry({ id: makeId() }))
    await relay.store.write(many.flatMap((entry) => relay.book.compose(entry, undefined)))
    expect(lines((await studs(['list', '--json', '--tenant', 'default'])).out)).toMatchObject([{ id: wanted.id }])
    const some = await studs(['list', '--json', '--limit', '1500'])
    expect(lines(some.out)).toHaveLength(1500)
    expect(some.err).toContain('--limit 15000')
  })

  test.each([
    [['list', '--outcome', 'lost']],
    [['list', '--message', 'nonsense']],
    [['list', '--tenant', 'No Such']],
    [['list', '--limit', '0']],
    [['show']],
    [['raw']],
    [['ingest']],
    [['review', 'accept']],
    [['review', 'forget', 'x']],
  ])('%j is a usage error', async (words) => {
    expect(await studs(words)).toMatchObject({ code: 2, out: '' })
  })
})

describe('studs bounce show', () => {
  test('tells everything', async () => {
    const { id } = await bounced()
    expect((await studs(['show', id], { width: 90 })).out).toBe(`\
Report ${id}  bounced
  Came     2026-11-21 23:20:11 UTC, listener bounces, from 192.0.2.7 (mx.example.net),
           TLSv1.3, sender <> for b-0123@bounce.shop.example
  Mail     Undelivered Mail Returned to Sender, from mailer-daemon@example.net, 1.2 KiB
  Read as  delivery report (dsn, rfc3464)
  About    jane@example.net, message ${MESSAGE}.0 of tenant default; certain: it came
           to the signed return path
  Verdict  bad-mailbox (10, hard, fault: recipient) by mailbox-unknown@2. There is no such
           mailbox.
  Outcome  The recipient was not reached. The address was suppressed for it.

  jane@example.net  failed 5.1.1
    550 5.1.1 No such user
    said by mx.example.net, to RCPT

The mail itself: studs bounce raw ${id}
`)
    expect(lines((await studs(['show', id, '--json'])).out)).toEqual([
      JSON.parse((await relay.fetch(`/api/v1/bounces/${id}`)).body),
    ])
  })

  test('a challenge with its link, a complaint with its feedback, a review with the way to decide', async () => {
    const challenge = await keep({
      report: parsedReport({ kind: 'challenge', family: 'link', recipients: [], link: 'https://example.net/prove/1' }),
    })
    expect((await studs(['show', challenge.id])).out).toContain('Link     https://example.net/prove/1')
    const complaint = await keep({
      outcome: 'complained',
      origin: { kind: 'mailbox', mailbox: 'fbl' },
      review: { why: 'odd' },
      isCut: true,
      report: parsedReport({
        kind: 'complaint',
        family: 'arf',
        recipients: [],
        limit: 'parts',
        feedback: { type: 'abuse', userAgent: 'Loop/1', originalRcptTo: ['jane@example.net'] },
        original: { messageId: 'a1@app.example', subject: 'News', to: [] },
      }),
    })
    const told = (await studs(['show', complaint.id], { width: 200 })).out
    for (const part of [
      'complained (review)',
      'fetched from mailbox fbl',
      'of which the beginning is kept',
      'up to the limit of parts',
      'Feedback abuse, by Loop/1, to jane@example.net',
      'Returned News, <a1@app.example>',
      `odd. When you have looked: studs bounce review dismiss ${complaint.id}`,
    ])
      expect(told).toContain(part)
  })

  test.each(['0000000000000', 'nonsense', '../../etc/passwd', '', EVIL])('%j is not known: exit code 3', async (id) => {
    for (const command of ['show', 'raw']) {
      const { code, out, err } = await studs([command, id])
      expect({ command, code, out }).toEqual({ command, code: 3, out: '' })
      expect(err).toMatch(/There is no report/)
      expect(STEERING.test(err)).toBe(false)
    }
  })
})

describe('studs bounce raw', () => {
  test('is the bytes as they are for a file, harmless for the eye, base64 in JSON', async () => {
    const mail = `Subject: ${EVIL}\r\n\r\n`
    const { id } = await keep({}, Buffer.from(mail).toString('latin1'))
    const plain = await studs(['raw', id])
    expect(plain).toMatchObject({ code: 0, out: '' })
    expect(plain.bytes?.toString()).toBe(mail)
    const seen = await studs(['raw', id], { isTty: true })
    expect(seen.out).toContain('Subject: ␛[2J')
    expect(STEERING.test(seen.out)).toBe(false)
    const [json] = lines((await studs(['raw', id, '--json'])).out)
    expect(Buffer.from(json.raw, 'base64').toString()).toBe(mail)
  })

  test('a mail that is not kept any more is exit code 3, and another sentence', async () => {
    const { id } = await keep()
    expect(await studs(['raw', id])).toMatchObject({ code: 3, err: expect.stringContaining('bounce.keep_raw') })
  })
})

describe('studs bounce review', () => {
  test('list, dismiss, and then there is nothing more to decide', async () => {
    const { id } = await keep({
      outcome: 'review',
      about: about({ message: MESSAGE, evidence: 'address', confidence: 'weak' }),
      review: { why: 'it was found by address and subject alone' },
    })
    await bounced()
    expect((await studs(['review', 'list'])).out).toBe(`\
ID             TIME (UTC)   KIND  ADDRESS           SURE
${id}  11-21 23:20  dsn   jane@example.net  weak
  it was found by address and subject alone
`)
    const dismissed = await studs(['review', 'dismiss', id])
    expect(dismissed).toMatchObject({ code: 0, err: '' })
    expect(dismissed.out).toBe(
      `${id}: dismissed; nothing follows, about jane@example.net (weak: it names the address and the subject).\n`,
    )
    expect((await studs(['review', 'list'])).out).toBe('None.\n')
    expect((await studs(['show', id])).out).toMatch(
      /found by address and subject alone; dismissed 2026-11-21 23:20:11 UTC by cli:/,
    )
    expect(await studs(['review', 'accept', id])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(`The report ${id} was decided already, by cli:`),
    })
  })

  test('one that has nobody to act on cannot be accepted, and stays on the list', async () => {
    const { id } = await keep({ outcome: 'review', review: { why: 'no recipient of ours was found in it' } })
    expect(await studs(['review', 'accept', id])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/Nobody was found that the report \S+ could be about.*Dismiss it/),
    })
    expect((await studs(['review', 'list'])).out).toContain(id)
    expect((await studs(['review', 'dismiss', id])).out).toBe(`${id}: dismissed; nothing follows.\n`)
  })

  test('dismissing what has acted says that it stays, and how to take it back', async () => {
    const { id } = await keep({
      outcome: 'bounced',
      suppressed: true,
      about: about({ message: MESSAGE }),
      review: { why: 'it names somebody else' },
    })
    expect((await studs(['review', 'dismiss', id])).out).toBe(
      `${id}: off the list. What it had done before (bounced) stays; studs suppress rm jane@example.net lets the address be mailed again.\n`,
    )
  })

  test('a message is no report, and the answer says so', async () => {
    const { id } = await relay.accept({ to: ['jane@example.net'] })
    expect(await studs(['show', id])).toMatchObject({
      code: 3,
      err: expect.stringContaining(`It is a message: studs message ${id}`),
    })
  })

  test('of several ids those that can be decided are; the first failure is the exit code', async () => {
    const first = await keep({ outcome: 'review', review: { why: 'weak' } })
    const closed = await keep()
    const last = await keep({ outcome: 'review', review: { why: 'weak' } })
    const { code, out, err } = await studs(['review', 'dismiss', first.id, 'nonsense', closed.id, last.id, '--json'])
    expect(code).toBe(3)
    expect(lines(out).map(({ id, outcome }) => [id, outcome])).toEqual([
      [first.id, 'dismissed'],
      [last.id, 'dismissed'],
    ])
    expect(err).toContain('There is no report nonsense.')
    expect(err).toContain('there is nothing to decide')
  })
})

describe('studs bounce ingest', () => {
  const MAIL = 'Subject: x\r\n\r\n\xff\xfe\r\n'

  test('takes standard input byte by byte, as the person at the keyboard', async () => {
    const { code, out } = await studs(['ingest', '-', '--json'], { input: Buffer.from(MAIL, 'latin1') })
    expect(code).toBe(0)
    const [report] = lines(out)
    expect(report).toMatchObject({ origin: { kind: 'ingest', who: expect.stringMatching(/^cli:/) }, to: '' })
    expect(relay.desk.raw(report.id)?.toString('latin1')).toBe(MAIL)
  })

  test('of several files those that can be read are taken; the others are named', async () => {
    const good = join(relay.directory, 'good.eml')
    const empty = join(relay.directory, 'empty.eml')
    const folder = join(relay.directory, 'folder')
    const last = join(relay.directory, 'last.eml')
    await writeFile(good, MAIL, 'latin1')
    await writeFile(last, MAIL, 'latin1')
    await writeFile(empty, '')
    await mkdir(folder)
    const { code, out, err } = await studs(['ingest', good, '/nonexistent/x.eml', folder, empty, last])
    expect(code).toBe(3)
    expect(out.trim().split('\n')).toHaveLength(2)
    expect(out).toContain(`${good}: report `)
    for (const named of ['/nonexistent/x.eml: ', `${folder}: `, `${empty}: There is no mail`])
      expect(err).toContain(named)
    expect(relay.book.list({ limit: 10 }).entries).toHaveLength(2)
  })

  test('an empty mail is exit code 1, a file that is not there 3, both with a sentence', async () => {
    expect(await studs(['ingest', '-'], { input: '' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no mail'),
    })
    expect(await studs(['ingest', '/nonexistent/x.eml'])).toEqual({
      code: 3,
      out: '',
      err: 'error: There is no such file: /nonexistent/x.eml\n',
    })
  })

  test('of 40 MB the beginning is kept', async () => {
    const file = join(relay.directory, 'huge.eml')
    await writeFile(file, Buffer.alloc(40 * 1024 * 1024, 'Subject: x\r\n'))
    const [report] = lines((await studs(['ingest', file, '--json'])).out)
    expect(report).toMatchObject({ size_bytes: 40 * 1024 * 1024, is_cut: true })
    expect(relay.desk.raw(report.id)?.length).toBe(relay.settings.bounce.maxSize)
  })
})

describe('from the mail to the suppression', () => {
  const bounceOf = (messageId: string): Buffer =>
    Buffer.from(
      [
        'From: Mail Delivery System <mailer-daemon@mx.example.net>',
        'To: news@shop.example',
        'Subject: Undelivered Mail Returned to Sender',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"',
        '',
        '--x',
        'Content-Type: text/plain',
        '',
        'It could not be delivered.',
        '--x',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; mx.example.net',
        '',
        'Final-Recipient: rfc822; jane@example.net',
        'Action: failed',
        'Status: 5.1.1',
        'Diagnostic-Code: smtp; 550 5.1.1 No such user',
        '--x',
        'Content-Type: message/rfc822',
        '',
        `Message-ID: ${messageId}`,
        'From: news@shop.example',
        'To: jane@example.net',
        'Subject: Hej',
        '',
        'Hello',
        '--x--',
        '',
      ].join('\r\n'),
    )

  test('a doubtful bounce waits, and acts when it is accepted', async () => {
    const { id: message, flights } = await relay.accept({ to: ['jane@example.net'], messageId: '<a7@app.example>' })
    await relay.settle(flights[0], DELIVERED)
    const given = await studs(['ingest', '-'], { input: bounceOf('<a7@app.example>') })
    expect(given).toMatchObject({ code: 0, err: '' })
    expect(given.out).toMatch(
      /^report \S+: review, about jane@example\.net \(likely: it names the Message-ID and the recipient\)\. To be looked at: /,
    )
    const id = /^report (\S+):/.exec(given.out)?.[1] ?? ''
    const suppressed = async (): Promise<string> =>
      (await runCli(['suppress', 'check', 'jane@example.net', '--json'], relay)).out
    expect(await suppressed()).toContain('"clear"')
    expect(lines((await studs(['review', 'list', '--json'])).out)).toMatchObject([{ id }])
    expect((await studs(['review', 'accept', id])).out).toBe(
      `${id}: bounced, about jane@example.net (likely: it names the Message-ID and the recipient); the address is suppressed.\n`,
    )
    expect(await suppressed()).toContain('"suppressed"')
    const story = (await runCli(['message', message], relay)).out
    expect(story).toContain('.0 jane@example.net  bounced')
    expect(story).toMatch(new RegExp(`bounced +delivery report ${id}, by cli:`))
    expect(lines((await studs(['list', '--message', message, '--json'])).out)).toMatchObject([
      { id, outcome: 'bounced' },
    ])
    const { totals, recent_failures } = await relay.client.stats()
    expect(totals.bounced).toBe(1)
    expect(recent_failures[0]).toMatchObject({ kind: 'bounced', recipient: 'jane@example.net' })
  })

  test('all of it on the store of a stopped relay', async () => {
    const fixture = await openFixture()
    const { flights } = await fixture.accept({ to: ['jane@example.net'], messageId: '<a8@app.example>' })
    await fixture.settle(flights[0], DELIVERED)
    await fixture.store.close()
    const stopped = (words: string[], input?: Buffer): Promise<CliResult> =>
      runCli(['bounce', ...words, '--json'], { ...fixture, ...(input === undefined ? {} : { input }) })
    const [report] = lines((await stopped(['ingest', '-'], bounceOf('<a8@app.example>'))).out)
    expect(report).toMatchObject({ outcome: 'review', about: { recipient: 'jane@example.net', confidence: 'likely' } })
    expect(lines((await stopped(['list', '--review'])).out)).toMatchObject([{ id: report.id }])
    expect(lines((await stopped(['review', 'accept', report.id])).out)).toMatchObject([
      { outcome: 'bounced', suppressed: true },
    ])
    expect(lines((await stopped(['show', report.id])).out)).toMatchObject([{ review: { decided: {} } }])
    const again = await runCli(['bounce', 'ingest', '-'], { ...fixture, input: bounceOf('<a8@app.example>') })
    expect(again.out).toMatch(/^report \S+: review, /)
    const { id: last = '' } = /^report (?<id>\S+):/.exec(again.out)?.groups ?? {}
    expect((await runCli(['bounce', 'review', 'accept', last], fixture)).out).toMatch(
      /: recorded, changes nothing: jane@example\.net had bounced already, about /,
    )
    const [raw] = lines((await stopped(['raw', report.id])).out)
    expect(Buffer.from(raw.raw, 'base64').equals(bounceOf('<a8@app.example>'))).toBe(true)
    expect((await stopped(['show', 'nonsense'])).code).toBe(3)
    await fixture.close()
  })
})

describe('what strangers wrote', () => {
  test('cannot steer the terminal, on any way it gets there', async () => {
    const recipients = [
      { address: EVIL, original: EVIL, action: 'failed', diagnostic: EVIL, remoteMta: EVIL, status: '5.1.1' } as const,
    ]
    const entry = await keep(
      {
        outcome: 'review',
        to: EVIL,
        origin: { kind: 'listener', listener: 'bounces', address: '192.0.2.7', helo: EVIL, sender: EVIL },
        review: { why: EVIL },
        about: about({ message: MESSAGE, recipient: EVIL }),
        report: parsedReport({
          family: EVIL,
          recipients,
          subject: EVIL,
          from: EVIL,
          link: EVIL,
          feedback: { type: EVIL, userAgent: EVIL, originalRcptTo: [EVIL] },
          original: { messageId: EVIL, subject: EVIL, from: EVIL, to: [EVIL] },
        }),
      },
      EVIL,
    )
    for (const words of [['list'], ['show', entry.id], ['review', 'list'], ['review', 'dismiss', entry.id]]) {
      for (const more of [[], ['--json']]) {
        const { code, out, err } = await studs([...words, ...more])
        expect({ words, code, steers: STEERING.test(out + err) }).toEqual({
          words,
          code: words.includes('dismiss') && more.length > 0 ? 1 : 0,
          steers: false,
        })
      }
    }
  })
})
