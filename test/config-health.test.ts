// Thresholds of alerts: what is refused, what is doubtful, what is taken.

import { expect, test } from 'vitest'
import { formatProblem } from '../src/config/load.ts'
import { DAY, HOUR } from '../src/util/clock.ts'
import { load, problemsOf } from './support/config-file.ts'

test.each([
  ['[alert]\nbounce_rates = [0.05, 0.02, 0.1]', 'alert.bounce_rates.1: this threshold is below the one before it'],
  ['[alert]\ncomplaint_rates = [0, 0.1, 0.2]', 'alert.complaint_rates.0: a threshold of 0 is always reached'],
  ['[alert]\nbounce_rates = [0.05, 0.1]', 'alert.bounce_rates: needs 3 entries, not 2'],
  ['[alert]\nbounce_rates = [0.1, 0.2, 0.3, 0.4]', 'alert.bounce_rates: needs 3 entries, not 4'],
  ['[alert]\nbounce_rates = [2, 5, 10]', 'alert.bounce_rates.0'],
  ['[alert]\nqueue_age = ["1d", "4h", "2d"]', 'alert.queue_age.1'],
  ['[alert]\ndeferral_share = 0', 'alert.deferral_share'],
  ['[alert]\noff = ["bounces"]', 'alert.off.0'],
  ['[alert]\nbounce_rate = 0.1', 'did you mean'],
  ['[health]\nsave_every = "0"', 'health.save_every: counts may be stored once a second at most'],
  ['[health]\nmax_paths = 0', 'health.max_paths'],
])('%j is refused', (toml, problem) => {
  expect(problemsOf(() => load(toml)).join('\n')).toContain(problem)
})

test('an examination every minute is doubtful', () => {
  const { warnings } = load('[doctor]\nevery = "1m"')
  expect(warnings.map(formatProblem).join('\n')).toContain('so often it asks blocklists and name servers')
})

test.each([
  [
    '[doctor]\nevery = "0"\nhold_domains = true',
    'studs.toml:3: doctor.hold_domains: would hold nothing: with doctor.every = "0" nobody looks whether a sender domain is broken; leave doctor.every out (it is "6h" then), or hold_domains',
  ],
  [
    '[doctor]\nhold_sources = true\nevery = "0"',
    'studs.toml:2: doctor.hold_sources: would hold nothing: with doctor.every = "0" nobody looks whether a source is broken; leave doctor.every out (it is "6h" then), or hold_sources',
  ],
  [
    '[alert]\noff = ["dns-broken"]\n[doctor]\nhold_domains = true',
    'studs.toml:4: doctor.hold_domains: would hold nothing: it goes by the alert "dns-broken", which alert.off keeps from being raised; leave "dns-broken" out of alert.off',
  ],
])('%j would keep nothing back, and is refused with its line', (toml, expected) => {
  expect(problemsOf(() => load(toml))).toEqual([expect.stringContaining(expected)])
})

test('what means something is taken', () => {
  const { settings, warnings } = load(`
[alert]
off = ["queue-age"]
queue_age = ["1h", "1h", "1d"]
[doctor]
every = "12h"
hold_sources = true`)
  expect(settings.alert).toMatchObject({
    off: ['queue-age'],
    queueAge: [HOUR, HOUR, DAY],
    bounceRates: [0.02, 0.05, 0.1],
  })
  expect(settings.doctor).toMatchObject({ every: 12 * HOUR, holdSources: true, holdDomains: false })
  expect(warnings).toEqual([])
})
