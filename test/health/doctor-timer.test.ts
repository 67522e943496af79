// The relay examines itself: when, what is remembered, which alerts follow, and whose mail waits.

import { afterEach, describe, expect, test } from 'vitest'
import type { Settings } from '../../src/config/schema.ts'
import { readExamination } from '../../src/health/examination.ts'
import { about } from '../../src/identity/diagnosis.ts'
import type { Section } from '../../src/identity/doctor.ts'
import type { Domain } from '../../src/mail/address.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { DoctorTimer } from '../../src/relay/doctor-timer.ts'
import { createSuspensions, type Suspensions } from '../../src/throttle/suspensions.ts'
import { DAY, HOUR, MINUTE } from '../../src/util/clock.ts'
import { settingsWith } from '../support/delivery-settings.ts'
import { type Patient, startPatient } from './fixture.ts'

type Finding = 'spf' | 'ptr' | 'listed'

class World {
  /** What is wrong; `silent`: name servers do not answer. */
  readonly wrong = new Set<Finding>()
  silent = false
  examined = 0

  examine = async (): Promise<readonly Section[]> => {
    this.examined++
    const [spf, source, listing] = [
      about('spf', 'example.com'),
      about('source', 'mta1 203.0.113.10'),
      about('dnsbl', 'mta1 203.0.113.10'),
    ]
    const told = (it: typeof spf, name: Finding) =>
      this.silent
        ? it.unknown({ message: 'no answer' })
        : this.wrong.has(name)
          ? it.different({ message: `${name} is wrong`, cure: 'mend it' })
          : it.ok('fine')
    return [
      { title: 'Sources', diagnoses: [told(source, 'ptr'), told(listing, 'listed')] },
      { title: 'example.com', diagnoses: [told(spf, 'spf')] },
    ]
  }
}

interface Doctored extends Patient {
  readonly world: World
  readonly suspensions: Suspensions
  readonly timer: DoctorTimer
}

const running: Doctored[] = []
afterEach(async () => {
  for (const each of running.splice(0)) await end(each)
})
async function end({ timer, suspensions, health }: Doctored): Promise<void> {
  await timer.stop()
  suspensions.close()
  await health.stop()
}

async function start(
  given: {
    doctor?: Partial<Settings['doctor']>
    off?: Settings['alert']['off']
    before?: Doctored
    mode?: 'sandbox' | 'internet'
  } = {},
): Promise<Doctored> {
  const { before, mode = 'internet' } = given
  const patient = await startPatient(before === undefined ? {} : { store: before.store, clock: before.clock })
  const settings = settingsWith({
    doctor: given.doctor,
    alert: { off: given.off ?? [] },
    delivery: { mode },
    domain: [{ name: 'example.com', subdomains: true, tenant: 'default', dkim: [] }],
    source: [{ name: 'mta1' }, { name: 'mta2' }],
  })
  const { store, journal, clock } = patient
  const suspensions = createSuspensions({ store, journal, clock })
  const world = before?.world ?? new World()
  const timer = new DoctorTimer({
    settings: () => settings,
    examine: world.examine,
    alerts: patient.health.alerts,
    suspensions,
    store,
    clock,
    logger: silentLogger(),
  })
  timer.start()
  const doctored = { ...patient, world, suspensions, timer }
  running.push(doctored)
  return doctored
}

const EXPIRES = Date.UTC(2027, 0, 1)
const held = ({ timer }: Doctored, senderDomain = 'example.com', expiresAt = EXPIRES): boolean =>
  timer.holdsUntil({ senderDomain: senderDomain as Domain, expiresAt }) !== undefined

describe('when', () => {
  test('a minute after the start, then every six hours; the last result stays', async () => {
    const relay = await start()
    expect(readExamination(relay.store)).toBeUndefined()
    await relay.clock.advance(2 * MINUTE)
    expect(relay.world.examined).toBe(1)
    expect(readExamination(relay.store)?.sections).toHaveLength(2)
    await relay.clock.advance(5 * HOUR)
    expect(relay.world.examined).toBe(1)
    await relay.clock.advance(HOUR)
    expect(relay.world.examined).toBe(2)
  })

  test('a restart is no reason to ask again', async () => {
    const relay = await start()
    await relay.clock.advance(2 * HOUR)
    await end(relay)
    const again = await start({ before: relay })
    await again.clock.advance(3 * HOUR)
    expect(again.world.examined).toBe(1)
    await again.clock.advance(HOUR + 2 * MINUTE)
    expect(again.world.examined).toBe(2)
  })

  test.each([
    ['never in the sandbox', { mode: 'sandbox' as const }, 0],
    ['in the sandbox when told to', { mode: 'sandbox' as const, doctor: { every: 12 * HOUR } }, 2],
    ['never when it is off', { doctor: { every: 0 } }, 0],
  ])('%s', async (_, given, expected) => {
    const relay = await start(given)
    await relay.clock.advance(DAY)
    expect(relay.world.examined).toBe(expected)
  })

  test('an examination that hangs does not keep the relay from stopping', async () => {
    const relay = await start()
    relay.world.examine = () => new Promise(() => undefined)
    const timer = new DoctorTimer({
      ...relay,
      settings: () => settingsWith({ delivery: { mode: 'internet' } }),
      alerts: relay.health.alerts,
      examine: relay.world.examine,
      logger: silentLogger(),
    })
    timer.start()
    await relay.clock.advance(2 * MINUTE)
    await timer.stop()
    expect(relay.alerts()).toEqual([])
  })
})

describe('alerts', () => {
  test('raised when it is still broken a little later, cleared when it is good, once each', async () => {
    const relay = await start()
    relay.world.wrong.add('spf').add('listed')
    await relay.clock.advance(2 * MINUTE)
    expect(relay.alerts()).toEqual([])
    await relay.clock.advance(5 * MINUTE)
    expect(relay.alerts()).toEqual(['dns-broken domain example.com raised bad', 'listed source mta1 raised bad'])
    expect(relay.health.alerts.list()[0]?.why).toContain('spf is wrong')
    await relay.clock.advance(DAY)
    relay.world.wrong.delete('spf')
    // While something is broken it looks every quarter of an hour.
    await relay.clock.advance(16 * MINUTE)
    expect(relay.alerts().slice(2)).toEqual(['dns-broken domain example.com cleared bad'])
  })

  test('one bad answer is no news', async () => {
    const relay = await start()
    relay.world.wrong.add('spf')
    await relay.clock.advance(2 * MINUTE)
    relay.world.wrong.clear()
    await relay.clock.advance(DAY)
    expect(relay.alerts()).toEqual([])
  })

  test('what nobody could tell changes nothing', async () => {
    const relay = await start()
    relay.world.silent = true
    await relay.clock.advance(DAY)
    expect(relay.alerts()).toEqual([])
    relay.world.silent = false
    relay.world.wrong.add('ptr')
    await relay.clock.advance(DAY)
    relay.world.silent = true
    await relay.clock.advance(DAY)
    expect(relay.alerts()).toEqual(['dns-broken source mta1 raised bad'])
  })

  test('a restart raises none again', async () => {
    const relay = await start()
    relay.world.wrong.add('spf')
    await relay.clock.advance(HOUR)
    await end(relay)
    const again = await start({ before: relay })
    await again.clock.advance(DAY)
    expect(again.alerts()).toEqual([])
    again.world.wrong.clear()
    await again.clock.advance(DAY)
    expect(again.alerts()).toEqual(['dns-broken domain example.com cleared bad'])
  })
})

describe('alert.off', () => {
  test.each([
    ['dns-broken', ['listed source mta1 raised bad']],
    ['listed', ['dns-broken domain example.com raised bad']],
  ] as const)('%s is not raised, and what it would hold goes out', async (off, expected) => {
    const relay = await start({ off: [off], doctor: { holdDomains: true } })
    relay.world.wrong.add('spf').add('listed')
    await relay.clock.advance(HOUR)
    expect(relay.alerts()).toEqual(expected)
    expect(held(relay)).toBe(off === 'listed')
  })

  test('one that holds ends, and with it what it kept back', async () => {
    const doctor = { holdSources: true }
    const relay = await start({ doctor })
    relay.world.wrong.add('listed')
    await relay.clock.advance(HOUR)
    expect(relay.suspensions.get('source', 'mta1')).toMatchObject({ who: 'doctor' })
    await end(relay)
    const again = await start({ before: relay, off: ['listed'], doctor })
    await again.clock.advance(HOUR)
    expect(again.alerts()).toEqual(['listed source mta1 cleared bad'])
    expect(again.suspensions.list()).toEqual([])
  })
})

describe('hold_domains', () => {
  test('mail of a broken domain waits, also of what is below it, until it is good; its last attempt is made', async () => {
    const relay = await start({ doctor: { holdDomains: true } })
    relay.world.wrong.add('spf')
    expect(held(relay)).toBe(false)
    await relay.clock.advance(10 * MINUTE)
    const domains = ['example.com', 'news.example.com', 'example.org', 'notexample.com']
    expect(domains.map((domain) => held(relay, domain))).toEqual([true, true, false, false])
    expect(relay.timer.holdsUntil({ expiresAt: EXPIRES })).toBeUndefined()
    expect(held(relay, 'example.com', relay.clock.now())).toBe(false)
    relay.world.wrong.clear()
    await relay.clock.advance(16 * MINUTE)
    expect(held(relay)).toBe(false)
  })

  test('not when nobody would find out that it is good again', async () => {
    const relay = await start({ doctor: { holdDomains: true } })
    relay.world.wrong.add('spf')
    await relay.clock.advance(10 * MINUTE)
    expect(held(relay)).toBe(true)
    await end(relay)
    const off = await start({ before: relay, doctor: { holdDomains: true, every: 0 } })
    expect(held(off)).toBe(false)
  })

  test('not without the option', async () => {
    const relay = await start()
    relay.world.wrong.add('spf')
    await relay.clock.advance(HOUR)
    expect(relay.alerts()).toHaveLength(1)
    expect(held(relay)).toBe(false)
  })
})

describe('hold_sources', () => {
  const HOLD = { doctor: { holdSources: true } }
  const suspended = ({ suspensions }: Doctored): string[] =>
    suspensions.list().map(({ kind, name, who }) => `${kind} ${name} ${who}`)

  test('a listed source is suspended for as long as it is listed', async () => {
    const relay = await start(HOLD)
    relay.world.wrong.add('listed')
    await relay.clock.advance(10 * MINUTE)
    expect(suspended(relay)).toEqual(['source mta1 doctor'])
    await relay.clock.advance(5 * DAY)
    expect(suspended(relay)).toEqual(['source mta1 doctor'])
    // Prolonged once a day or so, not at every look.
    expect(relay.records.filter(({ kind }) => kind === 'suspended').length).toBeLessThan(8)
    relay.world.wrong.clear()
    await relay.clock.advance(16 * MINUTE)
    expect(suspended(relay)).toEqual([])
  })

  test('of two troubles both must be over', async () => {
    const relay = await start(HOLD)
    relay.world.wrong.add('listed').add('ptr')
    await relay.clock.advance(10 * MINUTE)
    relay.world.wrong.delete('listed')
    await relay.clock.advance(HOUR)
    expect(suspended(relay)).toEqual(['source mta1 doctor'])
    relay.world.wrong.clear()
    await relay.clock.advance(HOUR)
    expect(suspended(relay)).toEqual([])
  })

  test('what an operator suspended stays his, and what he lets go stays free', async () => {
    const relay = await start(HOLD)
    const until = relay.clock.now() + 2 * HOUR
    await relay.suspensions.add({ kind: 'source', name: 'mta1', who: 'ann', why: 'maintenance', until })
    relay.world.wrong.add('listed')
    await relay.clock.advance(HOUR)
    expect(suspended(relay)).toEqual(['source mta1 ann'])
    await relay.suspensions.remove({ kind: 'source', name: 'mta1', who: 'ann', why: 'it must go out' })
    await relay.clock.advance(DAY)
    expect(suspended(relay)).toEqual([])
  })

  test('it holds over a restart, and ends after it', async () => {
    const relay = await start(HOLD)
    relay.world.wrong.add('ptr')
    await relay.clock.advance(HOUR)
    await end(relay)
    const again = await start({ ...HOLD, before: relay })
    expect(suspended(again)).toEqual(['source mta1 doctor'])
    again.world.wrong.clear()
    await again.clock.advance(DAY)
    expect(suspended(again)).toEqual([])
  })

  test('turning the option off lets it go', async () => {
    const relay = await start(HOLD)
    relay.world.wrong.add('ptr')
    await relay.clock.advance(HOUR)
    await end(relay)
    const again = await start({ before: relay })
    await again.clock.advance(HOUR)
    expect(suspended(again)).toEqual([])
  })
})
