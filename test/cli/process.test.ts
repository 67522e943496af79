// The real process: what only shows with a real event loop, terminal and signals.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFixture, type Served, serveFixture } from '../http/fixture.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let relay: Served
beforeEach(async () => {
  relay = await serveFixture({
    delivery: {
      resolve: async (domain) => ({
        kind: 'site',
        domain,
        site: 'mx.a.test',
        routed: false,
        hosts: [],
        port: 25,
        paths: [],
      }),
      sourceOf: () => undefined,
      paths: async () => [],
    },
  })
})
afterEach(() => relay.close())

/** Runs `studs` on a terminal of its own (script(1) of bsdutils, which every Debian has). */
function onTerminal(words: readonly string[]): ChildProcessWithoutNullStreams {
  const command = [process.execPath, MAIN, '--config', relay.configFile, ...words].map((word) => `'${word}'`).join(' ')
  return spawn('script', ['--quiet', '--return', '--command', `stty cols 80 rows 24; exec ${command}`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm' },
  })
}

test('top draws frame after frame on a terminal, and Ctrl-C leaves the screen as it was', async () => {
  const child = onTerminal(['top'])
  let out = ''
  let frames = 0
  let isLeaving = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    frames = out.split('\u001b[H').length - 1
    if (frames < 3 || isLeaving) return
    isLeaving = true
    // Ctrl-C as a terminal passes it on.
    child.stdin.write('\u0003')
  })
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
  expect(frames).toBeGreaterThanOrEqual(3)
  expect(out).toContain('studs ')
  expect(out.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
})

test('q leaves top too', async () => {
  const child = onTerminal(['top'])
  let out = ''
  let isLeaving = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (isLeaving || !out.includes('\u001b[H')) return
    isLeaving = true
    child.stdin.write('q')
  })
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(out.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
})

test('a password that is typed is not shown', async () => {
  const child = onTerminal(['credential', 'hash'])
  let out = ''
  let isTyped = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (isTyped || !out.includes('not shown')) return
    isTyped = true
    // Once the terminal is raw.
    setTimeout(() => child.stdin.write('open sesame\r'), 300)
  })
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(out).toMatch(/scrypt:\S+\r?\n$/)
  expect(out).not.toContain('sesame')
})

test('an older Node gets a sentence, not a stack trace', async () => {
  const older =
    "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'22.18.0'}})"
  const child = spawn(process.execPath, ['--import', older, MAIN, 'status'])
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(err).toBe('Studs needs Node 22.19 or newer; this is 22.18.0.\n')
})

test('a command on a stopped relay ends by itself with its exit code', async () => {
  const stopped = await openFixture()
  await stopped.store.close()
  const child = spawn(process.execPath, [MAIN, '--config', stopped.configFile, 'suppress', 'import', '-'])
  child.stdin.end('email\njane@example.net\n')
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(out).toContain('1 to change')
  await stopped.close()
})

test.each([
  [['explain', 'a.test'], 0, 4],
  [['resolve', 'not_a/domain'], 2, 2],
  [['source', 'drain', 'nobody', '--reason', 'x'], 3, 3],
  [['suspend', 'add', 'tenant', 'nobody', '--for', '1h', '--reason', 'x'], 3, 3],
  [['sandbox', 'inbox'], 1, 4],
  [['queue', 'list', '--limit', 'x'], 2, 2],
])('%j: the shell gets %i of a running relay, %i of a stopped one', async (words, running, stopped) => {
  const exitCode = async (configFile: string): Promise<unknown> => {
    const child = spawn(process.execPath, [MAIN, '--config', configFile, ...words], { stdio: 'ignore' })
    return (await once(child, 'exit'))[0]
  }
  const other = await openFixture()
  await other.store.close()
  expect([await exitCode(relay.configFile), await exitCode(other.configFile)]).toEqual([running, stopped])
  await other.close()
})
