// The HTTPS host of an MTA-STS policy on loopback; answers as a test says and counts what it was asked.

import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Certificate } from './scripted-server.ts'

export interface Page {
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly text: string
}

export function policyText(mode: string, mx: readonly string[], maxAge = 86_400): string {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map((name) => `mx: ${name}`), `max_age: ${maxAge}`, ''].join('\r\n')
}

/** Emits `asked` with every request. */
export class PolicyHost extends EventEmitter implements AsyncDisposable {
  /** `drip`: the head of an answer and the first line, and then nothing more. */
  page: Page | 'silence' | 'drip'
  readonly requests: string[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(certificate: Certificate, page: PolicyHost['page']) {
    super()
    this.page = page
    this.#server = createServer(certificate, (request, response) => {
      this.requests.push(`${request.headers.host} ${request.url}`)
      this.emit('asked')
      if (this.page === 'silence') return
      if (this.page === 'drip') {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.write('version: STSv1\r\n')
        return
      }
      const { status = 200, type = 'text/plain', headers = {}, text } = this.page
      response.writeHead(status, { 'content-type': type, ...headers })
      response.end(text)
    })
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(certificate: Certificate, page: PolicyHost['page']): Promise<PolicyHost> {
    const host = new PolicyHost(certificate, page)
    host.#server.listen(0, '127.0.0.1')
    await once(host.#server, 'listening')
    return host
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  use(certificate: Certificate): void {
    this.#server.setSecureContext(certificate)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }
}
