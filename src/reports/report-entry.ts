// What is kept of every report: where it came from, what the parser found, whose recipient it is about, and what followed.

import type { ParsedReport } from '../bounce/report.ts'
import type { Verdict } from '../bounce/verdict.ts'
import type { EmailAddress } from '../mail/address.ts'
import type { EpochMs } from '../util/clock.ts'

/** The way a report came in. */
export type Origin =
  | {
      readonly kind: 'listener'
      readonly listener: string
      readonly address: string
      readonly helo?: string
      readonly tls?: string
      /** MAIL FROM; '' is the null sender. */
      readonly sender: string
    }
  /** Given by hand: `studs bounce ingest`, API. */
  | { readonly kind: 'ingest'; readonly who: string }
  | { readonly kind: 'mailbox'; readonly mailbox: string }
  /** RFC 8058 one-click. */
  | { readonly kind: 'link'; readonly address: string }

/** How a report was found to be about a recipient, best first. */
export const EVIDENCE = ['return-path', 'token', 'message-id', 'address'] as const
export type Evidence = (typeof EVIDENCE)[number]
/** Only what is certain may suppress; the rest waits for a person. */
export type Confidence = 'certain' | 'likely' | 'weak'

export interface About {
  readonly tenant: string
  readonly message: string
  readonly n: number
  /** The recipient that was really sent to, whatever the report names. */
  readonly recipient: EmailAddress
  readonly evidence: Evidence
  readonly confidence: Confidence
}

/** What a report led to. `review`: nothing yet, a person decides; `noted`: recorded, changes nothing. */
export const REPORT_OUTCOMES = ['bounced', 'complained', 'unsubscribed', 'noted', 'review', 'dismissed'] as const
export type ReportOutcome = (typeof REPORT_OUTCOMES)[number]

export interface ReportEntry {
  readonly id: string
  readonly at: EpochMs
  readonly origin: Origin
  /** Envelope recipient it came in on; '' when there was none. */
  readonly to: string
  readonly sizeBytes: number
  /** More came than is kept. */
  readonly isCut: boolean
  readonly report: ParsedReport
  readonly about?: About
  readonly verdict?: Verdict
  readonly outcome: ReportOutcome
  /** Why a person should look, also where it acted already: the report names somebody else, no recipient was found, … */
  readonly review?: { readonly why: string; readonly decided?: { readonly at: EpochMs; readonly who: string } }
  /** The suppression that followed, if one did. */
  readonly suppressed?: boolean
}
