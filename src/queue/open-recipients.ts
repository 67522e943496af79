// How many recipients of a message are still open, so that its body goes with the last one. The store is asked when
// nothing is under way; while writes are, the count is kept here: they are not visible yet.

import { isFinal, type Message, type Recipient } from '../mail/message.ts'
import { decodeOptional } from '../store/codec.ts'
import { partKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

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
    this.#counts.set(message.id, count)
    count.open--
    count.writing++
    return count.open === 0
  }

  closed(message: Message): void {
    const count = this.#counts.get(message.id)
    if (count !== undefined && --count.writing === 0) this.#counts.delete(message.id)
  }

  #count(message: Message): number {
    let open = 0
    for (let n = 0; n < message.recipients; n++) {
      const recipient = decodeOptional<Recipient>(this.#store.get('recipient', partKey(message.id, n)))
      if (recipient !== undefined && !isFinal(recipient.state)) open++
    }
    return open
  }
}
