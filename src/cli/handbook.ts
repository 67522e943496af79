// The handbook of bounces, as data: what every code and category means, what happened and what to do about it. `studs
// bounce explain` prints from it, and docs/bounces.md is generated from it (handbook-markdown.ts), so the two cannot differ.

import { CATEGORIES, type Category } from '../bounce/verdict.ts'

export interface CodeEntry {
  readonly code: number
  readonly label: string
  /** What it does to the address, in a sentence. */
  readonly address: string
}

export const CODES: readonly CodeEntry[] = [
  { code: 0, label: 'Non-bounce', address: 'Nothing happens to the address.' },
  { code: 10, label: 'Bad email address', address: 'The address is suppressed at the first time.' },
  { code: 20, label: 'Temporary failure, general', address: 'A strike per message; three strikes suppress.' },
  {
    code: 21,
    label: 'Temporary failure, DNS',
    address: 'A strike per message; a domain found gone twice, a day or more apart, becomes code 10.',
  },
  { code: 22, label: 'Mailbox full', address: 'A strike per message; three strikes suppress.' },
  { code: 23, label: 'Message too large', address: 'Never suppresses.' },
  { code: 29, label: 'Unable to connect', address: 'A strike per message; three strikes suppress.' },
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
    address: 'Is a suppression, made by an import or by your app.',
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
      'The receiver said for good that it has no such user. Some say so with other codes, and some say it of everybody during an outage; the spike breaker holds suppressions back then.',
    cure: 'Take the address off your lists. Many at once point to a typed or bought list: confirm addresses when they are entered.',
  },
  'inactive-mailbox': {
    happened:
      'The mailbox was there and is closed, disabled or abandoned; some receivers turn such addresses into spam traps later.',
    cure: 'Take the address off your lists, and stop mailing people who have not opened anything for a long time.',
  },
  'bad-domain': {
    happened:
      'The domain says itself that it takes no mail (null MX, RFC 7505), or was found gone twice, a day or more apart.',
    cure: 'Take its addresses off your lists; look for typing errors such as gmial.com where they are entered. When a provider closes a domain, suppress it as a whole: studs suppress add @example.net.',
  },
  transient: {
    happened: 'The receiver had a fault of its own: overload, maintenance, no disk, a broken filter or directory.',
    cure: 'Nothing; it is tried again. If it lasts, write to their postmaster from elsewhere.',
  },
  'routing-issues': {
    happened: 'The mail went in circles at the receiver, or its servers could not reach each other.',
    cure: 'Nothing on your side, unless the loop has your own host in it: then a static route or an MX points back to you.',
  },
  'bad-connection': {
    happened:
      'The connection broke in the middle of the dialogue, or the receiver could not reach its own next server.',
    cure: 'Nothing, if it is rare. Always at the same size: look for a firewall or path MTU problem. Always at one site: it may cut off senders that it does not trust.',
  },
  'dns-failure': {
    happened: 'The domain does not exist, has no mail server, or its name servers do not answer.',
    cure: 'Look for typing errors in the address. If many good domains fail, your resolver is broken: see delivery.resolvers.',
  },
  'quota-issues': {
    happened: 'There is no room in the mailbox.',
    cure: 'Nothing. A mailbox that stays full is abandoned; three messages in a row suppress it.',
  },
  'message-too-large': {
    happened: 'The message, or a line or header of it, is larger than the receiver takes.',
    cure: 'Send a link instead of the file. Encoded attachments grow by a third; 10 MB is safe nearly everywhere.',
  },
  'no-answer-from-host': {
    happened: 'No mail server of the domain could be connected to, and nobody is known to have reached it lately.',
    cure: 'Nothing; if it is true of every site, port 25 is closed on your way out: ask your provider.',
  },
  'no-address': {
    happened: 'A report came back that names no recipient and carries nothing that leads to a message of ours.',
    cure: 'Look at it with studs bounce show; studs bounce review lets you decide.',
  },
  other: {
    happened: 'No rule knows the words, and the codes say no more than "no".',
    cure: 'studs bounce unknown lists such replies; write a rule of your own for those that come often, and report them.',
  },
  'protocol-errors': {
    happened: 'One of the two servers did not keep to the protocol, or an extension is missing that the message needs.',
    cure: 'Look at the whole dialogue with studs message ID. A filter in between (a firewall that "inspects" SMTP) is a frequent cause.',
  },
  'bad-configuration': {
    happened:
      'TLS or AUTH between the two servers does not work out: an expired certificate, a login that is not taken.',
    cure: 'With a smarthost: its user name and password. With tls = "required": the certificate of the receiver, or the setting.',
  },
  'message-expired': {
    happened: 'The message, or the next server, ran out of time without a last word that says more.',
    cure: 'Look at what happened before with studs message ID.',
  },
  'local-fault': {
    happened: 'Our own network, resolver, store or configuration was the reason.',
    cure: 'See the log; studs status tells the state of the store. Nobody is suppressed for it.',
  },
  'policy-related': {
    happened:
      'A rule of the receiver forbids the mail: strangers may not write to the address, TLS is demanded, or no reason is given.',
    cure: 'Read the reply: it often has a link. If it began on one day at one provider, see what to do when a provider changes its policy.',
  },
  authentication: {
    happened: 'SPF, DKIM or DMARC did not pass, or the sending address has no reverse name that leads back to it.',
    cure: 'Check the DNS records of the sender domain, that the sending addresses stand in SPF, and that the PTR record of each leads to its EHLO name.',
  },
  'invalid-sender': {
    happened:
      'The receiver does not take our envelope sender or From address: its domain does not resolve, or the address is blocked.',
    cure: 'The return-path domain needs an MX or A record, and the From address should exist: some receivers ask.',
  },
  'spam-related': {
    happened: 'It asks a public block list, or remembers complaints, traps and unknown users of the past.',
    cure: 'See "When an address of yours is listed". The message is tried from another source if there is one.',
  },
  'content-related': {
    happened: 'A filter takes the content for spam, or the message is built in a way that it does not like.',
    cure: 'Send the same mail to a mailbox of your own there. Links, link shorteners, the domain in From and missing plain text are the usual reasons.',
  },
  'virus-related': {
    happened: 'A scanner found, or believes it found, a virus or phishing.',
    cure: 'Scan the machine that made the message. A link to a hacked site is enough.',
  },
  'prohibited-attachment': {
    happened: 'The receiver does not take this kind of file: programs, scripts, archives with a password.',
    cure: 'Send a link, or another kind of file.',
  },
  'relaying-issues': {
    happened: 'The server does not know the domain as one of its own.',
    cure: 'Its MX record points to the wrong place, which only they can mend; or a static route of yours does.',
  },
  'site-unreachable': {
    happened: 'The site is alive, for others or a while ago, and does not answer us: it drops our connections.',
    cure: 'Try from another address. If only one source is concerned, it is blocked: see "When an address of yours is listed".',
  },
  'auto-reply': { happened: 'A holiday notice or another machine answered.', cure: 'Nothing.' },
  delayed: { happened: 'The next server sent a notice that it still tries.', cure: 'Nothing; wait for the last word.' },
  greylisted: {
    happened: 'The receiver defers senders that it has not met yet.',
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
    happened: 'The recipient used the unsubscribe link or address of the message.',
    cure: 'Take the address off the list that it was on; an event tells your app.',
  },
  'challenge-response': {
    happened: 'A service between us and the recipient wants a person to confirm the sender.',
    cure: 'Open the link in the report if the recipient matters (studs bounce show); do not do so by machine.',
  },
  'throttle-expired': {
    happened: 'Our own limits for the site held the message for its whole life.',
    cure: 'Raise the limits, add sources, or give the message a longer life.',
  },
  'queue-dumped': { happened: 'Somebody dropped it: studs message ID tells who and why.', cure: 'Nothing.' },
  'paused-expired': {
    happened: 'The message was held, or the way to its site was paused, until its life ended.',
    cure: 'Release what is held in time: studs queue list --held.',
  },
  'inactive-subscriber': {
    happened: 'The entry was imported or set by your app.',
    cure: 'Nothing, or remove the entry when the subscriber comes back.',
  },
  'policy-enforced': {
    happened: 'A rule of this relay forbids it, such as role_addresses = "refuse" for abuse@ and postmaster@.',
    cure: 'Change the rule, if the mail is wanted.',
  },
  'spam-complaint': {
    happened: 'The recipient pressed "this is spam", and the provider sent a feedback report (ARF).',
    cure: 'Take the address off every list. More than one complaint in a thousand messages endangers your delivery: make leaving easier than complaining.',
  },
}

export function categoriesOf(code: number): Category[] {
  return (Object.keys(CATEGORIES) as Category[]).filter((category) => CATEGORIES[category].code === code)
}
