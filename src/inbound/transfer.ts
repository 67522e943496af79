// DATA of one transaction: reads the stream into an Intake with back-pressure, then asks the acceptor. Whatever happens,
// a body that was not accepted is discarded, and nothing rejects: an exception becomes a reply in reply-for.ts.

import type { Accepted, Acceptor, Submitted } from '../queue/submission.ts'
import type { Clock } from '../util/clock.ts'
import { isTooSlow } from './data-rate.ts'
import { type HeadParts, openHead } from './envelope.ts'
import { Intake } from './intake.ts'
import type { MessageData } from './message-data.ts'
import { queuedAs, type Reply } from './replies.ts'
import { replyFor } from './reply-for.ts'
import { allSuppressed } from './rules.ts'

export interface TransferParts {
  readonly data: Pick<MessageData, 'handTo'>
  readonly acceptor: Acceptor
  readonly clock: Pick<Clock, 'monotonic'>
  readonly head: HeadParts
  readonly maxSize: number
  readonly onError: (error: unknown) => void
}

export class Transfer {
  readonly #parts: TransferParts
  readonly #intake: Intake
  /** The final dot has not come yet. */
  isReceiving = true

  constructor(parts: TransferParts) {
    this.#parts = parts
    this.#intake = new Intake({
      body: parts.acceptor.openBody(),
      openHead: (id, text) => openHead(parts.head, id, text),
      maxSize: parts.maxSize,
      clock: parts.clock,
    })
  }

  isTooSlow(now: number, minBytesPerSecond: number): boolean {
    if (this.#intake.isStalled) return false
    const elapsedMs = now - this.#intake.startedAt - this.#intake.stalledMs
    return isTooSlow({ elapsedMs, receivedBytes: this.#intake.receivedBytes }, minBytesPerSecond)
  }

  /** The answer to the dot; undefined when the client went away before it. */
  async run(): Promise<Reply | undefined> {
    const isComplete = await this.#read()
    this.isReceiving = false
    const reply = isComplete ? await this.#conclude() : undefined
    if (reply === undefined || reply.code >= 400) await this.#discard()
    return reply
  }

  #read(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#parts.data.handTo({
        push: (chunk) => this.#intake.push(chunk),
        end: () => resolve(true),
        gone: () => resolve(false),
      })
    })
  }

  async #conclude(): Promise<Reply> {
    const result = await this.#intake.finish()
    if ('refusal' in result) return result.refusal
    if ('error' in result) return this.#failed(result.error)
    return allSuppressed(this.#parts.head.envelope) ?? (await this.#accept(result.submitted))
  }

  async #accept(submitted: Submitted): Promise<Reply> {
    try {
      const accepted: Accepted = await this.#parts.acceptor.accept(this.#intake.body, submitted)
      return queuedAs(accepted.id)
    } catch (error) {
      return this.#failed(error)
    }
  }

  #failed(error: unknown): Reply {
    this.#parts.onError(error)
    return replyFor(error)
  }

  async #discard(): Promise<void> {
    try {
      await this.#intake.body.discard()
    } catch (error) {
      // Left-over chunks are swept by the store's owner; the client's answer does not change.
      this.#parts.onError(error)
    }
  }
}
