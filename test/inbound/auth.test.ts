// Guessing passwords: how it is slowed, that nothing tells which names exist, that a stranger locks nobody out.

import { describe, expect, test } from 'vitest'
import { type AuthAttempt, Authenticator } from '../../src/inbound/auth.ts'
import { hashPassword } from '../../src/inbound/password.ts'
import { Tenancy } from '../../src/inbound/tenancy.ts'
import { MINUTE, SECOND, systemClock } from '../../src/util/clock.ts'
import { LineClient } from '../support/dialog.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { settingsOf, startSubmission } from './harness.ts'

const cheap = { N: 2, r: 1, p: 1 }
const config = async (cost = cheap) => ({
  tenant: [{ name: 'default' }],
  credential: [
    { name: 'app', password: await hashPassword('right', cost) },
    { name: 'off', password: await hashPassword('right', cost), disabled: true },
    { name: 'empty' },
  ],
})

/** An authenticator with a clock that skips every delay and remembers it. */
async function start() {
  const clock = new FakeClock()
  const delays: number[] = []
  const hurried = Object.assign(Object.create(clock) as FakeClock, {
    monotonic: () => clock.monotonic(),
    sleep: async (ms: number) => void delays.push(ms),
  })
  const tenancy = new Tenancy(settingsOf(await config()))
  const authenticator = new Authenticator(hurried)
  const attempt = (user: string, password: string, address = '192.0.2.1') =>
    authenticator.verify(tenancy, { user, password, address } satisfies AuthAttempt)
  return { authenticator, attempt, clock, delays }
}

describe('the answer', () => {
  test('the right password is granted, every time', async () => {
    const { attempt, delays } = await start()
    for (let n = 0; n < 50; n++) expect(await attempt('app', 'right')).toMatchObject({ kind: 'granted' })
    expect(delays).toEqual([])
  })

  test('all failures look alike from outside', async () => {
    const { attempt, delays } = await start()
    const failures = [
      await attempt('app', 'wrong', '192.0.2.1'),
      await attempt('nobody', 'wrong', '192.0.2.2'),
      await attempt('off', 'right', '192.0.2.3'),
      await attempt('empty', '', '192.0.2.4'),
      await attempt('', '', '192.0.2.5'),
    ]
    expect(new Set(failures.map(({ kind }) => kind))).toEqual(new Set(['refused']))
    expect(new Set(delays).size).toBe(1)
    expect(failures.map((failure) => 'reason' in failure && failure.reason)).toEqual([
      'wrong password',
      'unknown user',
      'disabled',
      'wrong password',
      'unknown user',
    ])
  })

  test('an unknown name costs as much as the dearest known one', () => {
    const hash = (cost: string) => `scrypt:${cost}:${'A'.repeat(24)}:${'A'.repeat(43)}=`
    const costs = ['16384:8:1', '65536:8:1', '2:1:1', '131072:8:0']
    const credential = costs.map((cost, n) => ({ name: `c${n}`, password: hash(cost) }))
    expect(new Tenancy(settingsOf({ credential })).dearestHash).toBe(hash('65536:8:1'))
    expect(new Tenancy(settingsOf({ credential: [{ name: 'empty' }] })).dearestHash).toBeUndefined()
  })

  test('an unknown name costs the same scrypt as a known one', async () => {
    // Eight times the work of the standard cost, so that the path without scrypt could not be mistaken for it.
    const tenancy = new Tenancy(settingsOf(await config({ N: 16_384, r: 8, p: 1 })))
    const authenticator = new Authenticator(Object.assign(Object.create(systemClock), { sleep: async () => {} }))
    const median = async (user: string, address: string) => {
      const times: number[] = []
      for (let n = 0; n < 5; n++) {
        const started = process.cpuUsage()
        await authenticator.verify(tenancy, { user, password: `wrong ${n}`, address })
        const used = process.cpuUsage(started)
        times.push(used.user + used.system)
      }
      return times.sort((a, b) => a - b)[2] ?? 0
    }
    const known = await median('app', '192.0.2.1')
    const unknown = await median('nobody', '192.0.2.2')
    // CPU time is not exact; without the dummy hash the ratio is about a hundred.
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(4)
  })
})

describe('guessing', () => {
  test('grows slower, then is refused unchecked, until the window has passed', async () => {
    const { attempt, clock, delays } = await start()
    for (let n = 0; n < 10; n++) expect((await attempt('app', `guess ${n}`)).kind).toBe('refused')
    expect(delays.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 8000])
    expect(Math.max(...delays)).toBe(8 * SECOND)
    expect(await attempt('app', 'right')).toEqual({ kind: 'throttled', reason: 'throttled' })
    await clock.advance(15 * MINUTE)
    expect((await attempt('app', 'right')).kind).toBe('granted')
  })

  test('from many addresses at one name, known or not, is refused alike', async () => {
    for (const user of ['app', 'nobody']) {
      const { attempt } = await start()
      for (let n = 0; n < 10; n++) await attempt(user, 'guess', `192.0.2.${n}`)
      expect((await attempt(user, 'guess', '192.0.2.99')).kind).toBe('throttled')
    }
  })

  test('from one address at many names is refused', async () => {
    const { attempt } = await start()
    for (let n = 0; n < 10; n++) await attempt(`user ${n}`, 'guess')
    expect((await attempt('user 11', 'guess')).kind).toBe('throttled')
    expect((await attempt('app', 'right', '192.0.2.2')).kind).toBe('granted')
  })

  test('does not lock out the app that has logged in before', async () => {
    const { attempt } = await start()
    expect((await attempt('app', 'right', '198.51.100.1')).kind).toBe('granted')
    for (let n = 0; n < 20; n++) await attempt('app', 'guess', `192.0.2.${n}`)
    expect((await attempt('app', 'right', '198.51.100.1')).kind).toBe('granted')
    expect((await attempt('app', 'right', '192.0.2.50')).kind).toBe('throttled')
  })

  test('made all at one time is no more than one after the other', async () => {
    const { attempt } = await start()
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => attempt('app', `guess ${n}`)))
    expect(results.filter(({ kind }) => kind === 'refused')).toHaveLength(10)
    expect(results.filter(({ kind }) => kind === 'throttled')).toHaveLength(40)
  })

  test('the same wrong one many times at one time counts every time', async () => {
    const { attempt } = await start()
    const results = await Promise.all(Array.from({ length: 12 }, () => attempt('app', 'guess')))
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['refused']))
    expect((await attempt('app', 'right')).kind).toBe('throttled')
  })

  test('is not what an app does that opens many connections at start', async () => {
    const { attempt, delays } = await start()
    const fleet = Array.from({ length: 60 }, (_, n) => attempt('app', 'right', `192.0.2.${n % 3}`))
    expect(new Set((await Promise.all(fleet)).map(({ kind }) => kind))).toEqual(new Set(['granted']))
    expect(delays).toEqual([])
    // Nothing is left counted against name or addresses.
    for (let n = 0; n < 9; n++) await attempt('app', `guess ${n}`, '192.0.2.77')
    expect((await attempt('app', 'right', '192.0.2.78')).kind).toBe('granted')
  })

  test('from many addresses of one IPv6 network is from one', async () => {
    const { attempt } = await start()
    for (let n = 0; n < 10; n++) await attempt(`user ${n}`, 'guess', `2001:db8::${n.toString(16)}:1`)
    expect((await attempt('user 11', 'guess', '2001:db8::ffff')).kind).toBe('throttled')
    expect((await attempt('user 11', 'guess', '2001:db8:0:1::1')).kind).toBe('refused')
  })

  test('that queues shuts out strangers, not those who have been let in', async () => {
    const { attempt } = await start()
    expect((await attempt('app', 'right', '198.51.100.1')).kind).toBe('granted')
    const guesses = Array.from({ length: 202 }, (_, n) => attempt(`user ${n}`, 'guess', `10.0.0.${n}`))
    const late = [
      await attempt('user x', 'guess', '10.0.1.1'),
      // Known by its password, known by its address.
      await attempt('app', 'right', '198.51.100.2'),
      await attempt('app', 'wrong', '198.51.100.1'),
    ]
    expect(late.map(({ kind }) => kind)).toEqual(['throttled', 'granted', 'refused'])
    await Promise.all(guesses)
  })

  test('past the limit does not find out the password of an app that has logged in', async () => {
    const { attempt } = await start()
    await attempt('app', 'right', '198.51.100.1')
    for (let n = 0; n < 10; n++) await attempt('app', `guess ${n}`)
    expect((await attempt('app', 'right')).kind).toBe('throttled')
  })

  test('is not forgiven by logging in as somebody else in between', async () => {
    const { attempt } = await start()
    await attempt('app', 'right')
    for (let n = 0; n < 10; n++) {
      await attempt('off', `guess ${n}`)
      expect((await attempt('app', 'right')).kind).toBe('granted')
    }
    expect((await attempt('off', 'guess')).kind).toBe('throttled')
  })
})

test('a changed password holds at once, the old one no longer', async () => {
  await using harness = await startSubmission({ config: await config() })
  const login = async (password: string) => {
    const client = await LineClient.openTls(harness.port('submissions'))
    await client.reply()
    await client.command('EHLO app.test')
    const reply = await client.command(`AUTH PLAIN ${Buffer.from(`\0app\0${password}`).toString('base64')}`)
    client.close()
    return reply
  }
  expect(await login('right')).toMatch(/^235 2\.7\.0/)
  const changed = {
    tenant: [{ name: 'default' }],
    credential: [{ name: 'app', password: await hashPassword('new', cheap) }],
  }
  harness.submission.reconfigure(harness.settings(changed))
  expect(await login('right')).toBe('535 5.7.8 authentication failed')
  expect(await login('new')).toMatch(/^235 2\.7\.0/)
})

test('over the wire: ten wrong ones are 535, then 454, and the log knows why', async () => {
  const clock = new FakeClock()
  const limits = { submission: { auth_timeout: '1h', idle_timeout: '1h' } }
  await using harness = await startSubmission({ config: { ...(await config()), ...limits }, clock })
  const client = await LineClient.openTls(harness.port('submissions'))
  await client.reply()
  await client.command('EHLO app.test')
  const command = (password: string) => `AUTH PLAIN ${Buffer.from(`\0app\0${password}`).toString('base64')}`
  for (let n = 0; n < 10; n++) {
    expect(await whileTimePasses(clock, client.command(command('wrong')))).toBe('535 5.7.8 authentication failed')
  }
  expect(await client.command(command('right'))).toBe('454 4.7.0 too many failed authentications, try again later')
  const failures = harness.events.filter(({ name }) => name === 'authFailed')
  expect(failures.map(({ reason }) => reason)).toEqual([...new Array(10).fill('wrong password'), 'throttled'])
  expect(failures[0]).toMatchObject({ user: 'app', listener: 'submissions', address: '127.0.0.1' })
  expect(JSON.stringify(harness.events)).not.toContain(command('wrong').slice(11))
  client.close()
})

async function whileTimePasses<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let isDone = false
  const done = promise.finally(() => {
    isDone = true
  })
  while (!isDone) await clock.advance(50)
  return done
}
