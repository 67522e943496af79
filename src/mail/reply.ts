// What a server said, kept verbatim, and the numbers that Studs itself says (RFC 5321 §4.2, RFC 3463).

/** The command a reply answered; `banner` and `dot` are the two that are no verbs. */
export type SmtpCommand =
  | 'banner'
  | 'EHLO'
  | 'HELO'
  | 'STARTTLS'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'dot'
  | 'RSET'
  | 'QUIT'

/** Commands whose refusal speaks about us or the site, never about the recipient. */
export const COMMANDS_ABOUT_US: ReadonlySet<SmtpCommand> = new Set([
  'banner',
  'EHLO',
  'HELO',
  'STARTTLS',
  'AUTH',
  'MAIL',
])

export interface SmtpReply {
  readonly code: number
  /** RFC 3463 code from the start of the text, e.g. `5.1.1`; absent when the server gave none. */
  readonly enhanced?: string
  /** Every line without the code and separator, the enhanced code still in it; control characters replaced. */
  readonly lines: readonly string[]
}

const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/

/** The enhanced code at the start of a reply's first line; only one whose class agrees with the basic code. */
export function enhancedCodeOf(code: number, firstLine: string): string | undefined {
  const found = ENHANCED.exec(firstLine)?.[1]
  return found !== undefined && Number(found[0]) === Math.floor(code / 100) ? found : undefined
}

/** The reply on one line, as people quote it: `550 5.1.1 No such user`. One from a report may have no code: 0. */
export function replyText({ code, lines }: SmtpReply): string {
  return `${code === 0 ? '' : code} ${lines.join(' ')}`.trim()
}

export const isPositive = (reply: SmtpReply): boolean => reply.code >= 200 && reply.code < 300
export const isTransient = (reply: SmtpReply): boolean => reply.code >= 400 && reply.code < 500
export const isPermanent = (reply: SmtpReply): boolean => reply.code >= 500 && reply.code < 600
