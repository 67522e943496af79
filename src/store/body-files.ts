// Large bodies: files beside the store, `<directory>/body/<id>`, because pages of a memory map that a large body was
// read through stay with the process, and pages of a file do not (docs/decisions/0007). A file is written while its
// mail arrives and is durable before the row of `body-file` that names it; it never changes after that. A file without
// a row is what a crash or a client that vanished left: nobody misses it.

import { closeSync, fsync as fsyncOf, fsyncSync, mkdirSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { constants, copyFile, type FileHandle, link, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isId } from '../util/id.ts'
import type { Health } from './health.ts'
import { type BodyFile, type BodyFiles, CHUNK_BYTES, StoreError } from './store.ts'

// Of libuv's four threads; one more flushes names, and a commit must always find one.
const AT_ONCE = 2
// Flushed as it comes, so that the last flush, which the client waits for, is short however slow the disk is.
const UNFLUSHED_BYTES = 4 * 1024 * 1024

export class BodyDirectory implements BodyFiles {
  readonly #health: Health
  readonly #path: string
  /** Open for as long as we are, to flush new names. */
  readonly #directory: number
  #flush: Promise<void> | undefined
  #nextFlush: Promise<void> | undefined
  #working = 0
  readonly #line: (() => void)[] = []
  /** Calls to the disk that have not come back. */
  readonly #underWay = new Set<Promise<unknown>>()
  #holds = 0
  #held: string[] = []
  #isClosed = false

  constructor({ directory, health }: { directory: string; health: Health }) {
    this.#health = health
    this.#path = join(directory, 'body')
    if (mkdirSync(this.#path, { recursive: true, mode: 0o700 }) !== undefined) flushDirectory(directory)
    this.#directory = openSync(this.#path, 'r')
  }

  pathOf(id: string): string {
    return join(this.#path, id)
  }

  create(id: string): BodyFile {
    return new GrowingBody(this, id)
  }

  /** Runs work of the disk when its turn comes; what is wrong with the disk rejects as StoreError. */
  async inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.#working < AT_ONCE) this.#working++
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    try {
      this.#refuse()
      return await this.#health.inTime(what, () => this.#noted(work()))
    } catch (error) {
      throw this.#explained(what, error)
    } finally {
      const next = this.#line.shift()
      if (next === undefined) this.#working--
      else next()
    }
  }

  #refuse(): void {
    if (this.#isClosed) throw new StoreError('closed', 'the store is closed')
    if (this.#health.state === 'failed') throw new StoreError('failed', 'the store has failed')
    // The reserve is for what was accepted already.
    if (this.#health.state === 'full') throw new StoreError('full', 'no room on the disk')
  }

  #explained(what: string, error: unknown): unknown {
    const code = codeOf(error)
    if (error instanceof StoreError || code === undefined) return error
    if (this.#health.isNoRoom(error)) return new StoreError('full', 'no room on the disk', { cause: error })
    // Out of descriptors or memory: nothing is wrong with the disk, and the mail may come again.
    return SHORTAGES.has(code) ? error : this.#health.fail(`${what} failed`, error)
  }

  async openNew(id: string): Promise<FileHandle> {
    try {
      return await open(this.pathOf(id), 'wx', 0o600)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      // What a crash left has the name: the clock went back since.
      await rm(this.pathOf(id))
      return open(this.pathOf(id), 'wx', 0o600)
    }
  }

  /** Every name that is in the directory now is durable when it resolves. Those who ask meanwhile share the next flush. */
  flushNames(): Promise<void> {
    this.#nextFlush ??= this.#flushAfter(this.#flush)
    return this.#nextFlush
  }

  async #flushAfter(earlier: Promise<void> | undefined): Promise<void> {
    // Who waits for that one hears how it ends.
    await earlier?.catch(() => undefined)
    this.#flush = this.#nextFlush
    this.#nextFlush = undefined
    await fsync(this.#directory)
  }

  read(id: string, index: number): Buffer | undefined {
    const file = openOrGone(this.pathOf(id))
    if (file === undefined) return undefined
    try {
      const bytes = Buffer.allocUnsafe(CHUNK_BYTES)
      return bytes.subarray(0, readSync(file, bytes, 0, CHUNK_BYTES, index * CHUNK_BYTES))
    } finally {
      closeSync(file)
    }
  }

  sizeOf(id: string): number | undefined {
    return statSync(this.pathOf(id), { throwIfNoEntry: false })?.size
  }

  ids(): string[] {
    return readdirSync(this.#path).filter(isId)
  }

  get hasFailed(): boolean {
    return this.#health.state === 'failed'
  }

  async remove(id: string): Promise<void> {
    // After a failure nobody knows whether a row that names the file was written; the next start does.
    if (this.#isClosed || this.hasFailed) return
    if (this.#holds > 0) {
      this.#held.push(id)
      return
    }
    // What cannot be removed is swept at the next start.
    await this.#noted(rm(this.pathOf(id), { force: true })).catch(() => undefined)
  }

  async #noted<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call)
    try {
      return await call
    } finally {
      this.#underWay.delete(call)
    }
  }

  /** Until the returned function is called no file goes: somebody is copying them. */
  hold(): () => void {
    this.#holds++
    return () => {
      this.#holds--
      if (this.#holds === 0) for (const id of this.#held.splice(0)) void this.remove(id)
    }
  }

  /** Copies these files into `<directory>/body`; complete and flushed when it resolves. */
  async copy(ids: readonly string[], directory: string): Promise<void> {
    const target = join(directory, 'body')
    mkdirSync(target, { recursive: true, mode: 0o700 })
    for (const id of ids) await this.#copyOne(id, join(target, id))
    flushDirectory(target)
    flushDirectory(directory)
  }

  /** A body never changes: on the same file system a second name for it is a copy. */
  async #copyOne(id: string, target: string): Promise<void> {
    try {
      await link(this.pathOf(id), target)
    } catch {
      // Another file system, or one without links.
      await copyFile(this.pathOf(id), target, constants.COPYFILE_EXCL)
      const file = await open(target, 'r+')
      await file.datasync().finally(() => file.close())
    }
  }

  /** Waits for what is under way; what still arrives is refused. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.allSettled(this.#underWay)
    closeSync(this.#directory)
  }
}

/** A file that is being written: one call after the other, whoever asks when. */
class GrowingBody implements BodyFile {
  readonly #files: BodyDirectory
  readonly #id: string
  #file: FileHandle | undefined
  #last: Promise<unknown> = Promise.resolve()
  #bytes = 0
  #unflushed = 0
  #hasEnded = false

  constructor(files: BodyDirectory, id: string) {
    this.#files = files
    this.#id = id
  }

  write(pieces: readonly Buffer[]): Promise<void> {
    return this.#next('writing a body', async () => {
      if (this.#hasEnded) throw new Error(`the body ${this.#id} has ended already`)
      this.#file ??= await this.#files.openNew(this.#id)
      const written = await writeAll(this.#file, pieces)
      this.#bytes += written
      this.#unflushed += written
      if (this.#unflushed >= UNFLUSHED_BYTES) await this.#flush(this.#file)
    })
  }

  async finish(): Promise<number> {
    await this.#next('flushing a body', async () => {
      if (this.#file === undefined) throw new Error(`nothing was written to the body ${this.#id}`)
      // Together, so that a journaling file system writes its journal once.
      await Promise.all([this.#flush(this.#file), this.#files.flushNames()])
      await this.#close()
      this.#hasEnded = true
    })
    return this.#bytes
  }

  async discard(): Promise<void> {
    await this.#last
    this.#hasEnded = true
    // Closing would wait for a call that hangs.
    if (this.#files.hasFailed) return
    await this.#close()
    await this.#files.remove(this.#id)
  }

  #next(what: string, work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(() => this.#files.inTurn(what, work))
    // Whoever made this call hears of its failure.
    this.#last = next.catch(() => undefined)
    return next
  }

  async #flush(file: FileHandle): Promise<void> {
    await file.datasync()
    this.#unflushed = 0
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

const SHORTAGES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM'])
const fsync = promisify(fsyncOf)

async function writeAll(file: FileHandle, pieces: readonly Buffer[]): Promise<number> {
  const total = pieces.reduce((sum, { length }) => sum + length, 0)
  let { bytesWritten } = await file.writev(pieces)
  if (bytesWritten === total) return total
  // A short write tells why when it goes on.
  const whole = Buffer.concat(pieces)
  while (bytesWritten < total) bytesWritten += (await file.write(whole, bytesWritten)).bytesWritten
  return total
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}

function openOrGone(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What has a name in it now has it after a power cut too. */
export function flushDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
