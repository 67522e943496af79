// How much of a client's time-wasting one session bears: refused commands, commands without work, messages. Pure counting.

import { REPLY, type Reply } from './replies.ts'

export interface PatienceLimits {
  readonly maxErrors: number
  readonly maxJunkCommands: number
  readonly maxMessagesPerConnection: number
}

/** Commands that do no work; RFC 5321 allows them any time, a client that sends nothing else is no mailer. */
const JUNK_COMMANDS: ReadonlySet<string> = new Set(['NOOP', 'RSET', 'VRFY', 'EXPN', 'HELP', 'EHLO', 'HELO'])

export class Patience {
  readonly #limits: PatienceLimits
  #errors = 0
  #junkCommands = 0
  #messages = 0

  constructor(limits: PatienceLimits) {
    this.#limits = limits
  }

  countError(): void {
    this.#errors++
  }

  /** An accepted message: the commands before it were no junk. */
  countMessage(): void {
    this.#messages++
    this.#junkCommands = 0
  }

  /** Why the session ends instead of another command being looked at; `verb` in upper case, cut after five characters. */
  endsBefore(verb: string): Reply | undefined {
    if (this.#errors >= this.#limits.maxErrors) return REPLY.tooManyErrors
    if (!JUNK_COMMANDS.has(verb)) return undefined
    return ++this.#junkCommands > this.#limits.maxJunkCommands ? REPLY.tooManyJunkCommands : undefined
  }

  /** Why the session ends instead of another message being begun. */
  endsBeforeMail(): Reply | undefined {
    return this.#messages >= this.#limits.maxMessagesPerConnection ? REPLY.tooManyMessages : undefined
  }
}
