// What a session of a listener is given and has to keep to, and what DATA is to it.

import type { Socket } from 'node:net'
import type { SMTPServer } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import type { Clock } from '../util/clock.ts'
import type { ListenerEvents } from './events.ts'
import type { Outbox } from './outbox.ts'
import type { PatienceLimits } from './patience.ts'
import type { Reply } from './replies.ts'

export interface SessionPlace {
  readonly listener: { readonly name: string }
  readonly clock: Clock
  readonly events: ListenerEvents
  readonly isStopping: () => boolean
  readonly handshakeTimeout: () => number
}

export interface SessionLimits extends PatienceLimits {
  readonly idleTimeout: number
  /** From MAIL to the final dot. */
  readonly transactionTimeout: number
  /** Bytes per second in DATA. */
  readonly minDataRate: number
}

export interface SessionOrigin {
  readonly server: SMTPServer
  readonly socket: Socket
  readonly options: SMTPConnectionOptions | null
  readonly outbox: Outbox
  /** Said instead of a greeting. */
  readonly refusal: Reply | undefined
  /** Called when nothing more will be said; more than once perhaps. */
  readonly onClosing: () => void
  /** Called when the socket has closed. */
  readonly onClosed: () => void
}

/** DATA under way, as the deadlines see it. */
export interface Incoming {
  /** The final dot has not come yet. */
  readonly isReceiving: boolean
  isTooSlow(now: number, minBytesPerSecond: number): boolean
}
