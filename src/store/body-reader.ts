// Reads a body file from its beginning to its end, piece by piece, through one buffer. Needs nothing of the store but
// the path, so delivery threads read for themselves and large bodies never pass the main thread.

import { type FileHandle, open } from 'node:fs/promises'

const PIECE_BYTES = 64 * 1024

export interface BodyLocation {
  readonly path: string
  readonly bytes: number
}

export class BodyReader {
  readonly #location: BodyLocation
  readonly #buffer: Buffer
  #file: FileHandle | undefined

  constructor(location: BodyLocation) {
    this.#location = location
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, location.bytes))
  }

  get pieces(): number {
    return Math.ceil(this.#location.bytes / PIECE_BYTES)
  }

  /** Good until the next piece is asked for; undefined when it is not all there. */
  async read(index: number): Promise<Uint8Array | undefined> {
    const { path, bytes } = this.#location
    this.#file ??= await openOrGone(path)
    if (this.#file === undefined) return undefined
    const at = index * PIECE_BYTES
    const length = Math.min(PIECE_BYTES, bytes - at)
    const { bytesRead } = await this.#file.read(this.#buffer, 0, length, at)
    return bytesRead < length ? undefined : this.#buffer.subarray(0, length)
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

async function openOrGone(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
