// The last minute, hour and day of one scope, in three rings of fixed size: 6 × 10 s, 12 × 5 min, 24 × 1 h. The youngest
// piece of each is the one under way, so that "1 h" is the last 55 to 60 minutes. Memory is the same however much happens.
// A ring turns only when it is counted in or read: nothing runs while nothing happens.

import { HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { AT, CELLS, type Cells } from './counts.ts'

interface RingShape {
  readonly stepMs: number
  readonly count: number
  /** Of its first cell. */
  readonly start: number
}

export const RINGS = {
  minute: { stepMs: 10 * SECOND, count: 6, start: 0 },
  hour: { stepMs: 5 * MINUTE, count: 12, start: 6 * CELLS },
  day: { stepMs: HOUR, count: 24, start: 18 * CELLS },
} as const satisfies Record<string, RingShape>
export type WindowName = keyof typeof RINGS
export const WINDOW_NAMES: readonly WindowName[] = ['minute', 'hour', 'day']
const SHAPES: readonly RingShape[] = [RINGS.minute, RINGS.hour, RINGS.day]
const ALL_CELLS = 42 * CELLS
const FADE = 0.9

/** One piece of a ring: `step` is its time divided by the length of a piece. */
export interface Piece {
  readonly step: number
  readonly cells: readonly number[]
}

export class Series {
  readonly #cells = new Uint32Array(ALL_CELLS)
  /** Of the youngest piece of each ring. */
  readonly #steps: number[]
  #activity = 0
  /** When something was last counted: the hour (since 1970). */
  lastHour: number
  /** Counted since it was last written; hours from this one on may differ from what is stored. */
  dirtyFrom = Number.POSITIVE_INFINITY
  /** Has rows in the store. */
  isStored = false

  constructor(now: number) {
    this.#steps = SHAPES.map(({ stepMs }) => Math.floor(now / stepMs))
    this.lastHour = Math.floor(now / HOUR)
  }

  /** One more in a cell, and (with a delivery) one in another. */
  count(now: number, cell: number, other = -1): void {
    for (let at = 0; at < SHAPES.length; at++) {
      const from = this.#youngest(at, now)
      this.#cells[from + cell] = (this.#cells[from + cell] ?? 0) + 1
      if (other >= 0) this.#cells[from + other] = (this.#cells[from + other] ?? 0) + 1
    }
    const hour = this.#steps[2] ?? 0
    if (hour !== this.lastHour) {
      this.#activity = this.activity(now)
      this.lastHour = hour
    }
    this.#activity++
    if (hour < this.dirtyFrom) this.dirtyFrom = hour
  }

  sum(name: WindowName, now: number): number[] {
    this.#turn(WINDOW_NAMES.indexOf(name), now)
    const { start, count } = RINGS[name]
    const sum = new Array<number>(CELLS).fill(0)
    for (let at = start; at < start + count * CELLS; at++) {
      const cell = (at - start) % CELLS
      sum[cell] = (sum[cell] ?? 0) + (this.#cells[at] ?? 0)
    }
    return sum
  }

  /** Pieces with something in them, oldest first. */
  pieces(name: WindowName, now: number): Piece[] {
    const ring = WINDOW_NAMES.indexOf(name)
    this.#turn(ring, now)
    const { start, count } = RINGS[name]
    const last = this.#steps[ring] ?? 0
    return Array.from({ length: count }, (_, back) => {
      const step = last - (count - 1) + back
      const from = start + (step % count) * CELLS
      return { step, cells: [...this.#cells.subarray(from, from + CELLS)] }
    }).filter(({ cells }) => cells.some((cell) => cell > 0))
  }

  /** Adds what was counted before, if the ring still reaches back to it. */
  add(name: WindowName, { step, cells }: { readonly step: number; readonly cells: Cells }, now: number): void {
    const ring = WINDOW_NAMES.indexOf(name)
    this.#turn(ring, now)
    const { start, count } = RINGS[name]
    const last = this.#steps[ring] ?? 0
    if (step <= last - count || step > last) return
    const from = start + (step % count) * CELLS
    for (let at = 0; at < CELLS; at++) this.#cells[from + at] = (this.#cells[from + at] ?? 0) + (cells[at] ?? 0)
    if (name === 'day') this.#activity += cells[AT.delivered] ?? 0
  }

  /** Everything of another one. */
  addAll(other: Series, now: number): void {
    for (const ring of SHAPES.keys()) {
      this.#turn(ring, now)
      other.#turn(ring, now)
    }
    // Both stand at the same step of each ring, unless the clock has just gone back a little: then it is off by a piece.
    for (let at = 0; at < ALL_CELLS; at++) this.#cells[at] = (this.#cells[at] ?? 0) + (other.#cells[at] ?? 0)
    this.#activity = this.activity(now) + other.activity(now)
    this.lastHour = Math.floor(now / HOUR)
    this.dirtyFrom = Math.min(this.dirtyFrom, this.lastHour - RINGS.day.count + 1)
  }

  /** How much is counted here: what is an hour older weighs a little less. */
  activity(now: number): number {
    return this.#activity * FADE ** Math.max(0, Math.floor(now / HOUR) - this.lastHour)
  }

  /** The clock stepped: what was counted keeps its age, and every hour has another name. */
  shift(before: number, after: number): void {
    for (const [ring, { stepMs, count, start }] of SHAPES.entries()) {
      this.#turn(ring, before)
      const [from, to] = [Math.floor(before / stepMs), Math.floor(after / stepMs)]
      const moved = new Uint32Array(count * CELLS)
      for (let back = 0; back < count; back++) {
        const old = start + ((((from - back) % count) + count) % count) * CELLS
        moved.set(this.#cells.subarray(old, old + CELLS), ((((to - back) % count) + count) % count) * CELLS)
      }
      this.#cells.set(moved, start)
      this.#steps[ring] = to
    }
    this.lastHour += Math.floor(after / HOUR) - Math.floor(before / HOUR)
    this.dirtyFrom = Number.NEGATIVE_INFINITY
  }

  /** Where the piece under way begins. */
  #youngest(ring: number, now: number): number {
    this.#turn(ring, now)
    const { start, count } = SHAPES[ring] ?? RINGS.minute
    return start + ((this.#steps[ring] ?? 0) % count) * CELLS
  }

  /** Empties the pieces whose time has come again. A little step back of the clock counts as no time at all. */
  #turn(ring: number, now: number): void {
    const shape = SHAPES[ring] ?? RINGS.minute
    const last = this.#steps[ring] ?? 0
    const step = Math.floor(now / shape.stepMs)
    if (step <= last) return
    const { start, count } = shape
    if (step - last >= count) this.#cells.fill(0, start, start + count * CELLS)
    else
      for (let each = last + 1; each <= step; each++) {
        const from = start + (each % count) * CELLS
        this.#cells.fill(0, from, from + CELLS)
      }
    this.#steps[ring] = step
  }
}
