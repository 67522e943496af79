// The pretend internet's repertoire as data: the local part of a recipient (`greylist-300s+tag@any.test`) or, for what
// happens before a recipient is named, its domain (`tls-broken.test`) decides what a pretend MX does, at which command,
// in which words. docs/sandbox.md lists this table; a test compares them. An unknown local part is a good mailbox.

import { parseDuration } from '../config/units.ts'
import { MINUTE, SECOND } from '../util/clock.ts'
import type { ReplyName } from './replies.ts'

/** Where it happens: at a command, within the body (`body`) or after the final dot (`dot`). */
export type Stage = 'connect' | 'greeting' | 'EHLO' | 'STARTTLS' | 'RCPT' | 'DATA' | 'body' | 'dot'

/**
 * accept: deliver · reply: refuse with `reply` · wait: answer late, then go on as usual · reset: cut the connection ·
 * silence: never answer again · garbage: bytes that are no SMTP (no TLS, at STARTTLS) · hide: an extension is not offered ·
 * echo: say the client's name as our own · absent: nothing listens.
 */
export type Deed = 'accept' | 'reply' | 'wait' | 'reset' | 'silence' | 'garbage' | 'hide' | 'echo' | 'absent'

/** What kind of mail a recipient answers with; report-mail.ts composes it. */
export type ReportName =
  | 'ndr'
  | 'full-ndr'
  | 'delay'
  | 'mimecast'
  | 'qmail'
  | 'exchange'
  | 'complaint'
  | 'vacation'
  | 'challenge'
  | 'unsubscribe'
  | 'forged-ndr'
  | 'wrong-name'

export interface Behaviour {
  /** As written in an address; `<duration>`, `<times>`, `<code>` and `<enhanced>` stand for parameters. */
  readonly name: string
  readonly by: 'recipient' | 'domain'
  readonly at: Stage
  readonly does: Deed
  readonly reply?: ReplyName
  /** deed hide: the EHLO keyword. */
  readonly hides?: string
  /** The deed ends after this long since first sight, or this many times, per sender and recipient; then it is ok. */
  readonly until?: { readonly ms?: number; readonly times?: number }
  /** Delay of deed wait. */
  readonly delayMs?: number
  /** Only on a connection under TLS; in plaintext the recipient is ok. */
  readonly underTls?: true
  /** Delivered, and then answered by a mail to the relay: needs somewhere to send it (`studs sandbox --report-to`). */
  readonly report?: ReportName
  /** The message is in the inbox although the client saw no success. */
  readonly keeps?: true
  readonly what: string
}

const recipient = (name: string, at: Stage, row: Omit<Behaviour, 'name' | 'by' | 'at'>): Behaviour => ({
  name,
  by: 'recipient',
  at,
  ...row,
})
const domain = (name: string, at: Stage, row: Omit<Behaviour, 'name' | 'by' | 'at'>): Behaviour => ({
  name,
  by: 'domain',
  at,
  ...row,
})

const reports = (...rows: readonly (readonly [name: string, report: ReportName, what: string])[]): Behaviour[] =>
  rows.map(([name, report, what]) => recipient(name, 'dot', { does: 'accept', report, what }))

export const BEHAVIOURS: readonly Behaviour[] = [
  recipient('ok', 'dot', { does: 'accept', what: 'Delivered, like every local part that is not in this table.' }),
  recipient('user-unknown', 'RCPT', { does: 'reply', reply: 'user-unknown', what: 'There is no such mailbox.' }),
  recipient('mailbox-full', 'RCPT', { does: 'reply', reply: 'mailbox-full', what: 'Over quota, for now.' }),
  recipient('mailbox-full-hard', 'RCPT', {
    does: 'reply',
    reply: 'mailbox-full-hard',
    what: 'Over quota, refused for good.',
  }),
  recipient('inactive', 'RCPT', { does: 'reply', reply: 'inactive', what: 'The mailbox is disabled.' }),
  recipient('greylist-<duration>', 'RCPT', {
    does: 'reply',
    reply: 'greylist',
    until: { ms: 5 * MINUTE },
    what: 'Refused until this long after the first try of the same sender and recipient (greylist-300s, greylist-2s).',
  }),
  recipient('greylist', 'RCPT', {
    does: 'reply',
    reply: 'greylist',
    until: { ms: 5 * MINUTE },
    what: 'As greylist-300s.',
  }),
  recipient('tempfail', 'RCPT', { does: 'reply', reply: 'tempfail', what: 'A temporary failure, always.' }),
  recipient('tempfail-<times>', 'RCPT', {
    does: 'reply',
    reply: 'tempfail',
    until: { times: 1 },
    what: 'A temporary failure this many times, then delivered (tempfail-3).',
  }),
  recipient('permfail-<enhanced>', 'RCPT', {
    does: 'reply',
    reply: 'asked',
    what: '550 with this enhanced code (permfail-5.1.1).',
  }),
  recipient('reply-<code>-<enhanced>', 'RCPT', {
    does: 'reply',
    reply: 'asked',
    what: 'This reply to RCPT (reply-451-4.7.1).',
  }),
  recipient('dot-<code>-<enhanced>', 'dot', {
    does: 'reply',
    reply: 'asked',
    what: 'This reply after the final dot (dot-554-5.7.1).',
  }),
  recipient('relay-denied', 'RCPT', {
    does: 'reply',
    reply: 'relay-denied',
    what: 'The receiver does not know the domain as its own.',
  }),
  recipient('blocked-ip', 'RCPT', { does: 'reply', reply: 'blocked-ip', what: 'Our address is on a block list.' }),
  recipient('rate-limited', 'RCPT', {
    does: 'reply',
    reply: 'rate-limited',
    what: 'Too much mail from our address; the connection is closed.',
  }),
  recipient('spam', 'dot', { does: 'reply', reply: 'spam', what: 'The content is taken for spam.' }),
  recipient('dmarc', 'dot', { does: 'reply', reply: 'dmarc', what: 'SPF and DKIM do not vouch for the From domain.' }),
  recipient('too-large', 'dot', {
    does: 'reply',
    reply: 'too-large',
    what: 'The message is too large, whatever its size.',
  }),
  recipient('slow', 'dot', {
    does: 'wait',
    delayMs: 10 * SECOND,
    what: 'Delivered, with the reply 10 s after the final dot.',
  }),
  recipient('slow-<duration>', 'dot', {
    does: 'wait',
    delayMs: 10 * SECOND,
    what: 'Delivered, with the reply this long after the final dot (slow-5s).',
  }),
  recipient('bad-reply', 'RCPT', { does: 'garbage', what: 'The answer to RCPT is no SMTP reply.' }),
  recipient('drop-at-rcpt', 'RCPT', { does: 'reset', what: 'The connection is cut at RCPT.' }),
  recipient('drop-in-data', 'body', { does: 'reset', what: 'The connection is cut while the message is sent.' }),
  recipient('silent-after-dot', 'dot', {
    does: 'silence',
    what: 'The final dot is never answered; the message is not kept.',
  }),
  recipient('drop-after-dot', 'dot', {
    does: 'reset',
    keeps: true,
    what: 'The connection is cut after the final dot. The message IS in the inbox: each retry makes a duplicate.',
  }),
  recipient('tls-broken', 'RCPT', {
    does: 'reset',
    underTls: true,
    what: 'Under TLS the connection breaks; delivered without TLS. For a broken handshake see the domain of this name.',
  }),
  ...reports(
    ['late-ndr', 'ndr', 'Delivered, then a bounce (RFC 3464) to the envelope sender: no such mailbox.'],
    ['late-ndr-<enhanced>', 'ndr', 'As late-ndr, with this status (late-ndr-5.7.1).'],
    ['late-full', 'full-ndr', 'Delivered, then a bounce: the mailbox is full.'],
    ['qmail', 'qmail', "Delivered, then a bounce in qmail's own format."],
    ['exchange', 'exchange', "Delivered, then a bounce in an old Exchange server's prose."],
    [
      'mimecast',
      'mimecast',
      'Delivered, then a bounce to the address of the From header, as a separate mail that answers nothing.',
    ],
    ['wrong-name', 'wrong-name', 'Delivered, then a bounce to the envelope sender that names somebody else.'],
    ['forged-ndr', 'forged-ndr', 'Delivered, then a bounce to a return path whose signature is wrong.'],
    ['delayed-then-ok', 'delay', 'Delivered, then a notice of delay, then nothing more.'],
    ['vacation', 'vacation', 'Delivered, then an out-of-office reply to the envelope sender.'],
    ['challenge', 'challenge', 'Delivered, then a challenge: prove that you are human.'],
    ['fbl', 'complaint', 'Delivered, then a spam complaint (ARF) to fbl@ the domain of the envelope sender.'],
    ['unsubscribe', 'unsubscribe', 'Delivered, then a mail to the mailto of List-Unsubscribe, if the message has one.'],
  ),
  domain('greeting-554', 'greeting', { does: 'reply', reply: 'no-service', what: 'Refuses in the banner.' }),
  domain('greeting-421', 'greeting', { does: 'reply', reply: 'too-busy', what: 'Too busy, in the banner.' }),
  domain('no-greeting', 'greeting', { does: 'silence', what: 'Accepts the connection and never says a word.' }),
  domain('tls-broken', 'STARTTLS', { does: 'garbage', what: 'Offers STARTTLS, then sends bytes that are no TLS.' }),
  domain('tls-unavailable', 'STARTTLS', {
    does: 'reply',
    reply: 'tls-unavailable',
    what: 'Offers STARTTLS, then refuses it.',
  }),
  domain('no-starttls', 'EHLO', { does: 'hide', hides: 'STARTTLS', what: 'Does not offer STARTTLS.' }),
  domain('no-8bitmime', 'EHLO', { does: 'hide', hides: '8BITMIME', what: 'Does not offer 8BITMIME.' }),
  domain('no-smtputf8', 'EHLO', { does: 'hide', hides: 'SMTPUTF8', what: 'Does not offer SMTPUTF8.' }),
  domain('no-ehlo', 'EHLO', { does: 'reply', reply: 'unknown-command', what: 'Knows HELO, not EHLO.' }),
  domain('loop', 'EHLO', { does: 'echo', what: 'Names itself as its client does, as a relay that meets itself.' }),
  domain('refused', 'connect', { does: 'absent', what: 'The address exists, nothing listens there.' }),
]

/** What one recipient makes happen: its behaviour with the parameters in its local part. */
export interface Plan {
  readonly behaviour: Behaviour
  readonly until?: { readonly ms?: number; readonly times?: number }
  readonly delayMs: number
  readonly code?: number
  readonly enhanced?: string
}

const PARAMETERS: Record<string, string> = {
  '<duration>': '(?<duration>\\d+(?:\\.\\d+)?(?:ms|s|m|h))',
  '<times>': '(?<times>\\d{1,4})',
  '<code>': '(?<code>[45]\\d\\d)',
  '<enhanced>': '(?<enhanced>[245]\\.\\d{1,3}\\.\\d{1,3})',
}

const ofRecipients = BEHAVIOURS.filter((behaviour) => behaviour.by === 'recipient')
const FIXED = new Map(
  ofRecipients.filter(({ name }) => !name.includes('<')).map((behaviour) => [behaviour.name, plan(behaviour, {})]),
)
const WITH_PARAMETERS = ofRecipients
  .filter(({ name }) => name.includes('<'))
  .map((behaviour) => ({
    behaviour,
    pattern: new RegExp(`^${behaviour.name.replace(/<[a-z]+>/g, (parameter) => PARAMETERS[parameter] ?? '')}$`),
  }))
const OF_HOSTS = new Map(BEHAVIOURS.filter(({ by }) => by === 'domain').map((behaviour) => [behaviour.name, behaviour]))

function plan(behaviour: Behaviour, found: Readonly<Record<string, string | undefined>>): Plan {
  const durationMs = found.duration === undefined ? undefined : parseDuration(found.duration)
  const times = found.times === undefined ? undefined : Number(found.times)
  const until =
    times !== undefined
      ? { times }
      : behaviour.until?.ms !== undefined
        ? { ms: durationMs ?? behaviour.until.ms }
        : behaviour.until
  return {
    behaviour,
    delayMs: durationMs ?? behaviour.delayMs ?? 0,
    ...(until === undefined ? {} : { until }),
    ...(found.code === undefined ? {} : { code: Number(found.code) }),
    ...(found.enhanced === undefined ? {} : { enhanced: found.enhanced }),
  }
}

const OK = plan({ name: 'ok', by: 'recipient', at: 'dot', does: 'accept', what: '' }, {})

/** What a recipient with this local part makes happen. Case and everything from the first `+` do not matter. */
export function planFor(localPart: string): Plan {
  const name = localPart.toLowerCase().split('+', 1)[0] ?? ''
  const fixed = FIXED.get(name)
  if (fixed !== undefined) return fixed
  for (const { behaviour, pattern } of WITH_PARAMETERS) {
    const match = pattern.exec(name)
    if (match !== null) return plan(behaviour, match.groups ?? {})
  }
  return OK
}

/** The host behaviour that a domain such as `tls-broken.test` or `mx.tls-broken.test` names, by the label before the last. */
export function hostBehaviourFor(domainName: string): Behaviour | undefined {
  return OF_HOSTS.get(domainName.toLowerCase().split('.').at(-2) ?? '')
}

export const HOST_BEHAVIOURS: readonly Behaviour[] = [...OF_HOSTS.values()]
