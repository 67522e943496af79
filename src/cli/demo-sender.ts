// Submits the messages of the demo as an app would: nodemailer, a pool of connections, STARTTLS and AUTH.

import { createTransport, type Transporter } from 'nodemailer'
import { type Clock, SECOND } from '../util/clock.ts'
import type { PlannedMessage } from './demo-plan.ts'
import { CREDENTIAL } from './demo-stage.ts'

export interface Sender {
  /** Spreads the messages evenly over a few seconds; resolves when each was answered. Gives back the errors, in words. */
  sendAll(messages: readonly PlannedMessage[]): Promise<readonly string[]>
  close(): void
}

// Fast enough for a demo, slow enough to see the table fill.
const SUBMIT_FOR_MS = 4 * SECOND
const CONNECTIONS = 5
const FROM = 'The Shop <newsletter@shop.test>'

export function createSender(options: {
  submission: { address: string; port: number }
  clock: Clock
  signal: AbortSignal
}): Sender {
  const { submission, clock, signal } = options
  const transport = createTransport({
    host: submission.address,
    port: submission.port,
    requireTLS: true,
    // The demo's certificate is its own, made a moment ago.
    tls: { rejectUnauthorized: false },
    auth: { user: CREDENTIAL.user, pass: CREDENTIAL.password },
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
  })
  return {
    async sendAll(messages) {
      const startedAt = clock.monotonic()
      const errors: string[] = []
      const underWay: Promise<void>[] = []
      for (const [index, message] of messages.entries()) {
        await clock.sleep(startedAt + (SUBMIT_FOR_MS * index) / messages.length - clock.monotonic(), signal)
        if (signal.aborted) break
        underWay.push(
          send(transport, message).catch(
            (error: Error) => void errors.push(`${message.subject} was not accepted: ${error.message}`),
          ),
        )
      }
      await Promise.all(underWay)
      return errors
    },
    close: () => transport.close(),
  }
}

async function send(transport: Transporter, { messageId, subject, recipients }: PlannedMessage): Promise<void> {
  const to = recipients.map(({ address }) => address)
  await transport.sendMail({
    from: FROM,
    to,
    messageId,
    subject,
    text: `Hello,\n\nthis is ${subject.toLowerCase()}.\n\nThe Shop\n`,
  })
}
