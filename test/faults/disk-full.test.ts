// No room, no acceptance: on a full disk every message gets 250 or 452, never a false 250; the relay lives, keeps the
// outcomes of attempts under way, and accepts again when there is room, without a restart.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ChildRelay, endChildren } from '../support/child-relay.ts'
import { type Disk, imageDisk, memoryDisk, noImageDisk, noSmallDisk, unmountAll } from './bad-disk.ts'
import { readRemains } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { openSession, sendOne, submit } from './submit.ts'

afterEach(async () => {
  await endChildren({ keepFolders: true })
  unmountAll()
  await endChildren()
})

const MIB = 2 ** 20
const NO_ROOM = /^452 4\.3\.1 /
const REFUSALS = 12
const ROOM_AGAIN_LIMIT_MS = 15_000

interface Kind {
  readonly name: string
  readonly skip: string | undefined
  readonly minFree: string
  /** What makes room again when it goes. */
  readonly fillerMib: number
  readonly make: () => Disk
}

const kinds: readonly Kind[] = [
  { name: 'tmpfs, min_free off', skip: noSmallDisk, minFree: '0', fillerMib: 6, make: () => memoryDisk(24) },
  { name: 'tmpfs, min_free 8 MiB', skip: noSmallDisk, minFree: '8MiB', fillerMib: 14, make: () => memoryDisk(40) },
  { name: 'ext4, min_free off', skip: noImageDisk, minFree: '0', fillerMib: 6, make: () => imageDisk(32) },
  { name: 'ext4, min_free 8 MiB', skip: noImageDisk, minFree: '8MiB', fillerMib: 14, make: () => imageDisk(48) },
]

describe.each(kinds)('$name', ({ skip: reason, minFree, fillerMib, make }) => {
  test('452 while there is no room, 250 when there is again, nothing lost', async ({ skip, annotate }) => {
    skip(reason !== undefined, reason)
    const disk = make()
    const filler = join(disk.path, 'filler')
    writeFileSync(filler, Buffer.alloc(fillerMib * MIB))
    await using mx = await RecordingMx.start()
    // Taken, but the answer comes only when the disk is full: outcomes under way.
    const isFull = Promise.withResolvers<void>()
    mx.answer = (id) => (id.startsWith('under-way') ? { until: isFull.promise } : 'defer')
    const relay = await ChildRelay.start({
      mxPort: mx.port,
      minFree,
      data: join(disk.path, 'data'),
      delivery: 'connections = 40',
      queue: 'retry = ["2s"]',
    })
    const acked = new Set<string>()
    const underWay = Array.from({ length: 20 }, (_, n) => `under-way-${n}`)
    for (const id of underWay) expect(await sendOne(relay.port, id)).toMatch(/^250 /)
    const small = await flood(relay, { name: 'small', sizeBytes: 20_000, acked })
    const large = await flood(relay, { name: 'large', sizeBytes: 400_000, acked })
    const tiny = await flood(relay, { name: 'tiny', sizeBytes: 200, acked })
    const refused = [...small, ...large, ...tiny].filter((reply) => !reply.startsWith('250 '))
    expect(refused.filter((reply) => !NO_ROOM.test(reply))).toEqual([])
    expect(relay.hasEnded).toBe(false)
    expect(await mx.arrived(underWay, 5000)).toEqual([])
    isFull.resolve()
    // Still full: the outcomes have to wait.
    expect((await sendOne(relay.port, 'still-full', 400_000)) ?? '').toMatch(NO_ROOM)

    rmSync(filler)
    const after = await sendUntilAccepted(relay, 'after')
    acked.add(after)
    mx.answer = () => 'take'
    await annotate(
      `${acked.size} acknowledged before and after ${refused.length} refusals; outcomes waited ${relay.count('queue.waits-for-room')} times`,
    )
    expect(acked.size).toBeGreaterThan(50)
    expect(await mx.arrived(acked, 20_000)).toEqual([])
    expect((await relay.stop()).code).toBe(0)
    const { records, problems, orphans } = await readRemains(relay.data)
    expect(problems).toEqual([])
    expect(orphans).toBe(0)
    for (const id of [...underWay, ...acked]) {
      expect(mx.copies.get(id), id).toHaveLength(1)
      expect(
        records.filter(({ kind, recipient }) => kind === 'delivered' && recipient === `${id}@dest.test`),
        id,
      ).toHaveLength(1)
    }
  })
})

test('a relay that was killed on a full disk starts again and says 452', async ({ skip }) => {
  skip(noSmallDisk !== undefined, noSmallDisk)
  const disk = memoryDisk(16)
  const reserve = join(disk.path, 'reserve')
  writeFileSync(reserve, Buffer.alloc(4 * MIB))
  await using mx = await RecordingMx.start()
  mx.answer = () => 'defer'
  const options = { mxPort: mx.port, data: join(disk.path, 'data') }
  const relay = await ChildRelay.start(options)
  const acked = new Set<string>()
  await flood(relay, { name: 'kept', sizeBytes: 60_000, acked })
  await relay.kill()
  fill(disk)
  const again = await ChildRelay.start({ ...options, folder: relay.folder })
  expect((await sendOne(again.port, 'no-room', 200_000)) ?? '').toMatch(NO_ROOM)
  rmSync(reserve)
  mx.answer = () => 'take'
  expect(await mx.arrived(acked, 20_000)).toEqual([])
})

/** Sends until REFUSALS messages have been refused; with every answer. */
async function flood(
  relay: ChildRelay,
  given: { name: string; sizeBytes: number; acked: Set<string> },
): Promise<string[]> {
  const replies: string[] = []
  let refused = 0
  let count = 0
  const run = async (): Promise<void> => {
    while (refused < REFUSALS) {
      const client = await openSession(relay.port)
      if (client === undefined) throw new Error('the relay is gone')
      const id = `${given.name}-${count++}`
      const reply = (await submit(client, { ids: [id], sizeBytes: given.sizeBytes })) ?? 'closed'
      client.close()
      replies.push(reply)
      if (reply.startsWith('250 ')) given.acked.add(id)
      else refused++
    }
  }
  await Promise.all(Array.from({ length: 4 }, run))
  return replies
}

async function sendUntilAccepted(relay: ChildRelay, name: string): Promise<string> {
  const limit = performance.now() + ROOM_AGAIN_LIMIT_MS
  for (let n = 0; performance.now() < limit; n++) {
    const reply = await sendOne(relay.port, `${name}-${n}`)
    if (reply?.startsWith('250 ')) return `${name}-${n}`
    expect(reply).toMatch(NO_ROOM)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('there is room, but it is not accepted')
}

/** Takes the last byte. */
function fill(disk: Disk): void {
  const path = join(disk.path, 'filler')
  for (const size of [MIB, 4096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size, 1), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}
