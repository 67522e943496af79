// What the shaping says holds on the wire: limits of paths, providers, domains and sources, TLS, timeouts, in one thread
// and in several.

import { afterEach, describe, expect, test } from 'vitest'
import type { Settings } from '../../src/config/schema.ts'
import { createDelivery } from '../../src/delivery/create-delivery.ts'
import type { Delivery } from '../../src/delivery/delivery.ts'
import { parseDomain } from '../../src/mail/address.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createShaping, type Shaping } from '../../src/shaping/shaping.ts'
import { readShapingFile } from '../../src/shaping/shaping-file.ts'
import { systemClock } from '../../src/util/clock.ts'
import { attemptTo } from '../support/attempt.ts'
import { settingsWith } from '../support/delivery-settings.ts'
import { DnsServer, type Zones } from '../support/dns-server.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

let open = new AsyncDisposableStack()
afterEach(async () => {
  await open.disposeAsync()
  open = new AsyncDisposableStack()
})

const SITES = 6
/** site1.example … each with an MX host of its own, all of one provider. */
const ZONES: Zones = Object.fromEntries(
  Array.from({ length: SITES }, (_, at) => [
    [`site${at}.example`, { mx: [[1, `mx${at}.big.example`]] }],
    [`mx${at}.big.example`, { a: ['127.0.0.1'] }],
  ]).flat(),
)
const TWO_SOURCES = {
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

function shapingOf(text: string, settings: Settings, kind: 'file' | 'preset' = 'file'): Shaping {
  return createShaping({
    settings,
    families: new Map(),
    files: [{ kind, file: readShapingFile(text, 'shaping.toml') }],
  })
}

async function start(
  text: string,
  given: { workers?: number; script?: ScriptedMx['script']; more?: object; delivery?: object; kind?: 'preset' } = {},
) {
  const mx = open.use(await ScriptedMx.start())
  // As a server counts: from its greeting to its goodbye. When the socket is closed beyond that, two event loops tell
  // in no order that could be relied upon.
  const counted = { open: 0, most: 0 }
  mx.script = (said) => {
    if (said.command === 'banner') counted.most = Math.max(counted.most, ++counted.open)
    if (said.command === 'QUIT') counted.open--
    return given.script?.(said)
  }
  const dns = open.use(
    await DnsServer.start({
      ...ZONES,
      'shared.example': { mx: [[1, 'mx0.big.example']] },
      // Names a host of the provider first that does not answer, and one of its own behind it.
      'tarpit.example': {
        mx: [
          [1, 'dead.big.example'],
          [2, 'mx.tarpit.example'],
        ],
      },
      'torn.example': {
        mx: [
          [1, 'mx0.big.example'],
          [1, 'mx.tarpit.example'],
        ],
      },
      'spare.example': {
        mx: [
          [1, 'mx.tarpit.example'],
          [2, 'mx0.big.example'],
        ],
      },
      'dead.big.example': { a: ['127.0.0.99'] },
      'mx.tarpit.example': { a: ['127.0.0.1'] },
    }),
  )
  const delivery = {
    workers: given.workers ?? 0,
    allowPrivate: true,
    port: mx.port,
    resolvers: [dns.address],
    dnsTimeout: 200,
    connectionRate: { count: 10_000, per: 1000 },
    ...given.delivery,
  }
  const settings = settingsWith({ delivery, ...given.more })
  const made = createDelivery({
    settings,
    shaping: shapingOf(text, settings, given.kind),
    clock: systemClock,
    logger: silentLogger(),
    readChunk: async () => undefined,
  })
  open.defer(() => made.close(1000))
  return { mx, delivery: made, settings, counted }
}

const send = async (by: Delivery, count: number, domainOf: (at: number) => string): Promise<string[]> =>
  (await Promise.all(Array.from({ length: count }, (_, at) => by.deliver(attemptTo(`a@${domainOf(at)}`))))).map(
    ({ kind }) => kind,
  )
const bySite = (at: number): string => `site${at % SITES}.example`

describe.each([
  ['in the main thread', 0],
  ['in three threads', 3],
])('%s', (_, workers) => {
  test('a provider has no more connections than it may, over all its sites and sources', async () => {
    const { mx, delivery, counted } = await start(
      '[provider.big]\nmx = ["big.example"]\nprovider_connections = 3\nconnections = 4',
      { workers, more: TWO_SOURCES },
    )
    expect(new Set(await send(delivery, 120, bySite))).toEqual(new Set(['delivered']))
    expect(counted.most).toBeLessThanOrEqual(3)
    expect(mx.mails.length).toBe(120)
  })

  test('a provider per source', async () => {
    const { delivery, counted } = await start(
      '[provider.big]\nmx = ["big.example"]\nprovider_connections_per_source = 2\nconnections = 9',
      { workers, more: TWO_SOURCES },
    )
    expect(new Set(await send(delivery, 80, bySite))).toEqual(new Set(['delivered']))
    expect(counted.most).toBeLessThanOrEqual(4)
    expect(counted.most).toBeGreaterThan(2)
  })

  test('each site has its own connections otherwise', async () => {
    const { delivery, counted } = await start(
      '[provider.big]\nmx = ["big.example"]\nconnections = 1\n[site."mx0.big.example"]\nconnections = 2',
      { workers },
    )
    await send(delivery, 60, bySite)
    expect(counted.most).toBe(SITES + 1)
  })
})

test('a domain with limits of its own does not use the connections of its site', async () => {
  const { mx, delivery, counted } = await start(
    '[default]\nconnections = 3\n[domain."shared.example"]\nconnections = 1\nmessages_per_connection = 2',
  )
  await send(delivery, 10, () => 'shared.example')
  expect(counted.most).toBe(1)
  expect(mx.connections).toBe(5)
  expect(await delivery.locate(parseDomain('shared.example')!)).toMatchObject({
    site: 'mx0.big.example',
    line: 'mx0.big.example shared.example',
    slots: 1,
  })
  await send(delivery, 9, () => 'site0.example')
  const paths = await delivery.paths()
  expect(paths.map(({ site, domain, connections }) => ({ site, domain, connections }))).toEqual([
    { site: 'mx0.big.example', domain: 'shared.example', connections: 1 },
    { site: 'mx0.big.example', domain: undefined, connections: 3 },
  ])
})

test('who names hosts of a provider beside its own does not sit on the connections of the provider', async () => {
  const { delivery } = await start('[provider.big]\nmx = ["big.example"]\nprovider_connections = 1', {
    script: ({ command }) =>
      command.startsWith('RCPT') && command.includes('@tarpit.example') ? 'silence' : undefined,
    delivery: { commandTimeout: 20_000 },
  })
  const stuck = delivery.deliver(attemptTo('a@tarpit.example'))
  await delivery.locate(parseDomain('tarpit.example')!)
  while ((await delivery.paths()).every(({ site }) => !site.includes('tarpit'))) await systemClock.sleep(5)
  expect(await delivery.deliver(attemptTo('a@site0.example'))).toMatchObject({ kind: 'delivered' })
  expect(await delivery.locate(parseDomain('tarpit.example')!)).not.toHaveProperty('shared')
  await delivery.close(0)
  await stuck
}, 10_000)

test('the best of several hosts say whose rates count: what may arrive there counts there', async () => {
  const { delivery } = await start(
    '[provider.big]\nmx = ["big.example"]\nprovider_message_rate = "5/s"\nprovider_connections = 1',
  )
  const known = async (domain: string) => {
    const place = await delivery.locate(parseDomain(domain)!)
    if (place.kind !== 'site') throw new Error(`${domain} has no site`)
    return [place.provider, place.limits?.('default').map(({ name }) => name), place.shared?.name]
  }
  expect(await known('site0.example')).toEqual(['big', ['provider big'], 'provider big'])
  // Hosts of others stand behind, or beside, or before those of the provider.
  expect(await known('tarpit.example')).toEqual(['big', ['provider big'], undefined])
  expect(await known('torn.example')).toEqual([undefined, [], undefined])
  expect(await known('spare.example')).toEqual([undefined, [], undefined])
})

test('one source may have other limits than the others', async () => {
  const { delivery } = await start('[default]\nconnections = 3\n[default.source.x]\nconnections = 1', {
    more: TWO_SOURCES,
  })
  await send(delivery, 30, () => 'site0.example')
  const paths = await delivery.paths()
  expect(Object.fromEntries(paths.map(({ source, connections }) => [source, connections]))).toEqual({ x: 1, y: 3 })
  expect(await delivery.locate(parseDomain('site0.example')!)).toMatchObject({ slots: 4 })
})

test('TLS that a provider demands is demanded; a route decides for itself', async () => {
  const { mx, delivery } = await start('[provider.big]\nmx = ["big.example"]\ntls = "required"')
  expect(await delivery.deliver(attemptTo('a@site0.example'))).toMatchObject({
    kind: 'deferred',
    cause: { kind: 'tls' },
  })
  expect(mx.mails).toEqual([])
  const route = {
    domain: 'site0.example',
    to: `smtp://127.0.0.1:${mx.port}`,
    tls: 'none',
    verify: true,
    allowPrivate: true,
    connections: 7,
  }
  const routed = await start('[default]\ntls = "required"\nconnections = 2', { more: { route: [route] } })
  expect(await routed.delivery.deliver(attemptTo('a@site0.example'))).toMatchObject({ kind: 'delivered' })
  expect(await routed.delivery.paths()).toMatchObject([{ connections: 7 }])
})

test('a [[tls_policy]] wins over the shaping; a preset demands more than [delivery], never less', async () => {
  const demanding = '[provider.big]\nmx = ["big.example"]\ntls = "verify"'
  const policy = { domain: 'site0.example', tls: 'none', dane: false, mtaSts: false }
  const ruled = await start(demanding, { more: { tlsPolicy: [policy] } })
  expect(await ruled.delivery.deliver(attemptTo('a@site0.example'))).toMatchObject({ kind: 'delivered' })
  expect(await ruled.delivery.deliver(attemptTo('a@site1.example'))).toMatchObject({ kind: 'deferred' })
  const lax = '[provider.big]\nmx = ["big.example"]\ntls = "none"'
  const strict = await start(lax, { kind: 'preset', delivery: { tls: 'required' } })
  expect(await strict.delivery.deliver(attemptTo('a@site0.example'))).toMatchObject({
    kind: 'deferred',
    cause: { kind: 'tls' },
  })
  const own = await start(lax, { delivery: { tls: 'required' } })
  expect(await own.delivery.deliver(attemptTo('a@site0.example'))).toMatchObject({ kind: 'delivered' })
})

test('timeouts', async () => {
  const { delivery } = await start('[site."mx1.big.example"]\ngreeting_timeout = "50ms"', {
    script: ({ command }) => (command === 'banner' ? 'silence' : undefined),
  })
  expect(await delivery.deliver(attemptTo('a@site1.example'))).toMatchObject({
    kind: 'deferred',
    cause: { kind: 'timeout' },
  })
})

test('changed shaping applies to the next attempts, and connections in use are not forgotten', async () => {
  const { delivery, settings, counted } = await start('[provider.big]\nmx = ["big.example"]\nprovider_connections = 1')
  await send(delivery, 10, bySite)
  expect(counted.most).toBe(1)
  delivery.reconfigure(settings, shapingOf('[provider.big]\nmx = ["big.example"]\nprovider_connections = 4', settings))
  await send(delivery, 60, bySite)
  expect(counted.most).toBeGreaterThan(1)
  expect(counted.most).toBeLessThanOrEqual(4)
})

test('rates of a place are named after what they limit, so that those of one name are one limit', async () => {
  const { delivery } = await start(
    '[provider.big]\nmx = ["big.example"]\nprovider_message_rate = "5/s"\nmessage_rate = "2/s"\n[source.default]\nmessage_rate = "100/d"\n[domain."shared.example"]\nmessage_rate = "1/s"',
  )
  const [shared, site] = await Promise.all(
    ['shared.example', 'site0.example'].map((domain) => delivery.locate(parseDomain(domain)!)),
  )
  const names = (place: typeof shared) =>
    place?.kind === 'site' ? place.limits?.('default').map(({ name, rate }) => `${name}: ${rate.count}`) : []
  expect(names(site)).toEqual(['provider big: 5', 'source default: 100', 'path default mx0.big.example: 2'])
  expect(names(shared)).toEqual([
    'provider big: 5',
    'source default: 100',
    'path default mx0.big.example shared.example: 1',
  ])
})
