// `studs doctor` by itself: the relay examines itself from time to time and remembers what it found. What breaks raises an
// alert; where the operator wants it, the mail of a broken domain waits, and a broken or listed source is suspended, until
// it is good again.
//
// One bad answer is no news: what looks broken is looked at once more after CONFIRM_MS. While something is broken it is
// looked at more often, so that mail does not wait for longer than it must. A source that an operator lets go on by hand
// stays free until it was good once.

import { byName } from '../config/by-name.ts'
import type { Settings } from '../config/schema.ts'
import type { Alert, Alerts, Standing } from '../health/alerts.ts'
import { readExamination, writeExamination } from '../health/examination.ts'
import { type Finding, findingsIn, troubleText } from '../health/findings.ts'
import type { Section } from '../identity/doctor.ts'
import type { Message } from '../mail/message.ts'
import type { Logger } from '../observe/logger.ts'
import type { Store } from '../store/store.ts'
import type { Suspensions } from '../throttle/suspensions.ts'
import { type Clock, DAY, type EpochMs, HOUR, MINUTE } from '../util/clock.ts'
import { Ongoing } from '../util/ongoing.ts'

export interface DoctorTimerParts {
  readonly settings: () => Settings
  /** Looks at everything; neither rejects because of what it finds nor blocks. */
  readonly examine: () => Promise<readonly Section[]>
  readonly alerts: Alerts
  readonly suspensions: Suspensions
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
}

const DEFAULT_EVERY_MS = 6 * HOUR
/** After a start: listeners and name servers have come up by then. */
const FIRST_MS = MINUTE
const CONFIRM_MS = 5 * MINUTE
const BROKEN_EVERY_MS = 15 * MINUTE
const LOOK_MS = MINUTE
/** Mail of a broken domain comes up so often, to find that it is still broken. */
const HOLD_MS = 10 * MINUTE
const WHO = 'doctor'

export class DoctorTimer {
  readonly #parts: DoctorTimerParts
  readonly #timer = new Ongoing()
  /** Looked broken the last time, for the first time. */
  #suspected = new Set<string>()

  constructor(parts: DoctorTimerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer.begin((signal) => this.#run(signal))
  }

  stop(): Promise<void> {
    return this.#timer.end()
  }

  /** Until when a message waits because its sender domain is broken; undefined when it may go. */
  holdsUntil({ senderDomain, expiresAt }: Pick<Message, 'senderDomain' | 'expiresAt'>): EpochMs | undefined {
    const { settings, alerts, clock } = this.#parts
    if (senderDomain === undefined || !settings().doctor.holdDomains) return undefined
    const now = clock.now()
    // Its last attempt is made all the same; and nobody waits for an end that nobody would see.
    if (now >= expiresAt || this.#everyMs() === 0) return undefined
    const { domain } = settings()
    const own =
      byName(domain, senderDomain) ??
      domain.find(({ name, subdomains }) => subdomains && senderDomain.endsWith(`.${name}`))
    if (own === undefined || alerts.get('dns-broken', { kind: 'domain', name: own.name }) === undefined)
      return undefined
    return Math.min(now + HOLD_MS, expiresAt)
  }

  /** One examination and what follows from it. */
  async examine(): Promise<void> {
    const { clock, store, settings, examine } = this.#parts
    const begun = clock.monotonic()
    // Name servers may keep it waiting for longer than a stop can.
    const sections = await Promise.race([examine(), aborted(this.#timer.signal)])
    if (sections === undefined) return
    await writeExamination(store, { at: clock.now(), tookMs: Math.round(clock.monotonic() - begun), sections })
    const { domain, source, alert } = settings()
    const findings = findingsIn(sections, {
      domains: domain.map(({ name }) => name),
      sources: source.map(({ name }) => name),
    }).filter(({ name }) => !alert.off.includes(name))
    await this.#judge(findings)
  }

  async #judge(findings: readonly Finding[]): Promise<void> {
    const { alerts } = this.#parts
    const isHeld = ({ name, scope }: Finding): boolean => alerts.get(name, scope) !== undefined
    const broken = findings.filter(({ state }) => state === 'broken')
    const begun = broken.filter((each) => !isHeld(each) && this.#suspected.has(nameOf(each)))
    const unknown = findings.filter(({ state }) => state === 'unknown').map(nameOf)
    // What nobody could tell is as suspect as it was.
    this.#suspected = new Set([
      ...broken.filter((each) => !isHeld(each) && !begun.includes(each)).map(nameOf),
      ...[...this.#suspected].filter((name) => unknown.includes(name)),
    ])
    const mended = findings.filter((each) => each.state === 'good' && isHeld(each))
    // Those that hold already are not raised again, but shown with what is wrong now.
    const raising = broken.filter((each) => isHeld(each) || begun.includes(each))
    await alerts.take([...raising.map(raised), ...mended.map(cleared), ...this.#gone(findings)])
    await this.#rest(begun, broken)
  }

  /** Alerts about what is not in the configuration any more, or that are switched off. */
  #gone(findings: readonly Finding[]): Standing[] {
    const known = new Set(findings.map(nameOf))
    return (['dns-broken', 'listed'] as const)
      .flatMap((name) => this.#parts.alerts.ofName(name))
      .filter((alert) => !known.has(nameOf(alert)))
      .map(({ name, scope }) => ({ name, scope, over: { why: 'It is over: nobody asks for it any more.' } }))
  }

  /** Suspends sources that have just broken, prolongs what still holds, and lets go what is good again. */
  async #rest(begun: readonly Finding[], broken: readonly Finding[]): Promise<void> {
    const { settings, suspensions } = this.#parts
    const { source, doctor } = settings()
    for (const { name } of source) {
      const isMine = suspensions.get('source', name)?.who === WHO
      const trouble = (isMine ? broken : begun).find(({ scope }) => scope.kind === 'source' && scope.name === name)
      if (doctor.holdSources && trouble !== undefined) await this.#suspend(name, trouble)
      else if (isMine && !doctor.holdSources) await this.#resume(name, 'doctor.hold_sources is off')
      else if (isMine && !this.#isBroken(name)) await this.#resume(name, 'it is good again')
    }
  }

  async #suspend(name: string, trouble: Finding): Promise<void> {
    const { suspensions, clock } = this.#parts
    const held = suspensions.get('source', name)
    // An operator's is left alone, and one of ours is not written anew as long as it holds for a while.
    const isEnough = held !== undefined && (held.who !== WHO || held.until > clock.now() + this.#everyMs() + HOUR)
    if (isEnough) return
    const until = clock.now() + this.#everyMs() + DAY
    await suspensions.add({ kind: 'source', name, who: WHO, why: troubleText(trouble), until })
  }

  async #resume(name: string, why: string): Promise<void> {
    await this.#parts.suspensions.remove({ kind: 'source', name, who: WHO, why })
  }

  #isBroken(name: string): boolean {
    const scope = { kind: 'source', name } as const
    return (['dns-broken', 'listed'] as const).some((each) => this.#parts.alerts.get(each, scope) !== undefined)
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts
    const earliest = clock.monotonic() + FIRST_MS
    let last = this.#lastExaminedAt()
    while (!signal.aborted) {
      // Asked every minute: a reload may turn it on, or let it come sooner.
      const waitMs = Math.max(earliest, last + this.#nextInMs()) - clock.monotonic()
      const isOff = this.#everyMs() === 0
      if (isOff || waitMs > 0) {
        await clock.sleep(isOff ? LOOK_MS : Math.min(LOOK_MS, waitMs), signal)
        continue
      }
      try {
        await this.examine()
      } catch (err) {
        logger.warn({ event: 'doctor-failed', err }, 'the relay could not examine itself; it is tried again')
      }
      last = clock.monotonic()
    }
  }

  /** On the monotonic clock. A restart is no reason to ask everybody again. */
  #lastExaminedAt(): number {
    const { clock, store } = this.#parts
    const last = readExamination(store)
    return last === undefined ? Number.NEGATIVE_INFINITY : clock.monotonic() - Math.max(0, clock.now() - last.at)
  }

  #nextInMs(): number {
    if (this.#suspected.size > 0) return Math.min(CONFIRM_MS, this.#everyMs())
    const { alerts } = this.#parts
    const isBroken = alerts.ofName('dns-broken').length + alerts.ofName('listed').length > 0
    return isBroken ? Math.min(BROKEN_EVERY_MS, this.#everyMs()) : this.#everyMs()
  }

  #everyMs(): number {
    const { doctor, delivery } = this.#parts.settings()
    return doctor.every ?? (delivery.mode === 'internet' ? DEFAULT_EVERY_MS : 0)
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

function raised(finding: Finding): Standing {
  const { name, scope, troubles } = finding
  return { name, scope, raised: { level: 'bad', value: troubles.length, threshold: 1, why: troubleText(finding) } }
}

function cleared({ name, scope }: Finding): Standing {
  return { name, scope, over: { value: 0, why: 'It is good again.' } }
}

function nameOf({ name, scope }: Pick<Alert, 'name' | 'scope'>): string {
  return `${name} ${scope.kind} ${scope.name}`
}
