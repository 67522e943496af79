// Asking the classifier: somebody pastes a reply and learns what Studs would make of it.

import type { Classifier } from '../bounce/classify.ts'
import { enhancedCodeOf, type SmtpReply } from '../mail/reply.ts'
import { checked, classifyBody } from './input.ts'
import type { Operations } from './operations.ts'
import { toWire } from './wire.ts'

export function classifyOperations({ classifier }: { readonly classifier: Classifier }): Pick<Operations, 'classify'> {
  return {
    classify: async (request) => {
      const { reply, command, mx } = checked(classifyBody, request)
      const cause = { kind: 'reply' as const, reply: readReply(reply), command }
      return toWire({ cause, ...classifier.explain({ cause, ...(mx === undefined ? {} : { mx }) }) })
    },
  }
}

/**
 * A reply as people paste it: with or without the codes on each line, `smtp;` of a DSN's Diagnostic-Code before it
 * (RFC 3464 §2.3.6). Without a basic code the code is 0, which the classifier knows how to take.
 */
export function readReply(text: string): SmtpReply {
  const pasted = text
    .trim()
    .replace(/^smtp\s*;\s*/i, '')
    .split(/\r?\n/)
  const code = Number(/^[2-5]\d\d(?=[ -]|$)/.exec(pasted[0] ?? '')?.[0] ?? 0)
  const lines = pasted.map((line) =>
    code === 0 ? line.trim() : line.trim().replace(new RegExp(`^${code}(?:[ -]|$)`), ''),
  )
  const enhanced = enhancedCodeOf(code, lines[0] ?? '')
  return enhanced === undefined ? { code, lines } : { code, enhanced, lines }
}
