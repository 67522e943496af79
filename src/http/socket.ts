// The unix socket of the local API. Who may open the socket file may do everything, so it has mode 0600 from its first
// moment. A socket file that a killed relay left behind is replaced; one that somebody answers on, or a file that is
// no socket, is never touched.

import { lstat, mkdir, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'

/** sockaddr_un holds 108 bytes on Linux, the last one a zero. */
const MAX_PATH_BYTES = 107

export interface SocketListener {
  readonly path: string
  /** Stops listening, cuts what is still open and removes the socket file. */
  close(): Promise<void>
}

export function assertSocketPath(path: string): void {
  const length = Buffer.byteLength(path)
  if (length <= MAX_PATH_BYTES) return
  throw new Error(
    `The API socket path is ${length} bytes long, the system allows ${MAX_PATH_BYTES}: ${path}. Choose a shorter data.directory, or a path for api.socket outside of it.`,
  )
}

export async function listenOnSocket(app: Hono, path: string): Promise<SocketListener> {
  assertSocketPath(path)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await removeStaleSocket(path)
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  await listen(server, path)
  return { path, close: () => close(server) }
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return
  if (!found.isSocket())
    throw new Error(`${path} exists and is not a socket; it is left alone. Move it away or set api.socket.`)
  if (await answers(path)) throw new Error(`Another relay listens on ${path}.`)
  await unlink(path)
}

/** Whether somebody accepts connections on the socket. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    // A full backlog (EAGAIN) is somebody who listens and is busy.
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'EAGAIN'))
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // listen() binds before it returns, so the mask holds for exactly this file; chmod afterwards would leave a gap.
    const mask = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(mask)
    }
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)))
    server.closeAllConnections()
  })
}
