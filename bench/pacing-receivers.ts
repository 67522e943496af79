// Receivers that put off what comes faster than a rate they tell nobody. One call is one attempt: the answer depends on
// what came before, never on who asks. What they could have taken is known here only.

import type { Signal } from '../src/pacing/controller.ts'
import { SECOND } from '../src/util/clock.ts'

export interface Receiver {
  answer(at: number): Signal
  /** Hidden: messages per second. */
  rateAt(at: number): number
}

/** Takes `rateAt`, and as much at once as `burstSeconds` of it. */
export function bucket(rateAt: (at: number) => number, burstSeconds = 2): Receiver {
  let tokens = Number.POSITIVE_INFINITY
  let lastAt = 0
  return {
    rateAt,
    answer: (at) => {
      const rate = rateAt(at)
      tokens = Math.min(Math.max(1, rate * burstSeconds), tokens + ((at - lastAt) * rate) / SECOND)
      lastAt = at
      if (tokens < 1) return 'deferred'
      tokens--
      return 'accepted'
    },
  }
}

/** At most `count` accepted in any `per`. */
export function slidingWindow(count: number, per: number): Receiver {
  const times: number[] = []
  let start = 0
  return {
    rateAt: () => (count * SECOND) / per,
    answer: (at) => {
      while ((times[start] ?? at) <= at - per) start++
      if (times.length - start >= count) return 'deferred'
      times.push(at)
      if (start > 2 * count) {
        times.splice(0, start)
        start = 0
      }
      return 'accepted'
    },
  }
}

/** At most `count` in each `per` of the calendar. */
export function fixedWindow(count: number, per: number): Receiver {
  let window = -1
  let taken = 0
  return {
    rateAt: () => (count * SECOND) / per,
    answer: (at) => {
      const current = Math.floor(at / per)
      if (current !== window) taken = 0
      window = current
      return taken++ < count ? 'accepted' : 'deferred'
    },
  }
}

/** Above its rate it takes nothing for a while, and each attempt makes the while begin anew. */
export function punishing(rate: number, blockMs: number): Receiver {
  const inner = bucket(() => rate, 5)
  let until = 0
  return {
    rateAt: () => rate,
    answer: (at) => {
      const signal = at < until ? 'deferred' : inner.answer(at)
      if (signal === 'deferred') until = at + blockMs
      return signal
    },
  }
}

/** Another receiver, shut from time to time: 421, or no connection at all. */
export function shutting(inner: Receiver, isShut: (at: number) => boolean): Receiver {
  return {
    rateAt: (at) => (isShut(at) ? 0 : inner.rateAt(at)),
    answer: (at) => (isShut(at) ? 'refused' : inner.answer(at)),
  }
}

/** Another receiver that puts off a share of what it would take, for reasons that have nothing to do with the pace. */
export function noisy(inner: Receiver, share: number, random: () => number): Receiver {
  return {
    rateAt: (at) => inner.rateAt(at) * (1 - share),
    answer: (at) => (random() < share ? 'deferred' : inner.answer(at)),
  }
}
