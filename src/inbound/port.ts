// Taking a port, with an error that says which listener cannot have it and what to do.

import { once } from 'node:events'
import type { Server } from 'node:net'

export interface Listening {
  readonly name: string
  readonly address: string
  readonly port: number
}

const CURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it: stop that one, or give this listener another port',
  EACCES: 'this user may not have it: take a port from 1024 on, or let the service manager grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine has no such address: name one of its own',
}

/** Resolves with what was bound; `option` is where the port is written in the configuration. */
export async function listenOn(server: Server, at: Listening & { readonly option: string }): Promise<Listening> {
  const { name, address, port, option } = at
  server.listen(port, address)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    const cure = CURES[code]
    throw new Error(
      `the listener "${name}" cannot have port ${port} of ${address} (${option})${cure === undefined ? `: ${message}` : `; ${cure}`}`,
      { cause },
    )
  }
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error(`listener ${name} has no address`)
  return { name, address: bound.address, port: bound.port }
}
