// How many connections are open, over all listeners and per client address. What counts as one is the caller's choice:
// server.ts keeps one count of sessions and one of sockets.

export interface ConnectionLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
}

export class OpenConnections {
  #total = 0
  readonly #byAddress = new Map<string, number>()

  /** Counts one more; call the result when it has closed (again does no harm). */
  open(address: string): () => void {
    this.#total++
    this.#byAddress.set(address, this.from(address) + 1)
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.#total--
      const left = this.from(address) - 1
      if (left === 0) this.#byAddress.delete(address)
      else this.#byAddress.set(address, left)
    }
  }

  from(address: string): number {
    return this.#byAddress.get(address) ?? 0
  }

  /** Which limit the connections now open exceed; `times` widens both. */
  exceeded(address: string, limits: ConnectionLimits, times = 1): 'total' | 'address' | undefined {
    if (this.from(address) > limits.maxConnectionsPerIp * times) return 'address'
    return this.#total > limits.maxConnections * times ? 'total' : undefined
  }
}
