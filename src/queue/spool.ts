// Bodies: taken while they arrive, read piece by piece while they leave. What fits one chunk waits in memory and is
// written together with its message; a larger one goes into a file as it comes (store/body-files.ts). A file without its
// message is an orphan of a crash or of a client that vanished; nobody misses it, and a sweep removes it.

import type { Message } from '../mail/message.ts'
import type { BodyLocation } from '../store/body-reader.ts'
import { decodeOptional, EMPTY, encode } from '../store/codec.ts'
import { idKey, partKey } from '../store/keys.ts'
import { type BodyFile, CHUNK_BYTES, type Store, type Write } from '../store/store.ts'
import type { BodyWriter } from './submission.ts'

/** What acceptance takes of a body. */
export interface Spooled {
  readonly chunks: number
  /** For the transaction that accepts the message. */
  readonly writes: readonly Write[]
  /** The whole body, when it is no file. */
  readonly small: Buffer | undefined
}

/** The one body writer. */
export class SpooledBody implements BodyWriter {
  readonly id: string
  readonly #store: Store
  /** Up to one chunk, while it may still be all there is. */
  #pending: Buffer[] = []
  #pendingBytes = 0
  #file: BodyFile | undefined
  #isDiscarded = false

  constructor(store: Store, id: string) {
    this.#store = store
    this.id = id
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#isDiscarded) return
    if (this.#file !== undefined) return this.#file.write([bytes])
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes <= CHUNK_BYTES) return
    this.#file = this.#store.bodies.create(this.id)
    await this.#file.write(this.#pending.splice(0))
  }

  /** At once when the body is small; else when its file is durable. */
  finish(): Spooled | Promise<Spooled> {
    if (this.#file !== undefined) return this.#finishFile(this.#file)
    const whole = this.#pending.length === 1 ? (this.#pending[0] ?? EMPTY) : Buffer.concat(this.#pending)
    return { chunks: 1, writes: [{ table: 'body', key: partKey(this.id, 0), value: whole }], small: whole }
  }

  async #finishFile(file: BodyFile): Promise<Spooled> {
    const bytes = await file.finish()
    const row: Write = { table: 'body-file', key: idKey(this.id), value: encode(bytes) }
    return { chunks: Math.ceil(bytes / CHUNK_BYTES), writes: [row], small: undefined }
  }

  async discard(): Promise<void> {
    this.#isDiscarded = true
    this.#pending = []
    await this.#file?.discard()
  }
}

/** Where the body of a message of more than one chunk is; undefined when the store has it (or nobody). */
export function bodyFileOf(store: Store, id: string): BodyLocation | undefined {
  const bytes = decodeOptional<number>(store.get('body-file', idKey(id)))
  return bytes === undefined ? undefined : { path: store.bodies.pathOf(id), bytes }
}

export function readChunk(store: Store, id: string, index: number): Buffer | undefined {
  return store.get('body', partKey(id, index)) ?? store.bodies.read(id, index)
}

export function hasBody(store: Store, { id }: Message): boolean {
  return store.get('body', partKey(id, 0)) !== undefined || bodyFileOf(store, id) !== undefined
}

/** The file of a large body goes after the commit of these. */
export function removeBody(store: Store, { id, chunks }: Message): Write[] {
  if (chunks > 1 && bodyFileOf(store, id) !== undefined)
    return [{ table: 'body-file', key: idKey(id), value: undefined }]
  // Of before there were files, a large body has many.
  return Array.from({ length: chunks }, (_, index) => ({ table: 'body', key: partKey(id, index), value: undefined }))
}

/**
 * Removes files that no message has, of ids made before `before` (those being received now have newer ones). Looks at a
 * few per turn of the event loop. Returns how many went.
 */
export async function sweepOrphans(store: Store, before: string, signal: AbortSignal): Promise<number> {
  let removed = 0
  for (const [looked, id] of store.bodies.ids().entries()) {
    if (signal.aborted) break
    if (looked % 200 === 199) await new Promise((resolve) => setImmediate(resolve))
    if (id >= before || bodyFileOf(store, id) !== undefined) continue
    await store.bodies.remove(id)
    removed++
  }
  return removed
}
