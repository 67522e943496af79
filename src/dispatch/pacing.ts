// The pacer: hears what became of every attempt, learns paces from it, and does what the automation rules of the shaping
// say. In prose:
//
// - What a reply says of one recipient, message or sender domain changes nothing for the path (src/pacing/signal.ts).
// - A rule binds what it stands in: one of a provider that provider, one of a domain that domain, others the site. So a
//   receiver can only ever bind mail that goes to itself. A provider's rules are asked only where the provider's own host
//   has spoken: anybody may name its hosts first in an MX set, with one of their own behind.
// - What rules do are suspensions: durable, recorded, listed and taken back like those of operators, and they end by
//   themselves. Said again while it holds, a rule sets another end once a quarter of its time is over.
// - A limit that names a time ("try again in 10 minutes") rests the path until then; its mail waits and does not move.

import type { Classifier } from '../bounce/classify.ts'
import type { Settings } from '../config/schema.ts'
import type { RateLimit, SharedSlots, Site } from '../delivery/delivery.ts'
import type { Journal } from '../journal/journal.ts'
import { type Cause, causeText, type Outcome } from '../mail/outcome.ts'
import type { Logger } from '../observe/logger.ts'
import { Automation } from '../pacing/automation.ts'
import { isAboutRate, signalOf } from '../pacing/signal.ts'
import { type Rule, ruleName, sayingOf } from '../shaping/rule.ts'
import type { Shaping } from '../shaping/shaping.ts'
import type { Store } from '../store/store.ts'
import { nameAt, placesOf, type Suspension, type SuspensionKind, type Suspensions } from '../throttle/suspensions.ts'
import { type Clock, type EpochMs, HOUR, SECOND } from '../util/clock.ts'
import { shorten } from '../util/shorten.ts'
import { type LearnedPace, PaceBook } from './pace-book.ts'
import { paceLimit } from './pace-limit.ts'
import type { Heard, Pacer } from './pacer.ts'

export interface PacingParts {
  readonly store: Store
  readonly journal: Journal
  readonly suspensions: Suspensions
  readonly classifier: Pick<Classifier, 'classify'>
  readonly shaping: () => Pick<Shaping, 'rulesFor' | 'providerOf'>
  readonly settings: () => Pick<Settings, 'pace'>
  readonly clock: Clock
  readonly logger: Logger
}

const LONGEST_REASON = 200
/** A wait that is asked for is honoured up to this; then one message asks again. */
const LONGEST_WAIT = 4 * HOUR
const SHORTEST_WAIT = 10 * SECOND
/** Rows that replies have made. Whoever owns many domains must not fill the table. */
const MOST_BY_RULE = 5000
const RECEIVER = 'the receiver'
const NO_LIMITS: readonly RateLimit[] = []

type Failure = Extract<Outcome, { kind: 'deferred' | 'failed' }>

export class Pacing implements Pacer {
  readonly #parts: PacingParts
  readonly #automation = new Automation()
  readonly #book: PaceBook
  /** Being written: what is said meanwhile does not write it again. */
  readonly #underWay = new Set<string>()
  readonly #slowLimits = new WeakMap<Suspension, RateLimit>()
  readonly #listeners: (() => void)[] = []
  readonly #paceListeners: ((limit: RateLimit) => void)[] = []
  #slowCount = 0

  constructor(parts: PacingParts) {
    this.#parts = parts
    this.#book = new PaceBook({
      ...parts,
      options: () => (parts.settings().pace.adaptive ? parts.settings().pace : undefined),
      onPace: (_, limit) => this.#paced(limit),
    })
    parts.suspensions.onChange(() => this.#look())
    this.#look()
  }

  heard(heard: Heard): void {
    const { place, source, outcome } = heard
    if (outcome.kind === 'returned') return
    const judge = this.#judge(outcome)
    const signal = signalOf(outcome, judge)
    const durationMs = outcome.way?.durationMs ?? 0
    if (signal !== undefined) {
      const why = (): string => (outcome.kind === 'delivered' ? '' : reasonOf(outcome.cause))
      this.#book.heard({ name: nameAt(source, place.line), signal, durationMs, why })
    }
    if (outcome.kind === 'delivered') return
    this.#askRules(heard, outcome)
    if (outcome.kind === 'deferred' && outcome.retryAfterMs !== undefined && isAboutRate(outcome.cause, judge))
      this.#waitAsAsked(heard, outcome.cause, outcome.retryAfterMs)
  }

  limits(place: Site, source: string): readonly RateLimit[] {
    const learned = this.#book.isAnySlow ? this.#book.limit(nameAt(source, place.line)) : undefined
    const slow = this.#slow(place, source)
    const byRule = slow?.rate === undefined ? undefined : this.#slowLimit(slow)
    if (learned === undefined) return byRule === undefined ? NO_LIMITS : [byRule]
    return byRule === undefined ? [learned] : [learned, byRule]
  }

  slots(place: Site, source: string): SharedSlots | undefined {
    const slow = this.#slow(place, source)
    return slow?.connections === undefined
      ? undefined
      : { name: `slow connections ${slow.name}`, slots: slow.connections }
  }

  restsUntil(source: string, place: Site): EpochMs | undefined {
    return this.#rest(source, place)?.until
  }

  keepsMail(source: string, place: Site): boolean {
    return this.#rest(source, place)?.keepsMail === true
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  onPace(listener: (limit: RateLimit) => void): void {
    this.#paceListeners.push(listener)
  }

  // ---- for people

  /** Paths that are listened to. */
  get size(): number {
    return this.#book.size
  }

  paces(): readonly LearnedPace[] {
    return this.#book.list()
  }

  pace(source: string, line: string): LearnedPace | undefined {
    return this.#book.get(nameAt(source, line))
  }

  /** Forgets what was learned. Durable when it resolves; undefined when there was nothing. */
  async forget(name: string, by: { readonly who: string; readonly why: string }): Promise<LearnedPace | undefined> {
    const found = await this.#book.forget(name, by)
    if (found !== undefined) this.#tell()
    return found
  }

  close(): Promise<void> {
    return this.#book.close()
  }

  // ---- rules

  #askRules(heard: Heard, outcome: Failure): void {
    const { shaping, clock } = this.#parts
    const { place, domain } = heard
    const now = shaping()
    const speaker = outcome.way?.mx === undefined ? undefined : now.providerOf(outcome.way.mx)
    const isOwnHost = place.provider !== undefined && speaker === place.provider
    const rules = now.rulesFor({ domain, site: place.site, provider: isOwnHost ? place.provider : undefined })
    if (rules.length === 0) return
    const said = sayingOf(outcome.cause, this.#judge(outcome)(outcome.cause).category)
    const boundBy = (rule: Rule): string => {
      const { kind, name } = boundOf(rule, heard)
      return `${kind} ${name}`
    }
    const rule = this.#automation.heard({ rules, said, boundBy, at: clock.monotonic() })
    if (rule !== undefined) this.#act(rule, heard, outcome.cause)
  }

  #act(rule: Rule, heard: Heard, cause: Cause): void {
    const { messageRate, connections, forMs } = rule
    this.#suspend({
      ...boundOf(rule, heard),
      who: ruleName(rule),
      why: reasonOf(cause),
      forMs,
      ...(messageRate !== undefined && { rate: messageRate }),
      ...(connections !== undefined && { connections }),
    })
  }

  #waitAsAsked({ source, place }: Heard, cause: Cause, waitMs: number): void {
    if (waitMs < SHORTEST_WAIT) return
    const forMs = Math.min(waitMs, LONGEST_WAIT)
    const name = nameAt(source, place.site)
    this.#suspend({ kind: 'source', name, who: RECEIVER, why: reasonOf(cause), forMs, keepsMail: true })
  }

  #suspend({ forMs, ...given }: Omit<Suspension, 'since' | 'until'> & { readonly forMs: number }): void {
    const { suspensions, clock, logger } = this.#parts
    const until = Math.ceil(clock.now() + forMs)
    const name = `${given.kind} ${given.name}`
    const held = suspensions.get(given.kind, given.name)
    // What was under way when it began says the same again; and what a person has ordered stands.
    if (this.#underWay.has(name) || (held !== undefined && held.until - clock.now() >= 0.75 * forMs)) return
    if (held === undefined && suspensions.size >= MOST_BY_RULE) {
      logger.warn(
        { event: 'too-many-suspensions', ...given },
        'a rule is not acted upon: too much is suspended already',
      )
      return
    }
    this.#underWay.add(name)
    suspensions
      .add({ ...given, until })
      .catch((error: unknown) =>
        logger.warn({ event: 'suspension-not-written', err: error }, 'what a rule says could not be written'),
      )
      .finally(() => this.#underWay.delete(name))
  }

  #judge({ way }: { readonly way?: { readonly mx?: string } }) {
    const { classifier } = this.#parts
    const mx = way?.mx
    return (cause: Cause) => classifier.classify({ cause, ...(mx !== undefined && { mx }) })
  }

  // ---- what holds

  #rest(source: string, place: Site): Suspension | undefined {
    const { suspensions } = this.#parts
    if (suspensions.size === 0) return undefined
    let last: Suspension | undefined
    for (const where of placesOf(place)) {
      const found = suspensions.get('source', nameAt(source, where))
      if (found !== undefined && found.until > (last?.until ?? 0)) last = found
    }
    return last
  }

  #slow(place: Site, source: string): Suspension | undefined {
    return this.#slowCount === 0 ? undefined : this.#parts.suspensions.get('slow', nameAt(source, place.line))
  }

  #slowLimit(slow: Suspension): RateLimit | undefined {
    const { rate } = slow
    if (rate === undefined) return undefined
    const known = this.#slowLimits.get(slow)
    if (known !== undefined) return known
    const limit = paceLimit(`slow ${slow.name}`, (rate.count * SECOND) / rate.per)
    this.#slowLimits.set(slow, limit)
    return limit
  }

  /** Suspensions have changed: whoever waits at the limit of a slow path that is over looks again. */
  #look(): void {
    const before = this.#slowCount
    this.#slowCount = this.#parts.suspensions.count('slow')
    if (this.#slowCount < before) this.#tell()
  }

  #paced(limit: RateLimit | undefined): void {
    if (limit === undefined) this.#tell()
    else for (const listener of this.#paceListeners) listener(limit)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** Whom a rule binds. */
function boundOf(
  { action, level }: Rule,
  { place, source, tenant, domain }: Heard,
): { readonly kind: SuspensionKind; readonly name: string } {
  const where = level === 'provider' && place.provider !== undefined ? place.provider : place.site
  switch (action) {
    case 'rest_source':
      return { kind: 'source', name: nameAt(source, where) }
    case 'pause_tenant':
      return { kind: 'tenant', name: nameAt(tenant, where) }
    case 'suspend':
      if (level === 'domain') return { kind: 'domain', name: domain }
      return { kind: where === place.provider ? 'provider' : 'site', name: where }
    case 'slow':
    case 'none':
      return { kind: 'slow', name: nameAt(source, place.line) }
  }
}

function reasonOf(cause: Cause): string {
  return shorten(causeText(cause).replace(/\s+/g, ' '), LONGEST_REASON)
}
