import { once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import type { Settings } from '../../src/config/schema.ts'
import { createDelivery } from '../../src/delivery/create-delivery.ts'
import type { ChunkReader, Delivery } from '../../src/delivery/delivery.ts'
import type { Destination } from '../../src/delivery/destination.ts'
import { Thread } from '../../src/delivery/thread.ts'
import { parseDomain } from '../../src/mail/address.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { systemClock } from '../../src/util/clock.ts'
import { attemptTo } from '../support/attempt.ts'
import { deliverySettings, settingsWith } from '../support/delivery-settings.ts'
import { DnsServer, type Zones } from '../support/dns-server.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

let open = new AsyncDisposableStack()
afterEach(async () => {
  await open.disposeAsync()
  open = new AsyncDisposableStack()
})

const noChunks: ChunkReader = async () => undefined

async function internet(zones: Zones): Promise<{ mx: ScriptedMx; dns: DnsServer }> {
  return { mx: open.use(await ScriptedMx.start()), dns: open.use(await DnsServer.start(zones)) }
}

function delivery(
  at: { mx: ScriptedMx; dns: DnsServer },
  settings: { delivery?: Partial<Settings['delivery']>; [section: string]: unknown } = {},
  readChunk = noChunks,
): Delivery {
  const made = createDelivery({
    settings: settingsFor(at, settings),
    clock: systemClock,
    readChunk,
    logger: silentLogger(),
  })
  open.defer(() => made.close(1000))
  return made
}

function settingsFor(
  at: { mx: ScriptedMx; dns: DnsServer },
  settings: { delivery?: Partial<Settings['delivery']>; [section: string]: unknown } = {},
) {
  const base = { workers: 1, allowPrivate: true, port: at.mx.port, resolvers: [at.dns.address], dnsTimeout: 200 }
  return settingsWith({ ...settings, delivery: { ...base, ...settings.delivery } })
}

const ZONES: Zones = {
  'one.example': { mx: [[1, 'mx.one.example']] },
  'mx.one.example': { a: ['127.0.0.1'] },
  'two.example': { a: ['127.0.0.1'] },
  'none.example': { mx: [[0, '.']] },
}

describe.each([
  ['in this thread', 0],
  ['in one thread', 1],
  ['in three threads', 3],
])('delivery %s', (_, workers) => {
  test('a large body is read from its file; when it is not all there, the mail is not sent', async () => {
    const at = await internet(ZONES)
    const by = delivery(at, { delivery: { workers } })
    const path = join(
      open.adopt(mkdtempSync(join(tmpdir(), 'studs-worker-')), (folder) => rmSync(folder, { recursive: true })),
      'body',
    )
    // Dots at the beginning of lines, at every place that a piece may end.
    const text = `Subject: large\r\n\r\n${'.a\r\n'.repeat(150_000)}`
    writeFileSync(path, text)
    const bytes = text.length
    const large = attemptTo('a@one.example', { chunks: 3, file: { path, bytes } })
    expect(await by.deliver(large)).toMatchObject({ kind: 'delivered' })
    expect(at.mx.mails[0]?.content === text).toBe(true)
    truncateSync(path, 500_000)
    expect(await by.deliver(large)).toMatchObject({ kind: 'deferred', cause: { kind: 'local', code: '4.3.0' } })
    rmSync(path)
    expect(await by.deliver(large)).toMatchObject({ kind: 'deferred', cause: { kind: 'local', code: '4.3.0' } })
    expect(at.mx.mails).toHaveLength(1)
  })

  test('from domain to mailbox', async () => {
    const at = await internet(ZONES)
    const by = delivery(at, { delivery: { workers } })
    const outcomes = await Promise.all(
      ['a@one.example', 'b@two.example', 'c@one.example'].map((to) => by.deliver(attemptTo(to))),
    )
    expect(outcomes).toMatchObject([
      {
        kind: 'delivered',
        way: { site: 'mx.one.example', mx: 'mx.one.example', mxAddress: '127.0.0.1', source: 'default' },
      },
      { kind: 'delivered', way: { site: 'two.example', mx: 'two.example' } },
      { kind: 'delivered', way: { site: 'mx.one.example' } },
    ])
    expect(at.mx.mails.map(({ recipient }) => recipient).sort()).toEqual([
      'a@one.example',
      'b@two.example',
      'c@one.example',
    ])
    const paths = await by.paths()
    expect(paths.map(({ source, site }) => `${source} ${site}`).sort()).toEqual([
      'default mx.one.example',
      'default two.example',
    ])
  })

  test('what DNS says against a domain is the outcome', async () => {
    const by = delivery(await internet(ZONES), { delivery: { workers } })
    expect(await by.deliver(attemptTo('a@none.example'))).toMatchObject({
      kind: 'failed',
      cause: { kind: 'dns', code: '5.1.10' },
    })
    expect(await by.deliver(attemptTo('a@gone.example'))).toMatchObject({
      kind: 'failed',
      cause: { kind: 'dns', code: '5.1.2' },
    })
  })

  test('a body of many chunks comes through the reader, in order', async () => {
    const at = await internet(ZONES)
    const chunks = Array.from({ length: 5 }, (_, n) => Buffer.from(`${String(n).repeat(998)}\r\n`.repeat(262)))
    const asked: string[] = []
    const by = delivery(at, { delivery: { workers } }, async (id, index) => {
      asked.push(`${id} ${index}`)
      return chunks[index]
    })
    const big = attemptTo('a@one.example', { chunks: 5, prefix: 'X-Big: yes\r\n' })
    expect(await by.deliver(big)).toMatchObject({ kind: 'delivered' })
    expect(at.mx.mails[0]!.content).toBe(`X-Big: yes\r\n${Buffer.concat(chunks)}`)
    expect(asked).toEqual([0, 1, 2, 3, 4].map((index) => `${big.message} ${index}`))
    expect(chunks[0]!.length).toBe(262_000) // handed over as copies: still ours
  })

  test('a body that cannot be read, or is gone, defers', async () => {
    const at = await internet(ZONES)
    const unreadable = delivery(at, { delivery: { workers } }, async () => {
      throw new Error('disk on fire')
    })
    const chunked = { chunks: 2 }
    expect(await unreadable.deliver(attemptTo('a@one.example', chunked))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'local', code: '4.3.0', detail: 'internal error: disk on fire' },
    })
    expect(await delivery(at, { delivery: { workers } }).deliver(attemptTo('a@one.example', chunked))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'local', code: '4.3.0' },
    })
    expect(at.mx.mails).toEqual([])
  })

  test('closing ends what runs and takes nothing new', async () => {
    const at = await internet(ZONES)
    at.mx.script = ({ command }) => (command === 'RCPT slow@one.example' ? 'silence' : undefined)
    const by = delivery(at, { delivery: { workers, connections: 1 } })
    const slow = by.deliver(attemptTo('slow@one.example'))
    const waiting = by.deliver(attemptTo('a@one.example'))
    while (!at.mx.commands.includes('RCPT')) await new Promise(setImmediate)
    await by.close(20)
    expect(await slow).toMatchObject({ kind: 'returned' })
    expect(await waiting).toMatchObject({ kind: 'returned', reason: 'shutting down' })
    expect(await by.deliver(attemptTo('b@one.example'))).toMatchObject({ kind: 'returned' })
  })

  test('changed settings hold from then on', async () => {
    const at = await internet(ZONES)
    const by = delivery(at, { delivery: { workers } })
    expect(await by.deliver(attemptTo('a@one.example'))).toMatchObject({
      kind: 'delivered',
      way: { site: 'mx.one.example' },
    })
    const route = [
      { domain: '*', to: `smtp://127.0.0.1:${at.mx.port}`, tls: 'none', verify: true, allowPrivate: false },
    ]
    by.reconfigure(settingsFor(at, { route, delivery: { workers, messagesPerConnection: 1 } }))
    const site = `route:127.0.0.1:${at.mx.port}`
    for (const _ of [1, 2])
      expect(await by.deliver(attemptTo('a@one.example'))).toMatchObject({ kind: 'delivered', way: { site } })
    expect(at.mx.connections).toBe(3)
  })
})

describe('what delivery knows', () => {
  test('where mail for a domain goes, and how much at one time', async () => {
    const at = await internet(ZONES)
    const two = {
      source: [{ name: 'x' }, { name: 'y' }],
      pool: [
        {
          name: 'default',
          sources: [
            { source: 'x', weight: 1 },
            { source: 'y', weight: 1 },
          ],
        },
      ],
    }
    const by = delivery(at, { delivery: { connections: 4, workers: 0 }, ...two })
    expect(await by.locate(parseDomain('one.example')!)).toMatchObject({
      kind: 'site',
      site: 'mx.one.example',
      slots: 8,
    })
    expect(await by.locate(parseDomain('none.example')!)).toMatchObject({
      kind: 'nowhere',
      outcome: { kind: 'failed' },
    })
    expect(by.knownNullMx(parseDomain('none.example')!)).toMatchObject({ code: '5.1.10' })
    expect(by.knownNullMx(parseDomain('one.example')!)).toBeUndefined()
    expect(by.knownNullMx(parseDomain('never-asked.example')!)).toBeUndefined()
  })

  test('each source is its own path, and the EHLO name is the source’s', async () => {
    const at = await internet(ZONES)
    const named = {
      source: [
        { name: 'x', ipv4: '127.0.0.1' },
        { name: 'y', ipv4: '127.0.0.2' },
      ],
    }
    const pool = [
      {
        name: 'default',
        sources: [
          { source: 'x', weight: 1 },
          { source: 'y', weight: 1 },
        ],
      },
    ]
    const by = delivery(at, { delivery: { workers: 0 }, ...named, pool })
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, n) => by.deliver(attemptTo('a@one.example', { message: `0d000000000${n + 10}` }))),
    )
    const ways = outcomes.map((outcome) =>
      outcome.kind === 'delivered' ? `${outcome.way.source} ${outcome.way.localAddress}` : outcome.kind,
    )
    expect([...new Set(ways)].sort()).toEqual(['x 127.0.0.1', 'y 127.0.0.2'])
    expect(await by.paths()).toHaveLength(2)
  })

  test('a pool without sources defers: mail must not leave from elsewhere', async () => {
    const by = delivery(await internet(ZONES), { delivery: { workers: 0 } })
    expect(await by.deliver(attemptTo('a@one.example', { pool: 'nobody' }))).toMatchObject({
      kind: 'deferred',
      cause: { code: '4.3.5' },
    })
  })

  test('an error of our own defers and is logged, wherever it happens', async () => {
    const lines: string[] = []
    const logger = pino({}, { write: (line: string) => void lines.push(line) })
    const broken = () => {
      throw new Error('a bug')
    }
    const by = createDelivery({
      settings: settingsWith({ delivery: { workers: 0, dane: 'off' } }),
      clock: systemClock,
      readChunk: noChunks,
      logger,
      resolver: { mx: broken, addresses: broken, txt: broken },
    })
    open.defer(() => by.close(0))
    const expected = { kind: 'deferred', cause: { kind: 'local', code: '4.3.0', detail: 'internal error: a bug' } }
    expect(await by.deliver(attemptTo('a@one.example'))).toMatchObject(expected)
    expect(await by.locate(parseDomain('one.example')!)).toMatchObject({ kind: 'nowhere', outcome: expected })
    expect(lines).toHaveLength(2)
  })
})

describe('a thread that dies', () => {
  const destination = (port: number): Destination => ({
    site: 's',
    hosts: [{ name: 'mx.example', preference: 0, addresses: ['127.0.0.1'] }],
    port,
    implicitTls: false,
    tls: 'none',
    verify: false,
    connections: 10,
  })
  const source = { name: 'one', ehlo: 'relay.example' }

  const script = new URL('../support/crashing-worker.ts', import.meta.url)

  test('what was under way is ambiguous; another thread takes over', async () => {
    const mx = open.use(
      await ScriptedMx.start({ script: ({ command }) => (command.startsWith('RCPT crash@') ? 'silence' : undefined) }),
    )
    const lines: string[] = []
    const logger = pino({}, { write: (line: string) => void lines.push(line) })
    const clock = new FakeClock()
    const thread = new Thread({ settings: deliverySettings(), clock, readChunk: noChunks, logger, script })
    open.defer(() => thread.close(0))
    // Which the next thread has to be told of again.
    const there = destination(mx.port)
    const carry = (to: string) => thread.carry({ attempt: attemptTo(to), destination: there, source })

    expect(await carry('a@one.example')).toMatchObject({ kind: 'delivered' })
    const crashed = carry('crash@one.example')
    while (mx.commands.filter((command) => command === 'RCPT').length < 2) await new Promise(setImmediate)
    expect(await thread.paths()).toEqual([])
    expect(await crashed).toMatchObject({ kind: 'deferred', cause: { kind: 'ambiguous' } })
    expect(lines.join('')).toContain('the thread was told to die')
    expect(await carry('b@one.example')).toMatchObject({ kind: 'returned', retryAfterMs: 1000 })
    await clock.advance(1000)
    expect(await carry('c@one.example')).toMatchObject({ kind: 'delivered' })
    expect(mx.mails.map(({ recipient }) => recipient)).toEqual(['a@one.example', 'c@one.example'])
  })

  test('of more places than it is told at one time none is forgotten', async () => {
    const mx = open.use(await ScriptedMx.start({}))
    const thread = new Thread({
      settings: deliverySettings(),
      clock: systemClock,
      readChunk: noChunks,
      logger: silentLogger(),
    })
    open.defer(() => thread.close(0))
    const there = destination(mx.port)
    const carry = (to: string, where = there) => thread.carry({ attempt: attemptTo(to), destination: where, source })
    expect(await carry('a@one.example')).toMatchObject({ kind: 'delivered' })
    // No host at all: an outcome without a connection.
    const nowhere = Array.from({ length: 1000 }, (_, n) => ({ ...there, site: `s${n}`, hosts: [] }))
    const outcomes = await Promise.all(nowhere.map((where) => carry('b@one.example', where)))
    expect(outcomes.filter(({ kind }) => kind === 'deferred')).toHaveLength(1000)
    expect(await carry('c@one.example')).toMatchObject({ kind: 'delivered' })
    expect(await carry('d@one.example', nowhere[7])).toMatchObject({ kind: 'deferred', cause: { kind: 'connect' } })
    expect(mx.mails.map(({ recipient }) => recipient)).toEqual(['a@one.example', 'c@one.example'])
  })

  test('closing a thread that dies comes to an end', async () => {
    const mx = open.use(await ScriptedMx.start({ script: () => 'silence' }))
    const thread = new Thread({
      settings: deliverySettings(),
      clock: systemClock,
      readChunk: noChunks,
      logger: silentLogger(),
      script,
    })
    const outcome = thread.carry({ attempt: attemptTo('crash@one.example'), destination: destination(mx.port), source })
    await once(mx, 'connection')
    const closing = thread.close(10_000)
    expect(await thread.paths()).toEqual([])
    await closing
    expect(await outcome).toMatchObject({ kind: 'deferred', cause: { kind: 'ambiguous' } })
  })
})
