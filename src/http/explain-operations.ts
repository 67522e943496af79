// What binds the mail of a domain or of one recipient right now: suspension, limit, back-off, attempts under way; since
// when, until when, how many wait, and which rule judged the last refusal.

import type { Settings } from '../config/schema.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Journal } from '../journal/journal.ts'
import { type Domain, domainOf, parseDomain } from '../mail/address.ts'
import type { LaneName, Message, Recipient } from '../mail/message.ts'
import type { Cause } from '../mail/outcome.ts'
import type { QueueOperator } from '../queue/operator.ts'
import type { Queue } from '../queue/queue.ts'
import type { SourceBook } from '../sources/source-book.ts'
import type { Suspensions } from '../throttle/suspensions.ts'
import type { EpochMs } from '../util/clock.ts'
import { type Binding, type BindingParts, laneBinding, nextAttemptAt, recipientBinding } from './explain-binding.ts'
import { checked, domainParam, RECIPIENT_KEY, readRecipientKey, recipientParam } from './input.ts'
import { type PathStanding, pathStanding } from './path-standing.ts'
import { OperationError } from './problem.ts'
import { isAbout, type ListedSuspension, type ListParts, listedSuspensions } from './suspension-list.ts'
import { toWire, type Wire } from './wire.ts'

export interface ExplainedLane {
  readonly tenant: string
  /** That its mail names; absent: that of the tenant. */
  readonly pool?: string
  readonly waiting: number
  readonly due: number
  /** Waiting, and being tried or about to be. */
  readonly inFlight: number
  /** True: there are more than were counted. */
  readonly more: boolean
  readonly binding: Binding
  readonly nextAttemptAt?: EpochMs
  /** Of the first that wait, why the last attempt did not deliver. */
  readonly lastRefusal?: {
    readonly at: EpochMs
    readonly recipient: string
    readonly cause: Cause
    readonly rule?: string
    readonly category?: string
  }
}

export interface Explained {
  readonly domain: string
  readonly site?: string
  readonly provider?: string
  /** Why there is no site. */
  readonly cause?: Cause
  readonly lanes: readonly ExplainedLane[]
  readonly paths: readonly PathStanding[]
  /** What rules, people and what was learned say of the place, whoever sends there. */
  readonly bound: readonly ListedSuspension[]
  /** Of one recipient, when one was asked about. */
  readonly recipient?: {
    readonly id: string
    readonly n: number
    readonly address: string
    readonly state: string
    readonly tenant: string
    readonly source?: string
    /** Absent once it is over. */
    readonly binding?: Binding
    readonly nextAttemptAt?: EpochMs
    readonly cause?: Cause
    readonly rule?: string
  }
}

export interface ExplainOperations {
  /** `what`: a domain, a message id, or id.n for one recipient. */
  explain(what: string): Promise<Wire<Explained>>
}

export interface ExplainParts {
  readonly core: {
    readonly queue: Queue
    readonly operator: QueueOperator
    readonly journal: Journal
    readonly suspensions: Suspensions
    readonly sources: Pick<SourceBook, 'drain'>
  }
  readonly settings: () => Settings
  readonly clock: BindingParts['clock']
  readonly relay?: NonNullable<BindingParts['relay']> & {
    readonly delivery: Pick<Delivery, 'paths' | 'resolve' | 'sourceOf'>
    pacing?(): ListParts['pacing']
  }
}

export function explainOperations(parts: ExplainParts): ExplainOperations {
  return {
    explain: async (what) => {
      if (parts.relay === undefined)
        throw new OperationError('stopped', 'The relay is not running: nothing binds but that.')
      const isKey = RECIPIENT_KEY.test(what)
      if (!isKey) return toWire(await ofDomain(parts, parsedDomain(what)))
      const { id, n = 0 } = readRecipientKey(checked(recipientParam, { id: what }).id)
      const recipient = parts.core.queue.recipient(id, n)
      const message = parts.core.queue.message(id)
      if (recipient === undefined || message === undefined)
        throw new OperationError('not-found', `There is no ${what} in the store.`)
      const explained = await ofDomain(parts, domainOf(recipient.address), recipient)
      return toWire({ ...explained, recipient: await ofRecipient(parts, { recipient, message }) })
    },
  }
}

async function ofRecipient(
  parts: ExplainParts,
  { recipient, message }: { readonly recipient: Recipient; readonly message: Message },
): Promise<NonNullable<Explained['recipient']>> {
  const { core, relay, settings } = parts
  const { id, n, address, state, tenant, lastCause } = recipient
  const pool = message.pool ?? settings().tenant.find(({ name }) => name === message.tenant)?.pool ?? 'default'
  const isInUse = (name: string): boolean => core.sources.drain(name) === undefined
  const source = relay?.delivery.sourceOf(pool, id, isInUse)
  const last = refusalOf(core.journal, id, n)
  const binding = await recipientBinding(parts, { recipient, message })
  const next = nextAttemptAt(recipient, binding)
  return {
    id,
    n,
    address,
    state: state.kind,
    tenant,
    ...(source !== undefined && { source }),
    ...(binding !== undefined && { binding }),
    ...(next !== undefined && { nextAttemptAt: next }),
    ...(lastCause !== undefined && { cause: lastCause }),
    ...(last?.rule !== undefined && { rule: last.rule }),
  }
}

function parsedDomain(text: string): Domain {
  const given = checked(domainParam, { domain: text }).domain
  const domain = parseDomain(given.slice(given.lastIndexOf('@') + 1))
  if (domain === undefined) throw new OperationError('invalid', `${given} is neither a domain nor the id of a message.`)
  return domain
}

/** `only`: the lane of one recipient. */
async function ofDomain(
  parts: ExplainParts,
  domain: Domain,
  only?: Pick<LaneName, 'tenant' | 'pool'>,
): Promise<Explained> {
  const { core, relay } = parts
  const resolved = await relay?.delivery.resolve(domain)
  const lanes: ExplainedLane[] = []
  for (const lane of core.operator.lanesTo(domain))
    if (only === undefined || (lane.tenant === only.tenant && lane.pool === only.pool))
      lanes.push(await laneOf(parts, lane))
  const place = resolved?.kind === 'site' ? resolved : undefined
  const site = place?.site
  const all = listedSuspensions({ suspensions: core.suspensions, pacing: relay?.pacing?.() })
  const paths = ((await relay?.delivery.paths()) ?? []).filter(
    (path) => path.site === site && (path.domain ?? domain) === domain,
  )
  const bound = place === undefined ? [] : all.filter((each) => isAbout(each, place))
  return {
    domain,
    ...(site !== undefined && { site }),
    ...(place?.provider !== undefined && { provider: place.provider }),
    ...(resolved?.kind === 'nowhere' && { cause: resolved.outcome.cause }),
    lanes,
    paths: paths.map((path) => pathStanding({ path, bound, ...(place !== undefined && { resolved: place.paths }) })),
    bound,
  }
}

async function laneOf(parts: ExplainParts, lane: LaneName): Promise<ExplainedLane> {
  const { core } = parts
  const { tenant, pool } = lane
  const { waiting, due, more, inFlight, first, flying } = await core.operator.countLane(lane)
  const shown = first ?? flying
  const last = shown === undefined ? undefined : refusalOf(core.journal, shown.id, shown.n)
  const binding = await laneBinding(parts, lane, { first, flying })
  const nextAttemptAt =
    binding.kind === 'suspended' ? binding.suspension.until : 'until' in binding ? binding.until : undefined
  return {
    tenant,
    ...(pool !== undefined && { pool }),
    waiting,
    due,
    inFlight,
    more,
    binding,
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    ...(last !== undefined && { lastRefusal: last }),
  }
}

function refusalOf(journal: Journal, id: string, n: number): ExplainedLane['lastRefusal'] {
  const record = journal.ofMessage(id).findLast((each) => each.n === n && each.cause !== undefined)
  if (record?.cause === undefined) return undefined
  const { at, recipient, cause, verdict } = record
  return { at, recipient, cause, ...(verdict !== undefined && { rule: verdict.rule, category: verdict.category }) }
}
