// Distance without the kernel's help: a TCP proxy that hands every byte on after a delay, each way, and a new connection
// after a whole round trip, as a SYN would take. For machines whose kernel has no netem.

import { connect, createServer, type Socket } from 'node:net'
import type { Lab } from './lab.ts'
import { freePort } from './lab.ts'
import type { Upstream } from './system.ts'

export async function startDelay(lab: Lab, to: Upstream, delayMs: number): Promise<Upstream> {
  const port = await freePort()
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (near) => {
    setTimeout(() => {
      const far = connect({ ...to, noDelay: true })
      carry(near, far, delayMs)
      carry(far, near, delayMs)
      open.add(far)
      far.once('close', () => open.delete(far))
    }, 2 * delayMs)
    open.add(near)
    near.once('close', () => open.delete(near))
    // A side that goes away takes the other along; what is lost then is the relay's to try again.
    near.on('error', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  lab.defer(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { host: '127.0.0.1', port }
}

function carry(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (data) => setTimeout(() => to.write(data), delayMs))
  from.on('end', () => setTimeout(() => to.end(), delayMs))
  to.on('error', () => from.destroy())
}
