// The desk at which every report arrives, whichever way it came. CONTRACT (implementation follows).

import type { ParsedReport } from '../bounce/report.ts'
import type { Origin, ReportEntry } from './report-entry.ts'

export interface IncomingReport {
  readonly origin: Origin
  /** Envelope recipient; '' when there was none. */
  readonly to: string
  /** What was kept of the mail. */
  readonly raw: Buffer
  /** Of the whole mail, what was cut off included. */
  readonly sizeBytes: number
}

/** What an address of the bounce listener is for, asked at RCPT: reads only, parses nothing, writes nothing. */
export type Addressee =
  | { readonly kind: 'bounce' | 'unsubscribe'; readonly id: string; readonly n: number }
  | { readonly kind: 'box'; readonly box: 'feedback' | 'unsubscribe' | 'postmaster' | 'catch-all' }
  /** A domain of ours, but no address: bad, expired or unknown. 550 5.1.1. */
  | { readonly kind: 'unknown' }
  /** Genuine, but about its recipient there are too many reports already. 550 5.7.1. */
  | { readonly kind: 'too-many' }
  /** Not one of our domains. 550 5.7.1 relaying denied. */
  | { readonly kind: 'foreign' }

export interface ReportDesk {
  addressee(address: string): Addressee
  /**
   * Parses, resolves, judges, records; durable when it resolves. Rejects with StoreError, and for a mail in a mailbox, where
   * it still lies, also when the parser itself broke.
   */
  take(report: IncomingReport): Promise<ReportEntry>
  /** RFC 8058 one-click, or a confirmation page: durable when it resolves; undefined for a token that is no good. */
  unsubscribe(token: string, client: string): Promise<{ readonly recipient: string } | undefined>
  /** Newest first. */
  list(filter: ReportFilter): { readonly entries: readonly ReportEntry[]; readonly cursor?: string }
  get(id: string): ReportEntry | undefined
  raw(id: string): Buffer | undefined
  /**
   * A person decides: `accept` lets it act on the recipient found, `dismiss` changes nothing. undefined: no such open
   * review. Accepted with nobody to act on, it comes back as it was, still open.
   */
  decide(
    id: string,
    decision: { readonly as: 'accept' | 'dismiss'; readonly who: string },
  ): Promise<ReportEntry | undefined>
}

export interface ReportFilter {
  readonly limit: number
  readonly cursor?: string
  /** Only those a person should look at and has not. */
  readonly review?: boolean
  readonly outcome?: ReportEntry['outcome']
  readonly tenant?: string
  readonly message?: string
  /** Whose recipient, or named by the report. */
  readonly address?: string
}

/** Runs parseReport where a deadline can be enforced (a worker thread). Never rejects. */
export interface ReportParser {
  parse(raw: Buffer): Promise<ParsedReport>
  close(): Promise<void>
}
