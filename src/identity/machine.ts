// What this machine says of itself: its name, its addresses, its name servers, and the key files on it.

import { getServers } from 'node:dns'
import { readFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import type { Settings } from '../config/schema.ts'
import type { SenderParts } from './sender.ts'

export function onThisMachine(settings: Settings): SenderParts {
  return {
    settings,
    hostname: hostname(),
    machineAddresses: interfaceAddresses(),
    readFile: (path) => readFileSync(path, 'latin1'),
  }
}

/** Without those that only this machine or its link knows. */
function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses
      .filter(({ internal, address }) => !internal && !address.toLowerCase().startsWith('fe80:'))
      .map(({ address }) => address),
  )
}

/** The name servers that delivery asks. */
export function nameServers({ delivery: { resolvers } }: Settings): readonly string[] {
  return resolvers.length > 0 ? resolvers : getServers()
}
