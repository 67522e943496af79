// How old waiting mail is, and when that is worth an alert.

import { expect, test } from 'vitest'
import { HOUR, MINUTE } from '../../src/util/clock.ts'
import { startPatient, waits } from './fixture.ts'

test('fifty that wait for hours are told of, a few are not, and it ends', async () => {
  const patient = await startPatient()
  await waits(patient, { tenant: 'shop', count: 50, ageMs: 5 * HOUR })
  await waits(patient, { tenant: 'bulk', count: 49, ageMs: 60 * HOUR })
  await waits(patient, { tenant: 'bulk', count: 200, ageMs: 2 * HOUR })
  await patient.clock.advance(6 * MINUTE)
  expect(patient.alerts()).toEqual(['queue-age tenant shop raised warn'])
  expect(patient.records.at(-1)?.why).toBe('50 recipients or more of the tenant shop have been waiting for 5.1 h.')
  await patient.clock.advance(8 * HOUR)
  expect(patient.alerts()).toEqual([
    'queue-age tenant shop raised warn',
    'queue-age tenant bulk raised warn',
    'queue-age tenant shop raised bad',
  ])
  const keys = patient.store.keys('due', {})
  await patient.store.write(keys.map((key) => ({ table: 'due', key, value: undefined })))
  await patient.clock.advance(6 * MINUTE)
  expect(patient.alerts().slice(3)).toEqual(['queue-age tenant shop cleared bad', 'queue-age tenant bulk cleared warn'])
  await patient.health.stop()
})

test('mail that is to go out later does not wait, mail that is due and was never tried does', async () => {
  const patient = await startPatient()
  await waits(patient, { tenant: 'shop', count: 60, ageMs: 30 * HOUR, attempts: 0, dueInMs: 20 * HOUR })
  await patient.clock.advance(6 * MINUTE)
  expect(patient.alerts()).toEqual([])
  await waits(patient, { tenant: 'shop', count: 60, ageMs: 30 * HOUR, attempts: 0, dueInMs: -MINUTE })
  await patient.clock.advance(6 * MINUTE)
  expect(patient.alerts()).toEqual(['queue-age tenant shop raised critical'])
  await patient.health.stop()
})

test('thousands that wait are walked piece by piece, and the fiftieth is found', async () => {
  const patient = await startPatient()
  await waits(patient, { tenant: 'shop', count: 2500, ageMs: HOUR })
  await waits(patient, { tenant: 'shop', count: 49, ageMs: 50 * HOUR })
  await waits(patient, { tenant: 'shop', count: 1, ageMs: 13 * HOUR })
  await patient.health.watchAges()
  expect(patient.health.alerts.list()).toMatchObject([{ level: 'bad', value: 13 * HOUR }])
  await patient.health.stop()
})
