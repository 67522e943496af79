import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answers, listenOnSocket } from '../../src/http/socket.ts'
import { rawFetch } from './fixture.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'studs-socket-'))
})
afterEach(() => rm(directory, { recursive: true }))

const app = (text = 'here'): Hono => new Hono().get('/', (context) => context.text(text))
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)

describe('the socket of the API', () => {
  test('is open to its owner only, in a directory of its own', async () => {
    const path = join(directory, 'new', 'studs.sock')
    const umask = process.umask()
    const listener = await listenOnSocket(app(), path)
    expect([await modeOf(path), await modeOf(join(directory, 'new'))]).toEqual(['600', '700'])
    expect(process.umask()).toBe(umask)
    expect(await rawFetch(path, '/')).toMatchObject({ status: 200, body: 'here' })
    await listener.close()
  })

  test('is gone after close, also with a connection still open', async () => {
    const path = join(directory, 'studs.sock')
    const slow = new Hono().get(
      '/',
      () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('first')) })),
    )
    const listener = await listenOnSocket(slow, path)
    const open = await new Promise<IncomingMessage>((resolve) =>
      request({ socketPath: path, agent: false }, resolve).end(),
    )
    const cut = once(open, 'error')
    await listener.close()
    expect(await cut).toMatchObject([{ code: 'ECONNRESET' }])
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('replaces what a killed relay left behind', async () => {
    const path = join(directory, 'studs.sock')
    await leaveStaleSocket(path)
    expect((await stat(path)).isSocket()).toBe(true)
    expect(await answers(path)).toBe(false)
    const listener = await listenOnSocket(app(), path)
    expect((await rawFetch(path, '/')).body).toBe('here')
    await listener.close()
  })

  test('is refused while another relay answers on it, which goes on answering', async () => {
    const path = join(directory, 'studs.sock')
    const first = await listenOnSocket(app('first'), path)
    await expect(listenOnSocket(app('second'), path)).rejects.toThrow(`Another relay listens on ${path}.`)
    expect((await rawFetch(path, '/')).body).toBe('first')
    await first.close()
  })

  test.each(['a file', 'a link to a file'])('never removes %s', async (what) => {
    const path = join(directory, 'studs.sock')
    const file = join(directory, 'precious')
    await writeFile(file, 'precious')
    if (what === 'a file') await writeFile(path, 'precious')
    else await symlink(file, path)
    await expect(listenOnSocket(app(), path)).rejects.toThrow('is not a socket')
    expect(await readFile(path, 'utf8')).toBe('precious')
  })

  test('says what to do when its path is too long for the system', async () => {
    const path = join(directory, 'x'.repeat(120), 'studs.sock')
    await expect(listenOnSocket(app(), path)).rejects.toThrow(
      /is \d+ bytes long, the system allows 107.*Choose a shorter data\.directory/,
    )
    const umlauts = join(directory, 'ü'.repeat(50), 'studs.sock')
    await expect(listenOnSocket(app(), umlauts)).rejects.toThrow('the system allows 107')
  })
})

/** A socket file nobody listens on: bound by a process that is killed. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('exit', resolve))
}
