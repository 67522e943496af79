// The promise of the 250: it is said after fdatasync and never before, never at all when fdatasync fails or does not
// come back. Then the relay ends itself with exit code 70, because it cannot know what is on the disk.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { readId } from '../../src/util/id.ts'
import { ChildRelay, endChildren } from '../support/child-relay.ts'
import { cutPower, type Fault, flushFaults, imageDisk, noFlushFaults, noImageDisk, unmountAll } from './bad-disk.ts'
import { readRemains, withDeadStore } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { randomOf, sendOne, startLoad } from './submit.ts'

afterEach(async () => {
  await endChildren({ keepFolders: true })
  unmountAll()
  await endChildren()
})

const EX_SOFTWARE = 70
/** 452 at MAIL, or a closed connection, is for those who come while the relay is about to end. */
const NOT_ACCEPTED = /^451 4\.3\.0 |^452 4\.3\.1 |^$/
const LOCAL_PROBLEM = /^451 4\.3\.0 /

describe('a slow fdatasync', () => {
  test('holds back the 250 for as long as it takes', async ({ skip }) => {
    skip(noFlushFaults !== undefined, noFlushFaults)
    const faults = flushFaults()
    await using mx = await RecordingMx.start()
    const relay = await ChildRelay.start({ mxPort: mx.port, env: faults.env })
    const fast = await timed(() => sendOne(relay.port, 'fast'))
    expect(fast.reply).toMatch(/^250 /)
    for (const delayMs of [400]) {
      faults.begin('delay', String(delayMs))
      // Small, and of several chunks: each of them is flushed.
      for (const sizeBytes of [500, 700_000]) {
        const slow = await timed(() => sendOne(relay.port, `slow-${delayMs}-${sizeBytes}`, sizeBytes))
        expect(slow.reply).toMatch(/^250 /)
        expect(slow.ms).toBeGreaterThanOrEqual(delayMs)
      }
    }
    expect(fast.ms).toBeLessThan(400)
    expect(faults.hits('delay')).toBeGreaterThan(0)
  })

  test.for([
    ['of the store', 500],
    ['of the file of a large body', 700_000],
  ] as const)(
    '%s that never comes back: no 250, and the relay ends after 30 s',
    { timeout: 60_000 },
    async ([, sizeBytes], { skip }) => {
      skip(noFlushFaults !== undefined, noFlushFaults)
      const faults = flushFaults()
      await using mx = await RecordingMx.start()
      const relay = await ChildRelay.start({ mxPort: mx.port, env: faults.env })
      expect(await sendOne(relay.port, 'before')).toMatch(/^250 /)
      faults.begin('hang')
      const hung = await timed(() => sendOne(relay.port, 'hung', sizeBytes))
      expect(hung.reply).toMatch(LOCAL_PROBLEM)
      expect(hung.ms).toBeGreaterThan(25_000)
      expect(faults.hits('hang')).toBeGreaterThan(0)
      expect(await relay.exited).toEqual({ code: EX_SOFTWARE, signal: null })
    },
  )
})

describe('an I/O error', () => {
  test.for<[string, Fault]>([
    ['of fdatasync', 'eio'],
    ['of the write that makes a commit count', 'eio-meta'],
  ])('%s: no 250, exit 70, and everything acknowledged is there after a restart', async ([, fault], { skip }) => {
    skip(noFlushFaults !== undefined, noFlushFaults)
    const faults = flushFaults()
    await using mx = await RecordingMx.start()
    mx.answer = () => 'defer'
    const options = { mxPort: mx.port, env: faults.env, queue: 'retry = ["5s"]' }
    const relay = await ChildRelay.start(options)
    const acked = new Set<string>()
    for (let n = 0; n < 20; n++) {
      expect(await sendOne(relay.port, `acked${n}`)).toMatch(/^250 /)
      acked.add(`acked${n}`)
    }
    // Settled, so that no settlement is what the fault hits.
    while (relay.count('deferred') < acked.size) await relay.loggedMore()
    faults.begin(fault)
    // Several at once: one group of writes, all of which fail together.
    const replies = await Promise.all(Array.from({ length: 10 }, (_, n) => sendOne(relay.port, `failed${n}`)))
    for (const [n, reply = ''] of replies.entries()) {
      if (reply.startsWith('250 '))
        acked.add(`failed${n}`) // Before the fault: a settlement may be what it hit.
      else expect(reply).toMatch(NOT_ACCEPTED)
    }
    // A settlement may be what it hit, and then all of them may come too late to hear anything but a closed connection.
    const heard = replies.map((reply = '') => reply).filter((reply) => reply !== '' && !reply.startsWith('452 '))
    expect(heard.every((reply) => LOCAL_PROBLEM.test(reply) || reply.startsWith('250 '))).toBe(true)
    expect(await relay.exited).toEqual({ code: EX_SOFTWARE, signal: null })
    expect(faults.hits(fault)).toBe(1)
    expect(relay.log).toContainEqual(expect.objectContaining({ event: 'store-failed', level: 'error' }))
    expect((await readRemains(relay.data)).problems).toEqual([])
    mx.answer = () => 'take'
    const again = await ChildRelay.start({ ...options, folder: relay.folder })
    expect(await mx.arrived(acked, 15_000)).toEqual([])
    expect(await sendOne(again.port, 'after')).toMatch(/^250 /)
  })
})

test('an I/O error in flushing a large body: no 250, exit 70, and nothing is left after a restart', async ({
  skip,
}) => {
  skip(noFlushFaults !== undefined, noFlushFaults)
  const faults = flushFaults()
  await using mx = await RecordingMx.start()
  mx.answer = () => 'defer'
  const options = { mxPort: mx.port, env: faults.env, queue: 'retry = ["2s"]' }
  const relay = await ChildRelay.start(options)
  expect(await sendOne(relay.port, 'acked', 700_000)).toMatch(/^250 /)
  await relay.logged('deferred')
  const [kept] = readdirSync(join(relay.data, 'body'))
  faults.begin('eio')
  expect(await sendOne(relay.port, 'failed', 700_000)).toMatch(LOCAL_PROBLEM)
  expect(await relay.exited).toEqual({ code: EX_SOFTWARE, signal: null })
  expect(faults.hits('eio')).toBe(1)
  expect(relay.log).toContainEqual(expect.objectContaining({ event: 'store-failed', level: 'error' }))
  expect(await readRemains(relay.data)).toMatchObject({ problems: [], orphans: 1, bodies: 1 })
  mx.answer = () => 'take'
  const again = await ChildRelay.start({ ...options, folder: relay.folder })
  await expect.poll(() => readdirSync(join(relay.data, 'body')).filter((id) => id !== kept)).toEqual([])
  expect(await mx.arrived(['acked'], 10_000)).toEqual([])
  expect(mx.copies.has('failed')).toBe(false)
  expect(again.hasEnded).toBe(false)
})

describe('a power cut', () => {
  test('under load, three times: every acknowledged message is there', { timeout: 60_000 }, async ({
    skip,
    annotate,
  }) => {
    skip(noImageDisk !== undefined, noImageDisk)
    const random = randomOf(4)
    const disk = imageDisk(96)
    await using mx = await RecordingMx.start()
    mx.answer = () => 'defer'
    const acked = new Set<string>()
    let folder: string | undefined
    let largeBodies: Awaited<ReturnType<typeof largeBodiesOf>> = []
    for (let cut = 0; cut < 3; cut++) {
      const relay = await ChildRelay.start({
        mxPort: mx.port,
        data: `${disk.path}/data`,
        queue: 'retry = ["10m"]',
        ...(folder === undefined ? {} : { folder }),
      })
      folder = relay.folder
      let count = 0
      const nextMail = () => ({
        ids: [`c${cut}m${count++}`],
        sizeBytes: random() < 0.9 ? 6000 * random() : 300_000 + 400_000 * random(),
      })
      const load = startLoad({ port: relay.port, clients: 8, acked, nextMail })
      await new Promise((resolve) => setTimeout(resolve, 300 + 500 * random()))
      relay.signal('SIGSTOP')
      cutPower(disk)
      await relay.kill()
      load.stop()
      await load.ended
      disk.unmount()
      disk.mount()
      expect((await readRemains(relay.data)).problems).toEqual([])
      largeBodies = await largeBodiesOf(relay.data)
      expect(largeBodies.filter(({ isWhole }) => !isWhole)).toEqual([])
    }
    expect(largeBodies.length).toBeGreaterThan(0)
    mx.answer = () => 'take'
    const last = await ChildRelay.start({ mxPort: mx.port, data: `${disk.path}/data`, folder: folder! })
    await last.retryAll()
    const missing = await mx.arrived(acked, 20_000)
    await annotate(`${acked.size} acknowledged, ${missing.length} lost`)
    expect(acked.size).toBeGreaterThan(100)
    expect(missing).toEqual([])
  })

  test('while it runs: no 250 any more, and exit 70', async ({ skip }) => {
    skip(noImageDisk !== undefined, noImageDisk)
    const disk = imageDisk(64)
    await using mx = await RecordingMx.start()
    const options = { mxPort: mx.port, data: `${disk.path}/data` }
    const relay = await ChildRelay.start(options)
    expect(await sendOne(relay.port, 'before')).toMatch(/^250 /)
    cutPower(disk)
    expect(await sendOne(relay.port, 'after')).toMatch(LOCAL_PROBLEM)
    expect(await relay.exited).toEqual({ code: EX_SOFTWARE, signal: null })
    disk.unmount()
    disk.mount()
    const again = await ChildRelay.start({ ...options, folder: relay.folder })
    expect(await sendOne(again.port, 'again')).toMatch(/^250 /)
    expect(await mx.arrived(['before', 'again'], 10_000)).toEqual([])
  })
})

/** Whether the bytes are those that were sent: a file may have its size and still be full of zeros. */
function largeBodiesOf(data: string): Promise<{ readonly id: string; readonly isWhole: boolean }[]> {
  return withDeadStore(data, (store) =>
    store.keys('body-file', {}).map((key) => {
      const id = readId(key, 0)
      const text = readFileSync(store.bodies.pathOf(id), 'latin1')
      return { id, isWhole: /^Subject: [\s\S]{1,300}\r\n\r\n(?:x{76}\r\n)+$/.test(text) }
    }),
  )
}

async function timed(action: () => Promise<string | undefined>): Promise<{ reply: string | undefined; ms: number }> {
  const startedAt = performance.now()
  const reply = await action()
  return { reply, ms: performance.now() - startedAt }
}
