// The report book on a real store: what is kept, how it is found again, and when it goes.

import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReportFilter } from '../../src/reports/desk.ts'
import { createReportBook, type ReportBook } from '../../src/reports/report-book.ts'
import type { ReportEntry } from '../../src/reports/report-entry.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { DAY, HOUR, systemClock } from '../../src/util/clock.ts'
import { idMaker, idTime } from '../../src/util/id.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { about, parsedReport, reportEntry } from '../support/report-entry.ts'

const clock = new FakeClock(Date.UTC(2026, 10, 22))
const makeId = idMaker(clock, 1)
const never = new AbortController().signal
const MESSAGE = makeId()

let store: Store
let book: ReportBook

beforeEach(() => {
  store = openStore({ directory: mkdtempSync(join(tmpdir(), 'studs-book-')), mapSize: 2 ** 30, clock: systemClock })
  book = createReportBook({ store })
})
afterEach(() => store.close())

const keep = async (given: Partial<ReportEntry> = {}, raw?: Buffer): Promise<ReportEntry> => {
  const entry = reportEntry({ id: makeId(), at: clock.now(), ...given })
  await store.write(book.compose(entry, raw))
  return entry
}
const ids = (filter: Partial<ReportFilter>): string[] =>
  book.list({ limit: 100, ...filter }).entries.map(({ id }) => id)
const counts = (): number[] =>
  (['report', 'report-raw', 'report-by-outcome', 'report-by-message'] as const).map((table) => store.count(table))

describe('entry and mail', () => {
  test('come back as they were given', async () => {
    const entry = await keep({ about: about({ message: MESSAGE }) }, Buffer.from('Subject: x\r\n\r\n\xff\0', 'latin1'))
    expect(book.get(entry.id)).toEqual(entry)
    expect(book.raw(entry.id)?.toString('latin1')).toBe('Subject: x\r\n\r\n\xff\0')
  })

  test.each([
    ['empty', Buffer.alloc(0)],
    ['a megabyte that cannot be compressed', randomBytes(1024 * 1024)],
    ['a megabyte that can', Buffer.alloc(1024 * 1024, 'quoted ')],
  ])('a mail that is %s', async (_, raw) => {
    const { id } = await keep({}, raw)
    expect(book.raw(id)?.equals(raw)).toBe(true)
  })

  test('a mail that was not kept is undefined, and so is everything of ids that are none', async () => {
    const { id } = await keep()
    expect(book.raw(id)).toBeUndefined()
    for (const none of ['', 'x', '../../etc', '\0'.repeat(13), 'zzzzzzzzzzzzz', makeId()]) {
      expect(book.get(none)).toBeUndefined()
      expect(book.raw(none)).toBeUndefined()
    }
  })
})

describe('list', () => {
  test('newest first, in pages', async () => {
    const made: string[] = []
    for (let n = 0; n < 7; n++) made.unshift((await keep()).id)
    const first = book.list({ limit: 3 })
    const second = book.list({ limit: 3, cursor: first.cursor! })
    const third = book.list({ limit: 3, cursor: second.cursor! })
    expect([first, second, third].flatMap(({ entries }) => entries.map(({ id }) => id))).toEqual(made)
    expect(third.cursor).toBeUndefined()
  })

  test('a page that ends exactly at the end has no cursor', async () => {
    await keep()
    await keep()
    expect(book.list({ limit: 2 }).cursor).toBeUndefined()
  })

  test('filters, alone and combined', async () => {
    const bounced = await keep({ outcome: 'bounced', about: about({ message: MESSAGE }) })
    const other = await keep({
      outcome: 'bounced',
      about: about({ message: makeId(), tenant: 'acme', recipient: 'Bob@example.org' }),
      report: parsedReport({ recipients: [{ address: 'alias@example.org', action: 'failed', diagnostic: '' }] }),
    })
    const open = await keep({ outcome: 'review', review: { why: 'nobody found' } })
    const decided = await keep({
      outcome: 'dismissed',
      review: { why: 'nobody found', decided: { at: clock.now(), who: 'cli ann' } },
    })
    const acted = await keep({ outcome: 'bounced', about: about({ message: MESSAGE, n: 1 }), review: { why: 'odd' } })
    expect(ids({})).toEqual([acted.id, decided.id, open.id, other.id, bounced.id])
    expect(ids({ review: true })).toEqual([acted.id, open.id])
    expect(ids({ outcome: 'bounced' })).toEqual([acted.id, other.id, bounced.id])
    expect(ids({ outcome: 'bounced', review: true })).toEqual([acted.id])
    expect(ids({ message: MESSAGE })).toEqual([acted.id, bounced.id])
    expect(ids({ message: MESSAGE, cursor: acted.id })).toEqual([bounced.id])
    expect(ids({ message: MESSAGE, tenant: 'acme' })).toEqual([])
    expect(ids({ tenant: 'acme', outcome: 'bounced' })).toEqual([other.id])
    expect(ids({ address: 'bob@EXAMPLE.org' })).toEqual([other.id])
    expect(ids({ address: 'alias@example.org' })).toEqual([other.id])
    expect(ids({ address: 'JANE@example.net', outcome: 'dismissed' })).toEqual([decided.id])
    expect(ids({ outcome: 'complained' })).toEqual([])
  })

  test('finds who complained and who it was sent to first', async () => {
    const complained = await keep({
      report: parsedReport({
        kind: 'complaint',
        recipients: [],
        feedback: { type: 'abuse', originalRcptTo: ['Eve@example.org'] },
      }),
    })
    const forwarded = await keep({
      report: parsedReport({
        recipients: [{ address: 'a@example.net', original: 'First@example.org', action: 'failed', diagnostic: '' }],
      }),
    })
    expect(ids({ address: 'eve@example.org' })).toEqual([complained.id])
    expect(ids({ address: 'first@example.org' })).toEqual([forwarded.id])
  })

  test('a rare filter costs a page of work, not the whole table', async () => {
    const wanted = await keep({ about: about({ tenant: 'acme', message: MESSAGE }) })
    const many = Array.from({ length: 4500 }, () => reportEntry({ id: makeId() }))
    await store.write(many.flatMap((entry) => book.compose(entry, undefined)))
    const pages: number[] = []
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = book.list({ limit: 10, tenant: 'acme', ...(cursor === undefined ? {} : { cursor }) })
      pages.push(page.entries.length)
      found.push(...page.entries.map(({ id }) => id))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(found).toEqual([wanted.id])
    expect(pages).toEqual([0, 0, 1])
  })

  test('large entries end a page early', async () => {
    const diagnostic = 'x'.repeat(2000)
    const recipients = Array.from(
      { length: 100 },
      () => ({ address: 'a@example.net', action: 'failed', diagnostic }) as const,
    )
    const many = Array.from({ length: 60 }, () => reportEntry({ id: makeId(), report: parsedReport({ recipients }) }))
    await store.write(many.flatMap((entry) => book.compose(entry, undefined)))
    const page = book.list({ limit: 100 })
    expect(page.entries.length).toBeLessThan(30)
    expect(book.list({ limit: 100, cursor: page.cursor! }).entries[0]?.id).toBe(many.at(-1 - page.entries.length)?.id)
  })

  test('a cursor that is no id is a RangeError', () => {
    expect(() => book.list({ limit: 1, cursor: 'garbage' })).toThrow(RangeError)
  })
})

describe('recompose', () => {
  test('moves a decided review from the open ones, and leaves the mail', async () => {
    const before = await keep(
      { outcome: 'review', review: { why: 'weak' }, about: about({ message: MESSAGE }) },
      Buffer.from('mail'),
    )
    const after: ReportEntry = {
      ...before,
      outcome: 'bounced',
      review: { why: 'weak', decided: { at: clock.now(), who: 'cli ann' } },
    }
    await store.write(book.recompose(before, after))
    expect(book.get(before.id)).toEqual(after)
    expect([ids({ review: true }), ids({ outcome: 'review' })]).toEqual([[], []])
    expect([ids({ outcome: 'bounced' }), ids({ message: MESSAGE })]).toEqual([[before.id], [before.id]])
    expect(book.raw(before.id)?.toString()).toBe('mail')
    expect(counts()).toEqual([1, 1, 1, 1])
  })

  test('a recipient found later is in the index', async () => {
    const before = await keep()
    await store.write(book.recompose(before, { ...before, about: about({ message: MESSAGE }) }))
    expect(ids({ message: MESSAGE })).toEqual([before.id])
  })
})

describe('countSince', () => {
  test('counts one recipient of one message, from a time on', async () => {
    for (const hours of [0, 1, 22]) {
      await clock.advance(hours * HOUR)
      await keep({ about: about({ message: MESSAGE, n: 3 }) })
    }
    await keep({ about: about({ message: MESSAGE, n: 4 }) })
    await keep({ about: about({ message: makeId(), n: 3 }) })
    const now = clock.now()
    expect(book.countSince(MESSAGE, 3, now - DAY)).toBe(3)
    expect(book.countSince(MESSAGE, 3, now - 22 * HOUR)).toBe(2)
    expect(book.countSince(MESSAGE, 3, now - 22 * HOUR + 1)).toBe(1)
    expect(book.countSince(MESSAGE, 3, now + 1)).toBe(0)
    expect(book.countSince(MESSAGE, 5, 0)).toBe(0)
  })
})

describe('prune', () => {
  test('mails go first, entries with all their indexes later, newer ones stay', async () => {
    const raw = randomBytes(700 * 1024)
    const old = await keep({ about: about({ message: MESSAGE }), review: { why: 'odd' } }, raw)
    await clock.advance(10 * DAY)
    const middle = await keep({}, raw)
    await clock.advance(10 * DAY)
    const fresh = await keep({}, raw)
    const limits = { keepRawFrom: idTime(fresh.id), keepFrom: idTime(middle.id) }
    expect(await book.prune({ ...limits, keepFrom: 0 }, never)).toEqual({ raws: 2, entries: 0 })
    expect([old, middle, fresh].map(({ id }) => book.raw(id)?.length)).toEqual([undefined, undefined, raw.length])
    expect(await book.prune(limits, never)).toEqual({ raws: 0, entries: 1 })
    expect(ids({})).toEqual([fresh.id, middle.id])
    expect(ids({ review: true })).toEqual([])
    expect(ids({ message: MESSAGE })).toEqual([])
    expect(counts()).toEqual([2, 3, 2, 0])
  })

  test('an entry takes its mail along, in pieces, and an aborted pass leaves the rest', async () => {
    const many = Array.from({ length: 450 }, () => reportEntry({ id: makeId(), about: about({ message: MESSAGE }) }))
    await store.write(many.flatMap((entry) => book.compose(entry, Buffer.from('mail'))))
    await clock.advance(DAY)
    const limits = { keepRawFrom: 0, keepFrom: clock.now() }
    const aborted = new AbortController()
    const stopping = book.prune(limits, aborted.signal)
    aborted.abort()
    const { entries } = await stopping
    expect(entries).toBeLessThan(450)
    expect(await book.prune(limits, never)).toEqual({ raws: 0, entries: 450 - entries })
    expect(counts()).toEqual([0, 0, 0, 0])
  })
})
