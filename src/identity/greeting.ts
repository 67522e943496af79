// Knocks at an SMTP port: connects, reads the first line, hangs up. Says nothing but QUIT.

import { connect } from 'node:net'
import type { Clock } from '../util/clock.ts'

export type Greeting =
  | { readonly kind: 'greeted'; readonly line: string }
  /** Connected, but no line came: TLS from the first byte, or something in between that only pretends. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'failed'; readonly detail: string }

export interface Knock {
  readonly address: string
  readonly port: number
  /** To send from; default: the system's choice. */
  readonly localAddress?: string | undefined
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'after'>
}

const MAX_LINE = 512

/** Never rejects. */
export function knock({ address, port, localAddress, timeoutMs, clock }: Knock): Promise<Greeting> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, ...(localAddress !== undefined && { localAddress }) })
    let text = ''
    let isConnected = false
    const end = (greeting: Greeting): void => {
      timer.cancel()
      if (greeting.kind === 'greeted') {
        socket.write('QUIT\r\n')
        // Not end(): whether the other side ever hangs up is not for us to wait for.
        socket.destroySoon()
      } else socket.destroy()
      resolve(greeting)
    }
    const timer = clock.after(timeoutMs, () =>
      end(isConnected ? { kind: 'silent' } : { kind: 'failed', detail: 'no answer in time' }),
    )
    socket.setEncoding('latin1')
    socket.on('connect', () => {
      isConnected = true
    })
    socket.on('data', (chunk: string) => {
      text += chunk
      if (/\n/.test(text) || text.length > MAX_LINE) end({ kind: 'greeted', line: text.split(/\r?\n/)[0] ?? '' })
    })
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end({ kind: 'failed', detail: REASONS[error.code ?? ''] ?? error.message }),
    )
    socket.on('close', () => end(isConnected ? { kind: 'silent' } : { kind: 'failed', detail: 'closed' }))
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer in time',
  EADDRNOTAVAIL: 'the local address does not exist on this machine',
  EACCES: 'not permitted by this machine',
  EPERM: 'not permitted by this machine',
}
