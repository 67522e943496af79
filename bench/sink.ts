// The receiver: smtp-sink of Postfix, one per system, so that every mail has one reader and can be counted there.

import { connect } from 'node:net'
import type { Child, Lab } from './lab.ts'
import { freePort, isRoot, until } from './lab.ts'

const BACKLOG = 500
const TAIL_BYTES = 200

export interface Sink {
  readonly host: string
  readonly port: number
  /** Messages received so far. */
  received(): number
  stop(): Promise<void>
}

export async function startSink(
  lab: Lab,
  name: string,
  where: { host?: string; namespace?: string } = {},
): Promise<Sink> {
  const port = await freePort()
  const { host = '127.0.0.1', namespace } = where
  const args = [...(isRoot() ? ['-u', 'postfix'] : []), '-c', `${host}:${port}`, String(BACKLOG)]
  const child: Child =
    namespace === undefined
      ? lab.start(`sink-${name}`, 'smtp-sink', args)
      : lab.start(`sink-${name}`, 'ip', ['netns', 'exec', namespace, 'smtp-sink', ...args])
  await until(`smtp-sink on port ${port}`, () => isListening(host, port))
  return { host, port, received: () => counted(child.tail(TAIL_BYTES)), stop: child.stop }
}

/** `sess=1 quit=1 mesg=10`, over and over on one line. */
function counted(output: string): number {
  // The last one may be half written: only what a carriage return ends counts.
  const counts = [...output.matchAll(/mesg=(\d+)\r/g)]
  return Number(counts.at(-1)?.[1] ?? 0)
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
