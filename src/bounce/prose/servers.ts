// Mail servers whose reports are a list of addresses with reasons, one row each. More specific rows stand first; `opening` is
// looked for in the text with single spaces, wherever its lines were wrapped.

import { type Layout, sectionReader } from './section.ts'

const A = '([^\\s<>"@:;,()]{1,128}@[^\\s<>"@:;,()]{1,255})'
const labelled = (label: string): RegExp => new RegExp(`${label}\\s{0,20}["'<\\[(]{0,3}(?:smtp:)?${A}`, 'i')

export const SERVERS: readonly Layout[] = [
  {
    family: 'postfix',
    opening: /This is (?:the mail system|the Postfix (?:program|mail system)) at host/i,
    closing: /^(?:Reporting-MTA:|-{3,}|#{10,}$)/,
    address: /^ ?<([^\s<>"@]{1,128}@[^\s<>@"]{1,255}|"[^"<>]{1,64}"@[^\s<>@"]{1,255})>(?= ?(?:\([^()]{1,400}\))?:)/,
  },
  {
    family: 'postfix',
    opening:
      /I'm sorry to have to inform you that (?:your message|the message returned below) could not be delivered|your message could not be delivered to one or more recipients/i,
    closing: /^(?:Reporting-MTA:|-{3,})/,
    address: /^ ?<([^\s<>"@]{1,128}@[^\s<>@"]{1,255}|"[^"<>]{1,64}"@[^\s<>@"]{1,255})>(?= ?(?:\([^()]{1,400}\))?:)/,
  },
  {
    family: 'courier',
    opening:
      /running the Courier mail server|UNDELIVERABLE MAIL Your message to the following recipients cannot be delivered|(?:DELAYED|UNDELIVERABLE) MAIL Your message to the following recipients/i,
    closing: /^-{3}\s*$|^If your message was also sent|^The original message follows/i,
    address: /^<([^\s<>"@]{1,128}@[^\s<>@"]{1,255})>:/,
  },
  {
    family: 'opensmtpd',
    opening: /following list of recipients:|This is the MAILER-DAEMON, please DO NOT REPLY/i,
    closing: /^\s{0,8}Below is a copy|^\s{0,8}(?:To|For) help/i,
    address: new RegExp(`^\\s{0,8}<?${A}>?:(?=\\s)`),
  },
  {
    family: 'james',
    opening:
      /(?:Failed recipient\(s\)|Below I include the list of recipients and the reason why I was unable to deliver your message)[.:]/i,
    closing: /^\s*(?:Message details|The original message|Subject:)/i,
    reason:
      /(?:Error message(?: below)?|The remote mail server said|reason was):\s{0,4}(.{1,600}?)(?= Message details:| The original message|$)/i,
  },
  {
    family: 'james',
    opening: /Message details:/i,
    address: labelled('RCPT TO:'),
    reason: /Error message below:\s{0,4}(.{1,600}?) Message details:/i,
    command: 'RCPT',
  },
  {
    family: 'sun-messaging',
    opening:
      /(?:Your message (?:cannot|could not|can not) be delivered to the following recipients?|Your message (?:has been|is being) (?:enqueued|returned)[^:]{0,200}recipients?|This report relates to a message you sent with the following header fields)[^:]{0,60}:/i,
    address: /^\s{0,8}Recipient address:\s{0,8}(?:@[^:\s]{1,255}:)?<?([^\s<>"@]{1,128}@[^\s<>"@]{1,255})/i,
    closing: /^\s{0,8}(?:If you|The mail system will|Return-path:)/i,
  },
  {
    family: 'powermta',
    opening:
      /(?:Immediately below you will find a list of the affected recipients|this is the mail server on \S{1,255} I am sending you this message)/i,
    closing: /^Reporting-MTA|^-{3,}/i,
    address: /^\s{0,8}<([^\s<>"@]{1,128}@[^\s<>@"]{1,255})>/,
  },
  {
    family: 'mdaemon',
    opening:
      /(?:The attached message had PERMANENT fatal delivery errors|YOUR MESSAGE WAS NOT DELIVERED|message has (?:NOT )?been (?:removed from|returned)[^:]{0,200}|Failed address|MDaemon has (?:identified|detected)[^:]{0,200}|following addresses did NOT receive a copy of your message)\W/i,
    address: new RegExp(`(?:Failed address:\\s{0,8}|^\\s{0,4}>\\s{0,4}|^Recipient:\\s{0,8})<?${A}`, 'i'),
    closing: /Session Transcript|^\s*:?\s*Message contains/i,
  },
  {
    family: 'hmailserver',
    opening: /The following recipient\(?s?\)? could not be reached:(?=.{0,600}(?:hMailServer|Error Type:))/i,
    closing: /^hMailServer\s*$/,
  },
  {
    family: 'mailenable',
    opening:
      /(?:Message could not be delivered to some recipients|MailEnable: Message Delivery|The following recipient\(s\) could not be reached:(?=.{0,200}\[SMTP:))/i,
    address: /\[SMTP:([^\s<>"@\]]{1,128}@[^\s<>"@\]]{1,255})\]/i,
    closing: /^Message headers follow/i,
  },
  {
    family: 'smartermail',
    opening:
      /Could not deliver message to the following recipient\(s\):|(?:Delivery|Message) (?:Failure|failed)[^:]{0,80}Failed Recipient/i,
    address: labelled('(?:Failed )?Recipient:'),
    closing: /^\s*-- The header/i,
  },
  {
    family: 'imail',
    opening:
      /(?:User mailbox exceeds allowed size|Invalid final delivery userid|Unknown user|undeliverable to|Delivery failed \d{1,4} attempts?|unknown host)\s?:?\s?["'<]?(?=[^\s<>@"]{1,128}@)/i,
    address: new RegExp(
      `^\\s{0,4}(?:User mailbox exceeds allowed size|Invalid final delivery userid|Unknown user|undeliverable to|Delivery failed \\d{1,4} attempts?|unknown host)\\s?:?\\s{0,4}["'<]?${A}`,
      'i',
    ),
  },
  {
    family: 'communigate',
    opening:
      /Failed to deliver to '|Message delivery to '|Failed to deliver to the domain|delivery to '[^']{1,320}' (?:failed|delayed)/i,
    address: /(?:deliver(?:y)? to|deliver to)\s{0,4}'([^\s'"<>@]{1,128}@[^\s'"<>@]{1,255})'/i,
  },
  {
    family: 'xmail',
    opening: /\[<0\d>\]|XMail bounce:/i,
    address: /Rcpt=\[?<?([^\s<>"@\]]{1,128}@[^\s<>"@\]]{1,255})/i,
    closing: /^\[<05>\]/,
  },
  {
    family: 'surgemail',
    opening: /(?:Surgemail|This is an automated message)[^:]{0,300}(?:could not be delivered|failed)[^:]{0,80}:/i,
  },
  {
    family: 'icewarp',
    opening:
      /(?:Each of the following recipients was rejected by a remote mail server|Message could not be delivered for|Delivery (?:report|failed)[^:]{0,40}IceWarp)[^:]{0,300}:/i,
    address: labelled('Recipient:'),
    closing: /^\s*(?:Please reply|Your message)/i,
  },
  {
    // Openwave InterMail, Netscape Messaging Server and those made from them.
    family: 'intermail',
    opening: /This Message was undeliverable due to the following reasons?:?/i,
    address: new RegExp(
      `(?:Recipient:|^\\s{0,8}(?=<)|^(?=\\S+@\\S+ |Your message to ))\\s{0,20}(?:Your message to )?<?${A}`,
      'i',
    ),
    closing: /^\s*Please (?:reply|contact)/i,
  },
  {
    family: 'intermail',
    opening:
      /The following recipients did not receive (?:this|your|the) message:|Your message was not delivered within/i,
    address: /^\s{0,12}<([^\s<>"@]{1,128}@[^\s<>"@]{1,255})>/,
    closing: /^\s*Please (?:reply|contact)/i,
    reasonBefore: /Remote host|not delivered within|account is|not responding|over quota|disabled|limited/i,
  },
  {
    family: 'smail',
    opening: /failed addresses follow/i,
    address: new RegExp(`^\\s{0,4}<?${A}>?`),
    closing: /message text follows/i,
  },
  {
    family: 'groupwise',
    opening:
      /The message that you sent was undeliverable to the following:|GroupWise[^:]{0,200}(?:undeliverable|could not be delivered)[^:]{0,80}:|Message was not delivered to the following recipients?:/i,
  },
  {
    family: 'amazon-ses',
    opening:
      /An error occurred while trying to deliver the mail to the following recipients:|The message you sent to the following recipients could not be delivered:/i,
  },
  {
    family: 'smtpsvc',
    opening:
      /The e-?mail below could not be delivered to the following users?:|Delivery to the following recipients? (?:failed|was aborted)|Del(?:i|e)very to the following recipients? (?:failed|was aborted|have been delayed|has been delayed)/i,
    closing: /^\s*(?:Old message|-{4,}|Final-Recipient)/i,
  },
  {
    family: 'novell',
    opening:
      /(?:The following (?:user|recipient)s? (?:was|were|is|are) (?:unknown|not found|undeliverable))[^:]{0,60}:/i,
  },
  {
    family: 'x400',
    opening:
      /(?:Your (?:message|report)|This (?:report|message))[^:]{0,200}(?:was not delivered to|could not be delivered to|has not been delivered to|non-?delivery report)[^:]{0,100}:/i,
  },
]

export const serverReaders = SERVERS.map(sectionReader)
