// Claims on a store with entries that do not fit: nobody is lost and the lane is not forgotten.

import { expect, test } from 'vitest'
import { memoryStore } from '../../test/support/memory-store.ts'
import type { Domain, EmailAddress } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import { dueKey, readDueKey } from '../store/keys.ts'
import { formatId } from '../util/id.ts'
import { type ClaimParts, claimsOf } from './claims.ts'

const lane = { tenant: 'default', domain: 'a.test' as Domain }
const id = (n: number): string => formatId(n, 0)
const recipient = (n: number, dueAt: number): Recipient => ({
  id: id(n),
  n: 0,
  tenant: 'default',
  address: 'jane@a.test' as EmailAddress,
  state: { kind: 'waiting', attempts: 0, dueAt },
})

async function partsWith(dues: Record<number, number>, recipients: readonly Recipient[]): Promise<ClaimParts> {
  const store = memoryStore()
  await store.write(
    Object.entries(dues).map(([n, dueAt]) => ({
      table: 'due' as const,
      key: dueKey({ ...lane, dueAt, id: id(Number(n)), n: 0 }),
      value: Buffer.alloc(0),
    })),
  )
  return {
    store,
    isBusy: () => false,
    recipient: (of) => recipients.find((each) => each.id === of),
    message: (of) => ({ id: of }) as Message,
    dueAfter: () => 5000,
    onStale: () => undefined,
  }
}

test('claims up to the limit and says when the next is due', async () => {
  const parts = await partsWith({ 1: 10, 2: 20, 3: 900 }, [recipient(1, 10), recipient(2, 20), recipient(3, 900)])
  expect(claimsOf(parts, lane, 1, 100)).toMatchObject({ flights: [{ recipient: { id: id(1) } }], firstDue: 20 })
  expect(claimsOf(parts, lane, 5, 100)).toMatchObject({ flights: [{}, {}], firstDue: 900 })
  expect(claimsOf(parts, lane, 5, 1000)).toMatchObject({ flights: [{}, {}, {}], firstDue: undefined })
})

test('an entry at the wrong time is mended, not dropped, and the lane goes on', async () => {
  const parts = await partsWith({ 1: 10, 2: 20, 3: 30 }, [recipient(1, 11), recipient(3, 30)])
  const claims = claimsOf(parts, lane, 2, 100)
  expect(claims.flights).toEqual([])
  expect(claims.firstDue).toBe(11)
  const due = claims.writes.filter(({ table }) => table === 'due')
  expect(due.filter(({ value }) => value === undefined).map(({ key }) => readDueKey(key).dueAt)).toEqual([10, 20])
  expect(due.filter(({ value }) => value !== undefined).map(({ key }) => readDueKey(key).dueAt)).toEqual([11])
})
