// Operations on the parts themselves. In a running relay the routes call them; on the store of a stopped one the
// commands do, and then there is no `relay`.

import type { Settings } from '../config/schema.ts'
import type { Delivery, RateLimit } from '../delivery/delivery.ts'
import type { Pacing } from '../dispatch/pacing.ts'
import type { LaneStanding, MessageStanding } from '../dispatch/runner-standing.ts'
import type { Health } from '../health/health.ts'
import type { MailboxStatus } from '../inbound/mailboxes.ts'
import type { LaneName, Message, Recipient } from '../mail/message.ts'
import type { Core } from '../queue/core.ts'
import type { ReportDesk } from '../reports/desk.ts'
import { openReviews } from '../reports/report-list.ts'
import type { Store } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { createActivityMeter } from './activity.ts'
import { classifyOperations } from './classify-operations.ts'
import { destinationOperations } from './destination-operations.ts'
import { explainOperations } from './explain-operations.ts'
import { healthOperations } from './health-operations.ts'
import { inboxOperations, type KeptMail } from './inbox-operations.ts'
import { messageOperations } from './message-operations.ts'
import type { ListenerStatus, Operations, Status } from './operations.ts'
import { pathStanding } from './path-standing.ts'
import { OperationError } from './problem.ts'
import { queueOperations } from './queue-operations.ts'
import { reportOperations } from './report-operations.ts'
import { rulesOperations } from './rules-operations.ts'
import { sourceOperations } from './source-operations.ts'
import { suppressionOperations } from './suppression-operations.ts'
import { listedSuspensions } from './suspension-list.ts'
import { suspensionOperations } from './suspension-operations.ts'
import { toWire } from './wire.ts'

/** What only a running relay has. */
export interface RunningRelay {
  readonly startedAt: EpochMs
  readonly delivery: Pick<Delivery, 'paths' | 'resolve' | 'sourceOf'>
  /** What binds a lane now. */
  standing(lane: LaneName): LaneStanding | undefined
  /** What binds one message, and others of its lane perhaps not. */
  standingOf?(message: Message, recipient: Recipient): Promise<MessageStanding | undefined>
  /** What was learned from receivers. */
  pacing?(): Pick<Pacing, 'pace' | 'paces' | 'forget'> | undefined
  /** Of the addresses of sources, those that this machine has. */
  hasAddress?(address: string): boolean
  /** What a limit has left. */
  spare?(limit: RateLimit): number
  /** Those that listen now. */
  listeners(): readonly ListenerStatus[]
  mailboxes(): readonly MailboxStatus[]
  /** What its sandbox took, oldest first; undefined without one. */
  inbox(): readonly KeptMail[] | undefined
  /** Stopping: nothing new is taken any more. */
  isDraining(): boolean
  /** Reads the configuration again; a sentence per change. Throws with what is wrong and changes nothing then. */
  reload(): Promise<readonly string[]>
}

export interface OperationParts {
  readonly core: Core
  readonly desk: ReportDesk
  /** Counts what happens; without it the store tells what was counted. */
  readonly health?: Health
  readonly store: Store
  readonly settings: () => Settings
  readonly clock: Clock
  readonly version: string
  readonly relay?: RunningRelay
  /** Of a stopped relay: finds out where mail would go. */
  readonly finder?: Pick<Delivery, 'resolve'>
}

/** Several of them may be of one recipient. */
const FAILURES_SHOWN = 50
/** People look into the list when there are that many. */
const REVIEWS_COUNTED = 1000

export function createOperations(parts: OperationParts): Operations {
  return {
    ...messageOperations(parts.core),
    ...queueOperations(parts),
    ...suppressionOperations(parts),
    ...reportOperations(parts),
    ...classifyOperations(parts.core),
    ...rulesOperations(parts),
    ...inboxOperations(parts.relay === undefined ? undefined : () => parts.relay?.inbox()),
    ...suspensionOperations(parts),
    ...sourceOperations(parts),
    ...explainOperations(parts),
    ...healthOperations(parts),
    ...destinationOperations({ delivery: parts.relay?.delivery ?? parts.finder, shaping: parts.core.shaping }),
    ...relayOperations(parts),
  }
}

type RelayFunctions = Pick<Operations, 'status' | 'readiness' | 'stats' | 'destinations' | 'backup' | 'reload'>

function relayOperations(parts: OperationParts): RelayFunctions {
  const { store, clock, relay } = parts
  const { journal } = parts.core
  const meter = createActivityMeter({ clock })
  // Never stopped: the meter lives as long as the journal it follows.
  journal.follow((record) => meter.count(record))
  return {
    status: async () => statusOf(parts),
    readiness: async () => {
      const problems = problemsOf(parts)
      return { ready: problems.length === 0, problems }
    },
    stats: async () => ({
      ...toWire(meter.read()),
      queue: queueCounts(parts),
      recent_failures: journal
        .latest({ limit: FAILURES_SHOWN, kinds: ['failed', 'expired', 'bounced', 'complained', 'deferred'] })
        .map(toWire),
    }),
    destinations: () => destinationsOf(parts),
    backup: async (directory) => {
      try {
        await store.backup(directory)
      } catch (error) {
        throw new OperationError('conflict', `The backup failed: ${(error as Error).message}`)
      }
    },
    reload: async () => {
      if (relay === undefined)
        throw new OperationError('stopped', 'The relay is not running; it reads its configuration when it starts.')
      try {
        return { changes: await relay.reload() }
      } catch (error) {
        throw new OperationError('conflict', `The configuration is not taken over: ${(error as Error).message}`)
      }
    },
  }
}

async function destinationsOf({ core, relay }: OperationParts): ReturnType<Operations['destinations']> {
  const bound = listedSuspensions({ suspensions: core.suspensions, pacing: relay?.pacing?.() })
  return ((await relay?.delivery.paths()) ?? []).map((path) => toWire(pathStanding({ path, bound })))
}

function statusOf(parts: OperationParts): Status {
  const { store, relay, clock, version } = parts
  const running =
    relay === undefined
      ? {}
      : { started_at: new Date(relay.startedAt).toISOString(), uptime_ms: clock.now() - relay.startedAt }
  return {
    state: relay === undefined ? 'stopped' : relay.isDraining() ? 'draining' : 'running',
    version,
    pid: process.pid,
    ...running,
    listeners: relay?.listeners() ?? [],
    mailboxes: relay?.mailboxes().map(toWire) ?? [],
    store: toWire({ health: store.health, ...store.stats() }),
    queue: queueCounts(parts),
    counts: {
      messages: store.count('message'),
      recipients: store.count('recipient'),
      records: store.count('journal'),
      suppressions: store.count('suppression'),
      reports: store.count('report'),
      open_reviews: openReviews(store, REVIEWS_COUNTED),
    },
  }
}

function problemsOf({ store, relay }: OperationParts): string[] {
  return [
    ...(store.health === 'full' ? ['There is no room for the store: new mail is refused.'] : []),
    ...(store.health === 'failed' ? ['The store has failed: the relay must be restarted.'] : []),
    ...(relay === undefined ? ['The relay is not running.'] : []),
    ...(relay?.isDraining() ? ['The relay is stopping: new mail is refused.'] : []),
    ...(relay?.listeners().length === 0 ? ['No listener takes mail.'] : []),
  ]
}

/** Counters only: asked every second by `studs top`, so nothing may be walked here. */
function queueCounts({ store, core }: OperationParts): Status['queue'] {
  return { waiting: store.count('due'), held: store.count('held'), in_flight: core.queue.inFlight }
}
