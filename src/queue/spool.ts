// Bodies: written chunk by chunk while they arrive, read chunk by chunk while they leave. A body without its message is
// an orphan of a crash or of a client that vanished; nobody misses it, and a sweep removes it.

import { EMPTY } from '../store/codec.ts'
import { idKey, partKey, prefixRange, readPartKey } from '../store/keys.ts'
import { CHUNK_BYTES, type Store, type Write } from '../store/store.ts'
import type { BodyWriter } from './submission.ts'

/** The one body writer: keeps less than a chunk and hands full ones to the store. */
export class SpooledBody implements BodyWriter {
  readonly id: string
  readonly #store: Store
  #pending: Buffer[] = []
  #pendingBytes = 0
  #stored = 0
  #isDiscarded = false

  constructor(store: Store, id: string) {
    this.#store = store
    this.id = id
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#isDiscarded) return
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    while (this.#pendingBytes > CHUNK_BYTES) {
      const whole = Buffer.concat(this.#pending)
      const rest = whole.subarray(CHUNK_BYTES)
      this.#pending = [rest]
      this.#pendingBytes = rest.length
      // Counted before it is written: discard must remove what is still under way, too.
      const index = this.#stored++
      // Awaited: a client can be no faster than the store, so that memory stays bounded.
      await this.#store.write([{ table: 'body', key: partKey(this.id, index), value: whole.subarray(0, CHUNK_BYTES) }])
    }
  }

  /** The last chunk, for the transaction that accepts the message. */
  finish(): { readonly chunks: number; readonly writes: readonly Write[]; readonly small: Buffer | undefined } {
    const last = this.#pending.length === 1 ? (this.#pending[0] ?? EMPTY) : Buffer.concat(this.#pending)
    return {
      chunks: this.#stored + 1,
      writes: [{ table: 'body', key: partKey(this.id, this.#stored), value: last }],
      small: this.#stored === 0 ? last : undefined,
    }
  }

  async discard(): Promise<void> {
    this.#isDiscarded = true
    this.#pending = []
    this.#pendingBytes = 0
    if (this.#stored > 0) await this.#store.write(removeBody(this.id, this.#stored))
    this.#stored = 0
  }
}

export function readChunk(store: Store, id: string, index: number): Buffer | undefined {
  return store.get('body', partKey(id, index))
}

export function removeBody(id: string, chunks: number): Write[] {
  return Array.from({ length: chunks }, (_, index) => ({ table: 'body', key: partKey(id, index), value: undefined }))
}

/**
 * Removes bodies that have no message, of ids made before `before` (those being received now have newer ones). Reads a
 * few keys per turn of the event loop. Returns how many bodies went.
 */
export async function sweepOrphans(store: Store, before: string, signal: AbortSignal): Promise<number> {
  let removed = 0
  let from: Buffer | undefined
  const end = idKey(before)
  while (!signal.aborted) {
    for (let looked = 0; looked < 200; looked++) {
      const key = store.keys('body', { ...(from === undefined ? {} : { from }), to: end, limit: 1 })[0]
      if (key === undefined) return removed
      const { id } = readPartKey(key)
      const body = prefixRange(idKey(id))
      from = body.to
      if (store.get('message', idKey(id)) === undefined) {
        const chunks = store.keys('body', body)
        await store.write(chunks.map((chunk) => ({ table: 'body' as const, key: chunk, value: undefined })))
        removed++
      }
      if (from === undefined) return removed
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return removed
}
