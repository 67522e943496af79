// The recorder: the one place where a failure, said in the SMTP dialogue or sent back as a bounce, and what a person
// asks for, becomes a verdict, strikes and suppressions. All roads lead here, nobody else decides.
//
// It composes and awaits nothing: the caller commits the writes in the same transaction as the change of state and its
// records, so that none stands without the other. Reads see committed state only. Two failures of one address within
// one commit therefore both see the strikes of before, and one strike is lost; two hard bounces write the same entry
// twice. Both are harmless: strikes within `strikeSpacing` count once anyway, and an address that goes on failing is
// met again.

import { type Classifier, isSilence } from '../bounce/classify.ts'
import { CATEGORIES, type Category, type Verdict } from '../bounce/verdict.ts'
import type { Settings } from '../config/schema.ts'
import { domainOf, type EmailAddress } from '../mail/address.ts'
import { type Cause, causeStatus, type Way } from '../mail/outcome.ts'
import type { Write } from '../store/store.ts'
import { heldBack } from '../suppression/hold-back.ts'
import { afterMail, onceMore, onTrial, type Turn, turnOf } from '../suppression/life.ts'
import type { SuppressionList } from '../suppression/list.ts'
import { addressTarget } from '../suppression/normalise.ts'
import { afterDelivery, type Decision, decide, type Ending } from '../suppression/policy.ts'
import type { StrikeBook } from '../suppression/strikes.ts'
import { GLOBAL_SCOPE, LEARNER, type Suppression } from '../suppression/suppression.ts'
import type { Surges, SurgeVerdict } from '../suppression/surges.ts'
import type { Trials } from '../suppression/trials.ts'
import type { Clock } from '../util/clock.ts'
import { idTime, isId } from '../util/id.ts'
import { surgeAlert } from './alert.ts'
import { globalEntry } from './learn-global.ts'
import type { Liveness } from './liveness.ts'
import type { JournalRecord } from './record.ts'
import { type Complaint, recordRequest, type UnsubscribeRequest } from './record-request.ts'
import type { Recorded } from './recorded.ts'

export type { Recorded } from './recorded.ts'

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
  /** Id of the report, of one that came back. */
  readonly report?: string
  /** Whether the tenant shares in what all tenants learn: it takes and gives. */
  readonly useGlobal: boolean
}

export interface Recorder {
  /** The verdict alone: what the queue asks before it knows whether the message ends here. */
  classify(failure: Pick<Failure, 'cause' | 'way'>): Verdict
  recordFailure(failure: Failure): Recorded
  /** The writes by which a delivery clears strikes, pending entries and trials; none in nearly every case. */
  recordDelivery(delivery: {
    readonly tenant: string
    readonly recipient: EmailAddress
    readonly message: string
    /** How it got through: what answered there is alive. */
    readonly way: Way
  }): Write[]
  /** Somebody called a message spam. */
  recordComplaint(complaint: Complaint): Recorded
  /** Somebody asked not to be mailed any more. */
  recordUnsubscribe(request: UnsubscribeRequest): Recorded
}

interface Parts {
  readonly classifier: Classifier
  readonly list: SuppressionList
  readonly strikes: StrikeBook
  readonly surges: Surges
  readonly trials: Trials
  readonly settings: Settings['suppression']
  /** The tenants that share what they learn: whom to ask whether an address is dead for several. */
  readonly tenants: readonly string[]
  readonly liveness: Liveness
  readonly clock: Clock
}

/** A failure on its way to an entry. */
interface Case {
  readonly failure: Failure
  readonly verdict: Verdict
  readonly decision: Decision
  readonly target: string
  readonly there: Suppression | undefined
}

/** RFC 7505 §4.1. */
const NULL_MX = '5.1.10'

export function createRecorder(parts: Parts): Recorder {
  return new PolicyRecorder(parts)
}

class PolicyRecorder implements Recorder {
  readonly #parts: Parts
  readonly #sharing: ReadonlySet<string>

  constructor(parts: Parts) {
    this.#parts = parts
    this.#sharing = new Set(parts.tenants)
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
    const { strikes, settings, clock, list } = this.#parts
    const { ending, tenant, message, cause } = failure
    const target = addressTarget(failure.recipient, settings)
    this.#listen(failure)
    this.#endTrial(tenant, target, message)
    const first = this.classify(failure)
    const ambiguous = lastWord(cause)?.kind === 'ambiguous'
    const before = ending === 'deferred' ? undefined : strikes.read(tenant, target)
    const judged = decide({
      verdict: first,
      ending,
      isTemporary: isTemporary(cause),
      mayBeOurs: this.#mayBeOurs(failure),
      strikes: before,
      message,
      settings,
      now: clock.now(),
    })
    const verdict = judged.category === undefined ? first : verdictOf(judged.category, first)
    if (judged.suppress === undefined && judged.strike === undefined)
      return { verdict, writes: [], records: [], ambiguous }
    const there = list.get(tenant, target)
    const decision = onTrial(judged, there, clock.now())
    if (decision.suppress === undefined) {
      const writes = decision.strike === undefined ? [] : strikes.put(tenant, target, decision.strike)
      return { verdict, writes, records: [], ambiguous }
    }
    const suppressed = this.#suppress({ failure, verdict, decision, target, there })
    // The entry keeps the strikes as evidence; whoever takes it back begins anew.
    const cleared = before === undefined ? [] : strikes.reset(tenant, target)
    return { verdict, ...suppressed, writes: [...cleared, ...suppressed.writes], ambiguous }
  }

  recordDelivery({ tenant, recipient, message, way }: Parameters<Recorder['recordDelivery']>[0]): Write[] {
    const { liveness, surges, settings, strikes, clock } = this.#parts
    liveness.heard(way)
    surges.answered({ tenant, site: way.site })
    const target = addressTarget(recipient, settings)
    this.#endTrial(tenant, target, message)
    const writes = this.#clearedEntries(tenant, target, message)
    const standing = strikes.read(tenant, target)
    if (standing === undefined) return writes
    const after = afterDelivery({ strikes: standing, message, now: clock.now() })
    if (after === 'remove') writes.push(...strikes.reset(tenant, target))
    else if (after !== 'keep') writes.push(...strikes.put(tenant, target, after))
    return writes
  }

  recordComplaint(complaint: Complaint): Recorded {
    return recordRequest(this.#parts, complaint)
  }

  recordUnsubscribe(request: UnsubscribeRequest): Recorded {
    return recordRequest(this.#parts, request)
  }

  /** A reply in the dialogue is a sign of life; one inside a report was said to somebody else. */
  #listen({ cause, way, ending, tenant }: Failure): void {
    if (way === undefined || ending === 'bounced' || lastWord(cause)?.kind !== 'reply') return
    this.#parts.liveness.heard(way)
    this.#parts.surges.answered({ tenant, site: way.site })
  }

  /** Whether it was silence, or DNS, that our own side can be to blame for as well: then nobody gets a strike. */
  #mayBeOurs({ cause, way }: Failure): boolean {
    const { liveness } = this.#parts
    const last = lastWord(cause)
    // A name server of ours that is broken knows no domain, or none any more; a null MX is a word of the domain itself.
    if (last?.kind === 'dns') return last.code !== NULL_MX && !liveness.isSourceAlive()
    if (last === undefined || !isSilence(last)) return false
    // A static route is the operator's choice: whether its host answers is never up to the recipient.
    return way === undefined || way.site.startsWith('route:') || !liveness.isSourceAlive(way.source)
  }

  #suppress(given: Case): Pick<Recorded, 'suppression' | 'writes' | 'records'> {
    const { failure, decision, there } = given
    const { list, settings, clock } = this.#parts
    const now = clock.now()
    const surge = decision.suppress?.reason === 'hard_bounce' ? this.#surge(given) : undefined
    const { message, ending } = failure
    const sentAt = ending === 'bounced' && isId(message) ? idTime(message) : undefined
    const { strikeSpacing } = settings
    const turnIn = (surgeSince: number | undefined): Turn =>
      turnOf({ there, surgeSince, message, sentAt, strikeSpacing, now })
    const turn = turnIn(surge?.since)
    const held = this.#holdBack(surge)
    if (turn === 'keep') return held
    const entry: Suppression = {
      ...this.#entry(given),
      ...(there?.again === undefined ? {} : { again: there.again }),
      ...(turn === 'hold' ? { pendingUntil: now + settings.spikeHold } : {}),
      ...(turn === 'again' ? onceMore(there, now) : {}),
    }
    // Should this turn out to be the beginning of a surge, what even a surge would confirm is no suspect.
    if (surge !== undefined && turn !== 'hold' && turnIn(now) !== 'add') this.#parts.surges.learned(entry)
    const shared = failure.useGlobal ? globalEntry({ ...this.#parts, entry, now }) : undefined
    return {
      suppression: entry,
      writes: [...held.writes, ...list.put(entry), ...(shared === undefined ? [] : list.put(shared))],
      records: [...held.records, ...(shared === undefined ? [] : [sharedRecord(shared)])],
    }
  }

  #surge({ failure, verdict }: Case): SurgeVerdict {
    const { tenant, way, recipient } = failure
    return this.#parts.surges.bounced({ tenant, site: way?.site ?? domainOf(recipient) }, verdict.code)
  }

  /** What a surge that has just shown does to the entries it made before; what is to be told of surges. */
  #holdBack(surge: SurgeVerdict | undefined): Pick<Recorded, 'writes' | 'records'> {
    if (surge === undefined) return { writes: [], records: [] }
    const { list, settings, clock } = this.#parts
    const at = clock.now()
    const { spikeHold: holdMs } = settings
    const { held, writes } = heldBack({ suspects: surge.suspects, list, until: at + holdMs, now: at })
    return {
      writes: [...surge.writes, ...writes],
      records: surge.changes.map((change) => surgeAlert(change, { at, holdMs, held })),
    }
  }

  #entry({ failure, verdict, decision, target }: Case): Suppression {
    const { way, ending, report } = failure
    return {
      scope: failure.tenant,
      target,
      reason: decision.suppress?.reason ?? 'hard_bounce',
      createdAt: this.#parts.clock.now(),
      who: LEARNER,
      evidence: {
        rule: verdict.rule,
        category: verdict.category,
        code: verdict.code,
        cause: failure.cause,
        message: failure.message,
        ...(way === undefined ? {} : { source: way.source, site: way.site }),
        ...(way?.mx === undefined ? {} : { mx: way.mx }),
        ...(ending === 'bounced' ? { bounced: true } : {}),
        ...(report === undefined ? {} : { report }),
        ...(decision.strike === undefined ? {} : { strikes: decision.strike.messages }),
      },
    }
  }

  /** What a delivery means for entries that keep nothing back. */
  #clearedEntries(tenant: string, target: string, message: string): Write[] {
    const { list, clock } = this.#parts
    const scopes = this.#sharing.has(tenant) ? [tenant, GLOBAL_SCOPE] : [tenant]
    return scopes.flatMap((scope) => {
      const entry = list.get(scope, target)
      const after = entry === undefined ? 'keep' : afterMail(entry, message, clock.now())
      if (after === 'keep') return []
      return after === 'remove' ? list.take(scope, target) : list.put(after)
    })
  }

  #endTrial(tenant: string, target: string, message: string): void {
    for (const scope of [tenant, GLOBAL_SCOPE]) this.#parts.trials.end({ scope, target }, message)
  }
}

/** Nobody's message stands behind it. */
function sharedRecord({ scope, target, reason, createdAt, who }: Suppression): JournalRecord {
  return { kind: 'suppression-added', at: createdAt, tenant: scope, recipient: target, scope, reason, who }
}

function verdictOf(category: Category, first: Verdict): Verdict {
  return { ...first, ...CATEGORIES[category], category }
}

/** Whether the last word was "not now". What is neither reply nor DNS never says no for good, but may end a message. */
function isTemporary(cause: Cause): boolean {
  if (cause.kind === 'expired') return true
  return causeStatus(cause, false).startsWith('4')
}

/** What was heard or met last; of a message that expired, before it did. */
function lastWord(cause: Cause): Cause | undefined {
  return cause.kind === 'expired' ? cause.last && lastWord(cause.last) : cause
}
