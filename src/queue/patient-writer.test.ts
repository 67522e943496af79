// Writes while the store has no room: none is lost, none overtakes another, each is composed anew for the try that holds.

import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryStore } from '../../test/support/memory-store.ts'
import { silentLogger } from '../observe/logger.ts'
import { type Store, StoreError, type Write } from '../store/store.ts'
import { PatientWriter } from './patient-writer.ts'

/** As the real one: from the first refusal on it refuses everything until there is room. */
function fullStore(): { store: Store; written: string[]; disk: { hasRoom: boolean } } {
  const inner = memoryStore()
  const written: string[] = []
  const disk = { hasRoom: false }
  const write = async (writes: readonly Write[]): Promise<void> => {
    if (!disk.hasRoom) throw new StoreError('full', 'no room')
    await inner.write(writes)
    written.push(...writes.map(({ value }) => String(value)))
  }
  return { store: Object.assign(Object.create(inner), { write }) as Store, written, disk }
}

const put = (text: string) => () => [{ table: 'meta' as const, key: Buffer.from('k'), value: Buffer.from(text) }]

test('what was refused goes first, in order, before what came later', async () => {
  const clock = new FakeClock()
  const { store, written, disk } = fullStore()
  const writer = new PatientWriter({ store, clock, logger: silentLogger() })
  const ends = [writer.write(put('held')), writer.write(put('delivered'))]
  await clock.advance(0)
  ends.push(writer.write(put('bounced')))
  await clock.advance(1500)
  expect(written).toEqual([])
  disk.hasRoom = true
  ends.push(writer.write(put('pruned')))
  await clock.advance(1000)
  await Promise.all(ends)
  expect(written).toEqual(['held', 'delivered', 'bounced', 'pruned'])
})

test('each try composes anew; the last one counts', async () => {
  const clock = new FakeClock()
  const { store, written, disk } = fullStore()
  const writer = new PatientWriter({ store, clock, logger: silentLogger() })
  let tries = 0
  const done = writer.write(() => put(`try ${++tries}`)())
  await clock.advance(0)
  await clock.advance(1000)
  disk.hasRoom = true
  await clock.advance(1000)
  await done
  expect(written).toEqual(['try 3'])
})

test('a store that failed is not waited for', async () => {
  const failing = {
    ...memoryStore(),
    write: () => Promise.reject(new StoreError('failed', 'EIO')),
  }
  const writer = new PatientWriter({ store: failing, clock: new FakeClock(), logger: silentLogger() })
  await expect(writer.write(put('x'))).rejects.toMatchObject({ code: 'failed' })
})
