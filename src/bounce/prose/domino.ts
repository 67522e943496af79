// Lotus Notes and Domino: "Your message … was not delivered to: … because: …" in the language of the server, and the old
// "Failure Reasons" of the SMTP gateway, where the reason stands above the address. Notes names stand for addresses at times;
// then the reason has the address in parentheses.

import { addressesIn, isPublic } from './address.ts'
import { recipientFrom } from './facts.ts'
import { saysDelay } from './phrases.ts'
import type { ProseReader, Words } from './prose.ts'
import { addressLine, finding } from './section.ts'

// [before the addresses, before the reason]
const WORDS: readonly (readonly [RegExp, RegExp])[] = [
  [/^\s*(?:was not|has not been|could not be|is not) delivered to:?\s*$/i, /^\s*because(?: of)?:?\s*$/i],
  [
    /^\s*(?:wurde|konnte|ist) (?:nicht|folgenden? .{1,40} nicht).{0,60}(?:an|zugestellt|werden|zu)\s?:?\s*$/i,
    /^\s*(?:weil|da|grund|wegen)\s?:?\s*$/i,
  ],
  [
    /^\s*n'a pas (?:été|pu être) (?:remis|distribué|délivré|livré|transmis).{0,30}\s?:?\s*$/i,
    /^\s*(?:parce que|car|raison|en raison de|motif)\s?:?\s*$/i,
  ],
  [
    /^\s*no (?:se|ha|fue|pudo).{0,30}(?:entreg|envi)\S{0,6}.{0,20}:?\s*$/i,
    /^\s*(?:porque|debido a(?: que)?|motivo|razón)\s?:?\s*$/i,
  ],
  [
    /^\s*non (?:è|e'|è stato|ha|può).{0,40}(?:consegnat|recapitat|inviat)\S{0,3}.{0,12}:?\s*$/i,
    /^\s*(?:perché|perchè|a causa di|in quanto|motivo)\s?:?\s*$/i,
  ],
  [/^\s*não (?:foi|pôde|pode).{0,30}entregue.{0,12}:?\s*$/i, /^\s*(?:porque|devido a|pois|motivo)\s?:?\s*$/i],
  [/^\s*(?:is|kon|werd) niet (?:bezorgd|afgeleverd|besteld).{0,30}:?\s*$/i, /^\s*(?:omdat|reden|vanwege)\s?:?\s*$/i],
  [
    /^\s*(?:kunde inte|har inte|blev ikke|ble ikke|blev inte|kunne ikke|levererades inte).{0,40}:?\s*$/i,
    /^\s*(?:eftersom|därför att|orsak|fordi|på grund av|på grunn av|årsag|årsak)\s?:?\s*$/i,
  ],
  [/^\s*nie (?:został|zostal|została|mógł).{0,30}:?\s*$/i, /^\s*(?:ponieważ|gdyż|powód)\s?:?\s*$/i],
  [
    /^.{0,30}не (?:был|было|может быть|доставлен).{0,40}:?\s*$/i,
    /^\s*(?:потому что|так как|причина|поскольку|по причине)\s?:?\s*$/i,
  ],
  [
    /^.{0,40}(?:配信|送信|配布|送達).{0,20}(?:ません|できない|なかった).{0,10}[:：]?\s*$/,
    /^\s*(?:理由|原因|次の理由|なぜなら).{0,20}[:：]?\s*$/,
  ],
  [
    /^.{0,30}(?:未|没有|無法|无法).{0,12}(?:传递|送达|传送|傳遞|送達|傳送).{0,12}[:：]?\s*$/,
    /^\s*(?:因为|因為|原因|由于).{0,6}[:：]?\s*$/,
  ],
]
const FAILURE_REASONS = /^\W{0,12}Failure Reasons?\W{0,12}$/i
const MAX_NAMES = 20

export const domino: ProseReader = {
  family: 'domino',
  read(words) {
    if (!words.machine) return undefined
    return delivered(words) ?? failureReasons(words)
  },
}

function delivered(words: Words): ReturnType<ProseReader['read']> {
  for (const [to, because] of WORDS) {
    const start = words.own.findIndex((line) => to.test(line))
    if (start < 0) continue
    const middle = words.own.findIndex((line, index) => index > start && because.test(line))
    if (middle < 0 || middle - start > 2 * MAX_NAMES) continue
    const names = words.own.slice(start + 1, middle).filter((line) => line.trim() !== '')
    const reason = firstParagraph(words.own.slice(middle + 1))
    const listed = names.flatMap((line) => addressesIn(line).filter(isPublic).slice(0, 1))
    // Names without a domain: the server says whom it did not find in parentheses.
    const addresses = listed.length > 0 ? listed : addressesIn(reason.join(' ')).slice(0, 1)
    if (addresses.length === 0) continue
    const action = saysDelay(words.subject, words.flow) ? 'delayed' : 'failed'
    const recipients = addresses.map((address) => recipientFrom({ address, words: reason, action }))
    return finding({ family: 'domino', recipients, words })
  }
  return undefined
}

function failureReasons(words: Words): ReturnType<ProseReader['read']> {
  const start = words.own.findIndex((line) => FAILURE_REASONS.test(line))
  if (start < 0) return undefined
  let reason: string[] = []
  const recipients = words.own.slice(start + 1, start + 1 + 4 * MAX_NAMES).flatMap((line) => {
    const found = addressLine(line)
    if (found?.rest === '') return [recipientFrom({ address: found.address, words: reason, action: 'failed' })]
    if (line.trim() !== '') reason = /^\s*-{4,}/.test(line) ? [] : [line.trim()]
    return []
  })
  return recipients.length === 0 ? undefined : finding({ family: 'notes', recipients, words })
}

function firstParagraph(lines: readonly string[]): string[] {
  const start = lines.findIndex((line) => line.trim() !== '')
  if (start < 0) return []
  const end = lines.findIndex((line, index) => index > start && line.trim() === '')
  return lines.slice(start, end < 0 ? start + 8 : Math.min(end, start + 8)).map((line) => line.trim())
}
