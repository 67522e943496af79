// Whether a name server validates DNSSEC: the AD bit of an answer from the root, which is signed (RFC 4035 §3.2.3).
// node:dns hides that bit, so this asks by itself: one packet out, one in.

import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIP } from 'node:net'
import { AUTHENTIC_DATA, decode, encode, RECURSION_DESIRED } from 'dns-packet'
import type { Clock } from '../util/clock.ts'

export type Validation = 'validates' | 'does-not' | { readonly failed: string }

/** `server`: `address`, `address:port` or `[address]:port`. Never rejects. */
export function asksForProof(asked: {
  readonly server: string
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'after'>
}): Promise<Validation> {
  const { address, port } = parseServer(asked.server)
  const id = randomInt(65_536)
  const query = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type: 'SOA', name: '.' }],
  })
  return new Promise((resolve) => {
    const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
    const end = (validation: Validation): void => {
      timer.cancel()
      socket.close()
      resolve(validation)
    }
    const timer = asked.clock.after(asked.timeoutMs, () => end({ failed: 'no answer in time' }))
    socket.once('error', (error) => end({ failed: error.message }))
    // Only this server's answers arrive, and a refused packet is an error instead of silence.
    socket.connect(port, address, () => socket.send(query))
    socket.on('message', (packet) => {
      const answer = read(packet)
      if (answer?.id !== id) return
      end(answer.isAuthentic ? 'validates' : 'does-not')
    })
  })
}

function read(packet: Buffer): { readonly id: number; readonly isAuthentic: boolean } | undefined {
  try {
    const { id = 0, flags = 0 } = decode(packet)
    return { id, isAuthentic: (flags & AUTHENTIC_DATA) !== 0 }
  } catch {
    return undefined // Not DNS: as good as no answer.
  }
}

function parseServer(server: string): { readonly address: string; readonly port: number } {
  const [, six, four, port = '53'] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(server) ?? [
    undefined,
    undefined,
    server,
  ]
  return { address: six ?? four ?? server, port: Number(port) }
}
