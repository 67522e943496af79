// When an alert is raised, when not, when it is over, and that a restart raises none a second time.

import { afterEach, describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../src/util/clock.ts'
import { type Patient, startPatient } from './fixture.ts'

const patients: Patient[] = []
afterEach(async () => {
  for (const { health } of patients.splice(0)) await health.stop()
})
async function start(given: Parameters<typeof startPatient>[0] = {}): Promise<Patient> {
  const patient = await startPatient(given)
  patients.push(patient)
  return patient
}

/** Those of the tenant alone: the source says the same. */
const ofTenant = (patient: Patient): string[] =>
  patient
    .alerts()
    .filter((alert) => alert.includes(' tenant '))
    .map((alert) => alert.replace(' tenant shop', ''))

describe('bounce-rate', () => {
  test('is raised for tenant and source at its threshold, gets worse, gets better, ends', async () => {
    const patient = await start()
    patient.tell('delivered', 97)
    patient.tell('failed', 3)
    await patient.clock.advance(MINUTE)
    expect(patient.alerts()).toEqual(['bounce-rate tenant shop raised warn', 'bounce-rate source default raised warn'])
    patient.tell('failed', 3)
    await patient.clock.advance(MINUTE)
    patient.tell('failed', 6)
    await patient.clock.advance(MINUTE)
    expect(patient.health.alerts.list()[0]).toMatchObject({ level: 'critical', threshold: 0.1 })
    // Good mail until only 12 of 1,000 bounced.
    patient.tell('delivered', 90)
    await patient.clock.advance(MINUTE)
    patient.tell('delivered', 800)
    await patient.clock.advance(MINUTE)
    expect(ofTenant(patient)).toEqual([
      'bounce-rate raised warn',
      'bounce-rate raised bad',
      'bounce-rate raised critical',
      'bounce-rate raised bad',
      'bounce-rate cleared bad',
    ])
    expect(patient.health.alerts.list()).toEqual([])
  })

  test('needs so many recipients', async () => {
    const patient = await start()
    patient.tell('delivered', 50)
    patient.tell('failed', 49)
    await patient.clock.advance(MINUTE)
    expect(patient.alerts()).toEqual([])
    patient.tell('failed', 1)
    await patient.clock.advance(MINUTE)
    expect(ofTenant(patient)).toEqual(['bounce-rate raised critical'])
  })

  test('one or two bounces are chance', async () => {
    const patient = await start({ settings: { alert: { bounceMinimum: 10 } } })
    patient.tell('delivered', 10)
    patient.tell('failed', 2)
    await patient.clock.advance(MINUTE)
    expect(patient.alerts()).toEqual([])
  })

  test('with just enough mail it does not come and go', async () => {
    const patient = await start({ settings: { alert: { bounceMinimum: 118 } } })
    // A day has 115 of them at the end of an hour, and 120 once those of the next have come.
    for (let hour = 0; hour < 40; hour++) {
      patient.tell('delivered', 4)
      patient.tell('failed', 1)
      await patient.clock.advance(HOUR)
    }
    expect(ofTenant(patient)).toEqual(['bounce-rate raised critical'])
    await patient.clock.advance(6 * HOUR)
    expect(ofTenant(patient)).toEqual(['bounce-rate raised critical', 'bounce-rate cleared critical'])
  })

  test('on the line it does not come and go', async () => {
    const patient = await start()
    patient.tell('delivered', 980)
    patient.tell('failed', 20)
    await patient.clock.advance(MINUTE)
    for (let turn = 0; turn < 30; turn++) {
      patient.tell('delivered', turn % 2 === 0 ? 60 : 0)
      patient.tell('failed', turn % 2 === 0 ? 0 : 1)
      await patient.clock.advance(MINUTE)
    }
    expect(ofTenant(patient)).toEqual(['bounce-rate raised warn'])
  })

  test('our own faults raise nothing', async () => {
    const patient = await start()
    patient.tell('delivered', 100)
    patient.tell('failed', 500, { cause: { kind: 'local', code: '4.3.0', detail: 'see the log' } })
    patient.tell('deferred', 500, { cause: { kind: 'dns', code: '4.4.3', detail: 'no answer', ours: true } })
    await patient.clock.advance(MINUTE)
    expect(patient.alerts()).toEqual([])
  })

  test('what comes back late counts once, against what was delivered', async () => {
    const patient = await start()
    patient.tell('delivered', 200)
    patient.tell('bounced', 10, { nowhere: true })
    await patient.clock.advance(MINUTE)
    expect(patient.alerts()).toEqual(['bounce-rate tenant shop raised bad'])
    expect(patient.health.alerts.list()[0]).toMatchObject({ value: 0.05 })
  })

  test('when mail ends, the alert does a day later', async () => {
    const patient = await start()
    patient.tell('failed', 200)
    await patient.clock.advance(MINUTE)
    await patient.clock.advance(DAY + HOUR)
    expect(ofTenant(patient)).toEqual(['bounce-rate raised critical', 'bounce-rate cleared critical'])
    expect(patient.records.at(-1)?.why).toMatch(/^It is over: /)
  })

  test('says what it is about in a sentence', async () => {
    const patient = await start()
    patient.tell('delivered', 940)
    patient.tell('failed', 60)
    await patient.clock.advance(MINUTE)
    const { alert, why, tenant, who } = patient.records.find(({ kind }) => kind === 'alert')!
    expect(alert).toEqual({
      name: 'bounce-rate',
      scope: { kind: 'tenant', name: 'shop' },
      state: 'raised',
      level: 'bad',
      value: 0.06,
      threshold: 0.05,
    })
    expect({ why, tenant, who }).toEqual({
      why: 'Bounces of the tenant shop: 6 % (60 of 1,000 in the last hour); bad from 5 % on.',
      tenant: 'shop',
      who: 'studs',
    })
  })
})

describe('complaint-rate', () => {
  test.each([
    [1000, 2, []],
    [3000, 3, ['complaint-rate raised warn']],
    [1000, 3, ['complaint-rate raised bad']],
    [1000, 5, ['complaint-rate raised critical']],
    [999, 50, []],
  ])('of %i deliveries, %i complaints: %j', async (delivered, complained, expected) => {
    const patient = await start()
    patient.tell('delivered', delivered)
    patient.tell('complained', complained)
    await patient.clock.advance(MINUTE)
    expect(ofTenant(patient)).toEqual(expected)
  })
})

describe('deferral-surge', () => {
  /** A week in which `deferred` of 100 attempts were put off in this hour. */
  const week = async (deferred: number): Promise<Patient> => {
    const patient = await start()
    for (let day = 0; day < 7; day++) {
      patient.tell('delivered', 100 - deferred)
      patient.tell('deferred', deferred)
      await patient.clock.advance(DAY)
    }
    return patient
  }
  const share = async (patient: Patient, deferred: number): Promise<string[]> => {
    patient.tell('delivered', 200 - deferred * 2)
    patient.tell('deferred', deferred * 2)
    await patient.clock.advance(MINUTE)
    return ofTenant(patient)
  }

  test.each([
    [5, 14, []],
    [5, 16, ['deferral-surge raised warn']],
    [5, 55, ['deferral-surge raised bad']],
    [1, 9, []],
    [20, 55, []],
    [20, 61, ['deferral-surge raised bad']],
    // Half of its attempts are put off every day: greylisting, say.
    [50, 55, []],
    [50, 80, ['deferral-surge raised bad']],
  ])('of 100 attempts usual %i, now %i: %j', async (usual, now, expected) => {
    const patient = await week(usual)
    // What was raised on the first days, before anything was usual, is over.
    const before = ofTenant(patient).length
    expect((await share(patient, now)).slice(before)).toEqual(expected)
  })

  test('before anything is usual, half is bad', async () => {
    const patient = await start()
    expect(await share(patient, 49)).toEqual([])
    const other = await start()
    expect(await share(other, 50)).toEqual(['deferral-surge raised bad'])
  })

  test('it ends with the hour', async () => {
    const patient = await start()
    await share(patient, 60)
    await patient.clock.advance(30 * MINUTE)
    expect(ofTenant(patient)).toHaveLength(1)
    await patient.clock.advance(31 * MINUTE)
    expect(ofTenant(patient)).toEqual(['deferral-surge raised bad', 'deferral-surge cleared bad'])
  })
})

describe('restart', () => {
  test('an alert that holds is not raised again, and ends when it is over', async () => {
    const patient = await start()
    patient.tell('delivered', 80)
    patient.tell('failed', 20)
    await patient.clock.advance(MINUTE)
    expect(patient.alerts()).toHaveLength(2)
    const since = patient.health.alerts.list()[0]?.since
    await patient.health.stop()
    const again = await start({ store: patient.store, clock: patient.clock })
    await again.clock.advance(10 * MINUTE)
    expect(again.alerts()).toEqual([])
    expect(again.health.alerts.list()[0]).toMatchObject({ name: 'bounce-rate', level: 'critical', since })
    again.tell('delivered', 2000)
    await again.clock.advance(MINUTE)
    expect(ofTenant(again)).toEqual(['bounce-rate cleared critical'])
  })

  test('one that is switched off ends', async () => {
    const patient = await start()
    patient.tell('failed', 100)
    await patient.clock.advance(MINUTE)
    await patient.health.stop()
    const again = await start({
      store: patient.store,
      clock: patient.clock,
      settings: { alert: { off: ['bounce-rate'] } },
    })
    await again.clock.advance(MINUTE)
    expect(ofTenant(again)).toEqual(['bounce-rate cleared critical'])
    await again.clock.advance(HOUR)
    expect(again.alerts()).toHaveLength(2)
  })
})

test('the relay as a whole and single paths have no alerts', async () => {
  const patient = await start()
  patient.tell('failed', 200, { site: 'mx.example.com' })
  await patient.clock.advance(MINUTE)
  expect(patient.alerts().map((alert) => alert.split(' ')[1])).toEqual(['tenant', 'source'])
})
