// What the classifier says of a reply or report: the bounce-code table as data. `studs bounce classify` explains a row in words.

export type Kind = 'hard' | 'soft' | 'block' | 'other'
export type Fault = 'recipient' | 'recipient-system' | 'sender' | 'content' | 'policy' | 'local' | 'unknown'
export const COARSE_CLASSES = [
  'recipient',
  'inactive',
  'full',
  'domain',
  'size',
  'relay',
  'policy',
  'rate',
  'infra',
  'unknown',
] as const
export type CoarseClass = (typeof COARSE_CLASSES)[number]
/** What the queue does with this message; a 5xx that is about us is not the end of it. */
export type Action = 'fail' | 'retry' | 'retry-elsewhere' | 'slow' | 'suspend'

interface CategoryRow {
  readonly code: number
  readonly kind: Kind
  readonly fault: Fault
  readonly class: CoarseClass
}

/** The stable string keys and their rows. */
export const CATEGORIES = {
  'non-bounce': { code: 0, kind: 'other', fault: 'unknown', class: 'unknown' },
  'bad-mailbox': { code: 10, kind: 'hard', fault: 'recipient', class: 'recipient' },
  'inactive-mailbox': { code: 10, kind: 'hard', fault: 'recipient', class: 'inactive' },
  'bad-domain': { code: 10, kind: 'hard', fault: 'recipient', class: 'domain' },
  transient: { code: 20, kind: 'soft', fault: 'recipient-system', class: 'infra' },
  'routing-issues': { code: 20, kind: 'soft', fault: 'recipient-system', class: 'infra' },
  'bad-connection': { code: 20, kind: 'soft', fault: 'recipient-system', class: 'infra' },
  'dns-failure': { code: 21, kind: 'soft', fault: 'recipient-system', class: 'domain' },
  'quota-issues': { code: 22, kind: 'soft', fault: 'recipient-system', class: 'full' },
  'message-too-large': { code: 23, kind: 'other', fault: 'content', class: 'size' },
  'no-answer-from-host': { code: 29, kind: 'soft', fault: 'recipient-system', class: 'infra' },
  'no-address': { code: 30, kind: 'other', fault: 'unknown', class: 'unknown' },
  other: { code: 40, kind: 'other', fault: 'unknown', class: 'unknown' },
  'protocol-errors': { code: 40, kind: 'other', fault: 'unknown', class: 'infra' },
  'bad-configuration': { code: 40, kind: 'other', fault: 'unknown', class: 'infra' },
  'message-expired': { code: 40, kind: 'other', fault: 'unknown', class: 'infra' },
  'local-fault': { code: 40, kind: 'other', fault: 'local', class: 'infra' },
  'policy-related': { code: 50, kind: 'block', fault: 'policy', class: 'policy' },
  authentication: { code: 50, kind: 'block', fault: 'sender', class: 'policy' },
  'invalid-sender': { code: 50, kind: 'block', fault: 'sender', class: 'policy' },
  'spam-related': { code: 51, kind: 'block', fault: 'sender', class: 'policy' },
  'content-related': { code: 52, kind: 'block', fault: 'content', class: 'policy' },
  'virus-related': { code: 53, kind: 'block', fault: 'content', class: 'policy' },
  'prohibited-attachment': { code: 53, kind: 'block', fault: 'content', class: 'policy' },
  'relaying-issues': { code: 54, kind: 'block', fault: 'recipient-system', class: 'relay' },
  'site-unreachable': { code: 59, kind: 'block', fault: 'sender', class: 'infra' },
  'auto-reply': { code: 60, kind: 'other', fault: 'unknown', class: 'unknown' },
  delayed: { code: 70, kind: 'other', fault: 'unknown', class: 'infra' },
  greylisted: { code: 70, kind: 'other', fault: 'policy', class: 'rate' },
  'rate-limited': { code: 70, kind: 'other', fault: 'sender', class: 'rate' },
  'too-many-recipients': { code: 70, kind: 'other', fault: 'local', class: 'rate' },
  unsubscribe: { code: 90, kind: 'hard', fault: 'recipient', class: 'unknown' },
  'challenge-response': { code: 100, kind: 'other', fault: 'unknown', class: 'unknown' },
  'throttle-expired': { code: 110, kind: 'other', fault: 'local', class: 'infra' },
  'queue-dumped': { code: 120, kind: 'other', fault: 'local', class: 'unknown' },
  'paused-expired': { code: 121, kind: 'other', fault: 'local', class: 'unknown' },
  'inactive-subscriber': { code: 122, kind: 'other', fault: 'recipient', class: 'inactive' },
  'policy-enforced': { code: 123, kind: 'other', fault: 'policy', class: 'policy' },
  'spam-complaint': { code: 200, kind: 'other', fault: 'recipient', class: 'unknown' },
} as const satisfies Record<string, CategoryRow>
export type Category = keyof typeof CATEGORIES

export interface Verdict extends CategoryRow {
  readonly category: Category
  readonly action: Action
  /** Id and version of the rule that decided, e.g. `mailbox-unknown@1`; `default` when none matched. */
  readonly rule: string
}
