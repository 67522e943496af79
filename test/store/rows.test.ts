// What is said of each row of each table when it is damaged, stands in the wrong place, or lost what it leads to. The samples
// are what the parts that own the tables write; that those are all taken for whole shows test/scenarios/backup.test.ts.

import { expect, test } from 'vitest'
import { encode } from '../../src/store/codec.ts'
import { dueKey, idKey, journalKey, partKey, textKey } from '../../src/store/keys.ts'
import { faultsOfRow } from '../../src/store/rows.ts'
import { TABLES, type Table, type Write } from '../../src/store/store.ts'
import { memoryStore } from '../support/memory-store.ts'

const ID = '0g00000000000'
const OTHER = '0g00000000001'
const AT = Date.UTC(2026, 0, 1)
const NOTHING = Buffer.alloc(0)
const RECORD = journalKey(AT, 7)
const hour = Buffer.from([0, 7, 122, 16])
const time = Buffer.alloc(8)
time.writeBigUInt64BE(BigInt(AT))

interface Sample {
  readonly key: Buffer
  readonly value: unknown
  /** A value that is read and makes no sense. */
  readonly broken?: unknown
  /** Another key under which it must not stand. */
  readonly elsewhere?: Buffer
  /** What it leads to, and what is said when that is gone. */
  readonly needs?: readonly (readonly [Table, Buffer, string])[]
}
const message = [['message', idKey(ID), `needs message ${ID}, which is not there`]] as const
const record = [['journal', RECORD, `needs journal ${AT}-7, which is not there`]] as const
const report = [['report', idKey(ID), `needs report ${ID}, which is not there`]] as const

const SAMPLES: Readonly<Record<Table, Sample>> = {
  message: {
    key: idKey(ID),
    value: { id: ID, tenant: 'shop', recipients: 1, headers: { messageId: '<a@b.test>' } },
    broken: { id: 'x', tenant: 'shop', recipients: 1, headers: {} },
    elsewhere: idKey(OTHER),
    needs: [['message-by-header', textKey('<a@b.test>', idKey(ID)), 'needs message-by-header "<a@b.test>']],
  },
  body: { key: partKey(ID, 0), value: Buffer.from('bytes') },
  'body-file': { key: idKey(ID), value: 300_000, broken: -1 },
  recipient: {
    key: partKey(ID, 0),
    value: { id: ID, n: 0, tenant: 'shop', address: 'Jane@a.test', state: { kind: 'delivered' } },
    broken: { id: ID, n: 0.5, tenant: 'shop', address: 'Jane@a.test', state: { kind: 'delivered' } },
    elsewhere: partKey(ID, 1),
    needs: [
      ...message,
      ['recipient-by-address', textKey('jane@a.test', idKey(ID)), 'needs recipient-by-address "jane@a.test'],
    ],
  },
  due: { key: dueKey({ tenant: 'shop', domain: 'a.test', dueAt: AT, id: ID, n: 0 }), value: NOTHING },
  held: { key: partKey(ID, 0), value: NOTHING },
  journal: {
    key: RECORD,
    value: { kind: 'delivered', at: AT, tenant: 'shop', message: ID },
    broken: { kind: 'delivered', at: 'noon', tenant: 'shop' },
    needs: [['journal-by-message', Buffer.concat([idKey(ID), RECORD]), `needs journal-by-message ${ID}`]],
  },
  'journal-by-message': { key: Buffer.concat([idKey(ID), RECORD]), value: NOTHING, needs: record },
  'journal-by-kind': { key: textKey('failed', RECORD), value: NOTHING, needs: record },
  'journal-by-target': { key: textKey('jane@a.test', RECORD), value: NOTHING, needs: record },
  'recipient-by-address': { key: textKey('jane@a.test', idKey(ID)), value: NOTHING, needs: message },
  'message-by-header': { key: textKey('<a@b.test>', idKey(ID)), value: NOTHING, needs: message },
  idempotency: { key: textKey('shop', 'order-7'), value: { id: ID, expiresAt: AT }, broken: { id: ID } },
  suppression: {
    key: textKey('shop', 'jane@a.test'),
    value: { scope: 'shop', target: 'jane@a.test', reason: 'manual', createdAt: AT, pendingUntil: AT },
    broken: { scope: 'shop', target: 'jane@a.test', createdAt: AT },
    elsewhere: textKey('bulk', 'jane@a.test'),
    needs: [['suppression-pending', Buffer.concat([time, textKey('shop', 'jane@a.test')]), 'which is not there']],
  },
  'suppression-pending': { key: Buffer.concat([time, textKey('shop', 'jane@a.test')]), value: NOTHING },
  strike: {
    key: textKey('shop', 'jane@a.test'),
    value: { count: 1, first: AT, last: AT, messages: [ID] },
    broken: { count: -1, first: AT, last: AT, messages: [ID] },
  },
  tally: {
    key: textKey('shop', 'mx.a.test', hour),
    value: { answered: 3, hard: { '10': 1 }, surges: {} },
    broken: { answered: 3, hard: 1, surges: {} },
  },
  report: {
    key: idKey(ID),
    value: { id: ID, at: AT, outcome: 'bounced', report: {} },
    broken: { id: ID, at: AT, report: {} },
    elsewhere: idKey(OTHER),
    needs: [['report-by-outcome', textKey('bounced', idKey(ID)), 'needs report-by-outcome "bounced']],
  },
  'report-raw': { key: partKey(ID, 0), value: Buffer.from('packed'), needs: report },
  'report-by-outcome': { key: textKey('bounced', idKey(ID)), value: NOTHING, needs: report },
  'report-by-message': { key: Buffer.concat([partKey(OTHER, 0), idKey(ID)]), value: NOTHING, needs: report },
  unsubscribe: {
    key: partKey(ID, 0),
    value: { tenant: 'shop', address: 'jane@a.test', expiresAt: AT },
    broken: { tenant: 'shop', expiresAt: AT },
  },
  'tls-policy': {
    key: textKey('a.test'),
    value: { domain: 'a.test', expiresAt: AT, mode: 'enforce' },
    broken: { domain: 'a.test' },
    elsewhere: textKey('b.test'),
  },
  'tls-tally': {
    key: textKey('2026-01-01', 'a.test', '0123456789abcdef'),
    value: { day: '2026-01-01', domain: 'a.test', policy: {}, ok: 3, failed: 1, failures: [{ mx: 'mx', count: 1 }] },
    broken: { day: '2026-01-01', domain: 'a.test', policy: {}, ok: 3, failed: 1, failures: [{ mx: 'mx' }] },
  },
  suspension: {
    key: textKey('source', 'x@big'),
    value: { kind: 'source', name: 'x@big', who: 'jane', why: 'listed', since: AT, until: AT + 1 },
    broken: { kind: 'source', name: 'x@big', who: 'jane', why: 'listed', since: AT },
    elsewhere: textKey('source', 'y@big'),
  },
  pace: {
    key: textKey('x@mx.a.test'),
    value: { name: 'x@mx.a.test', savedAt: AT, since: AT, why: '450 slow down', usual: 3.5, snapshot: { at: -5 } },
    broken: { name: 'x@mx.a.test', savedAt: AT, since: AT, why: '450 slow down', usual: 3.5 },
    elsewhere: textKey('y@mx.a.test'),
  },
  quota: {
    key: textKey('path x mx.a.test'),
    value: { savedAt: AT, perMs: 3_600_000, pieces: [{ ageMs: -5, count: 3 }], lease: 2 },
    broken: { savedAt: AT, perMs: 3_600_000, pieces: [{ ageMs: -5, count: -3 }], lease: 2 },
  },
  drain: {
    key: textKey('x'),
    value: { name: 'x', who: 'jane', why: 'it moves', since: AT },
    broken: { name: 'x', who: 'jane', why: 'it moves' },
    elsewhere: textKey('y'),
  },
  'source-tally': {
    key: textKey('x', 'google'),
    value: {
      source: 'x',
      provider: 'google',
      hours: [{ hour: 1, delivered: 1, judged: 1, against: 0, complaints: 0 }],
    },
    broken: { source: 'x', provider: 'google', hours: [{ hour: 1, delivered: 1, judged: 1, against: 0 }] },
    elsewhere: textKey('x', 'yahoo'),
  },
  'warm-up': {
    key: textKey('x', 'google'),
    value: { since: '2026-01-01', step: 3, day: 20_000 },
    broken: { since: '2026-01-01', step: null, day: 20_000 },
  },
  health: { key: textKey('hour', Buffer.concat([hour, textKey('tenant', 'shop')])), value: [1, 2], broken: [1, 'two'] },
  meta: { key: textKey('schema-version'), value: 2, broken: null },
}

const bytesOf = (value: unknown): Buffer => (value instanceof Buffer ? value : encode(value))

async function faults(
  table: Table,
  { key, value, needs }: { key: Buffer; value: Buffer; needs?: Sample['needs'] | undefined },
): Promise<string[]> {
  const store = memoryStore()
  await store.write((needs ?? []).map(([other, at]): Write => ({ table: other, key: at, value: NOTHING })))
  return [...faultsOfRow(store, table, { key, value })]
}

const named = (which: (sample: Sample) => boolean): Table[] => TABLES.filter((table) => which(SAMPLES[table]))

test.each(TABLES)('%s: a whole row is taken for whole', async (table) => {
  const { key, value, needs } = SAMPLES[table]
  expect(await faults(table, { key, value: bytesOf(value), needs })).toEqual([])
})

test.each(named(({ broken }) => broken !== undefined))(
  '%s: one that cannot be read, or makes no sense',
  async (table) => {
    const { key, broken, needs } = SAMPLES[table]
    for (const [value, what] of [
      [Buffer.from('{"tenant": "sh'), 'cannot be read'],
      [Buffer.alloc(20), 'cannot be read'],
      [encode(null), 'is not whole'],
      [bytesOf(broken), 'is not whole'],
    ] as const) {
      const said = await faults(table, { key, value, needs })
      expect(said).toEqual([expect.stringMatching(new RegExp(`^${table} \\S.* ${what}$`))])
    }
  },
)

test.each(named(({ elsewhere }) => elsewhere !== undefined))('%s: one in the place of another', async (table) => {
  const { elsewhere, value, needs } = SAMPLES[table]
  expect(await faults(table, { key: elsewhere!, value: bytesOf(value), needs })).toEqual([
    expect.stringMatching(new RegExp(`^${table} \\S.* stands in the place of another$`)),
  ])
})

test.each(named(({ needs }) => needs !== undefined))('%s: one that leads to nothing', async (table) => {
  const { key, value, needs } = SAMPLES[table]
  const said = await faults(table, { key, value: bytesOf(value) })
  expect(said).toEqual(needs!.map(([, , words]) => expect.stringContaining(words)))
})
