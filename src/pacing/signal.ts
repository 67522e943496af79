// What the outcome of an attempt says about the pace of its path. Most failures say nothing of it: what a receiver answers
// about one recipient, one message or one sender domain would be answered at any pace, and greylisting is asked for by
// waiting, not by slowness.

import { isSilence } from '../bounce/classify.ts'
import type { Category, Verdict } from '../bounce/verdict.ts'
import type { Cause, Outcome } from '../mail/outcome.ts'
import type { SmtpCommand, SmtpReply } from '../mail/reply.ts'
import type { Signal } from './controller.ts'

/** About our pace, our repute or our address. */
const ABOUT_THE_PATH: ReadonlySet<Category> = new Set(['rate-limited', 'spam-related', 'site-unreachable'])
/** Whatever code it is said with. */
const NEVER: ReadonlySet<Category> = new Set(['greylisted', 'too-many-recipients', 'quota-issues', 'local-fault'])
const ENTRANCE: ReadonlySet<SmtpCommand> = new Set(['banner', 'EHLO', 'HELO'])
const LONGEST_LINE = 1000
/** The classifier's rule for "this user gets mail too quickly", which is nobody's fault but the recipient's. */
const RECIPIENT_RULE = 'recipient-too-fast@'

/** Undefined: nothing. `judge` is asked only about failures. */
export function signalOf(outcome: Outcome, judge: (cause: Cause) => Verdict): Signal | undefined {
  switch (outcome.kind) {
    case 'delivered':
      return 'accepted'
    case 'returned':
      return undefined
    default:
      return ofCause(outcome.cause, judge)
  }
}

function ofCause(cause: Cause, judge: (cause: Cause) => Verdict): Signal | undefined {
  if (cause.kind === 'connect' || cause.kind === 'timeout')
    return cause.ours !== true && isSilence(cause) ? 'absent' : undefined
  if (cause.kind !== 'reply') return undefined
  const { reply, command } = cause
  const verdict = verdictOn(cause, judge)
  if (NEVER.has(verdict.category) || isAboutRecipient(reply, verdict)) return undefined
  if (ENTRANCE.has(command) && isDown(reply, verdict)) return 'absent'
  if (reply.code === 421 || ENTRANCE.has(command)) return 'refused'
  if (!ABOUT_THE_PATH.has(verdict.category)) return undefined
  // Spam for good is this message's; only what may be tried again is about more than it.
  return verdict.action === 'fail' ? undefined : 'deferred'
}

/** RFC 3463 §3.4: the system does not take messages, as in a shutdown; it is as if it were not there. */
function isDown({ enhanced }: SmtpReply, { category }: Verdict): boolean {
  return /^4\.3\.[0-2]$/.test(enhanced ?? '') && category !== 'rate-limited' && category !== 'spam-related'
}

const WAITING_TIME =
  /\b(?:please )?(?:re)?try(?: again)? (?:in|after) \d{1,6} ?(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b/gi

/**
 * "Try again in 5 minutes" alone is what greylisting says; beside other words those decide, because a limit names a time
 * as well.
 */
function verdictOn(cause: Extract<Cause, { kind: 'reply' }>, judge: (cause: Cause) => Verdict): Verdict {
  const verdict = judge(cause)
  if (verdict.category !== 'greylisted') return verdict
  const { reply } = cause
  const lines = reply.lines.map((line) => line.slice(0, LONGEST_LINE).replace(WAITING_TIME, ''))
  if (lines.every((line, at) => line === reply.lines[at])) return verdict
  const rest = judge({ ...cause, reply: { ...reply, lines } })
  return rest.category === 'rate-limited' ? rest : verdict
}

/** RFC 3463 §3.3: x.2.x is about the mailbox. */
function isAboutRecipient({ enhanced }: SmtpReply, { fault, rule }: Verdict): boolean {
  return fault === 'recipient' || rule.startsWith(RECIPIENT_RULE) || /^[45]\.2\./.test(enhanced ?? '')
}

/** Whether a waiting time that the reply names is meant for all mail of the path. */
export function isAboutRate(cause: Cause, judge: (cause: Cause) => Verdict): boolean {
  if (cause.kind !== 'reply') return false
  const verdict = verdictOn(cause, judge)
  return verdict.category === 'rate-limited' && !isAboutRecipient(cause.reply, verdict)
}
