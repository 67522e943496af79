// The look at lanes that are kept back: what a look costs is bounded, a lane in which nothing happens is not read again
// before somebody in it is over, and nobody is left out.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Lanes } from '../src/dispatch/lanes.ts'
import { Attempts } from '../src/dispatch/runner-attempts.ts'
import { OverdueLook } from '../src/dispatch/runner-overdue.ts'
import { parseAddress } from '../src/mail/address.ts'
import type { Message, Recipient } from '../src/mail/message.ts'
import { silentLogger } from '../src/observe/logger.ts'
import { acceptanceOf } from '../src/queue/acceptance.ts'
import { createCore } from '../src/queue/core.ts'
import { openStore } from '../src/store/lmdb.ts'
import { QuotaBook } from '../src/throttle/quota-book.ts'
import { Throttle } from '../src/throttle/throttle.ts'
import { type Clock, HOUR, MINUTE } from '../src/util/clock.ts'
import { settingsWith } from './support/delivery-settings.ts'
import { FakeClock } from './support/fake-clock.ts'

let open = new AsyncDisposableStack()
afterEach(async () => {
  await open.disposeAsync()
  open = new AsyncDisposableStack()
})

function start(mostRead: number) {
  const directory = mkdtempSync(join(tmpdir(), 'studs-overdue-'))
  open.defer(() => rmSync(directory, { recursive: true, force: true }))
  const clock = new FakeClock(Date.UTC(2026, 0, 1))
  const logger = silentLogger()
  const store = openStore({ directory, mapSize: 2 ** 27, clock })
  open.defer(() => store.close())
  const core = createCore({ store, settings: settingsWith({}), hostname: 'relay.test', clock, logger })
  const lanes = new Lanes()
  core.queue.listen({ claimed: () => undefined, due: (lane, dueAt) => lanes.wake(lane, dueAt) })
  const quotas = new QuotaBook({ store, clock, onLease: () => undefined, onError: () => undefined })
  const deliver = () => Promise.reject(new Error('nobody is to be tried'))
  const attempts = new Attempts({
    queue: core.queue,
    delivery: { deliver },
    attemptOf: () => {
      throw new Error('nobody is to be tried')
    },
    throttle: new Throttle({ clock, quotas }),
    clock,
    logger,
  })
  /** Lanes that were read, in order. */
  const read: string[] = []
  const queue: Pick<typeof core.queue, 'claim'> = {
    claim: (lane, ...rest) => {
      read.push(lane.domain)
      return core.queue.claim(lane, ...rest)
    },
  }
  const kept = () => ['a', 'b', 'c', 'd'].flatMap((name) => lanes.find(laneOf(name)) ?? [])
  /** It is, again, when a look is over. */
  let isArmed = false
  const observed: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, work) => {
      isArmed = true
      return clock.after(ms, () => {
        isArmed = false
        work()
      })
    },
  }
  const look = new OverdueLook({ queue, attempts, clock: observed, logger, mostRead, lanes: kept })
  open.defer(() => look.close())
  const ended: string[] = []
  core.journal.follow(({ kind, recipient }) => void (kind === 'expired' && ended.push(recipient)))

  let made = 0
  const put = async (name: string, given: { lifeMs: number; dueInMs?: number }): Promise<void> => {
    const now = clock.now()
    const address = parseAddress(`jane${++made}@${name}.test`)!
    const message = messageOf({ id: core.makeId(), receivedAt: now, expiresAt: now + given.lifeMs })
    const { id, tenant } = message
    const state = { kind: 'waiting', attempts: 0, dueAt: now + (given.dueInMs ?? 0) } as const
    const recipient: Recipient = { id, n: 0, tenant, address: address.text, state }
    await store.write(acceptanceOf({ message, recipients: [recipient], to: [], journal: core.journal }).writes)
    lanes.wake({ tenant, domain: address.domain }, state.dueAt)
  }
  /** Which lanes were read in the looks of so many minutes. */
  const pass = async (ms: number): Promise<string> => {
    read.splice(0)
    for (let at = 0; at < ms; at += MINUTE) {
      await clock.advance(MINUTE)
      while (!isArmed) await new Promise(setImmediate)
    }
    return read.map((domain) => domain[0]).join('')
  }
  return { look, put, pass, ended }
}

const laneOf = (name: string) => ({ tenant: 'default', domain: parseAddress(`x@${name}.test`)!.domain })

function messageOf(of: Pick<Message, 'id' | 'receivedAt' | 'expiresAt'>): Message {
  return {
    ...of,
    tenant: 'default',
    sender: '',
    recipients: 1,
    sizeBytes: 1,
    prefix: '',
    chunks: 1,
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId: of.id },
    client: { address: '127.0.0.1', listener: 'x' },
  }
}

test('so many are read in one look, and the others first in the next', async () => {
  const { look, put, pass } = start(5)
  for (const name of ['a', 'b', 'c', 'd']) for (let n = 0; n < 3; n++) await put(name, { lifeMs: 48 * HOUR })
  look.arm()
  expect(await pass(MINUTE)).toBe('ab')
  expect(await pass(MINUTE)).toBe('cd')
  // The last of either look was cut short: only of these it is not known who stands behind.
  expect(await pass(58 * MINUTE)).toBe('')
  expect(await pass(3 * MINUTE)).toBe('bd')
})

test('a quiet lane is read again when the first in it is over, not before', async () => {
  const { look, put, pass, ended } = start(1000)
  await put('a', { lifeMs: 5 * HOUR })
  await put('a', { lifeMs: 30 * HOUR })
  look.arm()
  expect(await pass(MINUTE)).toBe('a')
  expect(await pass(298 * MINUTE)).toBe('')
  expect([await pass(2 * MINUTE), ended]).toEqual(['a', ['jane1@a.test']])
  // That was a change: once more within the hour.
  expect(await pass(24 * HOUR)).toBe('a')
})

test('who comes later and lives shorter is over within the hour, who is due later when it is', async () => {
  const { look, put, pass, ended } = start(1000)
  await put('a', { lifeMs: 48 * HOUR })
  await put('b', { lifeMs: 48 * HOUR })
  await put('b', { lifeMs: 3 * HOUR, dueInMs: 3 * HOUR })
  look.arm()
  expect(await pass(MINUTE)).toBe('ab')
  await put('a', { lifeMs: 10 * MINUTE })
  expect([await pass(60 * MINUTE), ended]).toEqual(['a', ['jane4@a.test']])
  expect([await pass(2 * HOUR), ended]).toEqual(['ab', ['jane4@a.test', 'jane3@b.test']])
})
