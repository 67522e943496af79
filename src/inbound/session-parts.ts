// What a session of submission is made of: the parts that all sessions of a listener share.

import type { ListenerSettings, Settings } from '../config/schema.ts'
import type { Acceptor } from '../queue/submission.ts'
import type { Signer } from '../sign/signer.ts'
import type { Authenticator } from './auth.ts'
import type { SubmissionEvents } from './events.ts'
import type { UnsubscribeTerms } from './list-unsubscribe.ts'
import type { SessionPlace } from './listener-parts.ts'
import type { EnvelopePolicy } from './rules.ts'
import type { Tenancy } from './tenancy.ts'

export type SubmissionLimits = Settings['submission']

/** What all sessions of one listener share. */
export interface SessionParts extends SessionPlace {
  readonly listener: ListenerSettings
  readonly hostname: string
  readonly acceptor: Acceptor
  readonly signer: Signer
  readonly authenticator: Authenticator
  readonly events: SubmissionEvents
  readonly policy: EnvelopePolicy
  /** As of the last reconfigure. */
  readonly tenancy: () => Tenancy
  readonly limits: () => SubmissionLimits
  readonly unsubscribe: () => UnsubscribeTerms | undefined
}
