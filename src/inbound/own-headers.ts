// The X-Studs-* headers by which an app talks to Studs, and the aliases of other relays that apps already send. They are
// taken in and never relayed; so is Bcc, whose whole point is not to be seen (RFC 5322 §3.6.3). A value that cannot be
// used refuses the message and names the header: silently ignoring "not before tomorrow" would be worse.

import { parseDuration } from '../config/units.ts'
import { DAY, type EpochMs, SECOND } from '../util/clock.ts'
import { decodeHeader } from './encoded-word.ts'
import { type Field, fieldValue, writtenName } from './head.ts'
import { badHeader, poolNotAllowed, type Reply } from './replies.ts'

export interface OwnHeaders {
  readonly tags: string[]
  readonly metadata: Record<string, string>
  pool?: string
  expiresAt?: EpochMs
  sendAt?: EpochMs
  idempotencyKey?: string
}

interface Circumstances {
  readonly now: EpochMs
  /** Whether the tenant may name it. */
  readonly hasPool: (name: string) => boolean
}

/** Undefined when the value was taken, else what is wrong with it. */
type Take = (into: OwnHeaders, value: string, at: Circumstances) => string | undefined

const MAX_TAGS = 10
const MAX_TAG = 128
const MAX_METADATA = 20
const MAX_METADATA_KEY = 64
const MAX_METADATA_VALUE = 512
const MAX_IDEMPOTENCY_KEY = 255
const MAX_AHEAD = 30 * DAY

const ignored: Take = () => undefined

const takeTag: Take = (into, value) => {
  if (value === '' || value.length > MAX_TAG) return `a tag has 1 to ${MAX_TAG} characters`
  if (into.tags.includes(value)) return undefined
  if (into.tags.length === MAX_TAGS) return `a message has at most ${MAX_TAGS} tags`
  into.tags.push(value)
  return undefined
}

const takeMailgunVariables: Take = (into, value) => {
  const variables = parseObject(value)
  if (variables === undefined) return 'expected a JSON object'
  for (const [key, content] of Object.entries(variables)) {
    const problem = takeMetadata(into, key, typeof content === 'string' ? content : JSON.stringify(content))
    if (problem !== undefined) return problem
  }
  return undefined
}

const TAKE: ReadonlyMap<string, Take> = new Map<string, Take>([
  ['bcc', ignored],
  ['resent-bcc', ignored],
  ['x-studs-tag', takeTag],
  ['x-pm-tag', takeTag],
  ['x-mailgun-tag', takeTag],
  ['x-mailgun-variables', takeMailgunVariables],
  // Its JSON asks for things that are SendGrid's own; apps send it by habit.
  ['x-smtpapi', ignored],
  ['x-studs-pool', takePool],
  ['x-studs-expires', takeExpires],
  ['x-studs-send-at', takeSendAt],
  ['x-studs-idempotency-key', takeIdempotencyKey],
])

const METADATA_PREFIXES = ['x-studs-metadata-', 'x-pm-metadata-', 'x-mox-extra-']

/** Whether the field is for us and must not go out. */
export function isOwn(name: string): boolean {
  const first = name.charCodeAt(0)
  // 'x', 'b' and 'r': most fields are told apart by their first letter.
  if (first !== 120 && first !== 98 && first !== 114) return false
  return TAKE.has(name) || name.startsWith('x-studs-') || METADATA_PREFIXES.some((prefix) => name.startsWith(prefix))
}

/** Reads the fields that isOwn; a Reply when one of them cannot be used. */
export function readOwnHeaders(text: string, fields: readonly Field[], at: Circumstances): OwnHeaders | Reply {
  const own: OwnHeaders = { tags: [], metadata: {} }
  for (const field of fields) {
    const problem = takeField(own, { text, field, at })
    if (problem !== undefined) return badHeader(writtenName(text, field), problem)
    // Not wrong, but not for this tenant: whose pools there are it is not told.
    if (own.pool !== undefined && !at.hasPool(own.pool)) return poolNotAllowed(writtenName(text, field), own.pool)
  }
  if (own.expiresAt !== undefined && own.sendAt !== undefined && own.expiresAt <= own.sendAt) {
    return badHeader('X-Studs-Expires', 'the time is before that of X-Studs-Send-At')
  }
  return own
}

function takeField(
  own: OwnHeaders,
  { text, field, at }: { text: string; field: Field; at: Circumstances },
): string | undefined {
  const take = TAKE.get(field.name)
  if (take === ignored) return undefined
  const value = decodeHeader(fieldValue(text, field))
  if (take !== undefined) return take(own, value, at)
  const prefix = METADATA_PREFIXES.find((candidate) => field.name.startsWith(candidate))
  if (prefix === undefined) return 'there is no such header'
  return takeMetadata(own, writtenName(text, field).slice(prefix.length), value)
}

function takeMetadata(into: OwnHeaders, key: string, value: string): string | undefined {
  if (key === '' || key.length > MAX_METADATA_KEY) return `a metadata key has 1 to ${MAX_METADATA_KEY} characters`
  if (value.length > MAX_METADATA_VALUE) return `a metadata value has at most ${MAX_METADATA_VALUE} characters`
  // Field names are case-insensitive, keys as people look them up are not: lower case is the one form.
  const name = key.toLowerCase()
  if (Object.keys(into.metadata).length === MAX_METADATA && !Object.hasOwn(into.metadata, name)) {
    return `a message has at most ${MAX_METADATA} metadata entries`
  }
  // defineProperty, since the key may be __proto__.
  Object.defineProperty(into.metadata, name, { value, enumerable: true, configurable: true, writable: true })
  return undefined
}

function takePool(into: OwnHeaders, value: string): string | undefined {
  into.pool = value
  return undefined
}

function takeExpires(into: OwnHeaders, value: string, { now }: Circumstances): string | undefined {
  const length = parseDuration(value)
  const at = length === undefined ? parseTime(value) : now + length
  if (at === undefined) return 'expected a duration such as "4h" or an RFC 3339 time'
  if (at <= now) return 'the time is in the past'
  if (at > now + MAX_AHEAD) return 'the time is more than 30 days ahead'
  into.expiresAt = at
  return undefined
}

function takeSendAt(into: OwnHeaders, value: string, { now }: Circumstances): string | undefined {
  const at = parseTime(value)
  if (at === undefined) return 'expected an RFC 3339 time or seconds since 1970'
  if (at > now + MAX_AHEAD) return 'the time is more than 30 days ahead'
  into.sendAt = at
  return undefined
}

function takeIdempotencyKey(into: OwnHeaders, value: string): string | undefined {
  if (value === '' || value.length > MAX_IDEMPOTENCY_KEY) return `expected 1 to ${MAX_IDEMPOTENCY_KEY} characters`
  into.idempotencyKey = value
  return undefined
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)$/

function parseTime(text: string): EpochMs | undefined {
  if (/^\d{9,11}$/.test(text)) return Number(text) * SECOND
  if (!RFC_3339.test(text)) return undefined
  const at = Date.parse(text.toUpperCase().replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Not JSON: the caller says so to the app.
    return undefined
  }
}
