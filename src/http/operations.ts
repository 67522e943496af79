// Everything people can ask of a relay or do to it, one function each. Two implementations: on the parts themselves
// (relay-operations.ts: behind the routes, and on the store of a stopped relay) and over the API (client.ts). So the
// commands need not know which they talk to. Both speak the API's own JSON (wire.ts), and both throw OperationError.

import type { z } from 'zod'
import type { Explanation } from '../bounce/classify.ts'
import type { Names } from '../bounce/names.ts'
import type { MailboxStatus } from '../inbound/mailboxes.ts'
import type { StoredRecord } from '../journal/record.ts'
import type { Message, Recipient } from '../mail/message.ts'
import type { Cause } from '../mail/outcome.ts'
import type { QueueRow, SummaryRow } from '../queue/operator.ts'
import type { ReportEntry } from '../reports/report-entry.ts'
import type { StoreHealth } from '../store/store.ts'
import type { ExportFormat } from '../suppression/export.ts'
import type { ImportReport as Imported, ImportInput } from '../suppression/import.ts'
import type { Standing, Suppression } from '../suppression/suppression.ts'
import type { UndoReport as Undone } from '../suppression/undo.ts'
import type { Activity } from './activity.ts'
import type { DestinationOperations } from './destination-operations.ts'
import type { ExplainOperations } from './explain-operations.ts'
import type { HealthOperations } from './health-operations.ts'
import type { InboxOperations } from './inbox-operations.ts'
import type {
  changeMany,
  classifyBody,
  importQuery,
  messageQuery,
  newSuppression,
  QUEUE_ACTIONS,
  queueQuery,
  REPORT_DECISIONS,
  removal,
  reportQuery,
  SUMMARY_KEYS,
  suppressionQuery,
  undoBody,
} from './input.ts'
import type { PathStanding } from './path-standing.ts'
import type { RulesOperations } from './rules-operations.ts'
import type { SourceOperations } from './source-operations.ts'
import type { SuspensionOperations } from './suspension-operations.ts'
import type { Wire } from './wire.ts'

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Give it back as `cursor` for what follows; absent on the last page. */
  readonly next_cursor?: string
}

/** Without the headers that acceptance put in front and the way the body is stored. */
export type MessageSummary = Wire<Omit<Message, 'prefix' | 'chunks'>>
export interface MessageDetail extends MessageSummary {
  readonly to: readonly RecipientDetail[]
}
export type RecipientDetail = Wire<Recipient>
export type EventRecord = Wire<StoredRecord>
export type QueueEntry = Wire<QueueRow>
export type QueueSummary = Wire<SummaryRow>
export type SuppressionEntry = Wire<Suppression>
export type UndoReport = Wire<Undone> & { readonly preview: boolean }
export type Destination = Wire<PathStanding>
export type Report = Wire<ReportEntry>
export type { Resolution } from './destination-operations.ts'
export type LaneExplanation = Awaited<ReturnType<ExplainOperations['explain']>>

export type MessageQuery = z.input<typeof messageQuery>
export type QueueQuery = z.input<typeof queueQuery>
export type SummaryKey = (typeof SUMMARY_KEYS)[number]
export type QueueAction = (typeof QUEUE_ACTIONS)[number]
export type QueueChange = z.input<typeof changeMany>
export type SuppressionQuery = z.input<typeof suppressionQuery>
export type NewSuppression = z.input<typeof newSuppression>
export type Removal = z.input<typeof removal>
export type UndoRequest = z.input<typeof undoBody>
/** `half-open`: the next message goes alone. `scope`: where the entry stood. */
export interface Removed {
  readonly result: 'removed' | 'half-open'
  readonly scope: string
}
export type ClassifyRequest = z.input<typeof classifyBody>
export type ImportOptions = z.input<typeof importQuery>
export type ReportQuery = z.input<typeof reportQuery>
export type ReportDecision = (typeof REPORT_DECISIONS)[number]
/** A mail as bytes, read as it comes. */
export type MailInput = AsyncIterable<Uint8Array>
export interface ExportQuery {
  readonly scope?: string
  readonly format?: ExportFormat
}

export interface ListenerStatus {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly tls: string
}

/** How the reading of one mailbox goes. */
export type MailboxState = Wire<MailboxStatus>

export interface Status {
  readonly state: 'running' | 'draining' | 'stopped'
  readonly version: string
  readonly pid: number
  /** Absent when stopped, as everything that only a running relay has. */
  readonly started_at?: string
  readonly uptime_ms?: number
  readonly listeners: readonly ListenerStatus[]
  readonly mailboxes: readonly MailboxState[]
  readonly store: Wire<{
    health: StoreHealth
    usedBytes: number
    mapBytes: number
    commits: number
    lastCommitMs: number
  }>
  readonly queue: { readonly waiting: number; readonly held: number; readonly in_flight: number }
  readonly counts: {
    readonly messages: number
    readonly recipients: number
    readonly records: number
    readonly suppressions: number
    readonly reports: number
    /** Reports that wait for a person; counted up to 1,000. */
    readonly open_reviews: number
  }
}

export interface Readiness {
  readonly ready: boolean
  /** Why not, a sentence each. */
  readonly problems: readonly string[]
}

export interface Stats extends Wire<Activity> {
  readonly queue: Status['queue']
  readonly recent_failures: readonly EventRecord[]
}

export interface CheckedAddress {
  readonly address: string
  /** `invalid`: not an address. `suppressed`: mail of `tenants` to it would not be relayed. */
  readonly result: 'clear' | 'suppressed' | 'invalid'
  readonly tenants?: readonly string[]
  /** Why, for the first of them. */
  readonly entry?: SuppressionEntry
}

/** All that is known of why an address may not be mailed, or may again. */
export interface SuppressionStory {
  readonly target: string
  /** `*`: no tenant knows anything of it. */
  readonly tenant: string
  /** The entry that keeps the tenant from mailing it; absent when nothing does. */
  readonly active?: SuppressionEntry
  /** All entries that touch it and how they stand, expired ones and those of its domain too. */
  readonly entries: readonly (SuppressionEntry & { readonly standing: Standing })[]
  /** Half-open: the message that is being tried right now. */
  readonly trial?: string
  /** Soft failures that count so far. */
  readonly strikes?: {
    readonly count: number
    /** So many suppress. */
    readonly needed: number
    readonly first_at: string
    readonly last_at: string
    readonly messages: readonly string[]
  }
  /** What happened to the newest messages to it, and what people did to its entries; oldest first. */
  readonly events: readonly EventRecord[]
}

export type ImportReport = Wire<Imported>

/** The verdict on a reply and how it came about; `cause` is the reply as it was read, `names` what others call it. */
export type Classification = Wire<Explanation & { readonly cause: Cause; readonly names: Names }>

export interface Operations
  extends RulesOperations,
    InboxOperations,
    DestinationOperations,
    ExplainOperations,
    HealthOperations,
    SourceOperations,
    SuspensionOperations {
  status(): Promise<Status>
  readiness(): Promise<Readiness>
  stats(): Promise<Stats>
  destinations(): Promise<readonly Destination[]>

  /** Newest first. */
  messages(query: MessageQuery): Promise<readonly MessageSummary[]>
  message(id: string): Promise<MessageDetail | undefined>
  /** Oldest first; undefined when there is no such message. */
  messageEvents(id: string): Promise<readonly EventRecord[] | undefined>

  queue(query: QueueQuery): Promise<Page<QueueEntry>>
  queueSummary(by: SummaryKey): Promise<readonly QueueSummary[]>
  /** Durable when it resolves; `count` recipients were in a state that allows it. */
  changeQueue(action: QueueAction, change: QueueChange): Promise<{ readonly count: number }>

  suppressions(query: SuppressionQuery): Promise<Page<SuppressionEntry>>
  suppression(address: string, scope: string): Promise<SuppressionEntry | undefined>
  /** `already`: an active entry stays as it is, with what is known of it; that is the one given back. */
  suppress(
    address: string,
    entry: NewSuppression,
  ): Promise<{ readonly result: 'added' | 'already'; readonly entry: SuppressionEntry }>
  /** Undefined: there was nothing to remove. */
  unsuppress(address: string, removal: Removal): Promise<Removed | undefined>
  /** Takes back what Studs learned by mistake. A preview changes nothing; else durable when it resolves. */
  undoSuppressions(request: UndoRequest): Promise<UndoReport>
  /** For one tenant, or for all of them. */
  checkAddresses(addresses: readonly string[], tenant?: string): Promise<readonly CheckedAddress[]>
  /** For one tenant, or for each that knows something of the address; one story at least. */
  whySuppressed(address: string, tenant?: string): Promise<readonly SuppressionStory[]>
  /** The input is read as it comes, so it may be of any length. */
  importSuppressions(input: ImportInput, options: ImportOptions): Promise<ImportReport>
  exportSuppressions(query: ExportQuery): AsyncIterable<string>

  /** Newest first. A page may be short, even empty, and still have a `next_cursor`. */
  reports(query: ReportQuery): Promise<Page<Report>>
  report(id: string): Promise<Report | undefined>
  /** The mail as it was kept; undefined when there is no such report or its mail is not kept any more. */
  reportMail(id: string): Promise<Uint8Array | undefined>
  /** What a person decides of an open review; undefined when there is no such report. A closed review is a conflict. */
  decideReport(id: string, decision: ReportDecision, who: string): Promise<Report | undefined>
  /** Takes a mail as if it had come back by itself; durable when it resolves. Of a long one the beginning is kept. */
  ingestReport(mail: MailInput, who: string): Promise<Report>

  classify(request: ClassifyRequest): Promise<Classification>
  /** The directory is on the relay's machine and must be empty or new. */
  backup(directory: string): Promise<void>
  /** Reads the configuration again; the sentences say what changed. */
  reload(): Promise<{ readonly changes: readonly string[] }>
}
