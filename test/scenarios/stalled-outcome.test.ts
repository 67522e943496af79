// An outcome that waits for room in the store, and a report that comes when there is room again but the outcome still
// waits its turn: the report must not be overwritten by what was before it.

import { expect, test } from 'vitest'
import { parseAddress } from '../../src/mail/address.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createCore } from '../../src/queue/core.ts'
import type { Flight } from '../../src/queue/flight.ts'
import { decode } from '../../src/store/codec.ts'
import { partKey } from '../../src/store/keys.ts'
import { type Store, StoreError } from '../../src/store/store.ts'
import { HOUR, SECOND } from '../../src/util/clock.ts'
import { settingsOf } from '../inbound/harness.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'

const REFUSED = {
  kind: 'reply',
  command: 'RCPT',
  reply: { code: 550, enhanced: '5.1.1', lines: ['5.1.1 User unknown'] },
} as const

test('a bounce does not overtake the delivery it is about', async () => {
  const clock = new FakeClock()
  const inner = memoryStore()
  const disk = { hasRoom: true }
  const store: Store = Object.assign(Object.create(inner), {
    write: (writes: Parameters<Store['write']>[0]) =>
      disk.hasRoom ? inner.write(writes) : Promise.reject(new StoreError('full', 'no room')),
  })
  const core = createCore({ store, settings: settingsOf({}), hostname: 'relay.test', clock, logger: silentLogger() })
  const { queue } = core
  const flights: Flight[] = []
  queue.listen({ claimed: (claimed) => void flights.push(...claimed), due: () => undefined })
  const body = queue.openBody()
  await body.write(Buffer.from('Subject: x\r\n\r\nHello\r\n'))
  const { text: address, domain } = parseAddress('jane@example.net')!
  const { id } = await queue.accept(body, {
    tenant: 'default',
    sender: parseAddress('app@sender.test')!.text,
    expiresAt: clock.now() + HOUR,
    sizeBytes: 20,
    prefix: '',
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId: '<a@sender.test>' },
    client: { address: '127.0.0.1', listener: 'trusted' },
    to: [{ address, domain }],
  })
  const stored = () => decode<{ state: { kind: string } }>(store.get('recipient', partKey(id, 0))!).state.kind
  const bounce = () => queue.bounced({ id, n: 0, cause: REFUSED, record: {}, writesOf: () => [] })

  disk.hasRoom = false
  const reply = { code: 250, lines: ['ok'] }
  const settled = queue.settle(flights[0]!, {
    kind: 'delivered',
    reply,
    way: { site: 'mx.example.net', source: 'default', mx: 'mx.example.net', durationMs: 1 },
  })
  await clock.advance(0)
  disk.hasRoom = true
  await expect(bounce()).rejects.toMatchObject({ code: 'full' })
  await clock.advance(SECOND)
  await settled
  expect(stored()).toBe('delivered')
  await bounce()
  expect(stored()).toBe('bounced')
  expect(core.suppressions.get('default', 'jane@example.net')).toMatchObject({ reason: 'hard_bounce' })
})
