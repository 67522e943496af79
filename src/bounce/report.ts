// What the parser finds in a mail that came back: facts only, in the words of the mail. Whose recipient it is about is
// found in reports/, what it means is said by the classifier.

import type { SmtpCommand } from '../mail/reply.ts'

export const REPORT_KINDS = [
  /** Delivery status: failed, delayed, delivered, relayed, expanded; in any format. */
  'dsn',
  /** ARF (RFC 5965) and what providers send in its place. */
  'complaint',
  /** Out of office and its kin (RFC 3834). */
  'auto-reply',
  /** "Prove that you are human." */
  'challenge',
  'unsubscribe',
  /** MDN: read, deleted (RFC 8098). */
  'receipt',
  /** DMARC (RFC 7489) and TLS (RFC 8460) reports. */
  'aggregate',
  /** Ordinary mail, an answer by a person among it. */
  'mail',
  /** Nothing that could be read within the limits. */
  'unknown',
] as const
export type ReportKind = (typeof REPORT_KINDS)[number]

/** RFC 3464 §2.3.3. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

export interface ReportedRecipient {
  /** As the report names it, without brackets; '' where it names none. Not trusted: it may be anybody's. */
  readonly address: string
  /** Original-Recipient or what a forwarder says it was sent to first. */
  readonly original?: string
  readonly action: DsnAction
  /** RFC 3463, e.g. `5.1.1`; absent when neither given nor quoted. */
  readonly status?: string
  /** The SMTP reply code that is quoted. */
  readonly code?: number
  /** The command that was answered, where the report says it. */
  readonly command?: SmtpCommand
  /** What the remote server said or the report says instead, on one line, at most 2,000 characters; '' for nothing. */
  readonly diagnostic: string
  /** Host that said it. */
  readonly remoteMta?: string
}

export interface Feedback {
  /** RFC 5965 §7.3 in lower case: abuse, fraud, virus, opt-out, auth-failure, not-spam, other … */
  readonly type: string
  readonly userAgent?: string
  readonly sourceIp?: string
  readonly originalMailFrom?: string
  /** Original-Rcpt-To; often redacted. */
  readonly originalRcptTo: readonly string[]
  readonly reportedDomain?: string
}

/** What the report gives back of the mail it is about. */
export interface Original {
  /** Without angle brackets, as all ids here. */
  readonly messageId?: string
  readonly subject?: string
  readonly from?: string
  readonly to: readonly string[]
  /** Original-Envelope-Id. */
  readonly envelopeId?: string
}

export interface ParsedReport {
  readonly kind: ReportKind
  /** How it was recognised, for people and tests: `rfc3464`, `qmail`, `exim`, `arf`, … */
  readonly family: string
  /** dsn: in the order named. complaint: who complained, where it says so. Otherwise empty. At most 100. */
  readonly recipients: readonly ReportedRecipient[]
  readonly feedback?: Feedback
  /** Decoded, at most 255 characters. */
  readonly subject: string
  /** Address of the From header. */
  readonly from: string
  /** Message-IDs in In-Reply-To and References. */
  readonly references: readonly string[]
  readonly original?: Original
  /** Local parts with the shape of our tokens (see return-path.ts), wherever they stand in the mail. Not verified. At most 20. */
  readonly tokens: readonly string[]
  /** challenge: where to prove it. */
  readonly link?: string
  /** A limit of the parser ended it; what was found before stands. */
  readonly limit?: 'size' | 'depth' | 'parts' | 'headers' | 'time'
}
