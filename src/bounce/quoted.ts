// A reply inside other words: what a mail server writes into a report, or an upstream server into its own reply, when it
// passes on what the next one said (`host mx said: 550 … (in reply to RCPT TO command)`). Finds the innermost reply and
// the command it answered. Knows the forms of Postfix, Exim, sendmail, qmail, Exchange and their kin, no meanings.

import type { SmtpCommand } from '../mail/reply.ts'

export interface Quoted {
  /** From its code on; absent when only the command could be told. */
  readonly text?: string
  readonly code?: number
  readonly command?: SmtpCommand
}

/** How the servers name the command that was answered. Asked in this order. */
const COMMAND_WORDS: readonly (readonly [SmtpCommand, RegExp])[] = [
  ['dot', /in reply to end of data|after end of data|after I sent the message|sending end of data|for TEXT command/i],
  ['RCPT', /in reply to rcpt|after rcpt to|following rcpt|for rcpt|does not like recipient|>>> rcpt/i],
  ['MAIL', /in reply to mail|after mail from|following mail|for mail\b|but sender was rejected|>>> mail/i],
  ['DATA', /in reply to data|after data\b|following data|for data\b|\(data\)|>>> data/i],
  ['EHLO', /in reply to ehlo|after ehlo|>>> ehlo/i],
  ['HELO', /in reply to helo|after helo|>>> helo/i],
  ['STARTTLS', /in reply to starttls|after starttls|>>> starttls/i],
  ['AUTH', /in reply to auth|after auth\b|>>> auth/i],
  ['banner', /after initial connection|refused to talk to me|in reply to initial|but greeting failed/i],
]

// What stands before a quoted reply, up to its code.
const INTRODUCED =
  /(?:\bsaid:|\bsaid\[[^\]]*\]:|\bresponse:|\breason:|\bmessage:|\bserver:|\breturned|\bresponded[^:[]{0,40}:|<<<|talk to me:|\btold me:|\bSMTP error from remote (?:mail )?server after .{1,160}?: host \S+ \[[^\]]*\]:|\bSMTP error from remote (?:mail )?server after [^:]{1,60}(?::<[^>]*>)?[^:]{0,40}:|mail system problem|address error|status) ?['"([]{0,2}([45]\d\d)(?=[ -])/gi
/** Words of Postfix and others that end the quotation. */
const ENDS = /\s?\(in reply to .{1,40}|\s?Giving up on .*|\s?>>> .*|' \(delivery attempts.*/is
/** A refusal because of a question about the sender: what it quotes was said of our address. */
const ABOUT_SENDER = /sender verif|verification failed|callout|callback/i
const MAY_QUOTE =
  /said|reply to|SMTP error|remote |<<<|talk to me|returned|responded|reason:|response|like recipient|mail system|address error|message:/i

/** Undefined when the text quotes nobody. */
export function quotedIn(whole: string): Quoted | undefined {
  // What was said at parting says nothing of the mail.
  const text = whole.replace(/>>> (?:QUIT|RSET).*/s, '')
  if (!MAY_QUOTE.test(text) || ABOUT_SENDER.test(text)) return undefined
  const command = COMMAND_WORDS.find(([, words]) => words.test(text))?.[0]
  let last: RegExpExecArray | undefined
  for (const found of text.matchAll(INTRODUCED)) last = found
  if (last === undefined) return command === undefined ? undefined : { command }
  const code = last[1] ?? ''
  const start = last.index + last[0].length - code.length
  return {
    text: text
      .slice(start)
      .replace(ENDS, '')
      .replace(/^(\d{3})-['"]?/, '$1 ')
      .trim(),
    code: Number(code),
    ...(command === undefined ? {} : { command }),
  }
}
