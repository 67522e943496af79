// Every option of [pace]: a path whose receiver takes so much a second and puts off the rest, without the option and with it.

import { expect, test } from 'vitest'
import { createClassifier } from '../../src/bounce/classify.ts'
import { shippedRules } from '../../src/bounce/rules.ts'
import type { Settings } from '../../src/config/schema.ts'
import type { Site } from '../../src/delivery/delivery.ts'
import { Pacing } from '../../src/dispatch/pacing.ts'
import { createJournal } from '../../src/journal/journal.ts'
import type { Outcome, Way } from '../../src/mail/outcome.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createSuspensions } from '../../src/throttle/suspensions.ts'
import { HOUR, MINUTE, SECOND } from '../../src/util/clock.ts'
import { settingsWith } from '../support/delivery-settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'

type Pace = Settings['pace']
/** Messages a second that the receiver takes, at a time; what is more is put off. */
type Receiver = (at: number) => number
/** The paces that were set, when; absent: none any more. */
type Course = readonly { readonly at: number; readonly rate: number | undefined }[]

const WAY: Way = { site: 'mx.a.test', source: 'x', mx: 'mx.a.test', durationMs: 1 }
const PLACE: Site = { kind: 'site', site: 'mx.a.test', line: 'mx.a.test', slots: 10, validMs: HOUR }
const TAKEN: Outcome = { kind: 'delivered', reply: { code: 250, lines: ['ok'] }, way: WAY }
const PUT_OFF: Outcome = {
  kind: 'deferred',
  cause: {
    kind: 'reply',
    command: 'RCPT',
    reply: { code: 450, enhanced: '4.7.1', lines: ['4.7.1 Rate limit exceeded'] },
  },
  way: WAY,
}
const DEMAND = 20

/** Sends as fast as the pace allows, but no more than the demand. */
async function courseOf(pace: Partial<Pace>, receiver: Receiver, forMs: number): Promise<Course> {
  const clock = new FakeClock()
  const store = memoryStore()
  const journal = createJournal({ store, clock })
  const suspensions = createSuspensions({ store, journal, clock })
  const settings = settingsWith({ pace })
  const pacing = new Pacing({
    ...{ store, journal, clock, suspensions },
    classifier: createClassifier(shippedRules()),
    shaping: () => ({ rulesFor: () => [], providerOf: () => undefined }),
    settings: () => settings,
    logger: silentLogger(),
  })
  const course: { at: number; rate: number | undefined }[] = []
  let tokens = 1
  for (let at = 0; at < forMs; ) {
    const [limit] = pacing.limits(PLACE, 'x')
    const rate = limit && (limit.rate.count * SECOND) / limit.rate.per
    if (course.at(-1)?.rate !== rate) course.push({ at, rate })
    const gapMs = SECOND / Math.min(DEMAND, rate ?? DEMAND)
    await clock.advance(gapMs)
    at += gapMs
    tokens = Math.min(Math.max(2, 2 * receiver(at)), tokens + (gapMs * receiver(at)) / SECOND)
    const outcome = tokens < 1 ? PUT_OFF : TAKEN
    if (outcome === TAKEN) tokens--
    pacing.heard({ place: PLACE, tenant: 'default', source: 'x', domain: 'a.test', outcome })
  }
  suspensions.close()
  await pacing.close()
  return course
}

const first = (course: Course): number => course[0]?.rate ?? Number.NaN
const lowest = (course: Course): number => Math.min(...course.map(({ rate = Number.POSITIVE_INFINITY }) => rate))
/** When it was as fast as before again; not yet: for ever. */
const recoveredAt = (course: Course): number =>
  course.find(({ rate }, at) => at > 0 && (rate === undefined || rate >= DEMAND))?.at ?? Number.POSITIVE_INFINITY
/** The least time from one step up to the next. */
const leastStep = (course: Course): number => {
  const ups = course.filter(
    ({ rate }, at) => at > 0 && (rate ?? 0) > (course[at - 1]?.rate ?? Number.POSITIVE_INFINITY),
  )
  return Math.min(...ups.slice(1).map(({ at }, n) => at - ups[n]!.at))
}

const five: Receiver = () => 5
/** From the second minute on it takes everything. */
const relaxing: Receiver = (at) => (at < MINUTE ? 5 : 1000)

const CASES: Readonly<Record<keyof Pace, () => Promise<void>>> = {
  async adaptive() {
    expect(await courseOf({}, five, MINUTE)).not.toEqual([])
    expect(await courseOf({ adaptive: false }, five, MINUTE)).toEqual([])
  },
  async tolerance() {
    // A tenth of what is sent is put off.
    const tenth: Receiver = () => 0.9 * DEMAND
    expect(lowest(await courseOf({}, tenth, MINUTE))).toBeLessThan(DEMAND)
    expect(await courseOf({ tolerance: 0.3 }, tenth, MINUTE)).toEqual([])
  },
  async decrease() {
    const [gentle, hard] = [await courseOf({}, five, MINUTE), await courseOf({ decrease: 0.4 }, five, MINUTE)]
    expect(first(hard) / first(gentle)).toBeCloseTo(0.4 / 0.9, 1)
  },
  async increase() {
    const [quick, slow] = [
      await courseOf({ increase: 0.5 }, relaxing, 20 * MINUTE),
      await courseOf({ increase: 0.02 }, relaxing, 20 * MINUTE),
    ]
    expect(recoveredAt(quick)).toBeLessThan(recoveredAt(slow) / 2)
  },
  async step() {
    expect(leastStep(await courseOf({}, relaxing, 5 * MINUTE))).toBeLessThan(30 * SECOND)
    expect(leastStep(await courseOf({ step: 45 * SECOND }, relaxing, 10 * MINUTE))).toBeGreaterThanOrEqual(45 * SECOND)
  },
  async floor() {
    const nothing: Receiver = (at) => (at < 10 * SECOND ? 5 : 0)
    expect(lowest(await courseOf({}, nothing, 10 * MINUTE))).toBeLessThan(0.5)
    expect(lowest(await courseOf({ floor: { count: 1, per: SECOND } }, nothing, 10 * MINUTE))).toBe(1)
  },
}

test.each(Object.entries(CASES))('%s', async (_, check) => check())
