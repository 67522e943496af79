// One listener for reports that come back: the server that every listener has, with sessions that take reports.

import { BounceSession, type BounceSessionParts } from './bounce-session.ts'
import { ListenerServer, type ServerParts } from './listener-server.ts'
import type { SessionOrigin } from './listener-session.ts'

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
