// The parser thread against reports that never end, throw, eat memory and end it; and what becomes of those beside them.

import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import type { ParsedReport } from '../../src/bounce/report.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import type { ReportParser } from '../../src/reports/desk.ts'
import { createParserThread, type ParserThreadOptions } from '../../src/reports/parser-thread.ts'
import { systemClock } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

const STAND_IN = new URL('../support/stand-in-parser.ts', import.meta.url)
const NO_START = new URL('../support/parser-that-cannot-start.ts', import.meta.url)

let open = new AsyncDisposableStack()
afterEach(async () => {
  await open.disposeAsync()
  open = new AsyncDisposableStack()
})

function parserWith(options: Partial<ParserThreadOptions> = {}): ReportParser {
  const parser = createParserThread({ logger: silentLogger(), script: STAND_IN, ...options })
  open.defer(() => parser.close())
  return parser
}

const parseAll = (parser: ReportParser, texts: readonly string[]): Promise<ParsedReport[]> =>
  Promise.all(texts.map((text) => parser.parse(Buffer.from(text))))

const UNKNOWN = { kind: 'unknown', recipients: [], references: [], tokens: [] }

test('what a report says comes back, whatever order and however many', async () => {
  const parser = parserWith()
  const texts = Array.from({ length: 500 }, (_, n) => `report ${n}`)
  expect((await parseAll(parser, texts)).map(({ subject }) => subject)).toEqual(texts)
  expect(await parser.parse(Buffer.from('one more'))).toMatchObject({ kind: 'mail', subject: 'one more' })
})

test('the real parser', async () => {
  const parser = createParserThread({ logger: silentLogger() })
  open.defer(() => parser.close())
  const report = [
    'From: MAILER-DAEMON@far.test',
    'Subject: Undelivered',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=x',
    '',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.far.test',
    '',
    'Final-Recipient: rfc822; jane@far.test',
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    '',
    '--x--',
    '',
  ].join('\r\n')
  expect(await parser.parse(Buffer.from(report))).toMatchObject({
    kind: 'dsn',
    recipients: [{ address: 'jane@far.test', action: 'failed', status: '5.1.1' }],
  })
})

test("the caller's bytes stay his", async () => {
  const parser = parserWith()
  const whole = Buffer.from('before REPORT behind')
  expect(await parser.parse(whole.subarray(7, 13))).toMatchObject({ subject: 'REPORT' })
  expect(whole.toString()).toBe('before REPORT behind')
})

test('reports that fill more than one window', async () => {
  const parser = parserWith()
  const texts = Array.from({ length: 12 }, (_, n) => `${n} `.padEnd(2 ** 20, 'x'))
  const reports = await parseAll(parser, texts)
  expect(reports.map(({ subject }) => Number.parseInt(subject, 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
})

describe('a report that', () => {
  test('never ends is unknown after the deadline; those before and behind it are parsed', async () => {
    const lines: string[] = []
    const logger = pino({}, { write: (line: string) => void lines.push(line) })
    const parser = parserWith({ deadlineMs: 100, logger })
    const startedAt = systemClock.monotonic()
    const [before, never, behind, again, last] = await parseAll(parser, [
      'a',
      'loop for ever',
      'b',
      'loop for ever',
      'c',
    ])
    expect(systemClock.monotonic() - startedAt).toBeGreaterThan(200)
    expect(before).toMatchObject({ subject: 'a' })
    expect(never).toMatchObject({ ...UNKNOWN, limit: 'time' })
    expect(behind).toMatchObject({ subject: 'b' })
    expect(again).toMatchObject({ ...UNKNOWN, limit: 'time' })
    expect(last).toMatchObject({ subject: 'c' })
    expect(lines.filter((line) => line.includes('reports.too-slow'))).toHaveLength(2)
  })

  test('throws is unknown and logged, and the thread lives on', async () => {
    const lines: string[] = []
    const parser = parserWith({ logger: pino({}, { write: (line: string) => void lines.push(line) }) })
    const [first, thrown, last] = await parseAll(parser, ['a', 'throw', 'b'])
    expect(thrown).toEqual({ ...UNKNOWN, family: 'none', subject: '', from: '' })
    expect([first?.subject, last?.subject]).toEqual(['a', 'b'])
    expect(lines.join('')).toContain('the parser was told to throw')
  })

  test('ends the thread is unknown; those behind it are parsed by the next one', async () => {
    const parser = parserWith()
    const [first, ended, last] = await parseAll(parser, ['a', 'end the thread', 'b'])
    expect(ended).toMatchObject(UNKNOWN)
    expect(ended).not.toHaveProperty('limit')
    expect([first?.subject, last?.subject]).toEqual(['a', 'b'])
  })

  test('eats memory is stopped by the deadline before it can take the process with it', async () => {
    const parser = parserWith({ deadlineMs: 100 })
    const [eaten, last] = await parseAll(parser, ['eat memory', 'b'])
    expect(eaten).toMatchObject({ ...UNKNOWN, limit: 'time' })
    expect(last).toMatchObject({ subject: 'b' })
  })
})

test('a thread that cannot start gives unknown, and is not started again and again', async () => {
  const lines: string[] = []
  const clock = new FakeClock()
  const parser = parserWith({
    script: NO_START,
    logger: pino({}, { write: (line: string) => void lines.push(line) }),
    clock,
  })
  const starts = (): number => lines.filter((line) => line.includes('cannot be started')).length
  expect(await parser.parse(Buffer.from('a'))).toMatchObject(UNKNOWN)
  expect(await parser.parse(Buffer.from('b'))).toMatchObject(UNKNOWN)
  expect(starts()).toBe(1)
  await clock.advance(1000)
  expect(await parser.parse(Buffer.from('c'))).toMatchObject(UNKNOWN)
  expect(starts()).toBe(2)
})

test('closing waits for what is being parsed; afterwards nothing starts', async () => {
  const parser = parserWith({ deadlineMs: 100 })
  const underWay = parseAll(parser, ['a', 'loop for ever', 'b'])
  await parser.close()
  expect((await underWay).map(({ kind }) => kind)).toEqual(['mail', 'unknown', 'mail'])
  expect(await parser.parse(Buffer.from('late'))).toMatchObject(UNKNOWN)
})

test('closing what never started', async () => {
  await parserWith().close()
})
