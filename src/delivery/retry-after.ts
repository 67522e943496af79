// "Greylisted, please try again in 5 minutes": the waiting time that a 4xx text names, if it names one.

import type { SmtpReply } from '../mail/reply.ts'
import { HOUR, MINUTE, SECOND } from '../util/clock.ts'

const LONGEST_MS = 24 * HOUR
const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR }
// Between the asking and the time there may be words, but no other number and no end of a sentence.
const ASKED = String.raw`\b(?:try|retry|come\s+back|wait|delay|greylisted|deferred)\b[^.;\d]{0,40}?`

const FORMS: readonly { readonly pattern: RegExp; readonly waitMs: (found: RegExpExecArray) => number }[] = [
  {
    // 451 4.7.1 Greylisting in action, please come back in 00:04:57
    pattern: new RegExp(String.raw`${ASKED}\b(\d{1,2}):(\d\d):(\d\d)\b`, 'i'),
    waitMs: ([, hours, minutes, seconds]) => Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND,
  },
  {
    // 450 4.7.1 try again in 5 minutes · 450 4.2.0 Greylisted for 300 seconds · 421 4.7.0 retry after 2 hours
    pattern: new RegExp(String.raw`${ASKED}\b(\d{1,6})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)\b`, 'i'),
    waitMs: ([, count, unit = 's']) => Number(count) * (UNITS[unit.charAt(0).toLowerCase()] ?? SECOND),
  },
  {
    // 451 Retry-After: 120 · 450 retry in 300
    pattern: /\b(?:retry-after:?|re?try(?:\s+again)?\s+(?:in|after))\s+(\d{1,6})\b(?![.:])/i,
    waitMs: ([, count]) => Number(count) * SECOND,
  },
]

/** Milliseconds, at most a day; undefined when the reply is no 4xx or names no time. A bare number means seconds. */
export function retryAfter(reply: SmtpReply): number | undefined {
  if (reply.code < 400 || reply.code > 499) return undefined
  const text = reply.lines.join(' ').slice(0, 2000)
  for (const { pattern, waitMs } of FORMS) {
    const found = pattern.exec(text)
    if (found === null) continue
    const wait = waitMs(found)
    return wait > 0 ? Math.min(wait, LONGEST_MS) : undefined
  }
  return undefined
}
