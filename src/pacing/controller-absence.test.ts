// A receiver that is down for a while and comes back, before a sender that has so much mail a minute and tries again what was put
// off. In virtual time: how soon everything has gone, in which steps, and how often it was asked meanwhile.

import { describe, expect, test } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../util/clock.ts'
import { createPaceController, type PaceController, type PaceSnapshot, type Signal } from './controller.ts'

type Receiver = (at: number) => Signal

const RETRY = 5 * MINUTE
const TICK = 250
/** It was heard that long after it was sent. */
const ROUND_TRIP = 100

class Sender {
  controller: PaceController = createPaceController()
  at = 0
  waiting = 0
  attempts = 0
  /** Every pace there was, a minute; Infinity: none. */
  readonly paces: number[] = []
  readonly #everyMs: number
  readonly #receiver: Receiver
  #nextMail = 0
  #lastSent = Number.NEGATIVE_INFINITY
  readonly #retries: number[] = []

  constructor(perMinute: number, receiver: Receiver) {
    this.#everyMs = MINUTE / perMinute
    this.#receiver = receiver
  }

  get isFree(): boolean {
    return this.controller.rate(this.at) === undefined
  }

  runUntil(end: number, isOver = (): boolean => false): void {
    for (; this.at < end && !isOver(); this.at += TICK) this.#tick()
  }

  #tick(): void {
    for (; this.#nextMail <= this.at; this.#nextMail += this.#everyMs) this.waiting++
    while ((this.#retries[0] ?? Number.POSITIVE_INFINITY) <= this.at) {
      this.#retries.shift()
      this.waiting++
    }
    for (; this.waiting > 0 && this.#maySend(); this.waiting--) {
      this.attempts++
      this.#lastSent = this.at
      const signal = this.#receiver(this.at)
      if (signal !== 'accepted') this.#retries.push(this.at + RETRY)
      this.controller.heard(signal, this.at + ROUND_TRIP, this.at)
    }
    const pace = (this.controller.rate(this.at) ?? Number.POSITIVE_INFINITY) * 60
    if (this.paces.at(-1) !== pace) this.paces.push(pace)
  }

  #maySend(): boolean {
    const rate = this.controller.rate(this.at)
    return rate === undefined || this.at - this.#lastSent >= SECOND / rate
  }

  get isDone(): boolean {
    return this.isFree && this.waiting + this.#retries.length <= 1
  }
}

const DOWN = 2 * HOUR
const downFor =
  (ms: number, signal: Signal = 'absent'): Receiver =>
  (at) =>
    at >= DOWN && at < DOWN + ms ? signal : 'accepted'

describe('a receiver that is down', () => {
  test.each<[perMinute: number, minutes: number, backAfter: number]>([
    [0.2, 60, 90],
    [1, 5, 40],
    [1, 60, 40],
    [2, 5, 30],
    [2, 60, 30],
    [10, 60, 15],
    [60, 60, 15],
    [60, 8 * 60, 15],
  ])('%d a minute, for %d minutes: all is well within %d more', (perMinute, minutes, backAfter) => {
    const sender = new Sender(perMinute, downFor(minutes * MINUTE))
    sender.runUntil(DOWN)
    expect(sender.isFree).toBe(true)
    const before = sender.attempts
    sender.runUntil(DOWN + minutes * MINUTE)
    // Asked ever more rarely meanwhile, down to twelve times an hour.
    expect(sender.attempts - before).toBeLessThanOrEqual(8 + Math.ceil(minutes / 5))
    const steps = sender.paces.length
    sender.runUntil(DOWN + minutes * MINUTE + backAfter * MINUTE, () => sender.isDone)
    expect([sender.isFree, sender.isDone]).toEqual([true, true])
    const rises = sender.paces.slice(steps - 1).filter((pace) => pace < Number.POSITIVE_INFINITY)
    expect(rises.length).toBeGreaterThan(3)
    // No leap: a quarter of what is usual first, then twice as much each time.
    for (const [n, pace] of rises.entries())
      expect(pace).toBeLessThanOrEqual(Math.max(0.3 * perMinute, 2.01 * (rises[n - 1] ?? pace)))
  })

  test('one that says no is no such receiver', () => {
    const sender = new Sender(2, downFor(HOUR, 'refused'))
    sender.runUntil(DOWN + 2 * HOUR)
    expect(sender.isFree).toBe(false)
  })

  test('nor one that spoke of a rate before', () => {
    const receiver: Receiver = (at) => (at > DOWN - MINUTE && at < DOWN ? 'deferred' : downFor(HOUR)(at))
    const sender = new Sender(2, receiver)
    sender.runUntil(DOWN + 2 * HOUR)
    expect(sender.isFree).toBe(false)
  })

  test('one that shuts out again soon after is taken for one that has a limit', () => {
    const receiver: Receiver = (at) => {
      const since = at - DOWN
      return since >= 0 && (since < 20 * MINUTE || (since > 50 * MINUTE && since < 70 * MINUTE)) ? 'absent' : 'accepted'
    }
    const sender = new Sender(10, receiver)
    sender.runUntil(DOWN + 50 * MINUTE)
    expect(sender.isFree).toBe(true)
    sender.runUntil(DOWN + 90 * MINUTE)
    expect(sender.isFree).toBe(false)
  })

  test('one that puts off while the path is opened ends the opening', () => {
    let taken = 0
    const sender = new Sender(10, (at) => {
      if (at < DOWN + HOUR) return downFor(HOUR)(at)
      return ++taken <= 12 || taken % 2 === 0 ? 'accepted' : 'deferred'
    })
    sender.runUntil(DOWN + HOUR)
    sender.runUntil(DOWN + 2 * HOUR, () => taken === 40)
    expect(sender.isFree).toBe(false)
    expect(sender.paces.at(-1)).toBeLessThan(10)
  })

  test.each([30, 65])('a restart %d minutes after it went down changes nothing', (minutes) => {
    const sender = new Sender(10, downFor(HOUR))
    sender.runUntil(DOWN + minutes * MINUTE)
    const snapshot = sender.controller.snapshot(sender.at)
    // As the store keeps it.
    sender.controller = createPaceController({}, JSON.parse(JSON.stringify(snapshot)))
    sender.runUntil(DOWN + HOUR + 25 * MINUTE, () => sender.at > DOWN + HOUR && sender.isDone)
    expect(sender.isDone).toBe(true)
  })

  test('a restart in the midst of the opening goes on with it', () => {
    const sender = new Sender(2, downFor(HOUR))
    sender.runUntil(DOWN + 2 * HOUR, () => sender.controller.snapshot(sender.at)?.opening !== undefined)
    const before = sender.controller.snapshot(sender.at)
    sender.controller = createPaceController({}, JSON.parse(JSON.stringify(before)))
    expect(sender.controller.snapshot(sender.at)).toMatchObject({ rate: before?.rate, opening: before?.opening })
    sender.runUntil(sender.at + 20 * MINUTE, () => sender.isDone)
    expect(sender.isFree).toBe(true)
  })

  test('a path that was slow before is not opened', () => {
    const ended = (from: PaceSnapshot | undefined) => {
      const controller = createPaceController({}, from)
      let at = 0
      const hear = (signal: Signal, times: number): void => {
        for (let n = 0; n < times; n++, at += 10 * SECOND) controller.heard(signal, at)
      }
      hear('accepted', 30)
      hear('absent', 30)
      hear('accepted', 3)
      return controller.snapshot(at)?.opening
    }
    expect(ended(undefined)).toBeGreaterThan(0)
    expect(ended({ rate: 0.1, at: 0, ceiling: 0.1, demand: 0.1, quietMs: 3 * HOUR })).toBeUndefined()
  })
})
