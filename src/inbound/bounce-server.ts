// One listener for reports that come back: the server that every listener has, with sessions that take reports.

import { BounceSession, type BounceSessionParts } from './bounce-session.ts'
import type { SessionOrigin } from './listener-parts.ts'
import { ListenerServer, type ServerParts } from './listener-server.ts'

export type BounceServerParts = BounceSessionParts & ServerParts

export class BounceServer extends ListenerServer<BounceSession> {
  readonly #parts: BounceSessionParts

  constructor(parts: BounceServerParts) {
    super(parts)
    this.#parts = parts
  }

  protected override createSession(from: SessionOrigin): BounceSession {
    return new BounceSession(this.#parts, from)
  }
}
