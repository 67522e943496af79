// What was delivered to the pretend internet: a ring of the last messages to look at, a count of all.

import type { Clock, EpochMs } from '../util/clock.ts'

export interface InboxMessage {
  /** Sequence number of the delivery, from 1. */
  readonly id: number
  readonly receivedAt: EpochMs
  readonly helo: string
  /** Protocol and cipher; absent on a plaintext connection. */
  readonly tls?: string
  readonly sender: string
  readonly recipients: readonly string[]
  readonly sizeBytes: number
  /** The first 64 KiB, without dot-stuffing. */
  readonly raw: Buffer
  /** Whether `raw` is less than the whole. */
  readonly truncated: boolean
}

export type Delivered = Omit<InboxMessage, 'id' | 'receivedAt'>

export interface Inbox {
  /** All deliveries since the start, also those no longer kept. */
  readonly count: number
  /** Oldest first. */
  list(): readonly InboxMessage[]
  get(id: number): InboxMessage | undefined
  /** Calls `listener` for every message from now on; gives back the function that ends it. */
  on(event: 'message', listener: (message: InboxMessage) => void): () => void
}

export class InboxRing implements Inbox {
  readonly #clock: Clock
  readonly #size: number
  readonly #kept = new Map<number, InboxMessage>()
  readonly #listeners = new Set<(message: InboxMessage) => void>()
  #count = 0

  constructor({ clock, size }: { clock: Clock; size: number }) {
    this.#clock = clock
    this.#size = size
  }

  get count(): number {
    return this.#count
  }

  add(delivered: Delivered): void {
    const message = { id: ++this.#count, receivedAt: this.#clock.now(), ...delivered }
    if (this.#size > 0) this.#kept.set(message.id, message)
    this.#kept.delete(message.id - this.#size)
    for (const listener of this.#listeners) listener(message)
  }

  list(): readonly InboxMessage[] {
    return [...this.#kept.values()]
  }

  get(id: number): InboxMessage | undefined {
    return this.#kept.get(id)
  }

  on(_event: 'message', listener: (message: InboxMessage) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/** The value of a header field, unfolded; undefined when it is not among the kept bytes. Encoded words stay as they are. */
export function headerOf(message: Pick<InboxMessage, 'raw'>, name: string): string | undefined {
  return headersOf(message).find(([field]) => field.toLowerCase() === name.toLowerCase())?.[1]
}

/** The header fields in order, unfolded (RFC 5322 §2.2.3). */
export function headersOf({ raw }: Pick<InboxMessage, 'raw'>): readonly (readonly [name: string, value: string])[] {
  const end = raw.indexOf('\r\n\r\n')
  const text = raw.subarray(0, end === -1 ? raw.length : end).toString('utf8')
  return text
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .flatMap((line) => {
      const colon = line.indexOf(':')
      return colon <= 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()] as const]
    })
}
