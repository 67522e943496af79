// What the listeners tell the outside world, one function per event. observe/ writes them as log lines and counters;
// nothing here waits for them. Passwords and bodies are never passed.

import type { Reply } from './replies.ts'

/** Who is at the other end, as far as it is known. */
export interface Peer {
  readonly session: string
  readonly listener: string
  readonly address: string
  readonly tenant?: string
  readonly credential?: string
}

export interface ListenerEvents {
  listening(event: { readonly listener: string; readonly address: string; readonly port: number }): void
  connectionOpened(event: Peer): void
  /** A limit refused the connection; `reply` is absent when it was dropped before the TLS handshake. */
  connectionRefused(event: Peer & { readonly reply?: Reply }): void
  /** We ended the session with 421: too many errors, too slow, shutting down … */
  sessionEnded(event: Peer & { readonly reply: Reply }): void
  /** Faults of the connection: a failed handshake, a reset in the middle of a transaction. */
  connectionFailed(event: Partial<Peer> & { readonly listener: string; readonly error: Error }): void
  /** MAIL, RCPT, DATA or the dot was refused; `subject` is the address where there is one. */
  refused(
    event: Peer & {
      readonly command: 'MAIL' | 'RCPT' | 'DATA' | 'dot'
      readonly reply: Reply
      readonly subject?: string
    },
  ): void
  /** An exception of ours behind a 4xx. */
  acceptFailed(event: Peer & { readonly error: unknown }): void
}

export interface SubmissionEvents extends ListenerEvents {
  authSucceeded(event: Peer): void
  /** `reason` is for the log only; the client is told the same whatever it is. */
  authFailed(event: Peer & { readonly user: string; readonly reason: AuthFailure }): void
  submissionPaused(event: { readonly reason: string }): void
  submissionResumed(): void
}

export interface BounceEvents extends ListenerEvents {
  /** Recorded, durably; one id for each recipient of the mail. */
  reportTaken(event: Peer & { readonly reports: readonly string[]; readonly sizeBytes: number }): void
  bouncesPaused(event: { readonly reason: string }): void
  bouncesResumed(): void
}

export type AuthFailure = 'unknown user' | 'wrong password' | 'disabled' | 'throttled' | 'other identity'

export interface CertificateEvents {
  certificateMade(event: { readonly file: string; readonly names: readonly string[] }): void
  certificateLoaded(event: { readonly file: string; readonly subject: string; readonly expiresAt: number }): void
  /** The files changed into something unusable; the certificate in use stays. */
  certificateRefused(event: { readonly file: string; readonly error: unknown }): void
}
