// The pretend MX hosts: one port on the sandbox's address for all domains, and the same port on neighbouring loopback
// addresses for the hosts that misbehave before a recipient is named. Where the system has no such neighbours, those
// hosts are named in `missing` and behave like all others.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Behaviour, HOST_BEHAVIOURS } from './behaviours.ts'
import { Conversation, type Surroundings } from './conversation.ts'
import { listening } from './dns.ts'

export interface MailHosts {
  readonly port: number
  /** Own addresses of misbehaving hosts, by behaviour. */
  readonly hosts: ReadonlyMap<string, string>
  readonly missing: readonly string[]
  stop(): Promise<void>
}

const PORT_TRIES = 20

interface Listener {
  readonly server: Server
  readonly conversations: Set<Conversation>
}

export async function startMailHosts(options: {
  address: string
  port: number
  around: Surroundings
}): Promise<MailHosts> {
  const { address, around } = options
  for (let tries = 1; ; tries++) {
    const main = listener(undefined, around)
    const port = await listening(main.server, options.port, address)
    const others = await startNeighbours({ address, port, around })
    const all = [main, ...others.listeners]
    // A free port may be in use on a neighbouring address: then another one is taken.
    if (!others.taken || options.port !== 0 || tries === PORT_TRIES) {
      return { port, hosts: others.hosts, missing: others.missing, stop: () => stopAll(all) }
    }
    await stopAll(all)
  }
}

function listener(host: Behaviour | undefined, around: Surroundings): Listener {
  const conversations = new Set<Conversation>()
  const server = createServer((socket: Socket) => {
    const conversation = new Conversation({ socket, host, around })
    conversations.add(conversation)
    socket.on('close', () => conversations.delete(conversation))
  })
  return { server, conversations }
}

async function startNeighbours({ address, port, around }: { address: string; port: number; around: Surroundings }) {
  const hosts = new Map<string, string>()
  const missing: string[] = []
  const listeners: Listener[] = []
  let taken = false
  for (const [index, host] of HOST_BEHAVIOURS.entries()) {
    const neighbour = neighbourOf(address, index + 1)
    const one = listener(host, around)
    try {
      if (neighbour === undefined) throw new Error('only 127.0.0.0/8 has neighbours')
      if (host.does !== 'absent') await listening(one.server, port, neighbour)
      hosts.set(host.name, neighbour)
      listeners.push(one)
    } catch (error) {
      // Not every system lets one listen on all of 127.0.0.0/8; the sandbox is of use without these hosts.
      taken ||= error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      missing.push(host.name)
    }
  }
  return { hosts, missing, listeners, taken }
}

/** `127.0.0.1` → `127.0.0.2` …; undefined outside 127.0.0.0/8. */
function neighbourOf(address: string, distance: number): string | undefined {
  const match = /^127\.(\d+\.\d+)\.(\d+)$/.exec(address)
  if (match === null) return undefined
  const last = 1 + ((Number(match[2]) - 1 + distance) % 254)
  return `127.${match[1]}.${last}`
}

async function stopAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(
    listeners.map(async ({ server, conversations }) => {
      const gone = server.listening ? once(server, 'close') : undefined
      if (server.listening) server.close()
      for (const conversation of conversations) conversation.destroy()
      await gone
    }),
  )
}
