// What a stranger's report may cost: it can name many messages and many addresses, and each look is a read of the store.

import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { parsedReport } from '../../test/support/report-entry.ts'
import type { EmailAddress } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import { idMaker } from '../util/id.ts'
import { resolve } from './resolve.ts'

const clock = new FakeClock()
const makeId = idMaker(clock, 1)

/** Every Message-ID is that of twenty messages, every message has a thousand recipients, all of one subject. */
function bulk() {
  const ids = Array.from({ length: 20 }, makeId)
  const reads = { count: 0 }
  const recipient = (id: string, n: number): Recipient => {
    reads.count++
    const address = `user${n}@example.net` as EmailAddress
    return { id, n, tenant: 'default', address, state: { kind: 'delivered', at: 0 } }
  }
  const message = (id: string) => {
    reads.count++
    return { id, recipients: 1000, headers: { messageId: '<m@x.test>', subject: 'News' } } as Message
  }
  const parts = {
    queue: { recipient, message },
    journal: { messagesTo: () => ids, messagesWithHeader: () => ids },
    keys: [],
    clock,
  }
  return { parts, reads }
}

const named = (address: string) => ({ address, action: 'failed' as const, diagnostic: '' })
const references = Array.from({ length: 20 }, (_, n) => `r${n}@x.test`)

test('finds the last recipient of a large message', () => {
  const { parts } = bulk()
  const report = parsedReport({ kind: 'dsn', recipients: [named('USER999@example.net')], references })
  expect(resolve(parts, report, { kind: 'foreign' })).toMatchObject({ n: 999, evidence: 'message-id' })
})

test('gives up after some thousand reads, whatever a report names', () => {
  const { parts, reads } = bulk()
  const recipients = Array.from({ length: 100 }, (_, n) => named(`nobody${n}@example.net`))
  const report = parsedReport({ kind: 'dsn', recipients, references, subject: 'News' })
  expect(resolve(parts, report, { kind: 'foreign' })).toBeUndefined()
  expect(reads.count).toBeLessThan(3100)
})
