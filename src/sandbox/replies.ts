// What the pretend receivers say, by family of receiver, in the words such receivers really use. Data only: which reply
// belongs to which behaviour stands in behaviours.ts. `{name}` places are filled in when the reply is said.
// Invariant: the family `postfix` has every reply; the others fall back on it.

export type Family = 'google' | 'microsoft' | 'yahoo' | 'exim' | 'postfix'

/** A reply before its places are filled in: the code, the enhanced code if the receiver gives one, and the lines. */
export interface ReplyTemplate {
  readonly code: number
  readonly enhanced?: string
  readonly lines: readonly string[]
}

function say(codes: string, ...lines: string[]): ReplyTemplate {
  const [code, enhanced] = codes.split(' ')
  return { code: Number(code), ...(enhanced === undefined ? {} : { enhanced }), lines }
}

const POSTFIX = {
  ok: say('250 2.0.0', 'Ok: queued as {id}'),
  'user-unknown': say('550 5.1.1', '<{recipient}>: Recipient address rejected: User unknown in virtual mailbox table'),
  'mailbox-full': say('452 4.2.2', '<{recipient}>: Recipient address rejected: Mailbox is full'),
  'mailbox-full-hard': say(
    '552 5.2.2',
    '<{recipient}>: Recipient address rejected: Quota exceeded (mailbox for user is full)',
  ),
  inactive: say('550 5.2.1', '<{recipient}>: Recipient address rejected: This mailbox has been disabled'),
  greylist: say('450 4.2.0', '<{recipient}>: Recipient address rejected: Greylisted for {seconds} seconds'),
  tempfail: say('451 4.3.0', '<{recipient}>: Temporary lookup failure'),
  'blocked-ip': say(
    '550 5.7.1',
    'Service unavailable; Client host [{client}] blocked using zen.spamhaus.org; Listed by SBL, see https://check.spamhaus.org/query/ip/{client}',
  ),
  spam: say('550 5.7.1', 'Message content rejected, spam detected (score 15.2)'),
  dmarc: say('550 5.7.26', 'Message rejected by the DMARC policy of {sender-domain}'),
  'rate-limited': say('421 4.7.28', '{mx} Error: too many messages from {client}, rate limit exceeded'),
  'too-large': say('552 5.3.4', 'Message size exceeds fixed limit'),
  'relay-denied': say('554 5.7.1', '<{recipient}>: Relay access denied'),
  'no-service': say('554 5.7.1', '{mx} No SMTP service here for {client}'),
  'too-busy': say('421 4.3.2', '{mx} Service not available, too many connections'),
  'tls-unavailable': say('454 4.7.0', 'TLS not available due to local problem'),
  'unknown-command': say('502 5.5.2', 'Error: command not recognized'),
  asked: say('550 5.0.0', 'Refused, as the name of the recipient asks for'),
} as const satisfies Record<string, ReplyTemplate>

export type ReplyName = keyof typeof POSTFIX

const GOOGLE: Partial<Record<ReplyName, ReplyTemplate>> = {
  ok: say('250 2.0.0', 'OK  {seconds-now} {id} - gsmtp'),
  'user-unknown': say(
    '550 5.1.1',
    'The email account that you tried to reach does not exist. Please try',
    "double-checking the recipient's email address for typos or",
    'unnecessary spaces. For more information, go to',
    ' https://support.google.com/mail/?p=NoSuchUser {id} - gsmtp',
  ),
  'mailbox-full': say(
    '452 4.2.2',
    "The recipient's inbox is out of storage space. Please direct the",
    'recipient to',
    ' https://support.google.com/mail/?p=OverQuotaTemp {id} - gsmtp',
  ),
  'mailbox-full-hard': say(
    '552 5.2.2',
    "The recipient's inbox is out of storage space. Please direct the",
    'recipient to',
    ' https://support.google.com/mail/?p=OverQuotaPerm {id} - gsmtp',
  ),
  inactive: say(
    '550 5.2.1',
    'The email account that you tried to reach is inactive. For more',
    'information, go to https://support.google.com/mail/?p=DisabledUser {id} - gsmtp',
  ),
  tempfail: say(
    '451 4.3.0',
    'Mail server temporarily rejected message. For more information, go to',
    ' https://support.google.com/a/answer/3221692 {id} - gsmtp',
  ),
  'blocked-ip': say(
    '550 5.7.1',
    '[{client}      19] Gmail has detected that this message is likely',
    'suspicious due to the very low reputation of the sending IP address.',
    'To best protect our users from spam, the message has been blocked.',
    'For more information, go to',
    ' https://support.google.com/mail/answer/188131 {id} - gsmtp',
  ),
  spam: say(
    '550 5.7.1',
    '[{client}      12] Our system has detected that this message is',
    'likely unsolicited mail. To reduce the amount of spam sent to Gmail,',
    'this message has been blocked. For more information, go to',
    ' https://support.google.com/mail/?p=UnsolicitedMessageError {id} - gsmtp',
  ),
  dmarc: say(
    '550 5.7.26',
    'Unauthenticated email from {sender-domain} is not accepted due to',
    "domain's DMARC policy. Please contact the administrator of",
    '{sender-domain} domain if this was a legitimate mail. To learn about',
    'the DMARC initiative, go to',
    ' https://support.google.com/mail/?p=DmarcRejection {id} - gsmtp',
  ),
  'rate-limited': say(
    '421 4.7.28',
    'Gmail has detected an unusual rate of unsolicited mail originating',
    'from your IP address. To protect our users from spam, mail sent',
    'from your IP address has been temporarily rate limited. For more',
    'information, go to',
    ' https://support.google.com/mail/?p=UnsolicitedRateLimitError {id} - gsmtp',
  ),
  'too-large': say(
    '552 5.3.4',
    "Your message exceeded Google's message size limits. For more",
    'information, go to https://support.google.com/mail/?p=MaxSizeError {id} - gsmtp',
  ),
}

const MICROSOFT: Partial<Record<ReplyName, ReplyTemplate>> = {
  ok: say('250 2.6.0', '<{id}@{mx}> [InternalId={seconds-now}, Hostname={mx}] Queued mail for delivery'),
  'user-unknown': say('550 5.5.0', 'Requested action not taken: mailbox unavailable (S2017062302). [{mx}]'),
  'mailbox-full': say('452 4.2.2', "The recipient's mailbox is full and can't accept messages now. [{mx}]"),
  'mailbox-full-hard': say(
    '554 5.2.2',
    'mailbox full; STOREDRV.Deliver; recipient mailbox exceeded its storage quota [{mx}]',
  ),
  inactive: say('550 5.2.1', 'Mailbox cannot be accessed: the account has been disabled. [{mx}]'),
  tempfail: say('451 4.7.0', 'Temporary server error. Please try again later. PRX5 [{mx}]'),
  'blocked-ip': say(
    '550 5.7.1',
    "Unfortunately, messages from [{client}] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [{mx}]",
  ),
  spam: say('550 5.7.1', 'Message rejected as spam by Content Filtering. [{mx}]'),
  dmarc: say(
    '550 5.7.509',
    'Access denied, sending domain {sender-domain} does not pass DMARC verification and has a DMARC policy of reject. [{mx}]',
  ),
  'rate-limited': say(
    '421',
    'RP-001 ({mx}) The mail server IP connecting to Outlook.com server has exceeded the rate limit allowed.',
  ),
  'too-large': say('552 5.3.4', 'Message size exceeds fixed maximum message size'),
  'relay-denied': say('550 5.7.64', 'TenantAttribution; Relay Access Denied [{mx}]'),
}

const YAHOO: Partial<Record<ReplyName, ReplyTemplate>> = {
  ok: say('250', 'ok dirdel'),
  'user-unknown': say('554', "delivery error: dd This user doesn't have a {domain} account ({recipient}) [0] - {mx}"),
  'mailbox-full-hard': say('552', '1 Requested mail action aborted: exceeded storage allocation (mailbox full) - {mx}'),
  inactive: say('554', 'delivery error: dd This mailbox is disabled ({recipient}) [-2] - {mx}'),
  'blocked-ip': say(
    '553 5.7.1',
    "[BL21] Connections will not be accepted from {client}, because the ip is in Spamhaus's list; see https://senders.yahooinc.com/error-codes#BL21",
  ),
  spam: say('554 5.7.9', 'Message not accepted for policy reasons. See https://senders.yahooinc.com/error-codes'),
  'rate-limited': say(
    '421 4.7.0',
    '[TSS04] Messages from {client} temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://senders.yahooinc.com/error-codes',
  ),
}

const EXIM: Partial<Record<ReplyName, ReplyTemplate>> = {
  ok: say('250', 'OK id={id}'),
  'user-unknown': say('550', 'No such user here'),
  'mailbox-full': say('452', '<{recipient}> mailbox is over quota, please try again later'),
  'mailbox-full-hard': say('552', '<{recipient}> mailbox is over quota'),
  greylist: say('451', '{client} is greylisted for {recipient}, please come back in {seconds} seconds'),
  tempfail: say('451', 'Temporary local problem - please try later'),
  'blocked-ip': say('550', 'JunkMail rejected - [{client}] is in an RBL: https://www.spamhaus.org/query/ip/{client}'),
  spam: say('550', 'This message was classified as SPAM and may not be delivered'),
  'too-large': say('552', 'Message size exceeds maximum permitted'),
  'relay-denied': say('550', 'relay not permitted'),
}

const BY_FAMILY: Record<Family, Partial<Record<ReplyName, ReplyTemplate>>> = {
  google: GOOGLE,
  microsoft: MICROSOFT,
  yahoo: YAHOO,
  exim: EXIM,
  postfix: POSTFIX,
}

/** What is known when a reply is said; a place that has no value stays empty. */
export type Places = Readonly<Record<string, string>>

export function replyOf(name: ReplyName, family: Family): ReplyTemplate {
  return BY_FAMILY[family][name] ?? POSTFIX[name]
}

/** The bytes on the wire: every line with code, separator and enhanced code, as big receivers write it (RFC 5321 §4.2.1). */
export function writeReply(reply: ReplyTemplate, places: Places): string {
  const status = reply.enhanced === undefined ? '' : `${reply.enhanced} `
  const last = reply.lines.length - 1
  return reply.lines
    .map((line, index) => `${reply.code}${index === last ? ' ' : '-'}${status}${filled(line, places)}\r\n`)
    .join('')
}

function filled(line: string, places: Places): string {
  return line.includes('{') ? line.replace(/\{([a-z-]+)\}/g, (_, name: string) => places[name] ?? '') : line
}
