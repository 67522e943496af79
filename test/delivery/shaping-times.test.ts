// The values of a shaping section that are times, each on the wire and on a clock of the test's own: nothing before, and then
// what the value says. What is not here (limits, TLS, rates, retries) stands in shaping.test.ts and test/scenarios/rates.test.ts.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import type { Settings } from '../../src/config/schema.ts'
import { createDelivery } from '../../src/delivery/create-delivery.ts'
import type { Delivery } from '../../src/delivery/delivery.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createShaping } from '../../src/shaping/shaping.ts'
import { readShapingFile } from '../../src/shaping/shaping-file.ts'
import { HOUR, MINUTE, SECOND } from '../../src/util/clock.ts'
import { attemptTo } from '../support/attempt.ts'
import { settingsWith } from '../support/delivery-settings.ts'
import { DnsServer } from '../support/dns-server.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

let open = new AsyncDisposableStack()
afterEach(async () => {
  await open.disposeAsync()
  open = new AsyncDisposableStack()
})

const CHUNK = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(4096))

/** Shaping for a.test; other domains have the defaults. */
async function start(
  values: string,
  port: number,
  more: Partial<Settings['delivery']> = {},
): Promise<{ delivery: Delivery; clock: FakeClock }> {
  const dns = open.use(
    await DnsServer.start({
      'a.test': { mx: [[1, 'mx.a.test']] },
      'b.test': { mx: [[1, 'mx.b.test']] },
      'mx.a.test': { a: ['127.0.0.1'] },
      'mx.b.test': { a: ['127.0.0.1'] },
    }),
  )
  const delivery = {
    workers: 0,
    allowPrivate: true,
    port,
    resolvers: [dns.address],
    mtaSts: false,
    dane: 'off',
    ...more,
  }
  const settings = settingsWith({ delivery })
  const file = readShapingFile(`[domain."a.test"]\n${values}`, 'shaping.toml')
  const clock = new FakeClock()
  const made = createDelivery({
    settings,
    shaping: createShaping({ settings, families: new Map(), files: [{ kind: 'file', file }] }),
    clock,
    logger: silentLogger(),
    readChunk: async () => CHUNK,
  })
  open.defer(async () => {
    const closing = made.close(0)
    await clock.advance(HOUR)
    await closing
  })
  return { delivery: made, clock }
}

/** Until it is so; nothing that is asked for here needs time of the clock. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate)
}

/** An attempt at each domain, both at the same point: a.test is given up after 45 s, b.test is not. */
async function expectTimeout(
  at: { delivery: Delivery; clock: FakeClock },
  given: { cause?: string; chunks?: number; isThere: () => boolean | Promise<boolean> },
): Promise<void> {
  const { delivery, clock } = at
  const { cause = 'timeout', chunks = 1, isThere } = given
  const ended: string[] = []
  for (const domain of ['a.test', 'b.test'])
    void delivery.deliver(attemptTo(`jane@${domain}`, { chunks })).then((outcome) => {
      ended.push(`${domain} ${outcome.kind} ${outcome.kind === 'deferred' ? outcome.cause.kind : ''}`)
    })
  await until(isThere)
  await clock.advance(44 * SECOND)
  expect(ended).toEqual([])
  await clock.advance(2 * SECOND)
  await until(() => ended.length > 0)
  await clock.advance(10 * SECOND)
  expect(ended).toEqual([`a.test deferred ${cause}`])
}

test.each([
  ['greeting_timeout', 'banner'],
  ['command_timeout', 'EHLO'],
  ['command_timeout', 'RCPT'],
  ['data_timeout', 'DATA'],
  ['dot_timeout', 'dot'],
  ['attempt_timeout', 'MAIL'],
])('%s at %s', async (key, stage) => {
  const mx = open.use(
    await ScriptedMx.start({ script: ({ command }) => (command.startsWith(stage) ? 'silence' : undefined) }),
  )
  const at = await start(`${key} = "45s"`, mx.port)
  const isThere = (): boolean => mx.commands.filter((command) => command === stage).length === 2
  // After the dot nobody knows whether it has the mail.
  await expectTimeout(at, { isThere, ...(stage === 'dot' && { cause: 'ambiguous' }) })
})

/** A port whose owner never takes a connection: once its line is full, nobody gets an answer. */
const DEAF = `
const { createServer } = require('node:net')
const { parentPort } = require('node:worker_threads')
const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

test('connect_timeout', async () => {
  const deaf = new Worker(DEAF, { eval: true })
  open.defer(() => deaf.terminate().then(() => undefined))
  const [port] = (await once(deaf, 'message')) as [number]
  const line = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  open.defer(() => line.forEach((socket) => void socket.destroy()))
  await Promise.all(line.slice(0, 2).map((socket) => once(socket, 'connect')))
  // The default is less.
  const at = await start('connect_timeout = "45s"', port, { connectTimeout: 2 * MINUTE })
  const isThere = async (): Promise<boolean> =>
    (await at.delivery.paths()).filter(({ connections }) => connections > 0).length === 2
  await expectTimeout(at, { isThere })
})

test('block_timeout', async () => {
  let stuck = 0
  // Takes what fits into the buffers of the system, and no more.
  const server = createServer((socket) => {
    open.defer(() => void socket.destroy())
    socket.on('error', () => socket.destroy()).write('220 mx.test\r\n')
    socket.setEncoding('latin1').on('data', (text: string) => {
      const isData = text.includes('DATA')
      socket.write(isData ? '354 go ahead\r\n' : '250 ok\r\n')
      if (!isData) return
      socket.pause()
      stuck++
    })
  }).listen(0, '127.0.0.1')
  open.defer(() => void server.close())
  await once(server, 'listening')
  const at = await start('block_timeout = "45s"', (server.address() as AddressInfo).port)
  await expectTimeout(at, { chunks: 400, isThere: () => stuck === 2 })
})

test('idle_timeout', async () => {
  const mx = open.use(await ScriptedMx.start())
  const { delivery, clock } = await start('idle_timeout = "45s"', mx.port)
  for (const domain of ['a.test', 'b.test'])
    expect(await delivery.deliver(attemptTo(`jane@${domain}`))).toMatchObject({ kind: 'delivered' })
  await clock.advance(6 * SECOND)
  await until(() => mx.open === 1)
  await clock.advance(38 * SECOND)
  await delivery.deliver(attemptTo('jane@a.test'))
  expect([mx.open, mx.connections]).toEqual([1, 2])
  await clock.advance(46 * SECOND)
  await until(() => mx.open === 0)
})

test('connection_rate', async () => {
  const mx = open.use(await ScriptedMx.start())
  const { delivery, clock } = await start(
    'connection_rate = "2/min"\nconnections = 9\nmessages_per_connection = 1',
    mx.port,
  )
  for (let n = 0; n < 5; n++) void delivery.deliver(attemptTo('jane@a.test'))
  await until(() => mx.mails.length === 2)
  await clock.advance(20 * SECOND)
  expect(mx.connections).toBe(2)
  await clock.advance(MINUTE)
  // Those that found no connection in time have gone back to the queue; they come again.
  for (let n = 0; n < 3; n++) void delivery.deliver(attemptTo('jane@a.test'))
  await until(() => mx.mails.length === 4)
  await clock.advance(20 * SECOND)
  expect(mx.connections).toBe(4)
})
