// The handbook of bounces, as data: what every code and category means, what happened and what to do about it. `studs
// bounce explain` prints from it, and docs/bounces.md is generated from it (handbook-markdown.ts), so the two cannot differ.

import { CATEGORIES, type Category } from '../bounce/verdict.ts'

export interface CodeEntry {
  readonly code: number
  readonly label: string
  /** What it does to the address, in a sentence. */
  readonly address: string
}

const STRIKES = 'A strike per message; three strikes, a day or more apart, suppress.'

export const CODES: readonly CodeEntry[] = [
  { code: 0, label: 'Non-bounce', address: 'Nothing happens to the address.' },
  { code: 10, label: 'Bad email address', address: 'The address is suppressed at once.' },
  { code: 20, label: 'Temporary failure, general', address: STRIKES },
  {
    code: 21,
    label: 'Temporary failure, DNS',
    address: 'A strike per message, as for code 20; a domain found gone twice, a day or more apart, becomes code 10.',
  },
  { code: 22, label: 'Mailbox full', address: STRIKES },
  { code: 23, label: 'Message too large', address: 'Never suppresses.' },
  { code: 29, label: 'Unable to connect', address: STRIKES },
  { code: 30, label: 'Bounce with no address', address: 'Never suppresses.' },
  { code: 40, label: 'General bounce', address: 'Never suppresses.' },
  { code: 50, label: 'Mail block, general', address: 'Never suppresses.' },
  { code: 51, label: 'Mail block, known spammer', address: 'Never suppresses; the path slows down or rests.' },
  { code: 52, label: 'Mail block, spam detected', address: 'Never suppresses.' },
  { code: 53, label: 'Mail block, attachment or virus', address: 'Never suppresses.' },
  { code: 54, label: 'Mail block, relay denied', address: 'Never suppresses.' },
  { code: 59, label: 'Mail block, unable to connect', address: 'Never suppresses.' },
  { code: 60, label: 'Auto-reply', address: 'Never suppresses.' },
  { code: 70, label: 'Transient bounce', address: 'Never suppresses.' },
  { code: 90, label: 'Unsubscribe request', address: 'The address is suppressed for the tenant at once.' },
  { code: 100, label: 'Challenge-response', address: 'Never suppresses.' },
  { code: 110, label: 'Over throttle limit', address: 'Never suppresses.' },
  { code: 120, label: 'Queue dumped', address: 'Never suppresses.' },
  { code: 121, label: 'Delivery paused, then expired', address: 'Never suppresses.' },
  {
    code: 122,
    label: 'Suppressed: inactive subscriber',
    address: 'The address is suppressed already: an import or your app said so.',
  },
  { code: 123, label: 'Blocked by policy', address: 'Never suppresses.' },
  {
    code: 200,
    label: 'Spam complaint',
    address: 'The address is suppressed at once, and only comes back with --force and a reason.',
  },
]

export interface CategoryEntry {
  /** What happened, beyond the one sentence of meaning.ts. */
  readonly happened: string
  readonly cure: string
}

export const HANDBOOK: Readonly<Record<Category, CategoryEntry>> = {
  'non-bounce': {
    happened: 'The mail that came back is an ordinary answer or a notice of success.',
    cure: 'Nothing.',
  },
  'bad-mailbox': {
    happened:
      'Said for good. Some receivers use other codes for it, and some say it of everybody during an outage; the spike breaker holds suppressions back then.',
    cure: 'Take the address off your lists. Many at once point to a typed or bought list: confirm addresses when they are entered.',
  },
  'inactive-mailbox': {
    happened: 'It was there once. Some receivers turn such addresses into spam traps later.',
    cure: 'Take the address off your lists, and stop mailing people who have not opened anything for a long time.',
  },
  'bad-domain': {
    happened: 'It says so itself (null MX, RFC 7505), or was found gone twice, a day or more apart.',
    cure: 'Take its addresses off your lists; look for typing errors such as gmial.com where they are entered. When a provider closes a domain, suppress it as a whole: studs suppress add @example.net.',
  },
  transient: {
    happened: 'Overload, maintenance, no disk, a broken filter or directory.',
    cure: 'Nothing; it is tried again. If it lasts, write to their postmaster from elsewhere.',
  },
  'routing-issues': {
    happened: 'The mail went in circles there, or its servers could not reach each other.',
    cure: 'Nothing on your side, unless the loop has your own host in it: then a static route or an MX points back to you.',
  },
  'bad-connection': {
    happened: 'It broke in the middle of the dialogue, or the receiver could not reach its own next server.',
    cure: 'Nothing, if it is rare. Always at the same size: look for a firewall or path MTU problem. Always at one site: it may cut off senders that it does not trust.',
  },
  'dns-failure': {
    happened: 'It does not exist, has no mail server, or its name servers do not answer.',
    cure: 'Look for typing errors in the address. If many good domains fail, your resolver is broken: see delivery.resolvers.',
  },
  'quota-issues': {
    happened: 'Some people clear it out in a day; many have stopped reading it.',
    cure: 'Nothing. A mailbox that stays full is abandoned; three messages that fail so, a day or more apart, suppress it.',
  },
  'message-too-large': {
    happened: 'It need not be the whole: a single line or the header may be too long.',
    cure: 'Send a link instead of the file. Encoded attachments grow by a third; 10 MB is safe nearly everywhere.',
  },
  'no-answer-from-host': {
    happened: 'None could be connected to, and nobody is known to have reached one lately.',
    cure: 'Nothing; if it is true of every site, port 25 is closed on your way out: ask your provider.',
  },
  'no-address': {
    happened: 'Nothing else in it leads to a message of ours either.',
    cure: 'Look at it with studs bounce show; studs bounce review lets you decide.',
  },
  other: {
    happened: 'The codes beside them say no more than "no".',
    cure: 'studs bounce unknown lists such replies; write a rule of your own for those that come often, and report them.',
  },
  'protocol-errors': {
    happened: 'One of them did not keep to the protocol, or an extension is missing that the message needs.',
    cure: 'Look at the whole dialogue with studs message ID. A filter in between (a firewall that "inspects" SMTP) is a frequent cause.',
  },
  'bad-configuration': {
    happened:
      'TLS or AUTH between the two servers does not work out: an expired certificate, a login that is not taken.',
    cure: 'With a smarthost: its user name and password. With tls = "required": the certificate of the receiver, or the setting.',
  },
  'message-expired': {
    happened: 'It, or the next server, ran out of time without a last word that says more.',
    cure: 'Look at what happened before with studs message ID.',
  },
  'local-fault': {
    happened: 'Nothing was wrong with the recipient or the message.',
    cure: 'See the log; studs status tells the state of the store. Nobody is suppressed for it.',
  },
  'policy-related': {
    happened: 'Strangers may not write to the address, TLS is demanded, or no reason is given.',
    cure: 'Read the reply: it often has a link. If it began on one day at one provider, see what to do when a provider changes its policy.',
  },
  authentication: {
    happened: 'A check of these did not pass, or no reverse name leads back to the sending address.',
    cure: 'Check the DNS records of the sender domain, that the sending addresses stand in SPF, and that the PTR record of each leads to its EHLO name.',
  },
  'invalid-sender': {
    happened: 'Envelope sender or From: its domain does not resolve, or the address is blocked.',
    cure: 'The return-path domain needs an MX or A record, and the From address should exist: some receivers ask.',
  },
  'spam-related': {
    happened: 'It asks a public block list, or remembers complaints, traps and unknown users of the past.',
    cure: 'See "When an address of yours is listed". The message is tried from another source if there is one.',
  },
  'content-related': {
    happened: 'Words or links look like it to a filter, or the message is built in a way that it does not like.',
    cure: 'Send the same mail to a mailbox of your own there. Links, link shorteners, the domain in From and missing plain text are the usual reasons.',
  },
  'virus-related': {
    happened: 'A scanner found, or believes it found, a virus or phishing.',
    cure: 'Scan the machine that made the message. A link to a hacked site is enough.',
  },
  'prohibited-attachment': {
    happened: 'Programs, scripts and archives with a password are the usual ones.',
    cure: 'Send a link, or another kind of file.',
  },
  'relaying-issues': {
    happened: 'It does not know the domain as one of its own.',
    cure: 'Its MX record points to the wrong place, which only they can mend; or a static route of yours does.',
  },
  'site-unreachable': {
    happened: 'Others reach it, or we did a while ago; it drops our connections.',
    cure: 'Try from another address. If only one source is concerned, it is blocked: see "When an address of yours is listed".',
  },
  'auto-reply': { happened: 'The mail itself was delivered.', cure: 'Nothing.' },
  delayed: { happened: 'It sent a notice to say so.', cure: 'Nothing; wait for the last word.' },
  greylisted: {
    happened: 'It defers senders that it has not met yet.',
    cure: 'Nothing: the next attempt gets through. Sending from the same address each time helps.',
  },
  'rate-limited': {
    happened: 'Too many messages, connections or recipients in a time, for us or for the mailbox.',
    cure: 'Studs slows down by itself. Lower the limits of the provider, and warm new addresses up slowly.',
  },
  'too-many-recipients': {
    happened: 'More recipients in one transaction or session than the receiver takes.',
    cure: 'Nothing: the others follow in further transactions.',
  },
  unsubscribe: {
    happened: 'By the unsubscribe link or address of the message.',
    cure: 'Take the address off the list that it was on; an event tells your app.',
  },
  'challenge-response': {
    happened: 'A service in between asks for it before it lets mail through.',
    cure: 'Open the link in the report if the recipient matters (studs bounce show); do not do so by machine.',
  },
  'throttle-expired': {
    happened: 'More mail was for the site than the limits let through.',
    cure: 'Raise the limits, add sources, or give the message a longer life.',
  },
  'queue-dumped': { happened: 'Somebody dropped it: studs message ID tells who and why.', cure: 'Nothing.' },
  'paused-expired': {
    happened: 'An operator held it, or the way to its site was paused.',
    cure: 'Release what is held in time: studs queue list --held.',
  },
  'inactive-subscriber': {
    happened: 'The entry was imported or set by your app.',
    cure: 'Nothing, or remove the entry when the subscriber comes back.',
  },
  'policy-enforced': {
    happened: 'One such rule is role_addresses = "refuse", for abuse@ and postmaster@.',
    cure: 'Change the rule, if the mail is wanted.',
  },
  'spam-complaint': {
    happened: 'By pressing "this is spam"; the provider sent a feedback report (ARF).',
    cure: 'Take the address off every list. More than one complaint in a thousand messages endangers your delivery: make leaving easier than complaining.',
  },
}

export function categoriesOf(code: number): Category[] {
  return (Object.keys(CATEGORIES) as Category[]).filter((category) => CATEGORIES[category].code === code)
}
