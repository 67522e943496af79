// Suppression lists of every dialect in and out, on the real store; hostile files beside the good.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import { openStore } from '../src/store/lmdb.ts'
import type { Store } from '../src/store/store.ts'
import { parseDate, readingFor } from '../src/suppression/dialect.ts'
import { EXPORT_FORMATS, type ExportFormat, exportSuppressions } from '../src/suppression/export.ts'
import {
  type ImportInput,
  type ImportOptions,
  type ImportReport,
  importSuppressions,
} from '../src/suppression/import.ts'
import { createSuppressionList, type SuppressionChange, type SuppressionList } from '../src/suppression/list.ts'
import { createStrikeBook } from '../src/suppression/strikes.ts'
import type { Suppression } from '../src/suppression/suppression.ts'
import { DAY, systemClock } from '../src/util/clock.ts'
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
const classifier = createClassifier(shippedRules())
const CREATED = Date.UTC(2025, 1, 3, 4, 5, 6)

let store: Store
let clock: FakeClock
let list: SuppressionList
let changes: SuppressionChange[]

beforeEach(() => {
  store = openStore({ directory: mkdtempSync(join(tmpdir(), 'studs-import-')), mapSize: 2 ** 28, clock: systemClock })
  clock = new FakeClock()
  changes = []
  const strikes = createStrikeBook({ store })
  list = createSuppressionList({
    store,
    strikes,
    settings: () => settings,
    clock,
    record: (change) => ({ writes: [], publish: () => changes.push(change) }),
  })
})
afterEach(() => store.close())

function read(input: ImportInput, more: Partial<ImportOptions> = {}): Promise<ImportReport> {
  return importSuppressions({
    input,
    list,
    folding: settings,
    clock,
    scope: 'shop',
    who: 'import:test',
    classifier,
    ...more,
  })
}
const targets = (): string[] => [...list.scan({ scope: 'shop' })].map(({ target }) => target)
const get = (target: string): Suppression => list.get('shop', target)!

test.each(['1e300', '-1e300', '8640000000000001', '1e999'])(
  'a date of %s is a bad line, the rest is read',
  async (at) => {
    const entry = (target: string, more: string): string => `{"target":"${target}","reason":"manual",${more}}`
    const report = await read(
      [
        entry('a@example.com', `"createdAt":${at}`),
        entry('b@example.com', `"expiresAt":${at}`),
        entry('c@example.com', `"createdAt":${CREATED}`),
      ].join('\n'),
    )
    expect(report).toMatchObject({ changed: 1, invalid: 2 })
    expect(report.badLines.map(({ line, problem }) => [line, problem])).toEqual([
      [1, 'a date that is none'],
      [2, 'a date that is none'],
    ])
    expect([...exportSuppressions(list.scan({}), 'csv')].join('')).toContain('c@example.com')
  },
)

describe('dialects', () => {
  const unix = String(CREATED / 1000)
  const iso = new Date(CREATED).toISOString()
  const rfc = new Date(CREATED).toUTCString()

  test.each<[string, string, string, Partial<Suppression>]>([
    [
      'our own',
      'studs',
      `email,reason,source,category,smtp_code,enhanced_code,diagnostic,scope,created_at,expires_at,note\r\njane@example.com,soft_bounce_limit,studs,quota-issues,552,5.2.2,552 5.2.2 full,zoo,${iso},,a note\r\n`,
      { reason: 'soft_bounce_limit', createdAt: CREATED, note: 'a note' },
    ],
    [
      'SendGrid bounces',
      'sendgrid',
      `status,reason,email,created\n5.1.1,"550 5.1.1 no ""such"" user\nhere",jane@example.com,${unix}\n`,
      { reason: 'hard_bounce', createdAt: CREATED },
    ],
    [
      'SendGrid unsubscribes',
      'sendgrid',
      `email,created\njane@example.com,${unix}\n`,
      { reason: 'unsubscribe', createdAt: CREATED },
    ],
    [
      'Mailgun bounces',
      'mailgun',
      `address,code,error,created_at\njane@example.com,550,No such user,"${rfc}"\n`,
      { reason: 'hard_bounce', createdAt: CREATED },
    ],
    [
      'Mailgun unsubscribes',
      'mailgun',
      `address,tags,created_at\njane@example.com,*,"${rfc}"\n`,
      { reason: 'unsubscribe', createdAt: CREATED },
    ],
    [
      'Mailgun complaints',
      'mailgun',
      `address,created_at\njane@example.com,"${rfc}"\n`,
      { reason: 'complaint', createdAt: CREATED },
    ],
    ['SES', 'ses', 'jane@example.com,BOUNCE\njoe@example.com,COMPLAINT\n', { reason: 'hard_bounce' }],
    ['SES JSON lines', 'jsonl', '{"emailAddress":"jane@example.com","reason":"COMPLAINT"}\n', { reason: 'complaint' }],
    [
      'Postmark',
      'postmark',
      `EmailAddress,SuppressionReason,Origin,CreatedAt\njane@example.com,SpamComplaint,Recipient,${iso}\n`,
      { reason: 'complaint', createdAt: CREATED },
    ],
    [
      'SparkPost',
      'sparkpost',
      'recipient,type,description,source\njane@example.com,transactional,by hand,Manually Added\n',
      { reason: 'manual', note: 'by hand' },
    ],
    [
      'Mailchimp cleaned',
      'mailchimp',
      'Email Address,MEMBER_RATING,CLEAN_TIME\njane@example.com,2,2025-02-03 04:05:06\n',
      { reason: 'hard_bounce', createdAt: CREATED },
    ],
    [
      'Mailchimp unsubscribed',
      'mailchimp',
      'Email Address,MEMBER_RATING,UNSUB_TIME\njane@example.com,2,2025-02-03 04:05:06\n',
      { reason: 'unsubscribe', createdAt: CREATED },
    ],
    [
      'Telnyx',
      'telnyx',
      `id,to,from,reason,source,scope,status,domain_id,created_at\n1,jane@example.com,,spam_complaint,,,active,,${iso}\n`,
      { reason: 'complaint', createdAt: CREATED },
    ],
    ['a plain list', 'list', 'jane@example.com\nJoe@Example.com\n', { reason: 'imported' }],
    [
      'a list with expiry',
      'list',
      'jane@example.com,2030-01-01T00:00:00Z\n',
      { reason: 'imported', expiresAt: Date.UTC(2030, 0, 1) },
    ],
    [
      'any header with an address',
      'generic',
      'Name;E-Mail;Reason\nJane;jane@example.com;unsubscribed\n',
      { reason: 'unsubscribe' },
    ],
  ])('%s', async (_name, format, text, expected) => {
    const report = await read(text)
    expect(report).toMatchObject({ format, invalid: 0, skipped: 0, badLines: [] })
    expect(get('jane@example.com')).toMatchObject({ scope: 'shop', who: 'import:test', ...expected })
    expect(await read(text)).toMatchObject({ changed: 0, already: report.changed })
  })

  test.each([
    ['a BOM', '\ufeffemail,reason\njane@example.com,manual\n'],
    ['semicolons', 'email;reason\njane@example.com;manual\n'],
    ['tabs', 'email\treason\njane@example.com\tmanual\n'],
    ['CRLF, blank lines and no last newline', '\r\n\r\nemail,reason\r\n\r\njane@example.com,manual'],
    ['upper-case names and spaces', 'EMAIL , Reason\n  Jane@Example.COM , Manual\n'],
    ['short and long rows', 'email,reason\njane@example.com,manual,,,\njoe@example.com\n'],
    ['angle brackets', 'email,reason\n<jane@example.com>,manual\n'],
  ])('%s', async (_name, text) => {
    expect(await read(text)).toMatchObject({ invalid: 0 })
    expect(get('jane@example.com').reason).toBe('manual')
  })

  test('bytes cut anywhere, also within a character', async () => {
    const bytes = Buffer.from('\ufeffemail,reason,note\njäne@example.com,manual,schön\n')
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte)
    }
    expect(await read(pieces())).toMatchObject({ changed: 1, invalid: 0 })
    expect(get('jäne@example.com').note).toBe('schön')
  })

  test('dates', () => {
    for (const text of [
      unix,
      String(CREATED),
      iso,
      rfc,
      '2025-02-03 04:05:06',
      '2025-02-03T04:05:06Z',
      '2025-02-03 04:05:06 UTC',
    ])
      expect(parseDate(text), text).toBe(CREATED)
    for (const text of ['', 'yesterday', '5', 'BOUNCE']) expect(parseDate(text), text).toBeUndefined()
  })
})

describe('what is no reason to suppress', () => {
  const text = [
    'status,reason,email,created',
    '5.1.1,550 5.1.1 user unknown,dead@example.com,1700000000',
    '5.7.1,554 5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org,alive@example.com,1700000000',
    '5.2.2,552 5.2.2 mailbox full,full@example.com,1700000000',
    '4.0.0,421 try later,later@example.com,1700000000',
  ].join('\n')

  test('blocks and soft failures of another service are passed over', async () => {
    expect(await read(text)).toMatchObject({ changed: 1, skipped: 3, invalid: 0 })
    expect(targets()).toEqual(['dead@example.com'])
    expect(get('dead@example.com').evidence).toMatchObject({
      category: 'bad-mailbox',
      cause: { kind: 'reply', reply: { code: 550, enhanced: '5.1.1' } },
    })
  })

  test('unless asked for', async () => {
    expect(await read(text, { includeBlocks: true })).toMatchObject({ changed: 4, skipped: 0 })
  })

  test('nor is what expired already', async () => {
    expect(await read('jane@example.com,2020-01-01T00:00:00Z\n')).toMatchObject({ changed: 0, skipped: 1 })
  })

  test('a list of subscribers is not read at all', async () => {
    const subscribers = 'Email Address,First Name,MEMBER_RATING,OPTIN_TIME\njane@example.com,Jane,5,2025-01-01\n'
    expect(await read(subscribers)).toMatchObject({ format: 'unknown', changed: 0, invalid: 1 })
    expect(targets()).toEqual([])
    expect(readingFor(['a', 'b'])).toBeUndefined()
  })
})

describe('entries that keep no mail back where they come from', () => {
  const lines = [
    '{"target":"pending@example.com","reason":"hard_bounce","createdAt":1700000000000,"pendingUntil":1700000000001}',
    '{"target":"chance@example.com","reason":"hard_bounce","createdAt":1700000000000,"reactivated":{"at":1,"who":"x","why":"x"}}',
    '{"target":"dead@example.com","reason":"hard_bounce","createdAt":1700000000000}',
  ].join('\n')

  test('are passed over, also when blocks are asked for', async () => {
    expect(await read(lines, { includeBlocks: true })).toMatchObject({ changed: 1, skipped: 2 })
    expect(targets()).toEqual(['dead@example.com'])
  })

  test('here: a pending one is confirmed, one that a person gave another chance is left alone', async () => {
    const entry = { scope: 'shop', reason: 'hard_bounce', createdAt: 1, who: 'studs' } as const
    await store.write([
      ...list.put({ ...entry, target: 'pending@example.com', pendingUntil: clock.now() + DAY }),
      ...list.put({ ...entry, target: 'chance@example.com', reactivated: { at: 1, who: 'cli:ops', why: 'x' } }),
    ])
    expect(await read('pending@example.com\nchance@example.com\n')).toMatchObject({ changed: 1, already: 1 })
    expect(get('pending@example.com').pendingUntil).toBeUndefined()
    expect(get('chance@example.com').reactivated).toBeDefined()
  })

  test('are taken off by list like any other', async () => {
    const entry = { scope: 'shop', reason: 'hard_bounce', createdAt: 1, who: 'studs' } as const
    await store.write(list.put({ ...entry, target: 'pending@example.com', pendingUntil: clock.now() + DAY }))
    expect(await read(lines, { mode: 'delete' })).toMatchObject({ changed: 1 })
    expect(targets()).toEqual([])
  })
})

describe('a run', () => {
  test('is only looked at with dryRun', async () => {
    expect(await read('a@example.com\nb@example.com\nnonsense\n', { dryRun: true })).toMatchObject({
      dryRun: true,
      changed: 2,
      invalid: 1,
      badLines: [{ line: 3, text: 'nonsense' }],
    })
    expect(targets()).toEqual([])
    expect(changes).toEqual([])
  })

  test('says which lines are bad, the first twenty of them', async () => {
    const report = await read(`email,reason\n${'no address,manual\n'.repeat(50)}jane@example.com,manual\n`)
    expect(report).toMatchObject({ changed: 1, invalid: 50 })
    expect(report.badLines.length).toBe(20)
    expect(report.badLines[0]).toEqual({ line: 2, text: 'no address', problem: 'not a mail address' })
  })

  test('leaves what is there, counts what stands twice once, and records each batch', async () => {
    await list.add({ scope: 'shop', target: 'a@example.com', reason: 'complaint', createdAt: 1, who: 'cli:ops' })
    changes.length = 0
    expect(await read('a@example.com\nb@example.com\nB@Example.com\n')).toMatchObject({ changed: 1, already: 2 })
    expect(get('a@example.com').reason).toBe('complaint')
    expect(changes).toMatchObject([
      { kind: 'suppression-added', recipient: '*', who: 'import:test', why: '1 address imported', scope: 'shop' },
    ])
  })

  test('deletes by list, but not what people asked for', async () => {
    await read('a@example.com,BOUNCE\nb@example.com,COMPLAINT\nc@example.com,BOUNCE\n')
    const report = await read('a@example.com\nb@example.com\nz@example.com\n', { mode: 'delete' })
    expect(report).toMatchObject({ changed: 1, protected: 1, already: 1 })
    expect(targets()).toEqual(['b@example.com', 'c@example.com'])
  })

  test('of many lines keeps little in memory', async () => {
    const rows = 100_000
    async function* text(): AsyncGenerator<string> {
      for (let at = 0; at < rows; at += 1000) {
        yield Array.from({ length: 1000 }, (_, n) => `user${at + n}@example.com,${'x'.repeat(100)}\n`).join('')
      }
    }
    const before = process.memoryUsage().heapUsed
    let highest = 0
    const watch = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage().heapUsed - before)
    }, 20)
    expect(await read(text(), { dryRun: true })).toMatchObject({ changed: rows })
    clearInterval(watch)
    expect(highest).toBeLessThan(100 * 1024 * 1024)
  })
})

describe('hostile files', () => {
  test('an unclosed quote costs no more than what is bad', async () => {
    const report = await read(
      `email,reason\na@example.com,manual\n"b@example.com,manual\n${'x@example.com,manual\n'.repeat(20_000)}`,
    )
    expect(targets()).toContain('a@example.com')
    expect(report.invalid).toBeGreaterThan(0)
    expect(report.badLines[0]?.problem).not.toBe('')
  })

  test.each([
    ['nothing', ''],
    ['only a header', 'email,reason\n'],
    ['blank lines', '\n\n \n'],
  ])('%s changes nothing', async (_name, text) => {
    expect(await read(text)).toMatchObject({ changed: 0 })
  })

  test.each([
    ['binary', Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 7919) % 256)).toString('latin1')],
    ['one endless line', 'x'.repeat(500_000)],
    ['broken JSON lines', '{"email":\n{"emailAddress":5}\n{}\n[]\nnull\n'],
    ['HTML', '<html><body>Login required</body></html>\n'],
  ])('%s is refused and nothing stored', async (_name, text) => {
    const report = await read(text)
    expect(report.invalid).toBeGreaterThan(0)
    expect(targets()).toEqual([])
  })

  test('a source that fails fails the import, what was durable stays', async () => {
    async function* text(): AsyncGenerator<string> {
      yield 'email,reason\n'
      for (let at = 0; at < 1500; at++) yield `u${at}@example.com,manual\n`
      throw new Error('the connection broke')
    }
    await expect(read(text())).rejects.toThrow('the connection broke')
    expect([0, 1000]).toContain(targets().length)
  })
})

describe('export', () => {
  const odd: readonly Suppression[] = [
    {
      scope: 'shop',
      target: 'jane@example.com',
      reason: 'hard_bounce',
      createdAt: CREATED,
      who: 'studs',
      expiresAt: Date.UTC(2031, 0, 1),
      evidence: {
        rule: 'mailbox-unknown@1',
        category: 'bad-mailbox',
        code: 10,
        cause: {
          kind: 'reply',
          command: 'RCPT',
          reply: { code: 550, enhanced: '5.1.1', lines: ['5.1.1 "No", such user'] },
        },
      },
    },
    {
      scope: 'shop',
      target: 'joe@example.com',
      reason: 'complaint',
      createdAt: CREATED,
      who: 'api:app',
      note: 'a, "b"\nc; =1+1',
    },
    { scope: 'shop', target: '@example.org', reason: 'policy', createdAt: CREATED, who: 'cli:ops' },
  ]
  const textOf = (format: ExportFormat): string => [...exportSuppressions(odd, format)].join('')

  test('says exactly', () => {
    const iso = new Date(CREATED).toISOString()
    expect(textOf('csv')).toBe(
      'email,reason,source,category,smtp_code,enhanced_code,diagnostic,scope,created_at,expires_at,note\r\n' +
        `jane@example.com,hard_bounce,studs,bad-mailbox,550,5.1.1,"550 5.1.1 ""No"", such user",shop,${iso},2031-01-01T00:00:00.000Z,\r\n` +
        `joe@example.com,complaint,api:app,,,,,shop,${iso},,"a, ""b""\nc; =1+1"\r\n` +
        `@example.org,policy,cli:ops,,,,,shop,${iso},,\r\n`,
    )
    expect(textOf('ses')).toBe('jane@example.com,BOUNCE\njoe@example.com,COMPLAINT\n')
    expect(textOf('sendgrid').split('\n')[1]).toBe(
      `5.1.1,"550 5.1.1 ""No"", such user",jane@example.com,${CREATED / 1000}`,
    )
    expect(textOf('mailgun').split('\n')[1]).toBe(
      'jane@example.com,550,"550 5.1.1 ""No"", such user","Mon, 03 Feb 2025 04:05:06 GMT"',
    )
  })

  test.each(EXPORT_FORMATS)('%s comes in again', async (format) => {
    const takesAll = format === 'csv' || format === 'jsonl'
    expect(await read(textOf(format))).toMatchObject({ changed: takesAll ? 3 : 2, invalid: 0, skipped: 0 })
    expect(get('jane@example.com').reason).toBe('hard_bounce')
  })

  test.each(['csv', 'jsonl'] as const)('%s loses nothing on the way round', async (format) => {
    await read(textOf(format))
    const again = [...exportSuppressions(list.scan({}), format)].join('')
    const { evidence, ...jane } = get('jane@example.com')
    expect(jane).toEqual({ ...odd[0]!, who: 'import:test', evidence: undefined })
    expect(evidence).toEqual({ ...odd[0]!.evidence, rule: 'imported' })
    expect(get('joe@example.com')).toEqual({ ...odd[1]!, who: 'import:test' })
    expect(get('@example.org')).toEqual({ ...odd[2]!, who: 'import:test' })
    expect(again.split('\n').length).toBe(textOf(format).split('\n').length)
  })
})
