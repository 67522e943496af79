// What other systems call our categories, for people and programs that know theirs: a table, beside verdict.ts. Two of
// theirs may be one of ours and the other way round; each category has the nearest.

import type { Category } from './verdict.ts'

export interface Names {
  /** Bounce classification code. */
  readonly sparkpost: number
  /** Classification of its bounce classifier, or the record type. */
  readonly kumomta: string
  /** Bounce type. */
  readonly postmark: string
  /** bounceType/bounceSubType. */
  readonly ses: string
  /** The reason as marketing tools list it. */
  readonly marketing: 'unknown user' | 'mailbox full' | 'content' | 'spam' | 'policy' | 'other'
}

type Row = readonly [sparkpost: number, kumomta: string, postmark: string, ses: string, marketing: Names['marketing']]

const ROWS: Readonly<Record<Category, Row>> = {
  'non-bounce': [1, 'Uncategorized', 'Unknown', 'Undetermined', 'other'],
  'bad-mailbox': [10, 'InvalidRecipient', 'HardBounce', 'Permanent/General', 'unknown user'],
  'inactive-mailbox': [10, 'InactiveMailbox', 'HardBounce', 'Permanent/General', 'unknown user'],
  'bad-domain': [10, 'BadDomain', 'HardBounce', 'Permanent/General', 'unknown user'],
  transient: [20, 'TransientFailure', 'SoftBounce', 'Transient/General', 'other'],
  'routing-issues': [20, 'RoutingErrors', 'SoftBounce', 'Transient/General', 'other'],
  'bad-connection': [20, 'BadConnection', 'SoftBounce', 'Transient/General', 'other'],
  'dns-failure': [21, 'DNSFailure', 'DnsError', 'Transient/General', 'other'],
  'quota-issues': [22, 'QuotaIssues', 'SoftBounce', 'Transient/MailboxFull', 'mailbox full'],
  'message-too-large': [23, 'PolicyRelated', 'SoftBounce', 'Transient/MessageTooLarge', 'content'],
  'no-answer-from-host': [20, 'NoAnswerFromHost', 'SoftBounce', 'Transient/General', 'other'],
  'no-address': [30, 'Uncategorized', 'Unknown', 'Undetermined', 'other'],
  other: [1, 'Uncategorized', 'Unknown', 'Undetermined', 'other'],
  'protocol-errors': [40, 'ProtocolErrors', 'SoftBounce', 'Undetermined', 'other'],
  'bad-configuration': [25, 'BadConfiguration', 'SoftBounce', 'Undetermined', 'other'],
  'message-expired': [24, 'MessageExpired', 'SoftBounce', 'Transient/General', 'other'],
  'local-fault': [25, 'BadConfiguration', 'SoftBounce', 'Undetermined', 'other'],
  'policy-related': [50, 'PolicyRelated', 'Blocked', 'Transient/ContentRejected', 'policy'],
  authentication: [50, 'AuthenticationFailed', 'DMARCPolicy', 'Transient/ContentRejected', 'policy'],
  'invalid-sender': [25, 'InvalidSender', 'SoftBounce', 'Undetermined', 'policy'],
  'spam-related': [51, 'SpamBlock', 'Blocked', 'Transient/General', 'spam'],
  'content-related': [52, 'SpamContent', 'SpamNotification', 'Transient/ContentRejected', 'content'],
  'virus-related': [53, 'VirusRelated', 'VirusNotification', 'Transient/AttachmentRejected', 'content'],
  'prohibited-attachment': [53, 'ProhibitedAttachment', 'VirusNotification', 'Transient/AttachmentRejected', 'content'],
  'relaying-issues': [54, 'RelayDenied', 'SoftBounce', 'Transient/General', 'policy'],
  'site-unreachable': [50, 'NoAnswerFromHost', 'Blocked', 'Transient/General', 'policy'],
  'auto-reply': [60, 'AutoReply', 'AutoResponder', 'Transient/General', 'other'],
  delayed: [70, 'TransientFailure', 'Transient', 'DeliveryDelay', 'other'],
  greylisted: [70, 'TransientFailure', 'Transient', 'DeliveryDelay', 'other'],
  'rate-limited': [70, 'TransientFailure', 'Transient', 'DeliveryDelay', 'other'],
  'too-many-recipients': [70, 'TooManyRecipients', 'Transient', 'DeliveryDelay', 'other'],
  unsubscribe: [90, 'Unsubscribe', 'Unsubscribe', 'Complaint/opt-out', 'other'],
  'challenge-response': [100, 'ChallengeResponse', 'ChallengeVerification', 'Transient/General', 'other'],
  'throttle-expired': [24, 'MessageExpired', 'SoftBounce', 'Transient/General', 'other'],
  'queue-dumped': [25, 'AdminBounce', 'ManuallyDeactivated', 'Undetermined', 'other'],
  'paused-expired': [24, 'MessageExpired', 'SoftBounce', 'Transient/General', 'other'],
  'inactive-subscriber': [25, 'AdminBounce', 'ManuallyDeactivated', 'Permanent/OnAccountSuppressionList', 'other'],
  'policy-enforced': [25, 'AdminBounce', 'ManuallyDeactivated', 'Permanent/Suppressed', 'policy'],
  'spam-complaint': [51, 'Feedback', 'SpamComplaint', 'Complaint/abuse', 'spam'],
}

export function namesOf(category: Category): Names {
  const [sparkpost, kumomta, postmark, ses, marketing] = ROWS[category]
  return { sparkpost, kumomta, postmark, ses, marketing }
}
