// A site that takes connections and never says a word must not slow the others: with room for all, and when such sites alone fill
// up everything that may be under way.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { DnsServer, type Zones } from './support/dns-server.ts'
import { startTestRelay, stopRelays } from './support/relay.ts'
import { ScriptedMx } from './support/scripted-mx.ts'

afterEach(stopRelays)

/** Accepts, and leaves it at that. */
class Tarpit implements AsyncDisposable {
  connections = 0
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor() {
    this.#server = createServer((socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
    })
  }

  static async start(address: string, port: number): Promise<Tarpit> {
    const tarpit = new Tarpit()
    tarpit.#server.listen(port, address)
    await once(tarpit.#server, 'listening')
    return tarpit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const SILENT = ['127.0.0.2', '127.0.0.3', '127.0.0.4']
const many = (count: number, domain: string): string[] => Array.from({ length: count }, (_, n) => `u${n}@${domain}`)

test.each([
  ['with room for all', 2000, 1],
  ['when silent sites fill up max_in_flight', 20, SILENT.length],
])('%s', async (_, maxInFlight, silent) => {
  await using receiver = await ScriptedMx.start()
  await using stack = new AsyncDisposableStack()
  const tarpits: Tarpit[] = []
  const zones: Zones = { 'good.example': { mx: [[1, 'mx.good.example']] }, 'mx.good.example': { a: ['127.0.0.1'] } }
  for (const [n, address] of SILENT.slice(0, silent).entries()) {
    tarpits.push(stack.use(await Tarpit.start(address, receiver.port)))
    zones[`silent${n}.example`] = { mx: [[1, `mx.silent${n}.example`]] }
    zones[`mx.silent${n}.example`] = { a: [address] }
  }
  const dns = stack.use(await DnsServer.start(zones))
  const relay = await startTestRelay({
    internet: true,
    delivery: `resolvers = ["${dns.address}"]\nport = ${receiver.port}\nallow_private = true\nmta_sts = false\ndane = "off"\nconnections = 10`,
    queue: `max_in_flight = ${maxInFlight}`,
  })
  for (const n of tarpits.keys()) await relay.send(many(50, `silent${n}.example`))
  while (tarpits.some(({ connections }) => connections === 0)) await new Promise(setImmediate)
  await relay.send(many(100, 'good.example'))
  await receiver.received(100)
  expect(relay.records.filter(({ kind }) => kind === 'failed' || kind === 'deferred')).toEqual([])
  for (const { connections } of tarpits) expect(connections).toBeLessThanOrEqual(10)
})
