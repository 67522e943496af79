// What the main thread and a worker say to each other. Many small messages cost more than one with many items, so work
// and outcomes are collected for a turn of the event loop and sent together.

import type { Settings } from '../config/schema.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Attempt, PathStatus } from './delivery.ts'
import type { TlsResult } from './tls-result.ts'
import type { Told } from './told-places.ts'

export type ToWorker =
  | {
      readonly kind: 'work'
      /** What was told before is over: the numbers begin anew. */
      readonly forget: boolean
      /** Which the items go by from now on. */
      readonly told: readonly Told[]
      readonly items: readonly { readonly id: number; readonly place: number; readonly attempt: Attempt }[]
    }
  /** Answers `read`; `bytes` is absent when the chunk is gone, `problem` says why it could not be read. */
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes?: Uint8Array | undefined; readonly problem?: string }
  | { readonly kind: 'settings'; readonly settings: Settings['delivery'] }
  | { readonly kind: 'paths'; readonly id: number }
  | { readonly kind: 'close'; readonly graceMs: number }

export type FromWorker =
  | { readonly kind: 'outcomes'; readonly items: readonly { readonly id: number; readonly outcome: Outcome }[] }
  | { readonly kind: 'read'; readonly id: number; readonly message: string; readonly index: number }
  | { readonly kind: 'paths'; readonly id: number; readonly paths: readonly PathStatus[] }
  | { readonly kind: 'error'; readonly problem: string; readonly message: string; readonly n: number }
  | { readonly kind: 'tls'; readonly items: readonly TlsResult[] }
  | { readonly kind: 'closed' }

/** Collects items and hands them on together at the end of the turn. */
export class Batch<Item> {
  readonly #send: (items: readonly Item[]) => void
  #items: Item[] = []

  constructor(send: (items: readonly Item[]) => void) {
    this.#send = send
  }

  add(item: Item): void {
    if (this.#items.push(item) > 1) return
    setImmediate(() => {
      const items = this.#items
      this.#items = []
      this.#send(items)
    })
  }
}
