// How fast one path may send, learned from what its receiver says: less at once when it defers, more again step by step.
// Pure: it is told what happened and when, and owns no timer. The same few numbers at any pace and for any length of
// time. docs/decisions/0009-pace.md says why this law.
//
// No limit until deferrals speak. Then what the receiver was seen to take becomes the ceiling, and the pace goes below it;
// it comes back fast while far below, slowly near it, faster again beyond. A receiver that takes nothing at all is asked
// ever more rarely, down to the floor; once it answers, it is given a share of the ceiling, never the ceiling. One that was
// only not there has no ceiling: the path is opened again (controller-absence.ts).
// Invariants: never below the floor, up only by what was taken, and never above twice what is asked for, but while it is opened.

import { DAY, HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { Absence, type AbsenceSnapshot } from './controller-absence.ts'
import { Caution, type CautionSnapshot } from './controller-caution.ts'
import { climb } from './controller-climb.ts'
import { Memory } from './controller-memory.ts'
import { PACE, type PaceOptions } from './controller-options.ts'
import { Span } from './controller-span.ts'
import { Suspicion } from './controller-suspicion.ts'

export { PACE, type PaceOptions }

/** What an attempt says about the pace: taken, put off for our pace or repute, not even let in (421), or nobody was there. */
export type Signal = 'accepted' | 'deferred' | 'refused' | 'absent'

/** Survives a restart. */
export interface PaceSnapshot {
  /** Messages per second. */
  readonly rate: number
  /** Monotonic, as given to `snapshot`; whoever stores it turns it into wall time, and back. All else are ages. */
  readonly at: number
  readonly [more: string]: number | undefined
}

export interface PaceController {
  /** `at`: monotonic milliseconds, as everywhere here. `sentAt`: when the attempt began, if known. */
  heard(signal: Signal, at: number, sentAt?: number): void
  /** Messages per second now; undefined while nothing speaks for a limit. */
  rate(at: number): number | undefined
  snapshot(at: number): PaceSnapshot | undefined
}

/** `from`: an earlier snapshot, its `at` in the monotonic time of this process (below zero, if it is older). */
export function createPaceController(options: Partial<PaceOptions> = {}, from?: PaceSnapshot): PaceController {
  return new LearnedPace({ ...PACE, ...options }, from)
}

const WEIGHT: Readonly<Record<Signal, number>> = { accepted: 0, deferred: 1, refused: 2, absent: 2 }
/** Put off beyond what is tolerated, until it is believed. */
const PROOF = 3
const PROOF_IN_SILENCE = 1.9
/** Suspicion fades in this time, or in that of so many messages. */
const FADE = { ms: HOUR, messages: 200 }
/** What one proof leaves of the pace at least, by what speaks: a sample of three is no measurement. */
const LEAST_LEFT = { deferred: 0.5, refused: 0.25, first: 0.25 }
/** More taken than this since suspicion arose: the limit is near. */
const MILD = 0.4
/** Messages in a step: near the ceiling so many that a look beyond it is within the tolerance. */
const STEP_MESSAGES = { near: 25, far: 4, later: 12 }
/** Taken since the pace went down, after which there is tolerance to spare. */
const LATER = 250
/** While the ceiling is a guess, a step takes no longer, however slow the pace is, if there are a few messages in it. */
const LONGEST_STEP = { ms: 15 * MINUTE, messages: 3 }
/** How far from the ceiling the climb slows down: where it was measured, told from a silence, or is a first guess. */
const DEPTH = { measured: 0.1, told: 0.5, guessed: 5 }
/** A ceiling was measured by the time that went before a silence, if that is known for so much of the silence. */
const MEASURED = 0.3
/** After a silence, of what it can take; less after a longer one. */
const RESUME = { share: 0.5, gone: 10 * MINUTE }
/** Nothing is learned about a pace that is not used: up to so many times the demand. */
const HEADROOM = 2
/** Limits so many times the demand bind nobody. */
const AMPLE = 1.5
/** Nobody knows what a receiver thinks after that long. */
const STALE = DAY

class LearnedPace implements PaceController {
  readonly #options: PaceOptions
  readonly #floor: number
  readonly #suspicion: Suspicion
  readonly #caution = new Caution()
  readonly #absence = new Absence()
  #memory = new Memory()
  #limit: number | undefined
  /** What the receiver was seen to take when it last put mail off; per second. */
  #ceiling = 0
  #depth = DEPTH.measured
  /** The pace of the last step without trouble. */
  #good = 0
  /** Attempts a second, a maximum that fades over hours. */
  #demand = 0
  #step: Span
  #heardAt: number | undefined
  #loweredAt = Number.NEGATIVE_INFINITY
  /** Taken since then. */
  #taken = 0
  /** Since when it has gone down, and not up again; the pace it had then. */
  #trouble: { readonly since: number; readonly limit: number | undefined } | undefined
  /** Steps down in a row with nothing taken before any of them. */
  #silences = 0
  /** Taken in a row after silence. */
  #answers = 0

  constructor(options: PaceOptions, from: PaceSnapshot | undefined) {
    this.#options = options
    this.#floor = (options.floor.count * SECOND) / options.floor.per
    this.#suspicion = new Suspicion(options.tolerance)
    this.#step = new Span(from?.at ?? 0)
    if (from !== undefined && from.rate > 0 && Number.isFinite(from.rate)) this.#restore(from)
  }

  rate(at: number): number | undefined {
    return at - (this.#heardAt ?? at) > STALE ? undefined : this.#limit
  }

  snapshot(at: number): PaceSnapshot | undefined {
    const rate = this.rate(at)
    if (rate === undefined) return undefined
    const troubleMs = this.#trouble && at - this.#trouble.since
    return {
      rate,
      at,
      ceiling: this.#ceiling,
      depth: this.#depth,
      demand: this.#demand,
      idleMs: at - (this.#heardAt ?? at),
      quietMs: at - this.#loweredAt,
      troubleMs,
      silences: this.#silences,
      troubledAt: this.#trouble?.limit,
      takes: troubleMs !== undefined && this.#silences > 0 ? this.#memory.rate(troubleMs) : this.#ceiling,
      ...this.#caution.snapshot(at),
      ...this.#absence.snapshot(at),
    }
  }

  #restore(from: PaceSnapshot & Partial<CautionSnapshot & AbsenceSnapshot>): void {
    this.#limit = Math.max(this.#floor, from.rate)
    this.#ceiling = from.ceiling ?? from.rate
    this.#depth = from.depth ?? DEPTH.measured
    this.#demand = from.demand ?? from.rate
    this.#heardAt = from.at - (from.idleMs ?? 0)
    this.#loweredAt = from.at - (from.quietMs ?? 0)
    this.#silences = from.silences ?? 0
    if (from.troubleMs !== undefined) this.#trouble = { since: from.at - from.troubleMs, limit: from.troubledAt }
    this.#memory = new Memory(from.takes ?? from.rate)
    this.#caution.restore(from, from.at)
    this.#absence.restore(from, from.at)
  }

  heard(signal: Signal, at: number, sentAt: number = at - this.#options.roundTrip): void {
    this.#passTime(at)
    const isAccepted = signal === 'accepted'
    // It was on its way when the pace went down: the answer to the old pace, not to the new one.
    if (!isAccepted && sentAt < this.#loweredAt) return
    this.#step.heard(isAccepted)
    const fadeMs = Math.max(FADE.ms, (FADE.messages * SECOND) / (this.#limit ?? Number.POSITIVE_INFINITY))
    this.#suspicion.heard({ weight: WEIGHT[signal], at, fadeMs })
    if (isAccepted) {
      this.#accepted(at)
      if (this.#isStepOver(at)) this.#stepUp(at)
    } else {
      this.#answers = 0
      if (signal !== 'absent') this.#absence.spoke(at)
      if (this.#suspicion.score >= this.#proof()) this.#lower(at)
    }
  }

  #passTime(at: number): void {
    if (this.#heardAt === undefined) this.#step = new Span(at)
    const gapMs = at - (this.#heardAt ?? at)
    this.#heardAt = Math.max(at, this.#heardAt ?? at)
    if (gapMs <= 0) return
    if (gapMs > STALE) this.#forget()
    // Time in which there was nothing to send says nothing about a pace.
    const idleMs = Math.max(MINUTE, this.#limit === undefined ? 0 : (5 * SECOND) / this.#limit)
    if (gapMs > idleMs) this.#step = new Span(at)
    if (this.#trouble === undefined) this.#memory.passed(Math.min(gapMs, idleMs))
    this.#demand *= 0.5 ** (gapMs / (3 * this.#options.forget))
  }

  #forget(): void {
    this.#limit = undefined
    this.#good = 0
    this.#trouble = undefined
    this.#silences = 0
    this.#suspicion.clear()
    this.#absence.end()
  }

  // ---- down

  /** More where a step is many messages, lest chance look like proof ever so often. */
  #proof(): number {
    if (this.#silences > 0) return PROOF_IN_SILENCE
    const messages = ((this.#limit ?? 0) * this.#options.step) / SECOND
    return PROOF + Math.log2(Math.max(1, messages / STEP_MESSAGES.near))
  }

  #lower(at: number): void {
    const { decrease } = this.#options
    const { isSilent, isRefused, takenShare } = this.#suspicion
    const asked = this.#asked(at)
    const least = LEAST_LEFT[isRefused ? 'refused' : this.#limit === undefined ? 'first' : 'deferred']
    // What it took a step ago it nearly takes now, unless it takes much less of a sudden.
    const good = this.#trouble === undefined ? Math.min(asked, decrease * this.#good) : 0
    const seen = Math.max(asked * Math.max(takenShare, least), takenShare > MILD ? good : 0)
    this.#silences = isSilent ? this.#silences + 1 : 0
    if (this.#silences < 2) {
      // A second step down soon after the first says little more about the ceiling than the first did.
      const kept = this.#trouble !== undefined && this.#limit !== undefined ? decrease * this.#ceiling : good
      this.#ceiling = Math.max(this.#floor, seen, kept)
      this.#depth = this.#limit === undefined ? DEPTH.guessed : DEPTH.measured
    }
    this.#trouble ??= { since: at, limit: this.#limit }
    this.#absence.end()
    this.#limit = Math.max(this.#floor, isRefused ? Math.min(decrease * seen, decrease ** 2 * asked) : decrease * seen)
    this.#loweredAt = at
    this.#taken = 0
    this.#answers = 0
    this.#suspicion.clear()
    this.#step = new Span(at)
  }

  /** Attempts a second at the moment. A span that has only begun tells less than the limit that holds. */
  #asked(at: number): number {
    const asked = this.#step.attempted(at)
    if (this.#limit === undefined) return asked
    return this.#isStepOver(at) ? Math.min(asked, this.#limit) : this.#limit
  }

  // ---- up

  #accepted(at: number): void {
    this.#memory.took()
    this.#taken++
    if (this.#silences === 1 && !this.#absence.explains(this.#trouble)) this.#silences = 0
    // Two in a row are an answer.
    if (this.#silences > 0 && ++this.#answers > 1) this.#endSilence(at)
    if (this.#limit === undefined || this.#silences > 0 || this.#suspicion.score > 0) return
    if (at - this.#loweredAt > this.#options.forget && this.#limit >= AMPLE * this.#demand) this.#forget()
  }

  #endSilence(at: number): void {
    const silenceMs = at - (this.#trouble?.since ?? at)
    this.#silences = 0
    this.#ceiling = Math.max(this.#floor, this.#memory.rate(silenceMs))
    this.#depth = this.#memory.knownMs(silenceMs) > MEASURED * silenceMs ? DEPTH.measured : DEPTH.told
    this.#step = new Span(at)
    if (this.#absence.explains(this.#trouble)) {
      const usual = Math.max(this.#demand, this.#memory.usual())
      this.#limit = Math.max(this.#limit ?? this.#floor, this.#absence.open(usual, at))
      return
    }
    const share = Math.max(this.#options.probe, RESUME.share * (1 - silenceMs / RESUME.gone))
    this.#limit = Math.max(this.#limit ?? this.#floor, share * this.#ceiling)
    this.#caution.heardSilence(silenceMs, this.#trouble?.limit, at)
  }

  #isStepOver(at: number): boolean {
    const limit = this.#limit ?? 0
    const lengthMs = this.#step.lengthMs(at)
    const { attempts } = this.#step
    if (this.#absence.isOpening) return lengthMs >= this.#options.step && this.#absence.isStepOver(attempts)
    if (lengthMs < Math.max(this.#options.step, limit < this.#ceiling ? 0 : this.#caution.stepMs)) return false
    if (this.#depth > DEPTH.measured && lengthMs > LONGEST_STEP.ms && attempts >= LONGEST_STEP.messages) return true
    const near = this.#taken > LATER ? STEP_MESSAGES.later : STEP_MESSAGES.near
    return attempts >= (limit < this.#ceiling / 2 ? STEP_MESSAGES.far : near)
  }

  #stepUp(at: number): void {
    const attempted = this.#step.attempted(at)
    const { putOffShare } = this.#step
    const { tolerance, increase } = this.#options
    this.#step = new Span(at)
    this.#demand = Math.max(this.#demand, attempted)
    const limit = this.#limit
    if (limit === undefined || this.#silences > 0 || putOffShare > tolerance / 2) return
    this.#trouble = undefined
    if (this.#absence.isOpening) {
      const next = this.#absence.next(limit)
      if (next === undefined) this.#forget()
      else this.#limit = next
      return
    }
    this.#good = Math.min(limit, attempted)
    const gain = Math.min(climb(limit, { rate: this.#ceiling, depth: this.#depth }), increase * limit)
    this.#limit = Math.max(limit, Math.min(limit + gain, HEADROOM * attempted, this.#caution.most(limit, at)))
  }
}
