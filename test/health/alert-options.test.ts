// Every option of [alert]: what is raised without it, and what with it.

import { expect, test } from 'vitest'
import type { Settings } from '../../src/config/schema.ts'
import { DAY, HOUR, MINUTE } from '../../src/util/clock.ts'
import { type Patient, startPatient, waits } from './fixture.ts'

type Alert = Settings['alert']
interface Case {
  readonly value: unknown
  readonly tell: (patient: Patient) => Promise<void> | void
  readonly without: readonly string[]
  readonly withIt: readonly string[]
}

const attempts = (delivered: number, deferred: number) => (patient: Patient) => {
  patient.tell('delivered', delivered)
  patient.tell('deferred', deferred)
}
const ended = (delivered: number, failed: number) => (patient: Patient) => {
  patient.tell('delivered', delivered)
  patient.tell('failed', failed)
}
const complained = (delivered: number, complaints: number) => (patient: Patient) => {
  patient.tell('delivered', delivered)
  patient.tell('complained', complaints)
}
const waiting = (count: number, ageMs: number) => (patient: Patient) => waits(patient, { tenant: 'shop', count, ageMs })

const CASES: Readonly<Record<keyof Alert, Case>> = {
  off: {
    value: ['bounce-rate', 'complaint-rate', 'queue-age'],
    async tell(patient) {
      ended(1000, 200)(patient)
      complained(0, 5)(patient)
      await waiting(50, 5 * HOUR)(patient)
      attempts(0, 2000)(patient)
    },
    without: [
      'bounce-rate raised critical',
      'complaint-rate raised critical',
      'deferral-surge raised bad',
      'queue-age raised warn',
    ],
    withIt: ['deferral-surge raised bad'],
  },
  bounceRates: {
    value: [0.09, 0.2, 0.3],
    tell: ended(90, 10),
    without: ['bounce-rate raised critical'],
    withIt: ['bounce-rate raised warn'],
  },
  bounceMinimum: { value: 101, tell: ended(90, 10), without: ['bounce-rate raised critical'], withIt: [] },
  complaintRates: {
    value: [0.002, 0.01, 0.02],
    tell: complained(1000, 5),
    without: ['complaint-rate raised critical'],
    withIt: ['complaint-rate raised warn'],
  },
  complaintMinimum: {
    value: 100,
    tell: complained(100, 3),
    without: [],
    withIt: ['complaint-rate raised critical'],
  },
  deferralShare: { value: 0.7, tell: attempts(80, 120), without: ['deferral-surge raised bad'], withIt: [] },
  deferralFactor: {
    value: 5,
    async tell(patient) {
      for (let day = 0; day < 7; day++) {
        attempts(95, 5)(patient)
        await patient.clock.advance(DAY)
      }
      attempts(160, 40)(patient)
    },
    without: ['deferral-surge raised warn'],
    withIt: [],
  },
  deferralMinimum: { value: 50, tell: attempts(10, 50), without: [], withIt: ['deferral-surge raised bad'] },
  queueAge: {
    value: [HOUR, 2 * HOUR, 40 * HOUR],
    tell: waiting(50, 3 * HOUR),
    without: [],
    withIt: ['queue-age raised bad'],
  },
  queueAgeMinimum: { value: 10, tell: waiting(10, 5 * HOUR), without: [], withIt: ['queue-age raised warn'] },
  clear: {
    value: 1,
    async tell(patient) {
      ended(97, 3)(patient)
      await patient.clock.advance(MINUTE)
      // 3 of 167: below the threshold of 2 %, above four fifths of it.
      ended(67, 0)(patient)
    },
    without: ['bounce-rate raised warn'],
    withIt: ['bounce-rate cleared warn', 'bounce-rate raised warn'],
  },
}

/** Those of the tenant: source and provider say the same. */
async function alertsWith(settings: Partial<Record<keyof Alert, unknown>>, tell: Case['tell']): Promise<string[]> {
  const patient = await startPatient({ settings: { alert: settings } })
  await tell(patient)
  await patient.clock.advance(6 * MINUTE)
  await patient.health.stop()
  return patient
    .alerts()
    .filter((alert) => alert.includes(' tenant shop'))
    .map((alert) => alert.replace(' tenant shop', ''))
    .sort()
}

test.each(Object.entries(CASES) as [keyof Alert, Case][])('%s', async (option, { value, tell, without, withIt }) => {
  expect(await alertsWith({}, tell)).toEqual(without)
  expect(await alertsWith({ [option]: value }, tell)).toEqual(withIt)
})

test('what is off is off by itself', async () => {
  for (const off of CASES.off.value as readonly string[])
    expect(await alertsWith({ off: [off] }, CASES.off.tell)).toEqual(
      CASES.off.without.filter((alert) => !alert.startsWith(off)),
    )
  expect(await alertsWith({ off: ['deferral-surge'] }, CASES.off.tell)).toEqual(
    CASES.off.without.filter((alert) => !alert.startsWith('deferral-surge')),
  )
})
