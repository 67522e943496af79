// What verdicts and reports mean, in a few words each: for the timeline of a message, `studs bounce classify` and lists.

import type { ReportKind } from '../bounce/report.ts'
import type { Action, Category, Verdict } from '../bounce/verdict.ts'

export const MEANINGS: Readonly<Record<Category, string>> = {
  'non-bounce': 'This is no failure.',
  'bad-mailbox': 'There is no such mailbox.',
  'inactive-mailbox': 'The mailbox is closed or abandoned.',
  'bad-domain': 'The domain does not exist or takes no mail.',
  transient: 'A passing trouble at the receiver.',
  'routing-issues': 'The receiver could not pass the mail on to where the mailbox is.',
  'bad-connection': 'The connection to the receiver broke.',
  'dns-failure': 'The domain could not be looked up.',
  'quota-issues': 'The mailbox is full.',
  'message-too-large': 'The message is larger than the receiver takes.',
  'no-answer-from-host': 'No mail server of the domain answers.',
  'no-address': 'A report that names no address.',
  other: 'No rule knows these words.',
  'protocol-errors': 'The two servers did not understand each other.',
  'bad-configuration': 'The receiver is set up wrongly.',
  'message-expired': 'The message was tried for its whole life.',
  'local-fault': 'The fault is on our side: our network, our name server or our configuration.',
  'policy-related': 'A rule of the receiver forbids this mail.',
  authentication: 'SPF, DKIM, DMARC or the reverse DNS name did not satisfy the receiver.',
  'invalid-sender': 'The receiver does not accept the sender address.',
  'spam-related': 'The receiver blocks our IP address or domain for its reputation.',
  'content-related': 'The receiver takes the content for spam.',
  'virus-related': 'The receiver takes the content for a virus.',
  'prohibited-attachment': 'The receiver does not take this kind of attachment.',
  'relaying-issues': 'The server does not take mail for this domain.',
  'site-unreachable': 'A site that is alive does not answer us: it blocks our IP address.',
  'auto-reply': 'An automatic answer, such as a holiday notice.',
  delayed: 'The next server still tries to deliver.',
  greylisted: 'The receiver wants to see the message again in some minutes.',
  'rate-limited': 'The receiver limits how fast we may send.',
  'too-many-recipients': 'Too many recipients at one time; the others follow later.',
  unsubscribe: 'The recipient asked not to get such mail any more.',
  'challenge-response': 'The recipient wants proof that a person sent this.',
  'throttle-expired': 'Our own limits held the message for its whole life.',
  'queue-dumped': 'An operator took the message out of the queue.',
  'paused-expired': 'Delivery was paused until the life of the message ended.',
  'inactive-subscriber': 'The app says that the subscriber is no longer active.',
  'policy-enforced': 'A rule of this relay forbids this mail.',
  'spam-complaint': 'The recipient reported the mail as spam.',
}

export const ACTION_MEANINGS: Readonly<Record<Action, string>> = {
  fail: 'The message fails for this recipient.',
  retry: 'The message is tried again later.',
  'retry-elsewhere': 'The message is tried again at another MX or from another source.',
  slow: 'The message is tried again, and mail to this site slows down.',
  suspend: 'The message is tried again, and the path to this site rests for a while.',
}

export const REPORT_KIND_NAMES: Readonly<Record<ReportKind, string>> = {
  dsn: 'delivery report',
  complaint: 'complaint',
  'auto-reply': 'automatic answer',
  challenge: 'challenge',
  unsubscribe: 'unsubscribe request',
  receipt: 'receipt',
  aggregate: 'aggregate report',
  mail: 'ordinary mail',
  unknown: 'unreadable mail',
}

/** How a report was found to be about its recipient. Journals may hold words of other versions. */
export const EVIDENCE_MEANINGS: Readonly<Record<string, string>> = {
  'return-path': 'it came to the signed return path',
  token: 'it carries our signed token',
  'message-id': 'it names the Message-ID and the recipient',
  address: 'it names the address and the subject',
}

/** What `return-path` means for an unsubscribe request: there are two ways, with one token. */
export const UNSUBSCRIBE_MEANING = 'it came to the signed unsubscribe address or link'

/** What a message that ends so does to the address (suppression/policy.ts decides, this says it). */
export function addressMeaning({ category, kind, fault }: Pick<Verdict, 'category' | 'kind' | 'fault'>): string {
  if (category === 'spam-complaint' || category === 'unsubscribe') return 'The address is suppressed at once.'
  if (kind === 'hard' && fault === 'recipient') return 'The address is suppressed at once when the message fails so.'
  if (kind === 'soft' && fault === 'recipient-system') {
    return 'When the message ends so, the address gets a strike; three of them, a day or more apart, suppress it.'
  }
  return 'The address is not suppressed for this.'
}
