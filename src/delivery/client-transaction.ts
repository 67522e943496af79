// One message to one recipient over an open session: MAIL, RCPT, DATA, content, final dot.
// With PIPELINING (RFC 2920) MAIL, RCPT and DATA leave in one flight, and each reply is read for its own command. The
// first refusal is the outcome; what the server says to the rest decides only whether the connection stays in use.
// Invariant: `ambiguous` is told exactly when the final dot may have reached the server and no valid reply came back.

import type { SmtpReply } from '../mail/reply.ts'
import { type Envelope, mailCommand, rcptCommand, whyImpossible } from './client-envelope.ts'
import type { ClientSettings, Session } from './client-session.ts'
import { type ClientFailure, type Fault, failureOf, isOk } from './client-wire.ts'
import { DotStuffer } from './dot-stuffing.ts'

export interface Content {
  /** Header lines before the body: Latin-1, each with its CRLF. */
  readonly prefix: string
  /** All of the body, or `chunks` pieces asked for in order. */
  readonly body: Uint8Array | BodyChunks
}

export interface BodyChunks {
  readonly chunks: number
  /** Good until the next is asked for. A piece that is gone (undefined) ends the connection: cause `local` 4.3.0. */
  readonly read: (index: number) => Promise<Uint8Array | undefined>
}

export interface Mail {
  readonly envelope: Envelope
  readonly content: Content
  /** Monotonic time of the clock at which the transaction is given up, wherever it stands. */
  readonly until?: number
}

// What is handed to the socket at one time; a message up to this size leaves in one write together with its dot.
const PIECE_BYTES = 256 * 1024
const GOODBYE = 'QUIT\r\n'
const CONTROL = /[\x00-\x1f\x7f]/

export class Transaction {
  readonly #session: Session
  readonly #settings: ClientSettings
  #busy = false
  /** RSET was said after a refusal and is not answered yet. */
  #resetting: Promise<void> | undefined

  constructor(session: Session, settings: ClientSettings) {
    this.#session = session
    this.#settings = settings
  }

  get busy(): boolean {
    return this.#busy
  }

  /** The reply to the dot, or why there is none. */
  async run(mail: Mail): Promise<SmtpReply | ClientFailure> {
    if (this.#busy) throw new Error('the connection is in use by another message')
    this.#busy = true
    try {
      return await this.#run(mail)
    } finally {
      this.#busy = false
      this.#session.wire.until = Number.POSITIVE_INFINITY
    }
  }

  async #run({ envelope, content, until }: Mail): Promise<SmtpReply | ClientFailure> {
    const { wire, extensions } = this.#session
    const impossible = whyImpossible(envelope, extensions)
    if (impossible !== undefined) return impossible
    const mail = mailCommand(envelope, extensions)
    const rcpt = rcptCommand(envelope, extensions)
    if (CONTROL.test(mail) || CONTROL.test(rcpt)) return local('5.1.3', 'a control character stands in the envelope')
    if (this.#resetting !== undefined) await this.#resetting
    wire.until = until ?? Number.POSITIVE_INFINITY
    const failure = extensions.pipelining ? await this.#together(mail, rcpt) : await this.#oneByOne(mail, rcpt)
    return failure ?? (await this.#send(content))
  }

  /** Without PIPELINING: each command waits for the reply to the one before. */
  async #oneByOne(mail: string, rcpt: string): Promise<ClientFailure | undefined> {
    const { wire } = this.#session
    const { commandTimeout, dataTimeout } = this.#settings
    const toMail = await wire.ask(`${mail}\r\n`, commandTimeout)
    if (!isOk(toMail)) return this.#stop(failureOf(toMail, 'MAIL'), toMail)
    const toRcpt = await wire.ask(`${rcpt}\r\n`, commandTimeout)
    if (!isOk(toRcpt)) return this.#stop(failureOf(toRcpt, 'RCPT'), toRcpt)
    const toData = await wire.ask('DATA\r\n', dataTimeout)
    return isGoAhead(toData) ? undefined : this.#stop(failureOf(toData, 'DATA'), toData)
  }

  async #together(mail: string, rcpt: string): Promise<ClientFailure | undefined> {
    const { wire } = this.#session
    const { commandTimeout, dataTimeout } = this.#settings
    wire.say(`${mail}\r\n${rcpt}\r\nDATA\r\n`, 3)
    const toMail = await wire.reply(commandTimeout)
    const noMail = isOk(toMail) ? undefined : failureOf(toMail, 'MAIL')
    if (noMail !== undefined && !isRefusal(toMail)) return this.#stop(noMail, toMail)
    const toRcpt = await wire.reply(commandTimeout)
    const failure = noMail ?? (isOk(toRcpt) ? undefined : failureOf(toRcpt, 'RCPT'))
    if (failure !== undefined && !isOk(toRcpt) && !isRefusal(toRcpt)) return this.#stop(failure, toRcpt)
    const toData = await wire.reply(dataTimeout)
    if (!isGoAhead(toData)) return this.#stop(failure ?? failureOf(toData, 'DATA'), toData)
    // RFC 2920 §3.1: DATA was taken though nobody is to get the message; a single dot ends it. Whatever comes of that,
    // the outcome is the refusal, and the connection is not used again.
    if (failure !== undefined) wire.part('.\r\n')
    return failure
  }

  async #send({ prefix, body }: Content): Promise<SmtpReply | ClientFailure> {
    const { wire } = this.#session
    const { blockTimeout, dotTimeout } = this.#settings
    const { chunks, read } = body instanceof Uint8Array ? cut(body) : body
    const stuffer = new DotStuffer()
    wire.beginContent()
    let unsent = stuffer.push(prefix)
    for (let index = 0; index < chunks; index++) {
      const chunk = await this.#read(read, index)
      if (chunk === undefined) return local('4.3.0', 'the content of the message is gone')
      const text = latin1(chunk)
      const safe = stuffer.push(text)
      // The first piece leaves together with the prefix, the last one with the dot.
      const isBetween = index > 0 && index < chunks - 1
      if (unsent !== '' && (isBetween || unsent.length + safe.length > PIECE_BYTES)) {
        const stopped = await wire.flush(unsent, blockTimeout)
        if (stopped !== undefined) return this.#stoppedBy(stopped)
        unsent = ''
      }
      if (isBetween) {
        // As it was read, where nothing had to change: strings that wait for the network outlive the young generation,
        // and with many large messages that takes much memory.
        const stopped = await wire.flush(safe === text ? chunk : safe, blockTimeout)
        if (stopped !== undefined) return this.#stoppedBy(stopped)
      } else unsent += safe
    }
    const answer = await wire.finish(unsent + stuffer.end(), { blockTimeout, dotTimeout })
    if ('kind' in answer || isOk(answer)) return answer
    if (answer.code === 421) wire.part(GOODBYE)
    return { kind: 'reply', reply: answer, command: 'dot' }
  }

  /** One piece of the body. Half a message must not look like a whole one: without the piece the connection is cut. */
  async #read(read: BodyChunks['read'], index: number): Promise<Uint8Array | undefined> {
    let chunk: Uint8Array | undefined
    try {
      chunk = await read(index)
    } finally {
      if (chunk === undefined)
        this.#session.wire.fail({ kind: 'connect', detail: 'the content could not be read', ours: true })
    }
    return chunk
  }

  #stoppedBy(stop: SmtpReply | Fault): ClientFailure {
    if ('kind' in stop) return { ...stop, command: 'DATA' }
    this.#session.wire.fail({ kind: 'protocol', detail: 'the message was refused before its end' })
    return { kind: 'reply', reply: stop, command: 'dot' }
  }

  /** Ends a transaction that cannot go on; the connection stays only after an orderly refusal. */
  #stop(failure: ClientFailure, last: SmtpReply | Fault): ClientFailure {
    const { wire } = this.#session
    wire.until = Number.POSITIVE_INFINITY
    if (isRefusal(last)) this.#resetting = this.#reset()
    else wire.part(GOODBYE)
    return failure
  }

  /** Clears what the server still holds of the refused transaction (RFC 5321 §4.1.1.5). Not waited for by anybody. */
  async #reset(): Promise<void> {
    const { wire } = this.#session
    const answer = await wire.ask('RSET\r\n', this.#settings.commandTimeout)
    this.#resetting = undefined
    if (!isOk(answer)) wire.part(GOODBYE)
  }
}

function isGoAhead(answer: SmtpReply | Fault): boolean {
  return 'code' in answer && answer.code === 354
}

/** A refusal after which the server goes on listening: 421 announces that it does not (RFC 5321 §3.8). */
function isRefusal(answer: SmtpReply | Fault): boolean {
  return 'code' in answer && answer.code >= 400 && answer.code !== 421
}

function local(code: string, detail: string): ClientFailure {
  return { kind: 'local', code, detail }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function cut(body: Uint8Array): BodyChunks {
  const pieceOf = (index: number): Uint8Array => body.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)
  return { chunks: Math.ceil(body.length / PIECE_BYTES), read: (index) => Promise.resolve(pieceOf(index)) }
}
