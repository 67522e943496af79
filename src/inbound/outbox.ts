// What a listener says within one turn of the event loop goes out at its end, connection by connection: to a client that
// pipelines in one segment instead of ten (RFC 2920 §3.2), to all others no later than they can tell.

import type { Socket } from 'node:net'

export class Outbox {
  #held: Socket[] = []

  /** What is written to `socket` from now on waits for the end of the turn, or for its `end()`. */
  hold(socket: Socket): void {
    if (socket.writableCorked > 0) return
    socket.cork()
    if (this.#held.push(socket) === 1) setImmediate(() => this.#release())
  }

  #release(): void {
    const held = this.#held
    this.#held = []
    for (const socket of held) socket.uncork()
  }
}
