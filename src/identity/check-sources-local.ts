// Sources as this machine has them: whether the address they bind to is there.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { about, type Diagnosis } from './diagnosis.ts'
import type { SenderSource } from './sender.ts'

export async function checkLocalAddresses({ name, local }: SenderSource): Promise<Diagnosis[]> {
  const checks = local.map(async (address): Promise<Diagnosis> => {
    const told = about('source', `${name} ${address}`)
    const trouble = await bindTrouble(address)
    if (trouble === undefined) return told.ok('the address is there on this machine')
    return told.different({
      message: `mail cannot leave from it: ${trouble}`,
      cure: 'add the address to an interface (ip address add …), or correct the source',
    })
  })
  return Promise.all(checks)
}

/** Binding is the proof: an address may be usable without standing on an interface, and the other way round. */
async function bindTrouble(address: string): Promise<string | undefined> {
  const server = createServer()
  try {
    server.listen(0, address)
    await once(server, 'listening')
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'EADDRNOTAVAIL' ? 'the address does not exist on this machine' : message
  } finally {
    server.close()
  }
}
