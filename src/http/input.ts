// What requests may say, as zod schemas; their output types are the parameters of Operations. Unknown fields are
// errors: a misspelt filter that is silently ignored would select everything.

import { z } from 'zod'
import { SCOPE_KINDS } from '../health/scope.ts'
import { RECORD_KINDS } from '../journal/record.ts'
import type { SmtpCommand } from '../mail/reply.ts'
import { REPORT_OUTCOMES } from '../reports/report-entry.ts'
import { EXPORT_FORMATS } from '../suppression/export.ts'
import { REASONS, STANDINGS } from '../suppression/suppression.ts'
import { SUSPENDABLE } from '../throttle/suspensions.ts'
import { isId } from '../util/id.ts'
import { invalidInput } from './invalid.ts'

export const MAX_PAGE = 1000
export const MAX_CHECKED_ADDRESSES = 1000
const text = () => z.string().min(1).max(1000)
/** `?force` and `?force=true` both mean it. */
const flag = () => z.union([z.boolean(), z.stringbool({ truthy: ['true', '1', ''], falsy: ['false', '0'] })])
const limit = () => z.coerce.number().int().min(1).max(MAX_PAGE)
const page = { limit: limit().default(100), cursor: text().optional() }

export const RECIPIENT_KEY = /^([0-9a-v]{13})(?:\.(\d{1,9}))?$/
/** A message id, or `id.n` for one of its recipients. */
const recipientKey = () => z.string().refine(isRecipientKey, 'expected a message id, or id.n for one recipient')

export function isRecipientKey(key: string): boolean {
  return RECIPIENT_KEY.test(key) && isId(key.slice(0, 13))
}

/** `n` absent: every recipient of the message. */
export function readRecipientKey(key: string): { id: string; n?: number } {
  const [, id = '', n] = RECIPIENT_KEY.exec(key) ?? []
  return n === undefined ? { id } : { id, n: Number(n) }
}

export const messageQuery = z
  .strictObject({
    to: text().optional(),
    message_id: text().optional(),
    limit: limit().default(20),
  })
  .refine(
    (query) => query.to !== undefined || query.message_id !== undefined,
    'say what to look for: to=ADDRESS or message_id=ID',
  )

const filterFields = {
  tenant: text().optional(),
  domain: text().optional(),
  state: z.enum(['waiting', 'held']).optional(),
  sender: z.string().max(1000).optional(),
}
export const queueQuery = z.strictObject({
  ...filterFields,
  older_than_ms: z.coerce.number().int().min(0).optional(),
  ...page,
})
export const queueFilter = z.strictObject({ ...filterFields, older_than_ms: z.number().int().min(0).optional() })

export const SUMMARY_KEYS = ['domain', 'tenant', 'state'] as const
export const suspensionKey = z.strictObject({ kind: z.enum(SUSPENDABLE), name: text() })
/** How slow a path is, receivers and rules decide; a person takes it back. */
export const newSuspension = z.strictObject({
  kind: z.enum(SUSPENDABLE).exclude(['slow']),
  name: text(),
  reason: text(),
  /** Every suspension ends by itself: a second at least, a year at most. */
  duration_ms: z.number().int().min(1000).max(31_536_000_000),
  who: text().default('api'),
})
export const sourceParam = z.strictObject({ name: text() })
export const sourceDrain = z.strictObject({ reason: text(), who: text().default('api') })
export const suspensionRemoval = z.strictObject({ reason: text(), who: text().default('api') })
export const healthQuery = z.strictObject({
  scope: z.enum(SCOPE_KINDS).default('relay'),
  name: text().optional(),
  limit: limit().default(100),
})
export const historyQuery = z.strictObject({ limit: limit().default(50) })
export const domainParam = z.strictObject({ domain: z.string().min(1).max(1000) })
export const summaryQuery = z.strictObject({ by: z.enum(SUMMARY_KEYS).default('domain') })

export const CANCEL_MODES = ['drop', 'bounce'] as const
export const QUEUE_ACTIONS = ['retry', 'hold', 'release', ...CANCEL_MODES] as const
const blame = { who: text().default('api'), reason: text() }
export const changeOne = z.strictObject(blame)
export const cancelQuery = z.strictObject({ ...blame, mode: z.enum(CANCEL_MODES).default('drop') })
export const changeMany = z
  .strictObject({
    ...blame,
    ids: z.array(recipientKey()).min(1).max(10_000).optional(),
    filter: queueFilter.optional(),
    all: z.literal(true).optional(),
  })
  .refine(({ ids, filter, all }) => {
    const hasFilter = filter !== undefined && Object.values(filter).some((value) => value !== undefined)
    return [ids !== undefined, hasFilter, all === true].filter(Boolean).length === 1
  }, 'select by exactly one of: ids, a filter that says something, or all: true for the whole queue')
export const recipientParam = z.strictObject({ id: recipientKey() })

/** A tenant's name, or * for the entries that hold for every tenant. */
const scope = () =>
  z.string().regex(/^(?:\*|[a-z0-9][a-z0-9._-]{0,62})$/, 'expected the name of a tenant, or * for all')
const tenant = () => z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected the name of a tenant')
/** Absent: all tenants. */
export const tenantQuery = z.strictObject({ tenant: tenant().optional() })
export const scopeQuery = z.strictObject({ scope: scope().default('default') })
export const suppressionQuery = z.strictObject({
  scope: scope().optional(),
  reason: z.enum(REASONS).optional(),
  domain: text().optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  q: text().optional(),
  standing: z.enum(STANDINGS).optional(),
  ...page,
})
export const newSuppression = z.strictObject({
  scope: scope().default('default'),
  reason: z.enum(REASONS).default('manual'),
  expires_at: z.iso.datetime({ offset: true }).optional(),
  note: text().optional(),
  who: text().default('api'),
})
export const removal = z.strictObject({
  /** Absent: wherever it stands, if that is one place. */
  scope: scope().optional(),
  who: text().default('api'),
  reason: text(),
  force: flag().default(false),
  /** Removes what Studs learned wholly, instead of making it half-open. */
  forget: flag().default(false),
})
export const undoBody = z
  .strictObject({
    rule: text().optional(),
    site: text().optional(),
    category: text().optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
    scope: scope().optional(),
    who: text().default('api'),
    reason: text(),
    preview: z.boolean().default(true),
  })
  .refine(
    ({ rule, site, category, since }) => [rule, site, category, since].some((given) => given !== undefined),
    'say what is to be taken back: rule, site, category or since',
  )
export const checkBody = z.strictObject({
  /** Absent: all tenants. */
  tenant: tenant().optional(),
  addresses: z.array(z.string().max(1000)).min(1).max(MAX_CHECKED_ADDRESSES),
})
export const importQuery = z.strictObject({
  scope: scope().default('default'),
  dry_run: flag().default(false),
  include_blocks: flag().default(false),
  mode: z.enum(['add', 'delete']).default('add'),
  who: text().default('api'),
})
export const exportQuery = z.strictObject({ scope: scope().optional(), format: z.enum(EXPORT_FORMATS).default('csv') })

/** The id of a message or a report; `what` names it in the error. */
const id = (what: string) => z.string().refine(isId, `expected ${what}`)
export const reportQuery = z.strictObject({
  /** Only those a person should look at and has not. */
  review: flag().optional(),
  outcome: z.enum(REPORT_OUTCOMES).optional(),
  tenant: tenant().optional(),
  message: id('the id of a message').optional(),
  address: text().optional(),
  limit: limit().default(100),
  cursor: id('the next_cursor of a page of reports').optional(),
})
export const REPORT_DECISIONS = ['accept', 'dismiss'] as const
export const decisionParam = z.enum(REPORT_DECISIONS)
export const whoBody = z.strictObject({ who: text().default('api') })

export const SMTP_COMMANDS = [
  'banner',
  'EHLO',
  'HELO',
  'STARTTLS',
  'AUTH',
  'MAIL',
  'RCPT',
  'DATA',
  'dot',
  'RSET',
  'QUIT',
] as const satisfies readonly SmtpCommand[]
export const classifyBody = z.strictObject({
  reply: z
    .string()
    .min(1)
    .max(64 * 1024),
  command: z.enum(SMTP_COMMANDS).default('RCPT'),
  mx: text().optional(),
})

/** `kind=failed,bounced` */
const kinds = () =>
  z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(RECORD_KINDS)))
export const eventQuery = z.strictObject({
  since: text().optional(),
  kind: kinds().optional(),
  limit: limit().default(100),
})
export const streamQuery = z.strictObject({ since: text().optional(), kind: kinds().optional() })
export const backupBody = z.strictObject({
  directory: z.string().startsWith('/', 'expected an absolute path on the machine of the relay').max(4000),
})

export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw invalidInput(result.error, schema, value)
}
