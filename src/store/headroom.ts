// Blocks of the store's file ahead of what LMDB uses. A commit that makes the file grow waits until the file system has noted
// that, too, one write after the other; in blocks that are there already it waits for its own bytes alone.
// They are appended, never written at a place: whatever LMDB wrote behind the end meanwhile, these come after it.

import { statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

export interface HeadroomParts {
  readonly file: string
  /** By LMDB. */
  readonly usedBytes: () => number
  readonly freeBytes: () => number
  /** Free bytes on the disk that are left to others. */
  readonly minFree: number
}

const MEBIBYTE = 2 ** 20
/** What a commit may have to wait for besides its own bytes. */
const STEP = Buffer.alloc(MEBIBYTE)
/** As much as is in use, up to this: a small store stays small. */
const MOST_BYTES = 64 * MEBIBYTE
/** Where there is not so many times as much room on the disk, it is not taken. */
const ABUNDANCE = 8

export class Headroom {
  readonly #parts: HeadroomParts
  /** The file reaches at least as far. */
  #end = 0
  #extending: Promise<void> | undefined
  #closed = false

  constructor(parts: HeadroomParts) {
    this.#parts = parts
  }

  /** To be asked every now and then; when there is too little ahead, more is made in the background. Never throws. */
  keep(): void {
    if (this.#extending !== undefined || this.#closed) return
    try {
      const goal = this.#missing()
      if (goal !== undefined) this.#extending = this.#extendTo(goal)
    } catch {
      // Nor is a file that cannot be looked at a reason to hold up what was written to it.
    }
  }

  /** How far the file should reach; undefined when it reaches far enough, or no room should be taken. */
  #missing(): number | undefined {
    const used = this.#parts.usedBytes()
    const wanted = Math.min(MOST_BYTES, used)
    if (wanted < STEP.length || this.#end - used > wanted / 2) return undefined
    this.#end = statSync(this.#parts.file).size
    return this.#end - used > wanted / 2 || !this.#isRoomFor(wanted) ? undefined : used + wanted
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#extending
  }

  #isRoomFor(bytes: number): boolean {
    const free = this.#parts.freeBytes()
    return free > ABUNDANCE * bytes && free > this.#parts.minFree + bytes
  }

  async #extendTo(goal: number): Promise<void> {
    let handle: FileHandle | undefined
    try {
      handle = await open(this.#parts.file, 'a')
      while (this.#end < goal && !this.#closed) {
        await handle.write(STEP)
        // Here, not in the next commit.
        await handle.datasync()
        this.#end += STEP.length
      }
    } catch {
      // Commits are slower without, that is all. An error of the disk is told to LMDB's own flush as well.
    } finally {
      await handle?.close().catch(() => undefined) // As above.
      this.#extending = undefined
    }
  }
}
