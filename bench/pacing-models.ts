// Which receivers, and how long each is watched. The named ones were looked at while the constants of the law were chosen;
// the drawn ones are others every seed, and were not.

import { DAY, HOUR, MINUTE, SECOND } from '../src/util/clock.ts'
import { bucket, fixedWindow, noisy, punishing, type Receiver, shutting, slidingWindow } from './pacing-receivers.ts'

export interface Model {
  readonly name: string
  readonly make: (random: () => number) => Receiver
  readonly connections: number
  readonly latencyMs: readonly [number, number]
  /** Figures count from here. */
  readonly settledAt: number
  readonly endsAt: number
  /** When it takes more than before. */
  readonly relaxesAt?: number
}

function model(name: string, hours: readonly [number, number], make: Model['make'], more: Partial<Model> = {}): Model {
  const [settled, ends] = hours
  return { name, make, connections: 20, latencyMs: [100, 300], settledAt: settled * HOUR, endsAt: ends * HOUR, ...more }
}

const hourly =
  (...rates: readonly number[]) =>
  (at: number): number =>
    rates[Math.floor(at / HOUR) % rates.length] ?? 0

const daily =
  (least: number, most: number) =>
  (at: number): number =>
    least + ((most - least) * (1 - Math.cos((2 * Math.PI * at) / DAY))) / 2

/** A tenth for half an hour. */
const dropped =
  (rate: number) =>
  (at: number): number =>
    at >= HOUR && at < HOUR + 30 * MINUTE ? rate / 10 : rate

const isShut = (at: number): boolean => at >= HOUR && at < HOUR + 20 * MINUTE

/** The one of the picture. */
export const DROP = model('40/s, a tenth for 30 min', [1 / 6, 4], () => bucket(dropped(40)), {
  relaxesAt: 90 * MINUTE,
})

export const NAMED: readonly Model[] = [
  model('20/s', [1 / 6, 3], () => bucket(() => 20)),
  model('1/min', [6, 72], () => bucket(() => 1 / 60, 300)),
  model('1000/s', [1 / 6, 2 / 3], () => bucket(() => 1000), { connections: 600 }),
  model('5/s, answers after 5–15 s', [0.5, 4], () => bucket(() => 5), { connections: 200, latencyMs: [5000, 15_000] }),
  model('20/s, 1 % put off anyway', [1 / 6, 4], (random) =>
    noisy(
      bucket(() => 20),
      0.01,
      random,
    ),
  ),
  model('600 in any minute', [0.5, 3], () => slidingWindow(600, MINUTE)),
  model('3600 in any hour', [3, 12], () => slidingWindow(3600, HOUR)),
  model('200 each minute', [0.5, 3], () => fixedWindow(200, MINUTE)),
  DROP,
  model('20, 60, 5, 40/s by the hour', [1 / 6, 8], () => bucket(hourly(20, 60, 5, 40)), { relaxesAt: 3 * HOUR }),
  model('5–50/s by the time of day', [1 / 6, 24], () => bucket(daily(5, 50))),
  model(
    '20/s, shut for 20 min (421)',
    [1 / 6, 4],
    () =>
      shutting(
        bucket(() => 20),
        isShut,
      ),
    {
      relaxesAt: 80 * MINUTE,
    },
  ),
  model('20/s, punishes: 1 min', [2, 12], () => punishing(20, MINUTE)),
  model('2/s, punishes: 4 min', [12, 36], () => punishing(2, 4 * MINUTE)),
]

type Draw = (rate: number, random: () => number) => Model

const DRAWS: readonly Draw[] = [
  (rate, random) => {
    const burst = 1 + random() * 20
    return drawn(`${said(rate)}, ${burst.toFixed(0)} s at once`, rate, () => bucket(() => rate, burst))
  },
  (rate, random) => {
    const spanMs = Math.round((0.5 + random() * 9.5) * MINUTE)
    const count = Math.max(5, Math.round((rate * spanMs) / SECOND))
    const name = `${count} in any ${(spanMs / MINUTE).toFixed(1)} min`
    return drawn(name, rate, () => slidingWindow(count, spanMs), spanMs)
  },
  (rate, random) => {
    const spanMs = Math.round((0.5 + random() * 9.5) * MINUTE)
    const count = Math.max(5, Math.round((rate * spanMs) / SECOND))
    const name = `${count} each ${(spanMs / MINUTE).toFixed(1)} min`
    return drawn(name, rate, () => fixedWindow(count, spanMs), spanMs)
  },
  (rate, random) => {
    const share = random() * 0.008
    const name = `${said(rate)}, ${(share * 100).toFixed(1)} % put off anyway`
    return drawn(name, rate, (noise) =>
      noisy(
        bucket(() => rate),
        share,
        noise,
      ),
    )
  },
  (rate, random) => {
    const blockMs = Math.round((10 + random() * 110) * SECOND)
    const name = `${said(rate)}, punishes: ${(blockMs / SECOND).toFixed(0)} s`
    return drawn(name, rate, () => punishing(rate, blockMs), 24 * MINUTE)
  },
  (rate, random) => {
    const others = [1, 0.3 + random(), 0.1 + random(), 0.5 + random()].map((factor) => rate * factor)
    return drawn(`${said(rate)}, another each hour`, rate, () => bucket(hourly(...others)))
  },
]

function drawn(name: string, rate: number, make: Model['make'], spanMs = 0): Model {
  const settledMs = Math.max(30 * MINUTE, 10 * spanMs, (300 * SECOND) / rate)
  const endsAt = settledMs + Math.max(3 * HOUR, 20 * spanMs, (2000 * SECOND) / rate)
  const connections = Math.max(20, Math.ceil(rate))
  return { name, make, connections, latencyMs: [100, 300], settledAt: settledMs, endsAt }
}

/** From one in 20 s to 100/s, as many of each kind. */
export function draw(count: number, random: () => number): readonly Model[] {
  return Array.from({ length: count }, (_, n) => {
    const rate = 0.05 * 2000 ** random()
    const kind = DRAWS[n % DRAWS.length]
    if (kind === undefined) throw new Error('no kind')
    return kind(rate, random)
  })
}

function said(rate: number): string {
  return rate >= 1 ? `${rate.toFixed(1)}/s` : `${(rate * 60).toFixed(1)}/min`
}
