// One listener of submission: the server that every listener has, with sessions that may authenticate.

import type { SMTPServerAuthentication, SMTPServerAuthenticationResponse, SMTPServerSession } from 'smtp-server'
import type { SessionOrigin } from './listener-parts.ts'
import { ListenerServer, type ServerParts } from './listener-server.ts'
import type { Reply } from './replies.ts'
import { SubmissionSession } from './session.ts'
import type { SessionParts } from './session-parts.ts'

export type SubmissionServerParts = SessionParts & ServerParts

export class SubmissionServer extends ListenerServer<SubmissionSession> {
  readonly #parts: SessionParts

  constructor(parts: SubmissionServerParts) {
    super(parts, { authMethods: ['PLAIN', 'LOGIN'], hideREQUIRETLS: false })
    this.#parts = parts
  }

  protected override createSession(from: SessionOrigin): SubmissionSession {
    return new SubmissionSession(this.#parts, from)
  }

  override onAuth(
    auth: SMTPServerAuthentication,
    session: SMTPServerSession,
    callback: (error: Error | null | undefined, response?: SMTPServerAuthenticationResponse) => void,
  ): void {
    const fail = (error: unknown): Reply => this.failed(session, error)
    void this.sessionOf(session)
      .authenticate(auth)
      .catch(fail)
      .then((refusal) => callback(null, refusal === undefined ? { user: auth.username } : answer(refusal)))
  }
}

const answer = ({ code, text }: Reply) => ({ responseCode: code, message: text })
