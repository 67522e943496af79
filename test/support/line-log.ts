// What another program writes, line by line, to be waited for; and ports for it to listen on.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

export class LineLog {
  readonly lines: string[] = []
  readonly #waiting = new Set<() => void>()
  #ended = true

  add(line: string): void {
    this.lines.push(line)
    for (const look of [...this.#waiting]) look()
  }

  /** The program starts (again); what it will say can be waited for. */
  begin(): void {
    this.#ended = false
  }

  /** The program is gone: what has not been said by now is not waited for. */
  end(): void {
    this.#ended = true
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves as soon as `isSo` holds after a line, or already. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (isSo()) resolve()
        else if (this.#ended) reject(new Error(`it ended; its last words: ${this.lines.slice(-8).join('\n')}`))
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** The first line from index `from` on that matches. */
  async line(pattern: RegExp, from = 0): Promise<string> {
    const find = (): string | undefined => this.lines.slice(from).find((line) => pattern.test(line))
    await this.until(() => find() !== undefined)
    return find()!
  }

  count(pattern: RegExp): number {
    return this.lines.filter((line) => pattern.test(line)).length
  }
}

/** Loopback ports that were free a moment ago, each another one: taken all at once, because one given back may come again. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port!
}
