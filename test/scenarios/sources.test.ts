// Sources on a real machine: two addresses of loopback, an MX that counts by the address it is called from, and the
// command line. Shares, retries, drains, warm-up, addresses that are not there, and tenants that do not stand in each
// other's way.

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { DAY, systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { RETURN_PATHS, startTestRelay, stopRelays, type TestRelay, type TestRelayOptions } from '../support/relay.ts'
import { type Script, ScriptedMx } from '../support/scripted-mx.ts'

let open = new AsyncDisposableStack()
afterEach(async () => {
  await stopRelays()
  await open.disposeAsync()
  open = new AsyncDisposableStack()
})

const TWO = `
[[source]]
name = "a"
ipv4 = "127.0.0.2"
[[source]]
name = "b"
ipv4 = "127.0.0.3"
[[pool]]
name = "default"
sources = [{ source = "a" }, { source = "b" }]
`
const NOWHERE = '198.51.100.77'

interface Counting {
  readonly mx: ScriptedMx
  /** Mails taken, by the address they came from. */
  readonly by: Record<string, number>
  /** Addresses that tried a recipient, in order. */
  readonly tries: Map<string, string[]>
}

async function counting(script: Script = () => undefined): Promise<Counting> {
  const by: Record<string, number> = {}
  const tries = new Map<string, string[]>()
  const mx = await ScriptedMx.start({
    script: (said) => {
      if (said.command.startsWith('RCPT ')) {
        const recipient = said.command.slice(5)
        tries.set(recipient, [...(tries.get(recipient) ?? []), said.from])
      }
      const act = script(said)
      if (act === undefined && said.command === 'dot') by[said.from] = (by[said.from] ?? 0) + 1
      return act
    },
  })
  open.use(mx)
  return { mx, by, tries }
}

const start = (mx: ScriptedMx, toml = TWO, more: TestRelayOptions = {}): Promise<TestRelay> =>
  startTestRelay({ routeTo: mx.port, toml, ...more })
const studs = (relay: TestRelay, ...words: string[]) =>
  runCli(words, { clock: systemClock, configFile: join(relay.directory, 'studs.toml'), width: 160 })
const count = (relay: TestRelay): number => relay.records.filter(({ kind }) => kind === 'delivered').length
/** Resolves when the relay says that nothing may send it. */
async function stuck(relay: TestRelay, id: string): Promise<void> {
  for (;;) {
    if ((await studs(relay, 'explain', id)).out.includes('No source of its pool may send there now')) return
    if (relay.records.some(({ kind, message }) => kind === 'delivered' && message === id))
      throw new Error('it was sent')
  }
}
async function sendSingly(relay: TestRelay, messages: number): Promise<void> {
  const before = count(relay)
  for (let n = 0; n < messages; n++) await relay.send(`jane${n}@a.test`)
  await relay.record('delivered', { count: before + messages })
}

test('mail is shared by the weights, and a retry comes from the address that was met before', async () => {
  const met = new Set<string>()
  const { mx, by, tries } = await counting(({ command }) => {
    if (!command.startsWith('RCPT ') || met.has(command)) return undefined
    met.add(command)
    return '451 4.7.1 Greylisted, come again'
  })
  const clock = new FakeClock()
  const relay = await start(mx, TWO, { clock })
  for (let n = 0; n < 40; n++) await relay.send(`jane${n}@a.test`)
  await relay.record('deferred', { count: 40 })
  await clock.advance(6 * 60_000)
  await relay.record('delivered', { count: 40 })
  expect(Object.keys(by).sort()).toEqual(['127.0.0.2', '127.0.0.3'])
  expect(Math.min(...Object.values(by))).toBeGreaterThan(8)
  for (const [, addresses] of tries) expect([addresses.length, new Set(addresses).size]).toEqual([2, 1])
})

describe('studs source', () => {
  test('list and drain: nothing new leaves from it, its mail from the other, also after a restart', async () => {
    const { mx, by } = await counting()
    let relay = await start(mx)
    const drained = await studs(relay, 'source', 'drain', 'a', '--reason', 'goes back to the provider')
    expect(drained).toMatchObject({ code: 0, out: expect.stringContaining('Nothing new leaves from a.') })
    await sendSingly(relay, 12)
    expect(by).toEqual({ '127.0.0.3': 12 })
    await relay.stop()
    relay = await start(mx, TWO, { directory: relay.directory })
    await sendSingly(relay, 12)
    expect(by).toEqual({ '127.0.0.3': 24 })
    const list = (await studs(relay, 'source', 'list')).out
    expect(list).toMatch(/^a +default +drained +– +0 +0 +–$/m)
    expect(list).toMatch(/^b +default +warm +– +24 +24 +–$/m)
    expect(list).toMatch(/^a is drained by .+ since .+: goes back to the provider$/m)
    // The other one too: everything waits, and goes on with the first that is back.
    await studs(relay, 'source', 'drain', 'b', '--reason', 'x')
    const id = await relay.send('late@a.test')
    await stuck(relay, id)
    expect((await studs(relay, 'source', 'undrain', 'a', '--reason', 'stays')).code).toBe(0)
    await relay.record('delivered', { message: id })
    expect(by).toEqual({ '127.0.0.2': 1, '127.0.0.3': 24 })
    const changes = relay.records.filter(({ kind }) => kind === 'suspended' || kind === 'resumed')
    expect(changes.map(({ kind, target, reason, why }) => [kind, target?.name, reason, why])).toEqual([
      ['suspended', 'b', 'drained', 'x'],
      ['resumed', 'a', 'drained', 'stays'],
    ])
  })

  test('on a stopped relay, and what is wrong', async () => {
    const { mx } = await counting()
    const relay = await start(mx)
    expect(await studs(relay, 'source', 'drain', 'c', '--reason', 'x')).toMatchObject({
      code: 3,
      err: expect.stringContaining('There is no source c'),
    })
    expect(await studs(relay, 'source', 'drain', 'a')).toMatchObject({ code: 2 })
    expect(await studs(relay, 'source', 'undrain', 'a', '--reason', 'x')).toMatchObject({
      code: 3,
      err: expect.stringContaining('is not drained'),
    })
    expect(await studs(relay, 'source', 'warm-up', 'a')).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no warm-up plan'),
    })
    await relay.stop()
    expect(await studs(relay, 'source', 'drain', 'a', '--reason', 'x')).toMatchObject({ code: 0 })
    expect((await studs(relay, 'source', 'list')).out).toMatch(/^a +default +drained/m)
  })

  test('warm-up: so many from the cold address, the rest from the warm one, and where the plan stands', async () => {
    const { mx, by } = await counting()
    const clock = new FakeClock(Date.UTC(2026, 10, 3, 12))
    const toml = TWO.replace(
      'ipv4 = "127.0.0.3"',
      'ipv4 = "127.0.0.3"\n[source.warm_up]\nsince = "2026-11-01"\nstart = "3/h"\ngrowth = 2\ndays = 4',
    )
    const relay = await start(mx, toml, { clock })
    const send = async (messages: number): Promise<void> => {
      const before = count(relay)
      for (let n = 0; n < messages; n++) await relay.send(`jane${n}@a.test`)
      while (count(relay) < before + messages) {
        await clock.advance(20)
        await systemClock.sleep(5)
      }
    }
    await send(60)
    // Day 3: 3, 6, 12.
    expect(by).toEqual({ '127.0.0.2': 48, '127.0.0.3': 12 })
    expect((await studs(relay, 'source', 'list')).out).toMatch(
      /^b +default +warming, day 3 of 4 +12\/h each +12 +12 +0$/m,
    )
    const { out } = await studs(relay, 'source', 'warm-up', 'b')
    expect(out.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '))).toEqual([
      'b: day 3 of 4, since 2026-11-01, warm from 2026-11-05 on where nothing brakes it. What is beyond it leaves from warm sources of the pool.',
      '',
      'DAY | DATE | EACH PROVIDER | HERE TODAY',
      '1 | 2026-11-01 | 3/h',
      '2 | 2026-11-02 | 6/h',
      '3 | 2026-11-03 | 12/h | other | ← today',
      '4 | 2026-11-04 | 24/h',
      'then | 2026-11-05 | unlimited',
      '',
      'PROVIDER | NOW | HOUR | DAY | SPARE | BRAKE',
      'other | 12/h | 12 | 12 | 0',
      '',
    ])
  })
})

test('complaints that come back by mail brake the plan of the source that the mail left from', async () => {
  const since = new Date(Date.now() - 3 * DAY).toISOString().slice(0, 10)
  const toml = `${RETURN_PATHS}[[source]]\nname = "default"\n[source.warm_up]\nsince = "${since}"\n`
  const relay = await startTestRelay({ toml })
  for (const name of ['fbl+1', 'ok', 'fbl+2']) await relay.send(`${name}@a.test`)
  await relay.record('complained', { count: 2 })
  expect(await relay.record('slowed')).toMatchObject({
    target: { kind: 'warm-up', name: 'default at other' },
    why: '2 complaints today about 3 messages within 24 h',
  })
  // Of the fourth day only the third is left.
  expect((await studs(relay, 'source', 'warm-up', 'default')).out).toMatch(/^ *3 .* 39\/h +other$/m)
})

describe('addresses that are not there', () => {
  const WITH_A_LOST_ONE = TWO.replace('127.0.0.3', NOWHERE)

  test('at start: the source leaves its pool, with a record, and the list says so', async () => {
    const { mx, by } = await counting()
    const relay = await start(mx, WITH_A_LOST_ONE)
    await sendSingly(relay, 12)
    expect(by).toEqual({ '127.0.0.2': 12 })
    const { out } = await studs(relay, 'source', 'list')
    expect(out).toMatch(/^b +default +missing/m)
    expect(out).toContain(`b sends nothing: ${NOWHERE} is not on this machine`)
    expect(relay.relay.journal.latest({ limit: 50, kinds: ['suspended'] })).toMatchObject([
      {
        target: { kind: 'source', name: 'b' },
        reason: 'missing',
        who: 'studs',
        why: `${NOWHERE} is not on this machine`,
      },
    ])
  })

  test('a pool with nothing else waits: no mail leaves from an address that nobody chose', async () => {
    const { mx } = await counting()
    const relay = await start(mx, WITH_A_LOST_ONE.replace('{ source = "a" }, ', ''))
    const id = await relay.send('jane@a.test')
    await stuck(relay, id)
    expect([mx.connections, relay.records.filter(({ kind }) => kind !== 'accepted' && kind !== 'suspended')]).toEqual([
      0,
      [],
    ])
  })

  test('one family is enough, and the other is never chosen by the system', async () => {
    const { mx, by } = await counting()
    const relay = await start(mx, TWO.replace('ipv4 = "127.0.0.3"', 'ipv4 = "127.0.0.3"\nipv6 = "2001:db8::77"'))
    await sendSingly(relay, 24)
    expect(Object.keys(by).sort()).toEqual(['127.0.0.2', '127.0.0.3'])
    expect((await studs(relay, 'source', 'list')).out).toMatch(/^b +default +warm, without 2001:db8::77/m)
  })

  // Only root may give the machine an address.
  test.skipIf(!mayChangeAddresses())('one that is lost while the relay runs, and comes back', async () => {
    const address = '198.51.100.7'
    const ip = (what: 'add' | 'del') => execFileSync('ip', ['address', what, `${address}/32`, 'dev', 'lo'])
    const { mx, by } = await counting()
    ip('add')
    open.defer(() => {
      try {
        ip('del')
      } catch {
        // It has been taken away already.
      }
    })
    const clock = new FakeClock()
    const relay = await start(mx, TWO.replace('127.0.0.3', address), { clock, delivery: 'messages_per_connection = 1' })
    await sendSingly(relay, 20)
    expect(by[address]).toBeGreaterThan(2)
    ip('del')
    const before = { ...by }
    const records = (): unknown[] =>
      relay.records.flatMap(({ kind, reason, target }) => (reason === 'missing' ? [[kind, target?.name]] : []))
    for (let n = 0; n < 20; n++) await relay.send(`late${n}@a.test`)
    while (count(relay) < 40) {
      await clock.advance(100)
      await systemClock.sleep(5)
    }
    expect(by).toEqual({ ...before, '127.0.0.2': before['127.0.0.2']! + 20 })
    expect([records(), relay.records.filter(({ kind }) => kind === 'deferred')]).toEqual([[['suspended', 'b']], []])
    ip('add')
    while (records().length < 2) {
      await clock.advance(10_000)
      await systemClock.sleep(5)
    }
    expect(records()).toEqual([
      ['suspended', 'b'],
      ['resumed', 'b'],
    ])
    await sendSingly(relay, 20)
    expect(by[address]).toBeGreaterThan(before[address]!)
  })
})

describe('two tenants with a pool each, at one site', () => {
  const TENANTS = `
[[tenant]]
name = "default"
any_sender = true
pool = "slow"
[[tenant]]
name = "shop"
any_sender = true
pool = "quick"
[[network]]
cidr = "127.0.0.1"
[[network]]
cidr = "127.0.0.9"
tenant = "shop"
[[source]]
name = "a"
ipv4 = "127.0.0.2"
[[source]]
name = "b"
ipv4 = "127.0.0.3"
[[pool]]
name = "slow"
sources = [{ source = "a" }]
[[pool]]
name = "quick"
sources = [{ source = "b" }]
`

  test('a source that gets no answer keeps nobody from the other, whose connections are all its own', async () => {
    const { mx, by } = await counting(({ from, command }) =>
      from === '127.0.0.2' && command.startsWith('MAIL') ? 'silence' : undefined,
    )
    const relay = await start(mx, TENANTS, { delivery: 'connections = 2' })
    await relay.send(Array.from({ length: 40 }, (_, n) => `stuck${n}@a.test`))
    while (mx.open < 2) await once(mx, 'connection')
    await relay.send(
      Array.from({ length: 100 }, (_, n) => `jane${n}@a.test`),
      {},
      '127.0.0.9',
    )
    await relay.record('delivered', { count: 100 })
    expect(by).toEqual({ '127.0.0.3': 100 })
    // Two hang, and two more were open at a time.
    expect(mx.mostOpen).toBe(4)
  })
})

function mayChangeAddresses(): boolean {
  try {
    execFileSync('ip', ['address', 'add', '198.51.100.8/32', 'dev', 'lo'], { stdio: 'ignore' })
    execFileSync('ip', ['address', 'del', '198.51.100.8/32', 'dev', 'lo'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
