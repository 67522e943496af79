// Large bodies as files: there before the row that names them, gone after the commit that removes it, whole in a backup
// that is made meanwhile, and private.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bodyFileOf, readChunk, SpooledBody, sweepOrphans } from '../../src/queue/spool.ts'
import { BodyReader } from '../../src/store/body-reader.ts'
import { encode } from '../../src/store/codec.ts'
import { idKey, partKey, textKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { SCHEMA_VERSION } from '../../src/store/migrate.ts'
import { CHUNK_BYTES, type Store, type Write } from '../../src/store/store.ts'
import { systemClock } from '../../src/util/clock.ts'
import { idMaker } from '../../src/util/id.ts'
import { memoryDisk, noSmallDisk, unmountAll } from '../faults/bad-disk.ts'

let directory: string
let store: Store
const folders: string[] = []
const makeId = idMaker(systemClock, 0)

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'studs-bodies-'))
  folders.push(made)
  return made
}

const open = (at = directory): Store => openStore({ directory: at, mapSize: 2 ** 30, clock: systemClock })
const filesOf = (at: string): string[] => readdirSync(join(at, 'body')).sort()
const files = (): string[] => filesOf(directory)

beforeEach(() => {
  directory = folder()
  store = open()
})
afterEach(async () => {
  await store.close()
  unmountAll()
  for (const each of folders.splice(0)) rmSync(each, { recursive: true, force: true })
})

const bytesOf = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, at) => (at * 31) % 251))
const WHOLE = bytesOf(2 * CHUNK_BYTES + 1000)

async function spool(id: string, whole: Buffer, piece = 100_000): Promise<SpooledBody> {
  const body = new SpooledBody(store, id)
  for (let at = 0; at < whole.length; at += piece) await body.write(whole.subarray(at, at + piece))
  return body
}

async function accepted(whole = WHOLE, id = makeId()): Promise<string> {
  const { writes } = await (await spool(id, whole)).finish()
  await store.write(writes)
  return id
}

const removal = (id: string): Write => ({ table: 'body-file', key: idKey(id), value: undefined })

describe('a body', () => {
  test.each([
    [0, 0],
    [1, 0],
    [CHUNK_BYTES, 0],
    [CHUNK_BYTES + 1, 1],
    [5 * 2 ** 20, 1],
  ])('of %i bytes makes %i files and reads as it was written', async (size, count) => {
    const whole = bytesOf(size)
    const id = makeId()
    const body = await spool(id, whole)
    const { chunks, writes, small } = await body.finish()
    await store.write(writes)
    expect(files()).toHaveLength(count)
    expect(small?.length).toBe(count === 0 ? size : undefined)
    const read = Array.from({ length: chunks }, (_, index) => readChunk(store, id, index)!)
    expect(read.slice(0, -1).every(({ length }) => length === CHUNK_BYTES)).toBe(true)
    expect(Buffer.concat(read).equals(whole)).toBe(true)
  })

  test('is private', async () => {
    const id = await accepted()
    expect(statSync(join(directory, 'body')).mode & 0o777).toBe(0o700)
    expect(statSync(store.bodies.pathOf(id)).mode & 0o777).toBe(0o600)
  })

  test('that is discarded leaves nothing, also in the middle of a write and after its end', async () => {
    const body = await spool(makeId(), WHOLE)
    const writing = body.write(bytesOf(CHUNK_BYTES))
    await body.discard()
    await writing
    await body.write(bytesOf(CHUNK_BYTES))
    expect(files()).toEqual([])
    const ended = await spool(makeId(), WHOLE)
    await ended.finish()
    expect(files()).toHaveLength(1)
    await ended.discard()
    expect(files()).toEqual([])
  })

  test('is whole whatever is asked for meanwhile, and takes nothing after its end', async () => {
    const file = store.bodies.create(makeId())
    const writing = [file.write([WHOLE]), file.write([WHOLE])]
    expect(await file.finish()).toBe(2 * WHOLE.length)
    await Promise.all(writing)
    await expect(file.write([WHOLE])).rejects.toThrow(/has ended/)
    expect(store.health).toBe('ok')
    await file.discard()
    expect(files()).toEqual([])
  })

  test('takes the name of an orphan over, and not its bytes', async () => {
    const id = makeId()
    writeFileSync(store.bodies.pathOf(id), bytesOf(10 * CHUNK_BYTES))
    await accepted(WHOLE, id)
    expect(store.bodies.sizeOf(id)).toBe(WHOLE.length)
  })

  test('is refused by a closed store', async () => {
    const body = await spool(makeId(), WHOLE)
    await store.close()
    await expect(body.write(WHOLE)).rejects.toMatchObject({ code: 'closed' })
    await body.discard()
    expect(files()).toHaveLength(1)
  })

  test('that the disk does not take: the store has failed', async () => {
    rmSync(join(directory, 'body'), { recursive: true })
    await expect(spool(makeId(), WHOLE)).rejects.toMatchObject({ name: 'StoreError', code: 'failed' })
    expect(store.health).toBe('failed')
    await expect(store.write([])).rejects.toMatchObject({ code: 'failed' })
  })
})

describe('its file', () => {
  test('goes when its row went, not before, and only then', async () => {
    const [one, two] = [await accepted(), await accepted()]
    const removed = store.write([removal(one)])
    expect(files()).toEqual([one, two].sort())
    await removed
    await expect.poll(files).toEqual([two])
    expect(readChunk(store, one, 0)).toBeUndefined()
    expect(readChunk(store, two, 0)).toHaveLength(CHUNK_BYTES)
  })

  test('is gone after a close right behind the removal', async () => {
    const id = await accepted()
    void store.write([removal(id)])
    await store.close()
    expect(files()).toEqual([])
  })

  test('is swept when no row names it; newer ones and what is no body stay', async () => {
    const kept = await accepted()
    const orphan = makeId()
    await spool(orphan, WHOLE)
    await store.close()
    writeFileSync(join(directory, 'body', 'README'), 'left by somebody')
    mkdirSync(join(directory, 'body', 'lost+found'))
    store = open()
    const before = makeId()
    const coming = makeId()
    await spool(coming, WHOLE)
    expect(await sweepOrphans(store, before, new AbortController().signal)).toBe(1)
    expect(files()).toEqual(['README', 'lost+found', kept, coming].sort())
  })

  test('is read to its end in pieces; one that is short or gone is not passed off as whole', async () => {
    const id = await accepted()
    const location = bodyFileOf(store, id)!
    const read = async (): Promise<Buffer | undefined> => {
      const reader = new BodyReader(location)
      try {
        const pieces: Buffer[] = []
        for (let index = 0; index < reader.pieces; index++) {
          const piece = await reader.read(index)
          if (piece === undefined) return undefined
          pieces.push(Buffer.from(piece))
        }
        return Buffer.concat(pieces)
      } finally {
        await reader.close()
      }
    }
    expect((await read())?.equals(WHOLE)).toBe(true)
    // What follows was never part of the body.
    appendFileSync(location.path, 'more')
    expect((await read())?.equals(WHOLE)).toBe(true)
    writeFileSync(location.path, WHOLE.subarray(0, -1))
    expect(await read()).toBeUndefined()
    rmSync(location.path)
    expect(await read()).toBeUndefined()
  })
})

describe('a backup', () => {
  test('has the files that its rows name, private, and none of mail that is still coming', async () => {
    const ids = [await accepted(), await accepted()].sort()
    await spool(makeId(), WHOLE)
    const target = join(folder(), 'copy')
    await store.backup(target)
    expect(filesOf(target)).toEqual(ids)
    expect(statSync(join(target, 'body')).mode & 0o777).toBe(0o700)
    expect(statSync(join(target, 'body', ids[0]!)).mode & 0o777).toBe(0o600)
    await store.write(ids.map(removal))
    await expect.poll(() => files().filter((id) => ids.includes(id))).toEqual([])
    expect(readFileSync(join(target, 'body', ids[1]!)).equals(WHOLE)).toBe(true)
  })

  test('on another file system is a copy of its own', async ({ skip }) => {
    skip(noSmallDisk !== undefined, noSmallDisk)
    const id = await accepted()
    const target = join(memoryDisk(16).path, 'copy')
    await store.backup(target)
    expect(statSync(join(target, 'body', id)).nlink).toBe(1)
    expect(statSync(join(target, 'body', id)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(target, 'body', id)).equals(WHOLE)).toBe(true)
  })

  test('is whole while bodies come and go; what went meanwhile is removed afterwards', async () => {
    for (let round = 0; round < 5; round++) {
      const before = await Promise.all(Array.from({ length: 5 }, () => accepted()))
      const target = join(folder(), 'copy')
      const [, ...after] = await Promise.all([
        store.backup(target),
        ...Array.from({ length: 5 }, () => accepted()),
        ...before.map((id) => store.write([removal(id)])),
      ])
      await expect.poll(files).toEqual(after.slice(0, 5).sort())
      const copy = open(target)
      expect(copy.count('body-file')).toBe(filesOf(target).length)
      for (const id of filesOf(target)) {
        expect(bodyFileOf(copy, id)?.bytes).toBe(WHOLE.length)
        expect(copy.bodies.sizeOf(id)).toBe(WHOLE.length)
      }
      await copy.close()
      await store.write(after.slice(0, 5).map((id) => removal(id as string)))
      await expect.poll(files).toEqual([])
    }
  })
})

test('what reading has mapped in can be given back; the store goes on', async () => {
  const id = await accepted()
  const meanwhile = store.unmap()
  const written = store.write([{ table: 'meta', key: Buffer.from('a'), value: encode(1) }])
  await meanwhile
  await written
  expect(store.get('meta', Buffer.from('a'))?.toString()).toBe('1')
  expect(readChunk(store, id, 0)).toHaveLength(CHUNK_BYTES)
  await store.write([removal(id)])
  await expect.poll(files).toEqual([])
})

test('a store of before there were files: bodies of many chunks stay, chunks without a message go', async () => {
  const [kept, orphan] = [makeId(), makeId()]
  const chunk = (id: string, n: number): Write => ({ table: 'body', key: partKey(id, n), value: Buffer.alloc(10, n) })
  await store.write([
    { table: 'message', key: idKey(kept), value: encode({ id: kept }) },
    ...[kept, orphan].flatMap((id) => [chunk(id, 0), chunk(id, 1)]),
    { table: 'meta', key: textKey('schema-version'), value: encode(1) },
  ])
  await store.close()
  rmSync(join(directory, 'body'), { recursive: true })
  store = open()
  expect(store.count('body')).toBe(2)
  expect(readChunk(store, kept, 1)).toEqual(Buffer.alloc(10, 1))
  expect(store.get('meta', textKey('schema-version'))?.toString()).toBe(String(SCHEMA_VERSION))
  expect(existsSync(join(directory, 'body'))).toBe(true)
})
