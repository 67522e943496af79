// One SMTP connection to a pretend MX: reads commands, keeps the envelope, and lets the behaviours of the host and of the
// recipients do their deeds. Own protocol code, because a deed may need what no server library gives: a reset in the
// middle of DATA, garbage under TLS, silence. Invariant: a message is in the inbox when 250 was said to its dot, or when
// its behaviour says that it keeps it.

import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Clock, Timer } from '../util/clock.ts'
import { type Behaviour, type Plan, planFor, type Stage } from './behaviours.ts'
import { BodyReader } from './body.ts'
import type { FirstSeen } from './first-seen.ts'
import type { Delivered } from './inbox.ts'
import type { ReplyName } from './replies.ts'
import { HOST, worded } from './wording.ts'

/** What the conversations of one pretend internet share. */
export interface Surroundings {
  readonly clock: Clock
  readonly secureContext: SecureContext
  readonly firstSeen: FirstSeen
  deliver(message: Delivered): void
  nextQueueId(): string
}

interface Rcpt {
  readonly address: string
  readonly plan: Plan
}

const EXTENSIONS = ['PIPELINING', 'SIZE 52428800', 'STARTTLS', 'ENHANCEDSTATUSCODES', '8BITMIME', 'SMTPUTF8']
const NONE = ''
const LONGEST_LINE = 4096
const IDLE_MS = 300_000
const GARBAGE = 'HTTP/1.1 400 Bad Request\r\n'
// A TLS record of a kind that does not exist.
const TLS_GARBAGE = Buffer.from('\x99\x03\x03\x00\x08no TLS!!', 'latin1')

export class Conversation {
  readonly #around: Surroundings
  readonly #host: Behaviour | undefined
  /** The TCP connection; `#socket` is it or TLS on it. */
  readonly #tcp: Socket
  #socket: Socket
  #input: Buffer = Buffer.alloc(0)
  #body: BodyReader | undefined
  /** A late reply is due: input waits. */
  #pause: Timer | undefined
  #over = false
  #helo = ''
  #sender: string | undefined
  #rcpts: Rcpt[] = []

  constructor({ socket, host, around }: { socket: Socket; host: Behaviour | undefined; around: Surroundings }) {
    this.#around = around
    this.#host = host
    this.#tcp = socket
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setTimeout(IDLE_MS, () => this.destroy())
    socket.on('close', () => this.#end())
    this.#listenTo(socket)
    if (!this.#hostDoes('greeting')) this.#write(`220 ${HOST} ESMTP Studs sandbox\r\n`)
  }

  destroy(): void {
    this.#end()
    this.#socket.destroy()
    this.#tcp.destroy()
  }

  #end(): void {
    this.#over = true
    this.#pause?.cancel()
  }

  #listenTo(socket: Socket): void {
    this.#socket = socket
    socket.on('data', (chunk) => {
      if (this.#over) return
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk])
      this.#read()
    })
    socket.on('error', () => this.destroy())
  }

  #read(): void {
    while (!this.#over && this.#pause === undefined && this.#input.length > 0) {
      if (this.#body !== undefined) this.#readBody(this.#body)
      else if (!this.#readCommand()) return
    }
  }

  #readCommand(): boolean {
    const end = this.#input.indexOf(10)
    if (end === -1 || end > LONGEST_LINE) {
      if (this.#input.length > LONGEST_LINE) this.#bye('500 5.5.6 Line too long\r\n')
      return false
    }
    const line = this.#input.subarray(0, end).toString('utf8').trimEnd()
    this.#input = this.#input.subarray(end + 1)
    const [verb = ''] = line.split(' ', 1)
    this.#write(this.#obey(verb.toUpperCase(), line.slice(verb.length + 1).trim()))
    return true
  }

  /** Does what a command asks for and gives back the answer; NONE when it was given already or never will be. */
  #obey(verb: string, argument: string): string {
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb, argument)
      case 'STARTTLS':
        return this.#startTls()
      case 'MAIL':
        return this.#mail(argument)
      case 'RCPT':
        return this.#rcpt(argument)
      case 'DATA':
        return this.#data()
      case 'RSET':
        this.#reset()
        return '250 2.0.0 Ok\r\n'
      case 'NOOP':
        return '250 2.0.0 Ok\r\n'
      case 'VRFY':
        return '252 2.0.0 Send some mail and see\r\n'
      case 'QUIT':
        return this.#bye('221 2.0.0 Bye\r\n')
      default:
        return this.#words('unknown-command')
    }
  }

  #hello(verb: string, name: string): string {
    this.#reset()
    this.#helo = name
    if (verb === 'EHLO' && this.#hostDoes('EHLO')) return NONE
    const ownName = this.#host?.does === 'echo' ? name : HOST
    const offered = EXTENSIONS.filter(
      (keyword) => !this.#hides(keyword) && !(keyword === 'STARTTLS' && this.#isSecure()),
    )
    const lines = verb === 'EHLO' ? [ownName, ...offered] : [ownName]
    return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('')
  }

  #startTls(): string {
    if (this.#isSecure() || this.#hides('STARTTLS')) return this.#words('unknown-command')
    if (this.#host?.does === 'reply' && this.#hostDoes('STARTTLS')) return NONE
    this.#write('220 2.0.0 Ready to start TLS\r\n')
    if (this.#hostDoes('STARTTLS')) return NONE
    this.#input = Buffer.alloc(0) // RFC 3207 §6: nothing said before the handshake counts
    this.#reset()
    this.#tcp.removeAllListeners('data')
    this.#listenTo(new TLSSocket(this.#tcp, { isServer: true, secureContext: this.#around.secureContext }))
    return NONE
  }

  #mail(argument: string): string {
    const address = /^FROM:\s*<([^>]*)>/i.exec(argument)?.[1]
    if (this.#helo === '') return '503 5.5.1 Error: send HELO/EHLO first\r\n'
    if (this.#sender !== undefined) return '503 5.5.1 Error: nested MAIL command\r\n'
    if (address === undefined) return '501 5.1.7 Bad sender address syntax\r\n'
    // RFC 6152 §2, RFC 6531 §3.4: parameters of extensions that are not offered are refused.
    if (this.#hides('8BITMIME') && /\sBODY=/i.test(argument)) return '555 5.5.4 Unsupported option: BODY\r\n'
    if (this.#hides('SMTPUTF8') && /\sSMTPUTF8\b/i.test(argument)) return '555 5.5.4 Unsupported option: SMTPUTF8\r\n'
    this.#sender = address
    return '250 2.1.0 Ok\r\n'
  }

  #rcpt(argument: string): string {
    const address = /^TO:\s*<([^>]+)>/i.exec(argument)?.[1]
    if (this.#sender === undefined) return '503 5.5.1 Error: need MAIL command\r\n'
    if (address === undefined) return '501 5.1.3 Bad recipient address syntax\r\n'
    const rcpt = { address, plan: planFor(address.slice(0, address.lastIndexOf('@'))) }
    if (this.#does('RCPT', rcpt)) return NONE
    this.#rcpts.push(rcpt)
    return '250 2.1.5 Ok\r\n'
  }

  #data(): string {
    if (this.#rcpts.length === 0) return '503 5.5.1 Error: need RCPT command\r\n'
    this.#body = new BodyReader()
    return '354 End data with <CR><LF>.<CR><LF>\r\n'
  }

  #readBody(body: BodyReader): void {
    const cut = this.#rcpts.find(({ plan }) => plan.behaviour.at === 'body')
    if (cut !== undefined && this.#does('body', cut)) return
    const rest = body.push(this.#input)
    this.#input = rest ?? Buffer.alloc(0)
    if (rest === undefined) return
    this.#body = undefined
    this.#dot(body)
  }

  #dot(body: BodyReader): void {
    const decisive = this.#rcpts.find(({ plan }) => plan.behaviour.at === 'dot' && plan.behaviour.does !== 'accept')
    if (decisive === undefined) {
      this.#accept(body)
      return
    }
    if (decisive.plan.behaviour.keeps) this.#deliver(body)
    if (this.#does('dot', decisive)) {
      this.#reset()
      return
    }
    this.#pause = this.#around.clock.after(decisive.plan.delayMs, () => {
      this.#pause = undefined
      if (this.#over) return
      this.#accept(body)
      this.#read()
    })
  }

  #accept(body: BodyReader): void {
    this.#deliver(body)
    this.#write(this.#words('ok', this.#rcpts[0]))
    this.#reset()
  }

  #deliver(body: BodyReader): void {
    const raw = body.kept()
    const cipher =
      this.#socket instanceof TLSSocket
        ? `${this.#socket.getProtocol()} ${this.#socket.getCipher().standardName}`
        : undefined
    this.#around.deliver({
      helo: this.#helo,
      ...(cipher === undefined ? {} : { tls: cipher }),
      sender: this.#sender ?? '',
      recipients: this.#rcpts.map(({ address }) => address),
      sizeBytes: body.sizeBytes,
      raw,
      truncated: raw.length < body.sizeBytes,
    })
  }

  #reset(): void {
    this.#sender = undefined
    this.#rcpts = []
  }

  #isSecure(): boolean {
    return this.#socket !== this.#tcp
  }

  /** The deed of the host, if it is for this stage; true when the usual answer must not follow. */
  #hostDoes(stage: Stage): boolean {
    return this.#host?.at === stage && this.#act({ behaviour: this.#host, delayMs: 0 })
  }

  /** The deed of a recipient, if it is for this stage and not over; true when the usual answer must not follow. */
  #does(stage: Stage, rcpt: Rcpt): boolean {
    const { behaviour, until } = rcpt.plan
    if (behaviour.at !== stage || (behaviour.underTls && !this.#isSecure())) return false
    const left =
      until === undefined
        ? 1
        : this.#around.firstSeen.remaining({
            behaviour: rcpt.plan,
            sender: this.#sender ?? '',
            recipient: rcpt.address,
          })
    return left > 0 && this.#act(rcpt.plan, rcpt, Math.ceil(left / 1000))
  }

  #act(plan: Plan, rcpt?: Rcpt, secondsLeft?: number): boolean {
    const { does, at } = plan.behaviour
    switch (does) {
      case 'reply':
        this.#refuse(plan, rcpt, secondsLeft)
        return true
      case 'reset':
        this.#cut(plan)
        return true
      case 'silence':
        this.#end() // what still comes is not read as commands; the socket's own timeout cleans up
        return true
      case 'garbage':
        if (at === 'STARTTLS') this.#breakHandshake()
        else this.#write(GARBAGE)
        return true
      case 'accept':
      case 'wait':
      case 'hide':
      case 'echo':
      case 'absent':
        return false
    }
  }

  #refuse(plan: Plan, rcpt: Rcpt | undefined, secondsLeft: number | undefined): void {
    const text = this.#words(plan.behaviour.reply ?? 'asked', rcpt, { plan, secondsLeft })
    // RFC 5321 §3.8 for 421; a server that refuses in its banner has nothing more to say (§3.1 would have it wait for QUIT).
    if (text.startsWith('421') || plan.behaviour.at === 'greeting') this.#bye(text)
    else this.#write(text)
  }

  /** Answers the client's first flight with bytes that are no TLS. */
  #breakHandshake(): void {
    this.#end()
    this.#tcp.once('data', () => this.#tcp.write(TLS_GARBAGE))
  }

  #cut(plan: Plan): void {
    this.#end()
    // Under TLS the break is one of TLS: a record that cannot be decrypted.
    if (plan.behaviour.underTls) this.#tcp.end(TLS_GARBAGE)
    else this.#tcp.resetAndDestroy()
  }

  #words(
    name: ReplyName,
    rcpt?: Rcpt,
    { plan, secondsLeft }: { plan?: Plan; secondsLeft?: number | undefined } = {},
  ): string {
    return worded({
      name,
      plan,
      recipient: rcpt?.address ?? '',
      sender: this.#sender ?? '',
      client: this.#tcp.remoteAddress ?? '',
      id: this.#around.nextQueueId(),
      now: Math.floor(this.#around.clock.now() / 1000),
      secondsLeft,
    })
  }

  #hides(keyword: string): boolean {
    return this.#host?.hides === keyword
  }

  #bye(text: string): string {
    this.#end()
    this.#socket.end(text)
    return NONE
  }

  #write(text: string): void {
    if (!this.#over && text !== NONE) this.#socket.write(text)
  }
}
