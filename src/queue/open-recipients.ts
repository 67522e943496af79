// How many recipients of a message are still open, so that its body goes with the last one. Counted in the store once,
// kept from then on while the message is settling: every final change passes here, and counting anew at each would cost
// a message to n recipients n² reads. Bounded: what has been quiet longest is counted again.

import { isFinal, type Message, type Recipient } from '../mail/message.ts'
import { decode } from '../store/codec.ts'
import { idKey, prefixRange } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

const KEPT = 10_000

export class OpenRecipients {
  readonly #store: Store
  readonly #counts = new Map<string, { open: number; writing: number }>()

  constructor(store: Store) {
    this.#store = store
  }

  /** One more is being closed; true when it is the last. `closed` follows when the write is durable. */
  close(message: Message): boolean {
    if (message.recipients === 1) return true
    const count = this.#counts.get(message.id) ?? { open: this.#count(message), writing: 0 }
    // To the end of the map: the quiet ones stand at its beginning.
    this.#counts.delete(message.id)
    this.#counts.set(message.id, count)
    count.open--
    count.writing++
    return count.open === 0
  }

  closed(message: Message): void {
    const count = this.#counts.get(message.id)
    if (count === undefined) return
    count.writing--
    if (count.open === 0 && count.writing === 0) this.#counts.delete(message.id)
    if (this.#counts.size > KEPT) this.#forgetQuietest()
  }

  /** Settings may change whether bodies are kept: counts that were not kept up are forgotten. */
  clear(): void {
    this.#counts.clear()
  }

  #forgetQuietest(): void {
    for (const [id, { writing }] of this.#counts) {
      // What is being written is not visible in the store: only this count knows of it.
      if (writing > 0) continue
      this.#counts.delete(id)
      return
    }
  }

  #count(message: Message): number {
    return this.#store
      .range('recipient', prefixRange(idKey(message.id)))
      .filter(({ value }) => !isFinal(decode<Recipient>(value).state)).length
  }
}
