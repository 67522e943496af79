// One attempt: hosts in turn until one of them decides. The policy in prose:
//
// - A host that cannot be reached, greets with 4xx or 5xx, or fails in EHLO, TLS or AUTH has said nothing about the
//   recipient: the next address is tried, five at most. When none is left, the attempt is deferred with what was heard,
//   also when it was 5xx: a host may refuse everybody for a while (Postfix: smtp_skip_5xx_greeting).
// - What a host answers to MAIL, RCPT, DATA and the final dot is the outcome: 4xx deferred, 5xx failed. Two answers
//   send us to the next address all the same, because the host speaks of its own state: 421 before the dot, and 4xx to
//   MAIL. A transaction that broke before the dot goes there too.
// - After the dot nothing is tried again in this attempt: a lost reply is `ambiguous` and deferred, never failed.
// - A kept connection may have died while nobody looked: its failures count for nothing, a fresh one is tried.
// - Opportunistic TLS that fails is left out at once, for the same address. TLS that is demanded is never left out: a host
//   that cannot have it as demanded is passed over, and where none is left the attempt is deferred (4.7.5).
// - A message that must not travel without verified TLS (REQUIRETLS, RFC 8689) fails where no host offers to see to it.

import type { Cause, Outcome, Way } from '../mail/outcome.ts'
import { BodyReader } from '../store/body-reader.ts'
import { type Candidate, candidates, type DeadHosts } from './candidates.ts'
import type { ClientSettings, SendResult, SmtpClient } from './client.ts'
import { NO_REQUIRETLS } from './client-envelope.ts'
import type { ChunkReader } from './delivery.ts'
import { demandFor } from './demand-for.ts'
import { connectionKind, endpoint } from './destination.ts'
import { deferred, isAboutTls, isRefusal, judged, lacksRequireTls, verifiedAs } from './judged.ts'
import { type Link, type LinkOptions, openLink } from './link.ts'
import type { Slot } from './paths.ts'
import type { Refused } from './tls-demand.ts'
import type { TlsPolicy } from './tls-policy.ts'
import { appliedPolicy } from './tls-result.ts'
import type { Work } from './work.ts'

export interface DeliverOptions extends LinkOptions {
  readonly settings: ClientSettings & { readonly attemptTimeout: number; readonly ipv6: boolean }
  readonly readChunk: ChunkReader
  readonly random: () => number
  readonly dead: DeadHosts
  readonly tlsPolicy: TlsPolicy
}

/** Rejects only for errors of our own. */
export function deliver(work: Work, slot: Slot<Link>, options: DeliverOptions): Promise<Outcome> {
  return new Deliverer(work, slot, options).run()
}

class Deliverer {
  readonly #work: Work
  readonly #slot: Slot<Link>
  readonly #options: DeliverOptions
  readonly #kind: string
  readonly #startedAt: number
  readonly #until: number
  /** What to say when no host decides: the last reply, or else the last failure. */
  #cause: Cause | undefined
  #way: Way | undefined
  /** One kept connection may fail for no better reason than its age; a second one is not tried. */
  #fresh = false

  constructor(work: Work, slot: Slot<Link>, options: DeliverOptions) {
    this.#work = work
    this.#slot = slot
    this.#options = options
    this.#kind = connectionKind(work.destination, work.attempt.tlsWish)
    this.#startedAt = options.clock.monotonic()
    this.#until = this.#startedAt + options.settings.attemptTimeout
  }

  async run(): Promise<Outcome> {
    const kept = this.#slot.takeIdle(this.#kind)
    const early = kept && (await this.#overKept(kept))
    return early ?? this.#overFresh()
  }

  async #overFresh(): Promise<Outcome> {
    const { destination, source, attempt } = this.#work
    const { dead, random, settings } = this.#options
    const wish = attempt.tlsWish
    if (wish === 'required' && destination.vouched === undefined) return this.#unvouched()
    for (const host of destination.hosts) {
      const demand = demandFor(destination, host, wish)
      if (demand.by === 'refused') this.#refuse(host.name, demand)
    }
    const inTurn = candidates({ destination, source, dead, random, ipv6: settings.ipv6, ...(wish && { wish }) })
    for (const candidate of inTurn) {
      if (this.#isOver) break
      const outcome = await this.#overCandidate(candidate)
      if (outcome !== undefined) return outcome
    }
    return this.#undecided()
  }

  /** Undefined when this host decided nothing. */
  async #overCandidate(candidate: Candidate): Promise<Outcome | undefined> {
    const { tlsPolicy } = this.#options
    const work = this.#work
    const { destination } = work
    let tls = tlsPolicy.modeFor(endpoint(candidate.address, destination), candidate.tls.mode)
    for (;;) {
      const grant = await this.#slot.connection(this.#kind, this.#fresh)
      if (grant.kind === 'none') return this.#notNow(grant)
      if (grant.kind === 'kept') {
        const outcome = await this.#overKept(grant.connection)
        if (outcome !== undefined) return outcome
        continue
      }
      const opened = await openLink({ work, candidate, tls, until: this.#until, options: this.#options })
      if ('client' in opened) return this.#over(opened, 'new')
      this.#note(candidate, opened)
      // Cut by ourselves, even in the middle of a handshake, it says nothing about the host.
      if (this.#isOver || !isAboutTls(opened) || !tlsPolicy.failed(endpoint(candidate.address, destination), tls))
        return undefined
      tls = 'none'
    }
  }

  /** REQUIRETLS towards a domain whose hosts anybody may have named (RFC 8689 §4.2.1, step 2). */
  #unvouched(): Outcome {
    const { destination, source, attempt } = this.#work
    const way = { site: destination.site, source: source.name, durationMs: this.#elapsed() }
    if (destination.securityTrouble !== undefined)
      return deferred({ kind: 'tls', ...destination.securityTrouble, command: 'STARTTLS' }, way)
    const detail = `neither DNSSEC nor an MTA-STS policy vouches for the MX hosts of ${attempt.domain}, as REQUIRETLS demands`
    return { kind: 'failed', cause: { kind: 'local', code: NO_REQUIRETLS, detail }, way }
  }

  /** A host that must not have the mail now; what others say of themselves tells more. */
  #refuse(mx: string, demand: Refused): void {
    const { destination, source, attempt } = this.#work
    const { detail, failure } = demand
    this.#options.onTls?.({ domain: attempt.domain, policy: appliedPolicy(destination, demand), mx, failure })
    this.#cause ??= { kind: 'tls', detail, failure }
    this.#way ??= { site: destination.site, source: source.name, mx, durationMs: this.#elapsed() }
  }

  /** No connection may be opened: no attempt, unless a host has spoken already. */
  #notNow({ reason, retryAfterMs }: { readonly reason: string; readonly retryAfterMs: number }): Outcome {
    if (this.#cause !== undefined) return this.#undecided()
    return { kind: 'returned', reason, retryAfterMs, throttled: true }
  }

  #overKept(kept: Link): Promise<Outcome | undefined> {
    this.#fresh = true
    return this.#over(kept, 'kept')
  }

  /** Sends over one connection; undefined when that decided nothing and another one may be tried. */
  async #over(over: Link, age: 'kept' | 'new'): Promise<Outcome | undefined> {
    const result = await this.#send(over.client)
    const way = this.#wayOver(over.candidate, over.client)
    const outcome = judged(result, way)
    if (!result.reusable) over.destroy()
    // What decided nothing is not to be given to the next message, which would only hear the same.
    else if (outcome === undefined) over.quit()
    else this.#slot.keep(this.#kind, over)
    if (outcome === undefined && !result.ok && (age === 'new' || isRefusal(result.cause))) {
      this.#note(over.candidate, result.cause, way)
    }
    return outcome
  }

  #note(candidate: Candidate, cause: Cause, way: Way = this.#wayOver(candidate)): void {
    if (!this.#isOver)
      this.#options.dead.note(this.#work.source.name, endpoint(candidate.address, this.#work.destination), cause)
    // What tells more of the receiver stays: a reply, and then anything that is no fault of our own.
    if (this.#cause?.kind === 'reply' && cause.kind !== 'reply') return
    if (this.#cause !== undefined && 'ours' in cause) return
    this.#cause = cause
    this.#way = way
  }

  #undecided(): Outcome {
    const { destination, source } = this.#work
    const durationMs = this.#elapsed()
    const way =
      this.#way === undefined
        ? { site: destination.site, source: source.name, durationMs }
        : { ...this.#way, durationMs }
    const detail = `source ${source.name} has no address of the same family as the hosts of ${destination.site}`
    const cause = this.#cause ?? { kind: 'connect', detail, ours: true }
    return lacksRequireTls(cause) ? { kind: 'failed', cause, way } : deferred(cause, way)
  }

  #wayOver(candidate: Candidate, client?: SmtpClient): Way {
    const { destination, source, attempt } = this.#work
    const localAddress = client?.localAddress ?? candidate.localAddress
    return {
      site: destination.site,
      source: source.name,
      mx: candidate.host,
      mxAddress: candidate.address,
      ...(localAddress !== undefined && { localAddress }),
      ...(client?.tls !== undefined && { tls: client.tls }),
      ...(client?.tlsVerified !== undefined && { tlsVerified: verifiedAs(candidate, client.tlsVerified) }),
      ...(client?.extensions.dsn === true && attempt.dsnRcpt?.notify !== undefined && { dsnPassedOn: true }),
      durationMs: this.#elapsed(),
    }
  }

  /** Whether time is up for this attempt or for the relay. */
  get #isOver(): boolean {
    return this.#options.stop.aborted || this.#options.clock.monotonic() >= this.#until
  }

  #elapsed(): number {
    return Math.round(this.#options.clock.monotonic() - this.#startedAt)
  }

  #envelope() {
    const { sender, recipient, sizeBytes, body, smtpUtf8, dsnMail, dsnRcpt, tlsWish } = this.#work.attempt
    const dsn = { ...(dsnMail !== undefined && { dsnMail }), ...(dsnRcpt !== undefined && { dsnRcpt }) }
    return { sender, recipient, sizeBytes, body, smtpUtf8, requireTls: tlsWish === 'required', ...dsn }
  }

  async #send(client: SmtpClient): Promise<SendResult> {
    const { message, prefix, content, file, chunks } = this.#work.attempt
    const { readChunk } = this.#options
    const mail = { envelope: this.#envelope(), until: this.#until }
    if (file === undefined) {
      const body = content ?? { chunks, read: (index: number) => readChunk(message, index) }
      return client.send({ ...mail, content: { prefix, body } })
    }
    const reader = new BodyReader(file)
    try {
      const body = { chunks: reader.pieces, read: (index: number) => reader.read(index) }
      return await client.send({ ...mail, content: { prefix, body } })
    } finally {
      await reader.close()
    }
  }
}
