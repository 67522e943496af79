// Challenge-response: systems that want the sender to prove that he is human. The link is kept for the operator; nothing
// ever follows it.

import type { Found } from './found.ts'
import type { OpenMail } from './open-mail.ts'
import { comesFromMachine, isDaemon } from './sender.ts'

interface ChallengeSystem {
  readonly family: string
  readonly fields?: readonly string[]
  readonly from?: RegExp
  readonly words?: RegExp
}

const SYSTEMS: readonly ChallengeSystem[] = [
  {
    family: 'tmda',
    fields: ['x-tmda-fingerprint', 'x-delivery-agent'],
    words: /\bTMDA\b|tagged message delivery agent/i,
  },
  { family: 'spamarrest', from: /@(?:\w+\.)*spamarrest\.com$/i, words: /spamarrest\.com\/(?:a2|verify|\w+\?)/i },
  { family: 'boxbe', from: /@(?:\w+\.)*boxbe\.com$/i, words: /boxbe\.com\/(?:vcr|crs|\w*verif|anno)/i },
  { family: 'earthlink', words: /spamblocker-challenge@|webmail\.earthlink\.net\/wam\/addme/i },
  { family: 'sendio', words: /\bSendio\b.{0,200}\bverif/i },
  { family: 'mailinblack', words: /mailinblack\.com/i },
  { family: 'mailfrontier', words: /mailfrontier/i },
  { family: 'bluebottle', from: /@bluebottle\.com$/i, words: /bluebottle\.com\/.{0,80}verif/i },
  { family: 'digiportal', words: /choicemail/i },
  { family: 'uol-antispam', words: /antispam\.uol\.com\.br|tira-?teima/i },
  { family: 'active-spam-killer', words: /active spam killer/i },
  { family: 'qconfirm', words: /\bqconfirm\b|qsecretary/i },
  { family: 'cleanmail', words: /spamidentifier\.com|0spam\.com/i },
]

/** What challenges ask for, in the common languages; strong enough only together with the sign of a machine and a way to obey. */
const ASKS: readonly RegExp[] = [
  /(?:confirm|verify|prove|authenticate)\w* (?:that )?(?:you(?:r|'re| are)?|the sender|this (?:e-?mail|message)|yourself).{0,120}(?:deliver|inbox|human|real person|approved|allowed|mailbox|whitelist|safe list|reach|not (?:a )?(?:spam|robot|machine))/i,
  /(?:message|e-?mail|mail) (?:that )?(?:you (?:just )?sent|has been|is being|was|is) .{0,60}(?:held|quarantined|waiting|queued|pending).{0,240}(?:confirm|verif|click|reply to this|prove)/i,
  /(?:one[- ]time|sender) (?:verification|confirmation|authentication).{0,200}(?:click|reply|link)/i,
  /(?:you(?:'re| are) not (?:yet )?(?:on|in) (?:my|his|her|their|the recipient's).{0,60}(?:list|contacts)|unknown senders?).{0,240}(?:confirm|verif|click|reply to this)/i,
  /best(?:ä|ae)tigen sie.{0,120}(?:absender|nachricht|mensch|zustell)/i,
  /confirme[rz]?.{0,80}(?:exp(?:é|e)diteur|adresse|envoi).{0,160}(?:cliqu|lien)/i,
  /confirm(?:e|ar).{0,80}(?:remitente|remetente|mensaje|mensagem).{0,160}(?:clic|enlace|link)/i,
]
const URL = /https?:\/\/[^\s<>"')\]]{4,1000}/g
const TELLING_URL = /confirm|verif|challenge|approve|authenticate|whitelist|release|captcha|addme|cr[sp]?\b|human/i
const MAX_WORDS = 8000

/** The systems known by name; asked before failure in words, because they too say that the mail was not delivered. */
export function readKnownChallenge(mail: OpenMail): Found | undefined {
  if (mail.root.type === 'multipart/report' || isDaemon(mail.from, mail.headers.get('from'))) return undefined
  const words = mail.words.slice(0, MAX_WORDS)
  const system = SYSTEMS.find((one) => isOf(one, mail, words))
  const link = linkIn(words)
  const isOne = system !== undefined && (link !== undefined || ASKS.some((pattern) => pattern.test(words)))
  return isOne ? challenge(system.family, link) : undefined
}

/** Any other that asks for proof and offers a way to give it. */
export function readChallenge(mail: OpenMail): Found | undefined {
  const words = mail.words.slice(0, MAX_WORDS)
  if (!looksAnswered(mail) || !ASKS.some((pattern) => pattern.test(words))) return undefined
  const link = linkIn(words)
  return link !== undefined || /repl(?:y|ying) to this/i.test(words) ? challenge('challenge', link) : undefined
}

function challenge(family: string, link: string | undefined): Found {
  return { kind: 'challenge', family, ...(link === undefined ? {} : { link }) }
}

function isOf(system: ChallengeSystem, mail: OpenMail, words: string): boolean {
  if (
    system.fields?.some(
      (field) => mail.headers.has(field) && /tmda|^[\w./+=-]{20,}$/i.test(mail.headers.get(field) ?? ''),
    )
  )
    return true
  if (system.from?.test(mail.from)) return true
  return system.words?.test(words) === true && looksAnswered(mail)
}

/** It answers one mail of ours, or no person sent it; a newsletter about such systems does neither. */
function looksAnswered(mail: OpenMail): boolean {
  const { headers } = mail
  if (headers.has('list-id') || headers.has('list-unsubscribe')) return false
  return (
    comesFromMachine(mail) || headers.has('in-reply-to') || headers.has('references') || /^re\s*:/i.test(mail.subject)
  )
}

function linkIn(words: string): string | undefined {
  const links = (words.match(URL) ?? []).map((link) => link.replace(/[.,;:!?]+$/, ''))
  return links.find((link) => TELLING_URL.test(link)) ?? links[0]
}
