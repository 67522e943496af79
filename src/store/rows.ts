// What a row of each table looks like, and under which key it must stand: enough to tell one that is damaged, or that nothing
// leads to any more, from one that is whole. Reads one row at a time and changes nothing. What the rows mean, and where
// two of them contradict each other, is known to whoever writes them.
// Invariant: every table has a rule, so that a new one is not left out of `studs store verify`.

import { ID_BYTES, isId, readId } from '../util/id.ts'
import { decode } from './codec.ts'
import { idKey, partKey, readJournalKey, textKey } from './keys.ts'
import type { Entry, Store, Table } from './store.ts'

type Row = Readonly<Record<string, unknown>>
interface Reference {
  readonly table: Table
  readonly key: Buffer
}
interface Rule {
  /** A row without it is not whole. Absent: the value is nothing, or bytes. */
  readonly isWhole?: (row: Row, key: Buffer) => boolean
  /** The key that the row must stand under. */
  readonly keyOf?: (row: Row) => Buffer
  /** Rows of other tables that must be there. */
  readonly needs?: (row: Row, key: Buffer) => readonly Reference[]
}

const TIME_BYTES = 8
const HOUR_BYTES = 4
const JOURNAL_KEY_BYTES = 12

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => Number.isFinite(value)
const isCount = (value: unknown): boolean => isNumber(value) && value >= 0
const isIdText = (value: unknown): boolean => isText(value) && isId(value)
const isIndex = (value: unknown): boolean => isCount(value) && Number.isSafeInteger(value) && Number(value) < 2 ** 32
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)
const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !isList(value)
const areTexts = (...values: readonly unknown[]): boolean => values.every(isText)
const areCounts = (...values: readonly unknown[]): boolean => values.every(isCount)
const each = (value: unknown, is: (row: Row) => boolean): boolean =>
  isList(value) && value.every((one) => isRow(one) && is(one))

const named = (...names: readonly string[]): Pick<Rule, 'keyOf'> => ({
  keyOf: (row) => textKey(...names.map((name) => String(row[name]))),
})
/** The end of an index key is the key of what it leads to. */
const leadsTo = (table: Table, bytes: number): Rule => ({ needs: (_, key) => [{ table, key: key.subarray(-bytes) }] })
const message = (id: unknown): Reference => ({ table: 'message', key: idKey(String(id)) })
/** Its key is all there is to it, or its value is bytes that say nothing of themselves. */
const PLAIN: Rule = {}

function pendingKey({ pendingUntil, scope, target }: Row): Buffer {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeBigUInt64BE(BigInt(Math.max(0, Math.ceil(Number(pendingUntil)))))
  return Buffer.concat([time, textKey(String(scope), String(target))])
}

const OF_MAIL = {
  message: {
    isWhole: ({ id, tenant, recipients, headers }) =>
      isIdText(id) && isText(tenant) && isIndex(recipients) && isRow(headers),
    keyOf: ({ id }) => idKey(String(id)),
    needs: ({ id, headers }) => [
      { table: 'message-by-header', key: textKey(String((headers as Row).messageId), idKey(String(id))) },
    ],
  },
  body: PLAIN,
  'body-file': { isWhole: isCount },
  recipient: {
    isWhole: ({ id, n, tenant, address, state }) =>
      isIdText(id) && isIndex(n) && areTexts(tenant, address) && isRow(state),
    keyOf: ({ id, n }) => partKey(String(id), Number(n)),
    needs: ({ id, address }) => [
      message(id),
      { table: 'recipient-by-address', key: textKey(String(address).toLowerCase(), idKey(String(id))) },
    ],
  },
  due: PLAIN,
  held: PLAIN,
  'recipient-by-address': leadsTo('message', ID_BYTES),
  'message-by-header': leadsTo('message', ID_BYTES),
  idempotency: { isWhole: ({ id, expiresAt }) => isIdText(id) && isNumber(expiresAt) },
  unsubscribe: { isWhole: ({ tenant, address, expiresAt }) => areTexts(tenant, address) && isNumber(expiresAt) },
} satisfies Partial<Record<Table, Rule>>

const OF_RECORDS = {
  journal: {
    isWhole: ({ kind, at, tenant, message: id }) =>
      areTexts(kind, tenant) && isNumber(at) && (id === undefined || isIdText(id)),
    needs: ({ message: id }, key) =>
      id === undefined ? [] : [{ table: 'journal-by-message', key: Buffer.concat([idKey(String(id)), key]) }],
  },
  'journal-by-message': leadsTo('journal', JOURNAL_KEY_BYTES),
  'journal-by-kind': leadsTo('journal', JOURNAL_KEY_BYTES),
  'journal-by-target': leadsTo('journal', JOURNAL_KEY_BYTES),
  report: {
    isWhole: ({ id, at, outcome, report }) => isIdText(id) && isText(outcome) && isNumber(at) && isRow(report),
    keyOf: ({ id }) => idKey(String(id)),
    needs: ({ id, outcome }) => [{ table: 'report-by-outcome', key: textKey(String(outcome), idKey(String(id))) }],
  },
  'report-raw': { needs: (_, key) => [{ table: 'report', key: key.subarray(0, ID_BYTES) }] },
  'report-by-outcome': leadsTo('report', ID_BYTES),
  'report-by-message': leadsTo('report', ID_BYTES),
  suppression: {
    isWhole: ({ scope, target, reason, createdAt }) => areTexts(scope, target, reason) && isNumber(createdAt),
    ...named('scope', 'target'),
    needs: (row) => (row.pendingUntil === undefined ? [] : [{ table: 'suppression-pending', key: pendingKey(row) }]),
  },
  // What was confirmed since is still in it.
  'suppression-pending': PLAIN,
  strike: { isWhole: ({ count, first, last, messages }) => areCounts(count, first, last) && isList(messages) },
  tally: { isWhole: ({ answered, hard, surges }) => isCount(answered) && isRow(hard) && isRow(surges) },
} satisfies Partial<Record<Table, Rule>>

const OF_SENDING = {
  'tls-policy': { isWhole: ({ domain, expiresAt }) => isText(domain) && isNumber(expiresAt), ...named('domain') },
  'tls-tally': {
    isWhole: ({ day, domain, policy, ok, failed, failures }, key) =>
      areTexts(day, domain) &&
      isRow(policy) &&
      areCounts(ok, failed) &&
      each(failures, ({ count }) => isCount(count)) &&
      startsWith(key, textKey(String(day), String(domain))),
  },
  suspension: {
    isWhole: ({ kind, name, who, why, since, until, rate }) =>
      areTexts(kind, name, who, why) && areCounts(since, until) && (rate === undefined || isRow(rate)),
    ...named('kind', 'name'),
  },
  pace: {
    isWhole: ({ name, savedAt, since, why, usual, snapshot }) =>
      areTexts(name, why) && areCounts(savedAt, since, usual) && isRow(snapshot),
    ...named('name'),
  },
  quota: {
    isWhole: ({ savedAt, perMs, pieces, lease }) =>
      areCounts(savedAt, perMs, lease) && each(pieces, ({ ageMs, count }) => isNumber(ageMs) && isCount(count)),
  },
  drain: {
    isWhole: ({ name, who, why, since }) => areTexts(name, who, why) && isNumber(since),
    ...named('name'),
  },
  'source-tally': {
    isWhole: ({ source, provider, hours }) =>
      areTexts(source, provider) &&
      each(hours, ({ hour, delivered, judged, against, complaints }) =>
        areCounts(hour, delivered, judged, against, complaints),
      ),
    ...named('source', 'provider'),
  },
  'warm-up': { isWhole: ({ since, step, day }) => isText(since) && areCounts(step, day) },
} satisfies Partial<Record<Table, Rule>>

const HOUR_PREFIX = textKey('hour')
const RECENT_PREFIX = textKey('recent')

const OTHERS = {
  health: {
    isWhole: (row: unknown, key) =>
      startsWith(key, HOUR_PREFIX)
        ? key.length > HOUR_PREFIX.length + HOUR_BYTES && isList(row) && areCounts(...row)
        : startsWith(key, RECENT_PREFIX)
          ? isList(row) && row.every((piece) => isList(piece) && areCounts(...piece))
          : isRow(row),
  },
  meta: { isWhole: () => true },
} satisfies Partial<Record<Table, Rule>>

const RULES: Readonly<Record<Table, Rule>> = { ...OF_MAIL, ...OF_RECORDS, ...OF_SENDING, ...OTHERS }

/** What is wrong with one row, a sentence each. */
export function* faultsOfRow(store: Pick<Store, 'get'>, table: Table, { key, value }: Entry): Iterable<string> {
  const { isWhole, keyOf, needs } = RULES[table]
  const name = `${table} ${nameOf(table, key)}`
  const row = isWhole === undefined ? {} : read(value)
  if (row === undefined) return yield `${name} cannot be read`
  if (row === null || isWhole?.(row as Row, key) === false) return yield `${name} is not whole`
  if (keyOf !== undefined && !key.equals(keyOf(row as Row))) return yield `${name} stands in the place of another`
  for (const { table: other, key: wanted } of needs?.(row as Row, key) ?? [])
    if (store.get(other, wanted) === undefined)
      yield `${name} needs ${other} ${nameOf(other, wanted)}, which is not there`
}

function read(value: Buffer): unknown {
  try {
    return decode<unknown>(value)
  } catch {
    return undefined // damaged: that is the finding
  }
}

function startsWith(key: Buffer, prefix: Buffer): boolean {
  return key.subarray(0, prefix.length).equals(prefix)
}

const BY_ID: ReadonlySet<Table> = new Set([
  'message',
  'body',
  'body-file',
  'recipient',
  'held',
  'report',
  'report-raw',
  'report-by-message',
  'unsubscribe',
  'journal-by-message',
])

/** For people: an id, a time, or the texts of the key. */
function nameOf(table: Table, key: Buffer): string {
  if (table === 'journal' && key.length === JOURNAL_KEY_BYTES) {
    const { time, sequence } = readJournalKey(key)
    return `${time}-${sequence}`
  }
  if (BY_ID.has(table) && key.length >= ID_BYTES) return readId(key, 0)
  const texts = key.toString().replace(/[^\x20-\x7e\u00a0-\uffef]+/g, ' ')
  return JSON.stringify(texts.trim().slice(0, 120))
}
