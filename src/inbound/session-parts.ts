// What a session is made of: the parts that all sessions of a listener share, and where this one came from.

import type { Socket } from 'node:net'
import type { SMTPServer } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { ListenerSettings, Settings } from '../config/schema.ts'
import type { Acceptor } from '../queue/submission.ts'
import type { Signer } from '../sign/signer.ts'
import type { Clock } from '../util/clock.ts'
import type { Authenticator } from './auth.ts'
import type { SubmissionEvents } from './events.ts'
import type { Reply } from './replies.ts'
import type { EnvelopePolicy } from './rules.ts'
import type { Tenancy } from './tenancy.ts'

export type SubmissionLimits = Settings['submission']

/** What all sessions of one listener share. */
export interface SessionParts {
  readonly listener: ListenerSettings
  readonly hostname: string
  readonly clock: Clock
  readonly acceptor: Acceptor
  readonly signer: Signer
  readonly authenticator: Authenticator
  readonly events: SubmissionEvents
  readonly policy: EnvelopePolicy
  /** As of the last reconfigure. */
  readonly tenancy: () => Tenancy
  readonly limits: () => SubmissionLimits
  readonly isStopping: () => boolean
}

export interface SessionOrigin {
  readonly server: SMTPServer
  readonly socket: Socket
  readonly options: SMTPConnectionOptions | null
  /** Said instead of a greeting. */
  readonly refusal: Reply | undefined
  /** Called when nothing more will be said; more than once perhaps. */
  readonly onClosing: () => void
  /** Called when the socket has closed. */
  readonly onClosed: () => void
}
