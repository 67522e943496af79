// Suspensions over a whole relay: mail of a domain, provider, source or tenant waits, untouched, and goes on when the
// suspension ends, by itself or by hand, also after a restart. Others are not slowed.

import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import { HOUR, MINUTE, systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

afterEach(stopRelays)

const clientOf = ({ relay }: TestRelay): Operations => createClient({ kind: 'socket', path: relay.socket })
const suspend = (
  relay: TestRelay,
  kind: 'domain' | 'provider' | 'source' | 'tenant',
  name: string,
  duration_ms = HOUR,
) => clientOf(relay).suspend({ kind, name, reason: 'they asked for it', duration_ms, who: 'test' })
const delivered = (relay: TestRelay): string[] =>
  relay.records.filter(({ kind }) => kind === 'delivered').map(({ recipient }) => String(recipient))

const TWO_SOURCES = `
[[source]]
name = "x"
[[source]]
name = "y"
[[pool]]
name = "default"
sources = [{ source = "x" }, { source = "y" }]
[[tenant]]
name = "default"
any_sender = true
[[tenant]]
name = "shop"
any_sender = true
[[network]]
cidr = "127.0.0.2"
tenant = "shop"
[[network]]
cidr = "127.0.0.1"
`

describe('mail waits, and others do not', () => {
  test.each<['domain' | 'provider' | 'tenant', string]>([
    ['domain', 'gmail.test'],
    ['provider', 'pretend'],
    ['tenant', 'default'],
  ])('%s %s', async (kind, name) => {
    const relay = await startTestRelay({
      toml: `${TWO_SOURCES}[bounce]\nrules = "rules.toml"`,
      rules: '[providers]\npretend = ["google.sandbox.test"]\n',
    })
    await suspend(relay, kind, name)
    await relay.send(['ok+1@gmail.test', 'ok+2@gmail.test'])
    await relay.send('ok@other.test', {}, '127.0.0.2')
    await relay.record('delivered', { recipient: 'ok@other.test' })
    expect(delivered(relay)).toEqual(['ok@other.test'])
    const { items } = await clientOf(relay).queue({ domain: 'gmail.test' })
    // Given back: no attempt counts, and it is due, not put off.
    expect(items.map(({ state }) => state)).toEqual([
      { kind: 'waiting', attempts: 0, due_at: expect.any(String) },
      { kind: 'waiting', attempts: 0, due_at: expect.any(String) },
    ])
    await clientOf(relay).resume({ kind, name }, { reason: 'all is well' })
    await relay.record('delivered', { count: 3 })
    expect(relay.records.filter((record) => record.kind === 'suspended' || record.kind === 'resumed')).toMatchObject([
      {
        kind: 'suspended',
        target: { kind, name },
        who: 'test',
        why: 'they asked for it',
        suspendedUntil: expect.any(Number),
      },
      { kind: 'resumed', target: { kind, name }, who: 'api', why: 'all is well' },
    ])
  })

  test('a source: its mail leaves from the others of the pool, and waits when none is left', async () => {
    const relay = await startTestRelay({ toml: TWO_SOURCES })
    await suspend(relay, 'source', 'x')
    await relay.send(Array.from({ length: 20 }, (_, at) => `ok+${at}@a.test`))
    await relay.record('delivered', { count: 20 })
    expect(new Set(relay.records.flatMap(({ way }) => way?.source ?? []))).toEqual(new Set(['y']))
    await suspend(relay, 'source', 'y', 2 * HOUR)
    await relay.send('ok+last@a.test')
    await relay.send('ok+last@b.test')
    expect((await clientOf(relay).queue({})).items.length).toBe(2)
    await clientOf(relay).resume({ kind: 'source', name: 'x' }, { reason: 'delisted' })
    await relay.record('delivered', { count: 22 })
    expect(relay.records.findLast(({ kind }) => kind === 'delivered')?.way?.source).toBe('x')
  })
})

test('it ends by itself', async () => {
  const clock = new FakeClock()
  const relay = await startTestRelay({ clock })
  await suspend(relay, 'domain', 'a.test', 30 * MINUTE)
  await relay.send('ok@a.test')
  // Given back, so that nothing is under way when time moves.
  for (;;) {
    const [entry] = (await clientOf(relay).queue({})).items
    if (entry?.state.kind === 'waiting' && entry.state.attempts === 0 && !entry.in_flight) break
  }
  await clock.advance(0)
  await clock.advance(29 * MINUTE)
  expect(delivered(relay)).toEqual([])
  expect(await clientOf(relay).suspensions()).toMatchObject([
    {
      kind: 'domain',
      name: 'a.test',
      why: 'they asked for it',
      since: '2026-01-01T00:00:00.000Z',
      until: '2026-01-01T00:30:00.000Z',
    },
  ])
  await clock.advance(MINUTE)
  await relay.record('delivered')
  expect(await clientOf(relay).suspensions()).toEqual([])
})

test('it outlives a restart', async () => {
  const first = await startTestRelay()
  await suspend(first, 'domain', 'a.test')
  await first.send('ok@a.test')
  await first.stop()
  const relay = await startTestRelay({ directory: first.directory })
  await relay.send('ok@b.test')
  await relay.record('delivered', { recipient: 'ok@b.test' })
  expect(delivered(relay)).toEqual(['ok@b.test'])
  await clientOf(relay).resume({ kind: 'domain', name: 'A.TEST' }, { reason: 'over' })
  await relay.record('delivered', { recipient: 'ok@a.test' })
})

describe('studs suspend', () => {
  const studs = (relay: TestRelay, ...words: string[]) =>
    runCli(['suspend', ...words], { clock: systemClock, configFile: join(relay.directory, 'studs.toml'), width: 120 })

  test('add, list, rm', async () => {
    const relay = await startTestRelay()
    const added = await studs(relay, 'add', 'domain', 'A.Test', '--for', '2h', '--reason', 'maintenance over there')
    expect([added.code, added.out]).toEqual([
      0,
      expect.stringMatching(/^Mail of the domain a\.test waits until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.\n$/),
    ])
    expect((await studs(relay, 'list')).out).toMatch(/domain a\.test +(2h|1h 59m) .* cli:\S+ +maintenance over there/)
    expect((await studs(relay, 'rm', 'domain', 'a.test', '--reason', 'done')).out).toBe(
      'Mail of the domain a.test goes on.\n',
    )
    expect((await studs(relay, 'list')).out).toBe('Nothing is suspended.\n')
    expect((await studs(relay, 'rm', 'domain', 'a.test', '--reason', 'done')).code).toBe(3)
  })

  test('rm of a name that is mistyped is told what was meant', async () => {
    const relay = await startTestRelay()
    await studs(relay, 'add', 'domain', 'example.test', '--for', '1h', '--reason', 'x')
    expect(await studs(relay, 'rm', 'domain', 'example.tset', '--reason', 'x')).toMatchObject({
      code: 3,
      err: 'error: The domain example.tset is not suspended; did you mean example.test?\n',
    })
  })

  test.each([
    [['add', 'domain', 'a.test', '--reason', 'x'], /--for/],
    [['add', 'domain', 'a.test', '--for', '1h'], /--reason/],
    [['add', 'planet', 'mars', '--for', '1h', '--reason', 'x'], /planet/],
    [['add', 'tenant', 'nobody', '--for', '1h', '--reason', 'x'], /There is no tenant nobody/],
    [['add', 'source', 'mta9', '--for', '1h', '--reason', 'x'], /There is no source mta9/],
    [['add', 'provider', 'gogle', '--for', '1h', '--reason', 'x'], /There is no provider gogle/],
    [['add', 'domain', 'no domain', '--for', '1h', '--reason', 'x'], /not a domain/],
    [['add', 'domain', 'a.test', '--for', '0', '--reason', 'x'], /from 1s to 365d/],
    [['rm', 'domain', 'a.test'], /--reason/],
  ])('%j is refused', async (words, expected) => {
    const relay = await startTestRelay()
    const { code, err } = await studs(relay, ...words)
    expect([code, err]).toEqual([expected.source.startsWith('There is no') ? 3 : 2, expect.stringMatching(expected)])
    expect(await clientOf(relay).suspensions()).toEqual([])
  })
})
