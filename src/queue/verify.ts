// `studs store verify`: reads the whole store and names every row that is damaged or leads to nothing (store/rows.ts), and
// every place where mail, its schedule and its body disagree. Changes nothing.

import type { Message, Recipient } from '../mail/message.ts'
import { isFinal } from '../mail/message.ts'
import { decode } from '../store/codec.ts'
import { idKey, partKey, prefixRange, readDueKey, readPartKey } from '../store/keys.ts'
import { faultsOfRow } from '../store/rows.ts'
import { type Store, TABLES, type Table } from '../store/store.ts'
import { readId } from '../util/id.ts'
import { placeOf } from './acceptance.ts'

export interface Verification {
  readonly counts: Readonly<
    Record<'messages' | 'recipients' | 'waiting' | 'held' | 'bodies' | 'records' | 'reports', number>
  >
  /** A sentence each; the first 100. */
  readonly problems: readonly string[]
  readonly problemCount: number
}

const PIECE = 1000
const MAX_PROBLEMS = 100

export async function verify(
  store: Store,
  progress: (done: number, total: number) => void = () => undefined,
): Promise<Verification> {
  const problems: string[] = []
  let problemCount = 0
  const problem = (sentence: string): void => {
    problemCount++
    if (problems.length < MAX_PROBLEMS) problems.push(sentence)
  }
  const tables: Table[] = [...TABLES, 'message', 'due', 'held', 'body', 'body-file']
  const total = tables.reduce((sum, table) => sum + store.count(table), 0)
  let done = 0
  const counts = {
    messages: 0,
    recipients: 0,
    waiting: 0,
    held: 0,
    bodies: 0,
    records: store.count('journal'),
    reports: store.count('report'),
  }
  const walk = (table: Table, look: (key: Buffer, value: Buffer) => void): Promise<void> =>
    eachEntry(store, table, (key, value) => {
      ifReadable(() => look(key, value))
      done++
      if (done % PIECE === 0) progress(done, total)
    })
  for (const table of TABLES)
    await walk(table, (key, value) => {
      for (const fault of faultsOfRow(store, table, { key, value })) problem(fault)
    })
  await walk('message', (_, value) => {
    const message = decode<Message>(value)
    counts.messages++
    counts.recipients += checkMessage(store, message, problem)
  })
  await walk('due', (key) => {
    counts.waiting++
    const { id, n, dueAt } = readDueKey(key)
    const recipient = readRecipient(store, id, n)
    if (recipient?.state.kind !== 'waiting' || recipient.state.dueAt !== dueAt)
      problem(`the schedule has ${id}.${n} at ${dueAt}, but it does not wait for then`)
    else if (!placeOf(recipient, dueAt).equals(key)) problem(`${id}.${n} stands in a lane that is not its own`)
  })
  await walk('held', (key) => {
    counts.held++
    const { id, n } = readPartKey(key)
    if (readRecipient(store, id, n)?.state.kind !== 'held') problem(`${id}.${n} stands among the held, but is not held`)
  })
  await walk('body', (key) => {
    const { id, n } = readPartKey(key)
    if (n === 0) counts.bodies++
    if (store.get('message', idKey(id)) === undefined) problem(`body ${id} has no message`)
  })
  const hasMessage = (id: string): boolean => store.get('message', idKey(id)) !== undefined
  await walk('body-file', (key, value) => {
    counts.bodies++
    const id = readId(key, 0)
    if (!hasMessage(id)) problem(`the body file of ${id} is listed, but there is no such message`)
    const [listed, found] = [decode<number>(value), store.bodies.sizeOf(id)]
    if (found === undefined) problem(`message ${id} lacks the file of its body`)
    else if (found !== listed) problem(`the file of the body of message ${id} has ${found} of ${listed} bytes`)
  })
  for (const id of store.bodies.ids()) {
    if (store.get('body-file', idKey(id)) === undefined)
      problem(`body ${id} has no message (a sweep at the next start removes it)`)
  }
  return { counts, problems, problemCount }
}

/** What is damaged has been named, and contradicts nothing. */
function ifReadable(look: () => void): void {
  try {
    look()
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)) throw error
  }
}

function checkMessage(store: Store, message: Message, problem: (sentence: string) => void): number {
  const recipients = store
    .range('recipient', prefixRange(idKey(message.id)))
    .map(({ value }) => decode<Recipient>(value))
  if (recipients.length !== message.recipients)
    problem(`message ${message.id} has ${recipients.length} of ${message.recipients} recipients`)
  for (const recipient of recipients) {
    const { id, n, state } = recipient
    if (state.kind === 'waiting' && store.get('due', placeOf(recipient, state.dueAt)) === undefined)
      problem(`${id}.${n} waits, but is not in the schedule`)
    if (state.kind === 'held' && store.get('held', partKey(id, n)) === undefined)
      problem(`${id}.${n} is held, but not among the held`)
  }
  if (recipients.every(({ state }) => isFinal(state))) return recipients.length
  if (store.get('body-file', idKey(message.id)) !== undefined) return recipients.length
  for (let chunk = 0; chunk < message.chunks; chunk++) {
    if (store.get('body', partKey(message.id, chunk)) === undefined)
      problem(`message ${message.id} lacks chunk ${chunk} of its body`)
  }
  return recipients.length
}

function readRecipient(store: Store, id: string, n: number): Recipient | undefined {
  const value = store.get('recipient', partKey(id, n))
  return value === undefined ? undefined : decode<Recipient>(value)
}

async function eachEntry(store: Store, table: Table, look: (key: Buffer, value: Buffer) => void): Promise<void> {
  let from: Buffer | undefined
  for (;;) {
    const entries = store.range(table, { ...(from === undefined ? {} : { from }), limit: PIECE })
    for (const { key, value } of entries) look(key, value)
    const last = entries.at(-1)
    if (last === undefined || entries.length < PIECE) return
    from = Buffer.concat([last.key, Buffer.from([0])])
    await new Promise((resolve) => setImmediate(resolve))
  }
}
