import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { HOUR } from '../util/clock.ts'
import { createTlsPolicy } from './tls-policy.ts'

test('a host whose opportunistic TLS failed is tried without, for an hour', async () => {
  const clock = new FakeClock()
  const policy = createTlsPolicy(clock, HOUR)
  expect(policy.modeFor('192.0.2.1', 'opportunistic')).toBe('opportunistic')
  expect(policy.failed('192.0.2.1', 'opportunistic')).toBe(true)
  expect(policy.modeFor('192.0.2.1', 'opportunistic')).toBe('none')
  expect(policy.modeFor('192.0.2.2', 'opportunistic')).toBe('opportunistic')
  await clock.advance(HOUR)
  expect(policy.modeFor('192.0.2.1', 'opportunistic')).toBe('opportunistic')
})

test('required TLS stays required, whatever failed', () => {
  const policy = createTlsPolicy(new FakeClock(), HOUR)
  expect(policy.failed('192.0.2.1', 'required')).toBe(false)
  policy.failed('192.0.2.1', 'opportunistic')
  expect(policy.modeFor('192.0.2.1', 'required')).toBe('required')
})

test('without TLS there is nothing to leave out', () => {
  expect(createTlsPolicy(new FakeClock(), HOUR).failed('192.0.2.1', 'none')).toBe(false)
})
