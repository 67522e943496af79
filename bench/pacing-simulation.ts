// A sender and a receiver in virtual time: each message takes a connection for as long as the receiver takes to answer, and
// there is always more mail. The same seed gives the same hour.

import { SECOND } from '../src/util/clock.ts'
import { MinHeap } from '../src/util/heap.ts'
import type { Model } from './pacing-models.ts'
import type { MakeSender } from './pacing-senders.ts'

/** Of each second. */
export interface Course {
  readonly accepted: Float64Array
  readonly putOff: Float64Array
  /** What the receiver could have taken. */
  readonly possible: Float64Array
}

export interface Figures {
  /** Accepted against what could have been, after settling. */
  readonly share: number
  /** Put off, of all attempts after settling. */
  readonly putOff: number
  /** And from the first message on. */
  readonly putOffOfAll: number
  /** Undefined where it never takes more than before. */
  readonly recoverySeconds: number | 'never' | undefined
}

interface UnderWay {
  readonly endsAt: number
  readonly sentAt: number
  readonly signal: ReturnType<ReturnType<Model['make']>['answer']>
}

export function simulate(model: Model, makeSender: MakeSender, seed: number): Course {
  const random = randomFrom(seed)
  const receiver = model.make(random)
  const sender = makeSender(model.connections)
  const seconds = Math.ceil(model.endsAt / SECOND)
  const course = { accepted: counts(seconds), putOff: counts(seconds), possible: counts(seconds) }
  for (let second = 0; second < seconds; second++) course.possible[second] = receiver.rateAt(second * SECOND)
  const underWay = new MinHeap<UnderWay>(({ endsAt }) => endsAt)
  const [least, most] = model.latencyMs
  let now = 0
  while (now < model.endsAt) {
    const readyAt = underWay.size >= model.connections ? Number.POSITIVE_INFINITY : sender.readyAt(now, underWay.size)
    if (readyAt <= now) {
      sender.started(now)
      const signal = receiver.answer(now)
      underWay.push({ endsAt: now + least + (most - least) * random(), sentAt: now, signal })
      continue
    }
    const next = underWay.peek()
    if (next === undefined || readyAt < next.endsAt) {
      if (readyAt === Number.POSITIVE_INFINITY) throw new Error(`${model.name}: nobody will ever send again`)
      now = readyAt
      continue
    }
    underWay.pop()
    now = next.endsAt
    const second = Math.min(seconds - 1, Math.floor(now / SECOND))
    const row = next.signal === 'accepted' ? course.accepted : course.putOff
    row[second] = (row[second] ?? 0) + 1
    sender.heard(next.signal, now, next.sentAt)
  }
  return course
}

export function figuresOf(model: Model, { accepted, putOff, possible }: Course): Figures {
  const settled = Math.floor(model.settledAt / SECOND)
  const taken = sum(accepted, settled)
  const late = sum(putOff, settled)
  return {
    share: taken / sum(possible, settled),
    putOff: late / Math.max(1, taken + late),
    putOffOfAll: sum(putOff) / Math.max(1, sum(accepted) + sum(putOff)),
    recoverySeconds: model.relaxesAt === undefined ? undefined : recovery(model.relaxesAt, accepted, possible),
  }
}

const MINUTE_OF_SECONDS = 60

/** Until the first minute in which nine tenths of what could be taken are. */
function recovery(relaxesAt: number, accepted: Float64Array, possible: Float64Array): number | 'never' {
  const from = relaxesAt / SECOND
  for (let second = from; second + MINUTE_OF_SECONDS <= accepted.length; second++) {
    const taken = sum(accepted, second, second + MINUTE_OF_SECONDS)
    if (taken >= 0.9 * sum(possible, second, second + MINUTE_OF_SECONDS)) return second - from
  }
  return 'never'
}

function counts(length: number): Float64Array {
  return new Float64Array(length)
}

export function sum(values: Float64Array, from = 0, to = values.length): number {
  let total = 0
  for (let at = from; at < to; at++) total += values[at] ?? 0
  return total
}

/** mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
