// The SMTP reply that running text quotes: code, enhanced code, and the command that was answered. Numbers in text are
// mostly something else, so a code counts only where it stands as one.

import type { SmtpCommand } from '../mail/reply.ts'

export interface QuotedReply {
  readonly code?: number
  readonly enhanced?: string
  readonly command?: SmtpCommand
}

const MAX_TEXT = 4000
/** 421, 450 … 571: the codes that refusals really have. */
const CODE = '(?:4[2-7]\\d|5[0-7]\\d)'
/** In the order of how sure they are. */
const CODE_PLACES: readonly RegExp[] = [
  // At the start, or after the words that lead a quotation.
  new RegExp(`^[\\s"'#<(\\[{]{0,6}(?:smtp;\\s{0,3})?(${CODE})(?=[\\s\\-#.:,;)]|$)`, 'i'),
  new RegExp(`(?<![\\d.])(${CODE})-['"<\\p{L}]`, 'u'),
  new RegExp(`(?<![\\d.])(${CODE})[ \\-]{1,2}[#(]?[45]\\.\\d{1,3}\\.\\d{1,3}(?![\\d.])`),
  new RegExp(
    `(?:said|says|respon[ds]{1,3}(?:ed)?|response|answer(?:ed)?|repl(?:y|ied)|error|returned|rejected|refused|status|code|reason|was|server|data|>|\\*{3}|<<<|:)(?: (?:is|was|with|code))?\\s{0,3}[:=;]?\\s{0,3}["'#<(\\[{]{0,3}(?:smtp;?\\s)?(${CODE})(?=[\\s\\-#:,;)\\]'"]|$)`,
    'i',
  ),
]
const EXPIRED = /(?<![\d.])5\d\d[ -]#?(4\.4\.7)(?![\d.]*\d)/
/** Not the number of a version: `v5.0.5`. */
const ENHANCED = /(?<![\d.\p{L}]|version )([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)/giu

const COMMANDS: readonly (readonly [RegExp, SmtpCommand])[] = [
  [/^(?:initial connection|connect|banner|greeting)/i, 'banner'],
  [/^ehlo/i, 'EHLO'],
  [/^helo/i, 'HELO'],
  [/^starttls/i, 'STARTTLS'],
  [/^auth/i, 'AUTH'],
  [/^mail/i, 'MAIL'],
  [/^rcpt/i, 'RCPT'],
  [/^(?:end of|sending data|message (?:body|data|content)|final dot|"?\."?(?:\s|$)|dot)/i, 'dot'],
  [/^data/i, 'DATA'],
  [/^rset/i, 'RSET'],
  [/^quit/i, 'QUIT'],
]
/** Postfix says "in reply to", Exim "after", others "in response to" or "during". */
const ANSWERED =
  /\b(?:in (?:reply|response) to|response to|replied to|after|during|while sending|at) (?:the |sending |pipelined |your )*["'(]?((?:end of |initial |final |message |sending )?[A-Za-z".]{3,12})/gi

export function replyIn(text: string): QuotedReply {
  const words = text.slice(0, MAX_TEXT)
  const code = codeIn(words)
  const enhanced = enhancedIn(words, code)
  const command = commandIn(words)
  return {
    ...(code === undefined ? {} : { code }),
    ...(enhanced === undefined ? {} : { enhanced }),
    ...(command === undefined ? {} : { command }),
  }
}

function codeIn(words: string): number | undefined {
  for (const place of CODE_PLACES) {
    const found = place.exec(words)?.[1]
    if (found !== undefined) return Number(found)
  }
  return undefined
}

/**
 * The first that says something and agrees with the code; x.0.0 only where nothing better stands. Of `550 4.4.7
 * QUEUE.Expired` the milder word counts: it was temporary, and is refused only because time ran out.
 */
function enhancedIn(words: string, code: number | undefined): string | undefined {
  const milder = code !== undefined && code >= 500 ? EXPIRED.exec(words)?.[1] : undefined
  if (milder !== undefined) return milder
  const level = code === undefined ? undefined : String(Math.floor(code / 100))
  let fallback: string | undefined
  for (const [, enhanced = ''] of words.matchAll(ENHANCED)) {
    if (level !== undefined && enhanced[0] !== level) continue
    if (!enhanced.endsWith('.0.0')) return enhanced
    fallback ??= enhanced
  }
  return fallback
}

export function commandIn(words: string): SmtpCommand | undefined {
  for (const [, said = ''] of words.matchAll(ANSWERED)) {
    const command = COMMANDS.find(([name]) => name.test(said))?.[1]
    if (command !== undefined) return command
  }
  return undefined
}

/** On one line, control characters gone, at most 2,000 characters: the form of every diagnostic. */
export function oneLine(text: string): string {
  return text
    .slice(0, 8000)
    .replace(/[\s\x00-\x1f\x7f-\x9f]+/g, ' ')
    .trim()
    .slice(0, 2000)
}
