// From a behaviour to the bytes of a reply: the family's words, the codes that the recipient's name asks for, and what
// is known at that moment in the places of the text. Pure.

import type { Plan } from './behaviours.ts'
import { type ReplyName, type ReplyTemplate, replyOf, writeReply } from './replies.ts'
import { familyOf, mxHostsOf } from './zone.ts'

/** What the sandbox's hosts call themselves before a recipient is named. */
export const HOST = 'mx.sandbox.test'

export interface Wording {
  readonly name: ReplyName
  readonly plan?: Plan | undefined
  /** '' before one is named. */
  readonly recipient: string
  readonly sender: string
  readonly client: string
  readonly id: string
  /** Epoch seconds. */
  readonly now: number
  /** Until a greylisted recipient is accepted. */
  readonly secondsLeft?: number | undefined
}

/** The reply in the words of the family that the recipient's domain belongs to. */
export function worded({ name, plan, recipient, sender, client, id, now, secondsLeft }: Wording): string {
  const domain = domainPart(recipient).toLowerCase()
  const reply = asAsked(replyOf(name, familyOf(domain)), plan)
  return writeReply(reply, {
    id,
    recipient,
    domain,
    client,
    mx: domain === '' ? HOST : (mxHostsOf(domain)[0] ?? HOST),
    seconds: String(secondsLeft ?? 0),
    'sender-domain': domainPart(sender),
    'seconds-now': String(now),
  })
}

function domainPart(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

/** An enhanced code alone brings its class with it: permfail-4.2.1 is a 450. */
function asAsked(template: ReplyTemplate, plan: Plan | undefined): ReplyTemplate {
  if (plan?.enhanced === undefined) return template
  const code = plan.code ?? (plan.enhanced.startsWith('4') ? 450 : template.code)
  return { code, enhanced: plan.enhanced, lines: template.lines }
}
