// AUTH: a name and a password become a credential. Policy:
// - Unknown name, wrong password and disabled credential take the same path (one scrypt, one delay, one reply), so that
//   nobody can find out which names exist.
// - Every failure makes the next answer to the same address and the same name slower; after too many within a window
//   they are refused unchecked (454) until it has passed. Names that do not exist count like those that do. A guess
//   counts as a failure from its beginning, so that many at one time are no more than many in a row.
// - An address is an IPv4 address or an IPv6 /64.
// - An address that has logged in as a name before is judged apart from the rest of the world: a stranger who guesses at
//   a name cannot lock out the app that uses it.
// - scrypt runs for at most two guesses at a time, so that guessing cannot starve DKIM signing of libuv's threads.
// - Passwords found right are remembered under a keyed hash: an app that connects for every mail costs no scrypt, and is
//   let in while guesses queue for theirs. Not before failures are looked at, else guessing past the limit would pay.
// - The same guess made several times at one time is one: an app that opens many connections at start is no attack.

import { createHmac, randomBytes } from 'node:crypto'
import type { CredentialSettings } from '../config/schema.ts'
import { type Clock, MINUTE, SECOND } from '../util/clock.ts'
import { blockOf } from './address-block.ts'
import type { AuthFailure } from './events.ts'
import { verifyPassword } from './password.ts'
import type { Tenancy } from './tenancy.ts'

const WINDOW_MS = 15 * MINUTE
const MAX_FAILURES = 10
const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 8 * SECOND
const MAX_TRACKED = 50_000
const MAX_REMEMBERED = 10_000
const MAX_AT_A_TIME = 2
const MAX_WAITING = 200

const STANDARD_COST = '16384:8:1'

export interface AuthAttempt {
  readonly user: string
  readonly password: string
  readonly address: string
}

export type AuthResult =
  | { readonly kind: 'granted'; readonly credential: CredentialSettings }
  | { readonly kind: 'refused' | 'throttled'; readonly reason: AuthFailure }

interface Guess {
  readonly credential: CredentialSettings | undefined
  readonly password: string
  /** Keyed hash of name and password. */
  readonly fingerprint: string
  /** What the password is verified against. */
  readonly hash: string
}

export class Authenticator {
  readonly #clock: Clock
  readonly #failures: Map<string, { count: number; since: number }> = new Map()
  /** Keyed hash of name and password → the hash it was found to fit. */
  readonly #remembered = new Map<string, string>()
  /** `address name` pairs that have logged in. */
  readonly #knownPairs = new Set<string>()
  /** Guesses being verified, by keyed hash and the hash they are verified against. */
  readonly #underWay = new Map<string, Promise<boolean>>()
  readonly #key = randomBytes(32)
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** After the settings changed: a password remembered may no longer be right. */
  forget(): void {
    this.#remembered.clear()
  }

  async verify(tenancy: Tenancy, attempt: AuthAttempt): Promise<AuthResult> {
    const pair = pairOf(attempt)
    const keys = this.#keysFor(attempt)
    const guess = this.#guessOf(tenancy, attempt)
    const isKnown = this.#remembered.get(guess.fingerprint) === guess.hash
    const mayWait = this.#waiting.length < MAX_WAITING || this.#knownPairs.has(pair)
    if (keys.some((key) => this.#failuresOf(key) >= MAX_FAILURES) || !(isKnown || mayWait)) {
      return { kind: 'throttled', reason: 'throttled' }
    }
    const { credential } = guess
    const { isRight, delayMs } = isKnown ? { isRight: true, delayMs: 0 } : await this.#check(guess, keys)
    if (isRight && credential?.password !== undefined && !credential.disabled) {
      bounded(this.#remembered, MAX_REMEMBERED).set(guess.fingerprint, guess.hash)
      this.#failures.delete(`pair ${pair}`)
      bounded(this.#knownPairs, MAX_TRACKED).add(pair)
      return { kind: 'granted', credential }
    }
    await this.#clock.sleep(delayMs)
    return { kind: 'refused', reason: failureReason(credential, isRight) }
  }

  #guessOf(tenancy: Tenancy, { user, password }: AuthAttempt): Guess {
    const credential = tenancy.credential(user)
    const fingerprint = createHmac('sha256', this.#key).update(`${user}\0${password}`).digest('base64')
    return { credential, password, fingerprint, hash: credential?.password ?? dummyHash(tenancy) }
  }

  /** Whether the password fits, and what a refusal is to be delayed by. */
  async #check(guess: Guess, keys: readonly string[]): Promise<{ isRight: boolean; delayMs: number }> {
    const { credential, password, fingerprint, hash } = guess
    const name = `${fingerprint} ${hash}`
    const same = this.#underWay.get(name)
    // Learns nothing that the first one does not, so it counts only once it is known to be wrong.
    if (same !== undefined) {
      const isRight = await same
      return { isRight, delayMs: isRight && credential?.disabled === false ? 0 : this.#countFailure(keys) }
    }
    const delayMs = this.#countFailure(keys)
    const verified = this.#inTurn(() => verifyPassword(password, hash))
    this.#underWay.set(name, verified)
    const isRight = await verified.finally(() => this.#underWay.delete(name))
    if (isRight && credential?.disabled === false) this.#uncountFailure(keys)
    return { isRight, delayMs }
  }

  /** What failures are counted under; a known pair only under itself. */
  #keysFor(attempt: AuthAttempt): string[] {
    const pair = pairOf(attempt)
    if (this.#knownPairs.has(pair)) return [`pair ${pair}`]
    return [`address ${blockOf(attempt.address)}`, `user ${attempt.user}`]
  }

  #failuresOf(key: string): number {
    const entry = this.#failures.get(key)
    if (entry === undefined) return 0
    if (this.#clock.monotonic() - entry.since < WINDOW_MS) return entry.count
    this.#failures.delete(key)
    return 0
  }

  /** The delay before the answer: doubled by every failure. */
  #countFailure(keys: readonly string[]): number {
    let most = 0
    for (const key of keys) {
      const count = this.#failuresOf(key) + 1
      const since = this.#failures.get(key)?.since ?? this.#clock.monotonic()
      bounded(this.#failures, MAX_TRACKED).set(key, { count, since })
      most = Math.max(most, count)
    }
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (most - 1))
  }

  #uncountFailure(keys: readonly string[]): void {
    for (const key of keys) {
      const entry = this.#failures.get(key)
      if (entry !== undefined && entry.count > 1) entry.count--
      else this.#failures.delete(key)
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < MAX_AT_A_TIME) this.#running++
    // The one that finishes hands its turn over.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

/** Verified against where a name has no hash of its own: as costly as the dearest, and nothing is known to fit it. */
function dummyHash({ dearestHash }: Tenancy): string {
  const cost = dearestHash?.split(':').slice(1, 4).join(':') ?? STANDARD_COST
  return `scrypt:${cost}:${'A'.repeat(22)}==:${'A'.repeat(43)}=`
}

const pairOf = ({ address, user }: AuthAttempt): string => `${blockOf(address)} ${user}`

function failureReason(credential: CredentialSettings | undefined, isRight: boolean): AuthFailure {
  if (credential === undefined) return 'unknown user'
  return isRight && credential.disabled ? 'disabled' : 'wrong password'
}

/** Makes room for one more by dropping the oldest entry. */
function bounded<T extends Map<string, unknown> | Set<string>>(collection: T, limit: number): T {
  if (collection.size < limit) return collection
  for (const oldest of collection.keys()) {
    collection.delete(oldest)
    break
  }
  return collection
}
