// Passes over what is held: who ends when, and that nobody looks at the store while nothing can be over.

import { expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createCore } from '../../src/queue/core.ts'
import { HeldExpiry } from '../../src/queue/held-expiry.ts'
import type { Store } from '../../src/store/store.ts'
import { HOUR } from '../../src/util/clock.ts'
import { settingsOf } from '../inbound/harness.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'

const never = new AbortController().signal

async function start() {
  const clock = new FakeClock()
  const inner = memoryStore()
  const looks = { count: 0 }
  const store: Store = Object.assign(Object.create(inner), {
    keys: (...args: Parameters<Store['keys']>) => {
      if (args[0] === 'held') looks.count++
      return inner.keys(...args)
    },
  })
  const core = createCore({ store, settings: settingsOf({}), hostname: 'relay.test', clock, logger: silentLogger() })
  const hold = async (hours: number, count = 1): Promise<string> => {
    const body = core.queue.openBody()
    await body.write(Buffer.from('Subject: x\r\n\r\nHello\r\n'))
    const { id } = await core.queue.accept(body, {
      tenant: 'default',
      sender: '',
      expiresAt: clock.now() + hours * HOUR,
      sizeBytes: 20,
      prefix: '',
      body: '7bit',
      smtpUtf8: false,
      headers: { messageId: '<a@sender.test>' },
      client: { address: '127.0.0.1', listener: 'trusted' },
      sendAt: clock.now() + HOUR / 2,
      to: Array.from({ length: count }, (_, n) => {
        const { text: address, domain } = parseAddress(`user${n}@example.net`)!
        return { address, domain }
      }),
    })
    await core.operator.hold({ select: { ids: [{ id }] }, who: 'cli:ann', why: 'ticket 7' })
    return id
  }
  const stateOf = (id: string, n = 0) => core.queue.recipient(id, n)?.state.kind
  return { clock, core, looks, hold, stateOf, store }
}

test('each ends when its own life is over, in whatever order they came; the last takes its body along', async () => {
  const { clock, core, hold, stateOf, store } = await start()
  const [long, short, many] = [await hold(5), await hold(1), await hold(2, 250)]
  expect(await core.heldExpiry.pass(never)).toBe(0)
  await clock.advance(HOUR)
  expect(await core.heldExpiry.pass(never)).toBe(0)
  await clock.advance(1)
  expect(await core.heldExpiry.pass(never)).toBe(1)
  expect([long, short, many].map((id) => stateOf(id))).toEqual(['held', 'expired', 'held'])
  await clock.advance(HOUR)
  expect(await core.heldExpiry.pass(never)).toBe(250)
  expect([stateOf(many, 0), stateOf(many, 249)]).toEqual(['expired', 'expired'])
  expect(store.count('held')).toBe(1)
  expect(store.count('body')).toBe(1)
})

test('nobody looks while nothing can be over; who is held later, or was released, is not forgotten', async () => {
  const { clock, core, looks, hold, stateOf } = await start()
  const long = await hold(5)
  await core.heldExpiry.pass(never)
  looks.count = 0
  for (let n = 0; n < 100; n++) await core.heldExpiry.pass(never)
  expect(looks.count).toBe(0)
  const short = await hold(1)
  await core.heldExpiry.pass(never)
  expect(looks.count).toBe(1)
  await core.operator.release({ select: { ids: [{ id: long }] }, who: 'cli:ann', why: 'ticket 7' })
  await clock.advance(6 * HOUR)
  expect(await core.heldExpiry.pass(never)).toBe(1)
  expect([stateOf(long), stateOf(short)]).toEqual(['waiting', 'expired'])
})

test('what was held before a start ends too', async () => {
  const { clock, core, hold, store, stateOf } = await start()
  const id = await hold(1)
  await clock.advance(2 * HOUR)
  expect(await new HeldExpiry({ store, queue: core.queue, clock }).pass(never)).toBe(1)
  expect(stateOf(id)).toBe('expired')
})
