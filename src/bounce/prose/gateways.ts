// Filters and gateways in front of mail servers, one row each: they refuse what they have taken, and say so in words of
// their own.

import { type Layout, sectionReader } from './section.ts'

const A = '([^\\s<>"@:;,()]{1,128}@[^\\s<>"@:;,()]{1,255})'

export const GATEWAYS: readonly Layout[] = [
  {
    family: 'ironport',
    opening: /The following message to (?=<?[^\s<>@]{1,128}@)/i,
    address: new RegExp(`message to <?${A}>?(?= was undeliverable| (?:was|is|has been|could))`, 'i'),
    reason: /The reason for the problem:\s{0,4}(.{1,1000})$/i,
  },
  {
    family: 'mailmarshal',
    opening: /(?:The following recipients were affected|Could not be delivered because of)\s?:?/i,
    address: new RegExp(`^\\s{2,12}<?${A}>?\\s*$`),
    closing: /^\s*Additional Information|^\s*Original Sender/i,
    reason:
      /Could not be delivered because of:?\s{0,4}(.{1,800}?)(?= The following recipients| Additional Information|$)/i,
  },
  {
    family: 'surfcontrol',
    opening: /(?:Your message could not be sent|A transcript of the attempts to send the message follows)/i,
    address: new RegExp(
      `^\\s{0,4}(?:Addressed To:|Failed to send to identified host,?)?\\s{0,4}<?${A}>?(?=:|\\s*$)`,
      'i',
    ),
    closing: /^---? ?Message non-deliverable/i,
  },
  {
    family: 'mailfoundry',
    opening: /Unable to deliver message to:\s?(?=<)/i,
    address: new RegExp(`(?:Unable to deliver message to:|^)\\s{0,4}<${A}>`, 'i'),
    reason: /Delivery failed for the following reason:\s{0,4}(.{1,800}?)(?= This has been a permanent failure|$)/i,
  },
  {
    family: 'mcafee',
    opening: /The following addresses had delivery problems/i,
    address: new RegExp(`^\\s{0,8}<${A}>`),
  },
  {
    family: 'interscan',
    opening: /Message from InterScan|InterScan (?:Messaging|E-?Mail|NT|MSS|VirusWall)|Sent <<< RCPT TO:/i,
    address: new RegExp(`(?:Sent <<<|^)\\s{0,4}RCPT TO:\\s{0,2}<?${A}>?`, 'i'),
    closing: /End of message/i,
    command: 'RCPT',
  },
  {
    family: 'mfilter',
    opening: /以下のメールアドレスへの送信に失敗しました。?|次のメールアドレスへの送信に失敗しました/,
    closing: /^-{3,}\s?original mail/i,
  },
  {
    family: 'mimecast',
    opening:
      /(?:Mimecast|The following (?:message|email)[^:]{0,80} (?:was|has been) (?:rejected|held|not delivered)|We were unable to deliver (?:your|the) (?:message|e-?mail) to)[^:]{0,160}:/i,
    address: new RegExp(`^\\s{0,8}(?:Recipients?|To|Intended recipient):?\\s{0,8}<?${A}>?|^\\s{0,8}<?${A}>?\\s*$`, 'i'),
  },
  {
    family: 'barracuda',
    opening:
      /Your message to:?\s(?=<?[^\s<>@]{1,128}@).{1,330}(?:was blocked|was rejected|has been blocked|could not be delivered|was considered)/i,
    address: new RegExp(`Your message to:?\\s{0,4}<?${A}>?`, 'i'),
  },
  {
    family: 'active-hunter',
    opening: /The following addresses had permanent (?:fatal )?errors/i,
    address: new RegExp(`^>>> <?${A}`),
    closing: /original message/i,
  },
  {
    family: 'boxed-status',
    opening: /Delivery to the following recipients failed permanently:/i,
    address: new RegExp(`^\\s{0,4}\\* <?${A}`),
    reason: /Technical details:\s{0,4}(.{1,800}?)(?= ={10,}| -{10,}|$)/i,
  },
  {
    family: 'counted-errors',
    opening: /We had trouble delivering your message|\d+ error\(s\):/i,
    address: new RegExp(
      `(?:returned permanent errors: ?|rejected recipient |returned temporary errors: ?|following recipients? failed: ?)<?${A}`,
      'i',
    ),
    reason: /\d+ error\(s\):\s{0,4}(.{1,1500}?)(?= The attachment contains|$)/i,
  },
]

export const gatewayReaders = GATEWAYS.map(sectionReader)
