// Which of the configured sending addresses this machine has. Binding is the proof: an address may be usable without
// standing on an interface (127.0.0.2, a routed prefix), and the other way round. Looked at when the relay starts and when
// a connection could not leave from one; while any is missing, once a minute. One timer, none while all are there.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Clock, MINUTE, type Timer } from '../util/clock.ts'

export interface AddressChange {
  readonly address: string
  readonly isThere: boolean
}

export interface LocalAddressesParts {
  readonly clock: Clock
  /** Default: binding to it. */
  readonly isUsable?: (address: string) => Promise<boolean>
}

const LOOK_EVERY = MINUTE

export class LocalAddresses {
  readonly #clock: Clock
  readonly #isUsable: (address: string) => Promise<boolean>
  #watched: ReadonlySet<string> = new Set()
  readonly #missing = new Set<string>()
  readonly #looks = new Map<string, Promise<void>>()
  readonly #listeners: ((change: AddressChange) => void)[] = []
  #timer: Timer | undefined
  #isClosed = false

  constructor({ clock, isUsable = canBind }: LocalAddressesParts) {
    this.#clock = clock
    this.#isUsable = isUsable
  }

  /** Looks after these from now on; resolves when each was looked at. */
  async watch(addresses: readonly string[]): Promise<void> {
    this.#watched = new Set(addresses)
    for (const address of this.#missing) if (!this.#watched.has(address)) this.#missing.delete(address)
    await Promise.all([...this.#watched].map((address) => this.look(address)))
  }

  isThere(address: string): boolean {
    return !this.#missing.has(address)
  }

  /** Something speaks against it: looked at now. One that nobody watches is left alone. */
  look(address: string): Promise<void> {
    if (!this.#watched.has(address) || this.#isClosed) return Promise.resolve()
    const known = this.#looks.get(address)
    if (known !== undefined) return known
    const look = this.#lookAt(address).finally(() => this.#looks.delete(address))
    this.#looks.set(address, look)
    return look
  }

  /** Called for each address that is lost or found again. */
  onChange(listener: (change: AddressChange) => void): void {
    this.#listeners.push(listener)
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#listeners.splice(0)
  }

  async #lookAt(address: string): Promise<void> {
    const isThere = await this.#isUsable(address)
    if (this.#isClosed || !this.#watched.has(address)) return
    if (isThere === this.isThere(address)) return this.#arm()
    if (isThere) this.#missing.delete(address)
    else this.#missing.add(address)
    for (const listener of this.#listeners) listener({ address, isThere })
    this.#arm()
  }

  #arm(): void {
    if (this.#missing.size === 0) {
      this.#timer?.cancel()
      this.#timer = undefined
    } else this.#timer ??= this.#clock.after(LOOK_EVERY, () => void this.#lookAgain())
  }

  async #lookAgain(): Promise<void> {
    this.#timer = undefined
    await Promise.all([...this.#missing].map((address) => this.look(address)))
    if (!this.#isClosed) this.#arm()
  }
}

async function canBind(address: string): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(0, address)
    await once(server, 'listening')
    return true
  } catch (error) {
    // Out of descriptors or the like: that says nothing of the address.
    return (error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL'
  } finally {
    server.close()
  }
}
