// What one reader of a kind of report gives back; parse.ts makes the ParsedReport of it.

import type { OpenMail } from './open-mail.ts'
import type { Headers } from './prose/prose.ts'
import type { Feedback, ReportedRecipient, ReportKind } from './report.ts'

export interface Found {
  readonly kind: ReportKind
  readonly family: string
  readonly recipients?: readonly ReportedRecipient[]
  readonly feedback?: Feedback
  readonly envelopeId?: string
  readonly link?: string
  /** Header of the mail it is about, where it is not the report's own returned part. */
  readonly returned?: Headers
}

/** Says nothing where it does not recognise its kind. */
export type KindReader = (mail: OpenMail) => Found | undefined
