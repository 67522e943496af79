// A reply as people paste it and as reports quote it, read back into code, enhanced code and lines. Knows forms, not
// meanings.

import { enhancedCodeOf, type SmtpReply } from '../mail/reply.ts'

/**
 * With or without the codes on each line, `smtp;` of a DSN's Diagnostic-Code before it (RFC 3464 §2.3.6). Without a
 * basic code the code is 0, which the classifier knows how to take.
 */
export function replyFrom(text: string): SmtpReply {
  const pasted = text
    .trim()
    .replace(/^(?:smtp|x-\w[\w-]*)\s*;\s*(?=[2-5]\d\d\b)/i, '')
    .replace(/^smtp\s*;\s*/i, '')
    .split(/\r?\n/)
  const code = Number(/^[2-5]\d\d(?=[ -]|$)/.exec(pasted[0] ?? '')?.[0] ?? 0)
  const lines = pasted.map((line) =>
    code === 0 ? line.trim() : line.trim().replace(new RegExp(`^${code}(?:[ -]|$)`), ''),
  )
  const enhanced = enhancedCodeOf(code, lines[0] ?? '')
  return enhanced === undefined ? { code, lines } : { code, enhanced, lines }
}
