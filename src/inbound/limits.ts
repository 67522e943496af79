// How many connections are open, over all listeners and per client address (for IPv6 per /64). What counts as one is the
// caller's choice: listener-server.ts keeps one count of sessions and one of sockets.

import { blockOf } from './address-block.ts'

export interface ConnectionLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
}

export class OpenConnections {
  #total = 0
  readonly #byBlock = new Map<string, number>()

  /** Counts one more; call the result when it has closed (again does no harm). */
  open(address: string): () => void {
    const block = blockOf(address)
    this.#total++
    this.#byBlock.set(block, this.#in(block) + 1)
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.#total--
      const left = this.#in(block) - 1
      if (left === 0) this.#byBlock.delete(block)
      else this.#byBlock.set(block, left)
    }
  }

  #in(block: string): number {
    return this.#byBlock.get(block) ?? 0
  }

  /** Which limit the connections now open exceed; `times` widens both. */
  exceeded(address: string, limits: ConnectionLimits, times = 1): 'total' | 'address' | undefined {
    if (this.#in(blockOf(address)) > limits.maxConnectionsPerIp * times) return 'address'
    return this.#total > limits.maxConnections * times ? 'total' : undefined
  }
}
