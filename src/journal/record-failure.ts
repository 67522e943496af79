// The recorder: the one place where a failure, said in the SMTP dialogue or sent back as a bounce, becomes a verdict,
// strikes and suppressions. Two roads lead here, nobody else decides.
//
// It composes and awaits nothing: the caller commits the writes in the same transaction as the change of state and its
// records, so that none stands without the other. Reads see committed state only. Two failures of one address within
// one commit therefore both see the strikes of before, and one strike is lost; two hard bounces write the same entry
// twice. Both are harmless: strikes within `strikeSpacing` count once anyway, and an address that goes on failing is
// met again.

import { type Classifier, isSilence } from '../bounce/classify.ts'
import { anonymised } from '../bounce/mask.ts'
import { CATEGORIES, type Category, type Verdict } from '../bounce/verdict.ts'
import type { Settings } from '../config/schema.ts'
import type { EmailAddress } from '../mail/address.ts'
import { type Cause, causeStatus, causeText, type Way } from '../mail/outcome.ts'
import type { Write } from '../store/store.ts'
import { isActive, type SuppressionList } from '../suppression/list.ts'
import { addressTarget } from '../suppression/normalise.ts'
import { afterDelivery, type Decision, decide, type Ending } from '../suppression/policy.ts'
import type { StrikeBook } from '../suppression/strikes.ts'
import { GLOBAL_SCOPE, type Suppression } from '../suppression/suppression.ts'
import type { Clock } from '../util/clock.ts'
import type { Liveness } from './liveness.ts'

export interface Failure {
  readonly tenant: string
  /** Message id and recipient number. */
  readonly message: string
  readonly n: number
  /** The recipient that was really sent to, whatever a report names. */
  readonly recipient: EmailAddress
  readonly attempt: number
  readonly cause: Cause
  readonly way?: Way
  readonly ending: Ending
  /** Whether the tenant shares in what all tenants learn: it takes and gives. */
  readonly useGlobal: boolean
}

export interface Recorded {
  readonly verdict: Verdict
  /** Strikes and suppressions, for the transaction that ends the message. */
  readonly writes: readonly Write[]
  /** The tenant's new entry, if there is one. */
  readonly suppression?: Suppression
  /** The final dot was sent and no reply seen: a further attempt may duplicate. */
  readonly ambiguous: boolean
}

export interface Recorder {
  /** The verdict alone: what the queue asks before it knows whether the message ends here. */
  classify(failure: Pick<Failure, 'cause' | 'way'>): Verdict
  recordFailure(failure: Failure): Recorded
  /** The writes by which a delivery clears strikes; none in nearly every case. */
  recordDelivery(delivery: {
    readonly tenant: string
    readonly recipient: EmailAddress
    readonly message: string
    /** How it got through: what answered there is alive. */
    readonly way: Way
  }): Write[]
}

interface Parts {
  readonly classifier: Classifier
  readonly list: SuppressionList
  readonly strikes: StrikeBook
  readonly settings: Settings['suppression']
  /** Names of all tenants: whom to ask whether an address is dead for several. */
  readonly tenants: readonly string[]
  readonly liveness: Liveness
  readonly clock: Clock
}

/** What several tenants learned separately is true of the address itself. */
const LEARNED_BY_ALL: ReadonlySet<string> = new Set<Category>(['bad-mailbox', 'inactive-mailbox'])

export function createRecorder(parts: Parts): Recorder {
  return new PolicyRecorder(parts)
}

class PolicyRecorder implements Recorder {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  classify({ cause, way }: Pick<Failure, 'cause' | 'way'>): Verdict {
    const { classifier, liveness } = this.#parts
    const mx = way?.mx
    // The big ones are up whenever we are.
    const isBig = mx !== undefined && classifier.providerOf(mx) !== undefined
    const siteAlive = isBig || (way !== undefined && liveness.isSiteAlive(way.site))
    return classifier.classify({ cause, siteAlive, ...(mx === undefined ? {} : { mx }) })
  }

  recordFailure(failure: Failure): Recorded {
    const { strikes, settings, clock } = this.#parts
    const target = addressTarget(failure.recipient, settings)
    this.#listen(failure)
    const first = this.classify(failure)
    const { ending, tenant, message } = failure
    const before = ending === 'deferred' ? undefined : strikes.read(tenant, target)
    const decision = decide({
      verdict: first,
      ending,
      isTemporary: isTemporary(failure.cause),
      mayBeOurs: this.#mayBeOurs(failure),
      strikes: before,
      message,
      settings,
      now: clock.now(),
    })
    const verdict = decision.category === undefined ? first : verdictOf(decision.category, first)
    const ambiguous = isAmbiguous(failure.cause)
    if (decision.suppress === undefined) {
      const writes = decision.strike === undefined ? [] : strikes.put(tenant, target, decision.strike)
      return { verdict, writes, ambiguous }
    }
    const entry = this.#entry({ failure, verdict, decision, target })
    // The entry keeps the strikes as evidence; whoever takes it back begins anew.
    const writes = before === undefined ? [] : strikes.reset(tenant, target)
    const there = this.#parts.list.get(tenant, target)
    // The older story stays: it says why nobody should have been mailed.
    if (there !== undefined && isActive(there, clock.now())) return { verdict, writes, ambiguous }
    const shared = this.#globalEntry(entry, failure)
    const entries = shared === undefined ? [entry] : [entry, shared]
    writes.push(...entries.flatMap((each) => this.#parts.list.put(each)))
    return { verdict, writes, suppression: entry, ambiguous }
  }

  recordDelivery({ tenant, recipient, message, way }: Parameters<Recorder['recordDelivery']>[0]): Write[] {
    this.#parts.liveness.heard(way)
    const target = addressTarget(recipient, this.#parts.settings)
    const strikes = this.#parts.strikes.read(tenant, target)
    if (strikes === undefined) return []
    const after = afterDelivery({ strikes, message, now: this.#parts.clock.now() })
    if (after === 'keep') return []
    return after === 'remove'
      ? this.#parts.strikes.reset(tenant, target)
      : this.#parts.strikes.put(tenant, target, after)
  }

  /** A reply in the dialogue is a sign of life; one inside a report was said to somebody else. */
  #listen({ cause, way, ending }: Failure): void {
    if (way !== undefined && ending !== 'bounced' && lastWord(cause)?.kind === 'reply') this.#parts.liveness.heard(way)
  }

  /** Whether it was silence that our own side can be to blame for as well: then nobody gets a strike. */
  #mayBeOurs({ cause, way }: Failure): boolean {
    const { liveness } = this.#parts
    const last = lastWord(cause)
    if (last?.kind === 'dns') return last.code.startsWith('4.') && !liveness.isSourceAlive()
    if (last === undefined || !isSilence(last)) return false
    // A static route is the operator's choice: whether its host answers is never up to the recipient.
    return way === undefined || way.site.startsWith('route:') || !liveness.isSourceAlive(way.source)
  }

  #entry({ failure, verdict, decision, target }: EntryGround): Suppression {
    const { way } = failure
    return {
      scope: failure.tenant,
      target,
      reason: decision.suppress?.reason ?? 'hard_bounce',
      createdAt: this.#parts.clock.now(),
      who: 'studs',
      evidence: {
        rule: verdict.rule,
        category: verdict.category,
        code: verdict.code,
        cause: failure.cause,
        message: failure.message,
        ...(way === undefined ? {} : { source: way.source, site: way.site }),
        ...(way?.mx === undefined ? {} : { mx: way.mx }),
        ...(decision.strike === undefined ? {} : { strikes: decision.strike.messages }),
      },
    }
  }

  /**
   * The entry for everybody, once enough tenants learned the same of an address by themselves. It says nothing of
   * whose mail taught it: no message, no source, and the reply with everything in it that could name somebody masked.
   */
  #globalEntry(entry: Suppression, { useGlobal }: Failure): Suppression | undefined {
    const { list, settings, tenants, clock } = this.#parts
    if (!useGlobal || tenants.length < settings.globalTenants || !isLearnable(entry)) return undefined
    const now = clock.now()
    const others = tenants.filter((tenant) => {
      const theirs = tenant === entry.scope ? undefined : list.get(tenant, entry.target)
      return theirs !== undefined && isActive(theirs, now) && isLearnable(theirs)
    })
    if (others.length + 1 < settings.globalTenants) return undefined
    const there = list.get(GLOBAL_SCOPE, entry.target)
    if (there !== undefined && isActive(there, now)) return undefined
    return {
      scope: GLOBAL_SCOPE,
      target: entry.target,
      reason: 'hard_bounce',
      createdAt: now,
      expiresAt: now + settings.globalDecay,
      who: 'studs',
      ...(entry.evidence === undefined ? {} : { evidence: anonymous(entry.evidence) }),
    }
  }
}

interface EntryGround {
  readonly failure: Failure
  readonly verdict: Verdict
  readonly decision: Decision
  readonly target: string
}

function verdictOf(category: Category, first: Verdict): Verdict {
  return { ...first, ...CATEGORIES[category], category }
}

/** Whether the last word was "not now". What is neither reply nor DNS never says no for good, but may end a message. */
function isTemporary(cause: Cause): boolean {
  if (cause.kind === 'expired') return true
  return causeStatus(cause, false).startsWith('4')
}

function isAmbiguous(cause: Cause): boolean {
  return lastWord(cause)?.kind === 'ambiguous'
}

/** What was heard or met last; of a message that expired, before it did. */
function lastWord(cause: Cause): Cause | undefined {
  return cause.kind === 'expired' ? cause.last && lastWord(cause.last) : cause
}

function isLearnable({ reason, evidence }: Suppression): boolean {
  return reason === 'hard_bounce' && evidence !== undefined && LEARNED_BY_ALL.has(evidence.category)
}

function anonymous({
  rule,
  category,
  code,
  cause,
  site,
}: NonNullable<Suppression['evidence']>): NonNullable<Suppression['evidence']> {
  const words: Cause =
    cause.kind === 'reply'
      ? { ...cause, reply: { ...cause.reply, lines: cause.reply.lines.map(anonymised) } }
      : { kind: 'protocol', detail: anonymised(causeText(cause)) }
  return { rule, category, code, cause: words, ...(site === undefined ? {} : { site }) }
}
