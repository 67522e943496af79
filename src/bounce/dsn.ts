// The machine-readable part of a delivery status notification (RFC 3464, RFC 6533), strict and in the broken forms that
// are sent: groups without blank lines between them or torn by one, misspelt actions, types left out, folding lost.

import { addressesInText, cleanAddress, isAddress, sameAddress } from './mailboxes.ts'
import { oneLine, replyIn } from './quoted-reply.ts'
import type { DsnAction, ReportedRecipient } from './report.ts'

export const MAX_RECIPIENTS = 100
const MAX_LINES = 20_000
const FIELD = /^([A-Za-z][A-Za-z0-9-]{2,60})[ \t]*:(.*)$/
const ADDRESS_FIELDS: ReadonlySet<string> = new Set(['final-recipient', 'original-recipient', 'x-actual-recipient'])
const RECIPIENT_FIELDS: ReadonlySet<string> = new Set([
  ...ADDRESS_FIELDS,
  'action',
  'status',
  'remote-mta',
  'diagnostic-code',
  'last-attempt-date',
  'final-log-id',
  'will-retry-until',
  'localized-diagnostic',
])
const MESSAGE_FIELDS: ReadonlySet<string> = new Set([
  'reporting-mta',
  'original-envelope-id',
  'dsn-gateway',
  'received-from-mta',
  'arrival-date',
])
/** These alone, said a second time, begin another recipient where the blank line is missing. */
const OPENING_FIELDS: ReadonlySet<string> = new Set([...ADDRESS_FIELDS, 'action', 'status'])

type Fields = Map<string, string>

export interface DeliveryStatus {
  readonly recipients: readonly ReportedRecipient[]
  readonly envelopeId?: string
}

/** Whether text holds the fields of RFC 3464, whatever it is called. */
export function looksLikeDeliveryStatus(text: string): boolean {
  return (
    /^(?:Final|Original)-Recipient[ \t]*:[ \t]*\S/im.test(text) &&
    /^(?:Action|Status|Diagnostic-Code)[ \t]*:/im.test(text)
  )
}

/** Reads the content of a delivery-status part. */
export function readDeliveryStatus(content: string): DeliveryStatus {
  // Indented or quoted as a whole.
  const isPlain = /^(?:Final|Original)-Recipient[ \t]*:/im.test(content)
  const { message, groups } = fieldGroups(isPlain ? content : content.replace(/^[ \t>|]+/gm, ''))
  const recipients: ReportedRecipient[] = []
  for (const group of groups) {
    const recipient = recipientOf(group)
    if (recipient === undefined) continue
    const same = recipients.findIndex((known) => sameAddress(known.address, recipient.address))
    if (same < 0) recipients.push(recipient)
    else recipients[same] = moreTelling(recipients[same] ?? recipient, recipient)
    if (recipients.length >= MAX_RECIPIENTS) break
  }
  const envelopeId = message.get('original-envelope-id')
  return { recipients, ...(envelopeId ? { envelopeId: oneLine(envelopeId).slice(0, 255) } : {}) }
}

/** One address named twice: a failure tells more than what came before it. */
function moreTelling(known: ReportedRecipient, other: ReportedRecipient): ReportedRecipient {
  if (known.action !== 'failed' && other.action === 'failed') return other
  return known.diagnostic === '' && other.action === known.action ? { ...known, diagnostic: other.diagnostic } : known
}

function fieldGroups(content: string): { message: Fields; groups: readonly Fields[] } {
  const message: Fields = new Map()
  const groups: Fields[] = []
  let group: Fields = new Map()
  let last: { fields: Fields; name: string } | undefined
  let isParted = false
  for (const line of content.split('\n', MAX_LINES)) {
    if (line.trim() === '') {
      isParted = true
      last = undefined
      continue
    }
    const [, written = '', value = ''] = FIELD.exec(line) ?? []
    const name = written.toLowerCase()
    if (name === '' || (!name.includes('-') && !RECIPIENT_FIELDS.has(name))) {
      // Folded, or what follows where the folding was lost.
      if (last !== undefined) last.fields.set(last.name, `${last.fields.get(last.name) ?? ''} ${line.trim()}`)
      continue
    }
    if (MESSAGE_FIELDS.has(name)) {
      if (!message.has(name)) message.set(name, value.trim())
      last = { fields: message, name }
      continue
    }
    if (beginsGroup(group, name, isParted)) {
      groups.push(group)
      group = new Map()
    }
    isParted = false
    if (!group.has(name)) group.set(name, value.trim())
    last = { fields: group, name }
  }
  groups.push(group)
  return { message, groups: mended(groups) }
}

function beginsGroup(group: Fields, name: string, isParted: boolean): boolean {
  if (group.size === 0) return false
  if (isParted && (group.has(name) || ADDRESS_FIELDS.has(name))) return hasAddress(group) || group.has(name)
  return OPENING_FIELDS.has(name) && group.has(name)
}

function hasAddress(group: Fields): boolean {
  return [...ADDRESS_FIELDS].some((name) => group.has(name))
}

/** A group that names nobody belongs to the one before it, which a blank line tore in two. */
function mended(groups: readonly Fields[]): readonly Fields[] {
  const whole: Fields[] = []
  for (const group of groups) {
    const before = whole.at(-1)
    if (before === undefined || hasAddress(group) || !hasAddress(before)) whole.push(group)
    else for (const [name, value] of group) if (!before.has(name)) before.set(name, value)
  }
  return whole
}

function recipientOf(group: Fields): ReportedRecipient | undefined {
  if (!hasAddress(group)) return undefined
  const final = typedAddress(group.get('final-recipient'))
  const original = typedAddress(group.get('original-recipient'))
  const actual = typedAddress(group.get('x-actual-recipient'))
  const address = addressOf([final, original, actual])
  const diagnostic = diagnosticOf(group.get('diagnostic-code'))
  const quoted = replyIn(diagnostic)
  const status = statusOf({ field: group.get('status'), quoted: quoted.enhanced, code: quoted.code })
  const remoteMta = hostOf(group.get('remote-mta'))
  const first = isAddress(original) && !sameAddress(original, address) ? original : undefined
  return {
    address,
    ...(first === undefined ? {} : { original: first }),
    action: actionOf(group.get('action'), status ?? (quoted.code === undefined ? undefined : String(quoted.code))),
    ...(status === undefined ? {} : { status }),
    ...(quoted.code === undefined ? {} : { code: quoted.code }),
    ...(quoted.command === undefined ? {} : { command: quoted.command }),
    diagnostic,
    ...(remoteMta === '' ? {} : { remoteMta }),
  }
}

/** The final one, unless its domain means something only where it was given: then the first of the world outside. */
function addressOf(named: readonly string[]): string {
  return named.find(isPublic) ?? named.find(isAddress) ?? named.find((name) => name !== '') ?? ''
}

function isPublic(address: string): boolean {
  return isAddress(address) && /\.[^.]{2,}$|\]$/.test(address.slice(address.lastIndexOf('@')))
}

/** `rfc822; <user@example.org>` and what is made of it: type left out, brackets, comments, RFC 6533 escapes. */
function typedAddress(value: string | undefined): string {
  if (value === undefined) return ''
  const [, type = '', rest = value] = /^\s*([A-Za-z][\w-]{0,30})\s*;\s*(.*)$/s.exec(value) ?? []
  let text = rest.trim()
  if (/^utf-?8$/i.test(type))
    text = text.replace(/\\x\{([0-9a-f]{1,6})\}/gi, (whole, hex: string) => character(hex) ?? whole)
  const address = cleanAddress(text)
  if (/^"[^"]*"@\S+$/.test(address) || (isAddress(address) && !/[\s<>()]/.test(address))) return address
  // The field holds one address: spaces before the @ are part of it (Notes), what follows the domain is not.
  const only = /^([^<>()@"|/][^<>()@"]{0,199}@[^\s<>()@;,]{1,255})(?:[\s(;,]|$)/.exec(text)?.[1]
  return only ?? addressesInText(text)[0] ?? cleanAddress(text.replace(/\s.*$/s, ''))
}

function character(hex: string): string | undefined {
  const code = Number.parseInt(hex, 16)
  return code > 0x20 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

interface Statuses {
  /** The Status field. */
  readonly field: string | undefined
  /** The enhanced code in the reply that is passed on. */
  readonly quoted: string | undefined
  /** The basic code of that reply, only where it is sure to be about this recipient. */
  readonly code?: number | undefined
}

/**
 * Status as given, unless it says nothing of the cause or the reply contradicts it: RFC 3464 §2.3.6 has the reply as it
 * was, the status is what the reporting system made of it. `5.0.0` over a 4yz reply is what those write who gave up.
 * The other way round stands: who says 4.0.0 over a bare 5yz did not take it for final.
 */
export function statusOf({ field, quoted, code }: Statuses): string | undefined {
  const given = givenStatus(field)
  if (given === undefined) return quoted
  const [level = ''] = given
  const isEmpty = given.endsWith('.0.0')
  const replied = code === undefined ? level : String(code)[0]
  if (replied !== level && quoted !== undefined && quoted[0] === replied) return quoted
  if (isEmpty && replied === '4') return quoted ?? '4.0.0'
  // x.4.7 says that time ran out, not what it ran out over.
  const saysLittle = isEmpty || (given.endsWith('.4.7') && quoted?.endsWith('.0.0') === false)
  return saysLittle && quoted?.startsWith(level) ? quoted : given
}

/** `5.1.1 (unknown)`, `5 . 1 . 1`; of `5.X.X` or `4` the class. */
function givenStatus(field = ''): string | undefined {
  const [, level, subject, detail] = /(?<![\d.])([245])\s?\.\s?(\d{1,3})\s?\.\s?(\d{1,3})(?![\d.]*\d)/.exec(field) ?? []
  if (level !== undefined) return `${level}.${Number(subject)}.${Number(detail)}`
  const only = /^\s*([245])(?:\s*$|\.x\.x)/i.exec(field)?.[1]
  return only === undefined ? undefined : `${only}.0.0`
}

const ACTIONS: readonly (readonly [RegExp, DsnAction])[] = [
  [/^fail|^undeliver|^bounce|^permanent|^reject|^expire/i, 'failed'],
  [/^delay|^defer|^transient|^temp|^retry/i, 'delayed'],
  [/^deliver|^success/i, 'delivered'],
  [/^relay/i, 'relayed'],
  [/^expand/i, 'expanded'],
]

function actionOf(value: string | undefined, status: string | undefined): DsnAction {
  const said = (value ?? '').replace(/^[^a-z]+/i, '')
  const action = ACTIONS.find(([word]) => word.test(said))?.[1]
  if (action !== undefined) return action
  if (status?.startsWith('4')) return 'delayed'
  return status?.startsWith('2') ? 'delivered' : 'failed'
}

/** `smtp; 550 …` without the type; `X-Unix; 127` with it, else nobody could tell the number for an exit status. */
function diagnosticOf(value = ''): string {
  return oneLine(/^\s*x-unix\s*;\s*\d{1,3}\s*$/i.test(value) ? value : value.replace(/^\s*[A-Za-z][\w-]{0,30}\s*;/, ''))
}

/** `dns; mx.example.org (192.0.2.1, the server for the domain …)` → the host. */
function hostOf(value: string | undefined): string {
  const host = /^\s*(?:[A-Za-z][\w-]{0,30}\s*;)?[\s"'<([]*([\w.:-]{1,255})/.exec(value ?? '')?.[1] ?? ''
  return host.replace(/[.:]+$/, '')
}
