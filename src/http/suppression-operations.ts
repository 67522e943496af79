// The suppression list, as the API asks and changes it.

import type { Settings } from '../config/schema.ts'
import type { StoredRecord } from '../journal/record.ts'
import { parseAddress } from '../mail/address.ts'
import type { Core } from '../queue/core.ts'
import { exportSuppressions } from '../suppression/export.ts'
import { type ImportInput, type ImportReport, importSuppressions } from '../suppression/import.ts'
import { parseTarget } from '../suppression/normalise.ts'
import type { SuppressionFilter } from '../suppression/pages.ts'
import { GLOBAL_SCOPE, type Suppression, standingOf } from '../suppression/suppression.ts'
import { undoSuppressions } from '../suppression/undo.ts'
import type { Clock } from '../util/clock.ts'
import { checked, importQuery, newSuppression, removal, suppressionQuery, undoBody } from './input.ts'
import type {
  CheckedAddress,
  ExportQuery,
  ImportOptions,
  Operations,
  SuppressionStory,
  UndoReport,
  UndoRequest,
} from './operations.ts'
import { OperationError } from './problem.ts'
import { toWire } from './wire.ts'

export interface SuppressionParts {
  readonly core: Pick<Core, 'suppressions' | 'journal' | 'gate' | 'classifier' | 'queue'>
  readonly settings: () => Settings
  readonly clock: Clock
}

type SuppressionFunctions = Pick<
  Operations,
  | 'suppressions'
  | 'suppression'
  | 'suppress'
  | 'unsuppress'
  | 'undoSuppressions'
  | 'checkAddresses'
  | 'whySuppressed'
  | 'importSuppressions'
  | 'exportSuppressions'
>

/** Messages whose records tell the story of an address. */
const STORY_MESSAGES = 10

export function suppressionOperations(parts: SuppressionParts): SuppressionFunctions {
  const { core } = parts
  const list = core.suppressions
  return {
    suppressions: async (query) => {
      const { limit, cursor, ...filter } = checked(suppressionQuery, query)
      const page = list.list({ ...filterOf(filter), limit, ...(cursor === undefined ? {} : { cursor }) })
      return { items: page.entries.map(toWire), ...(page.cursor === undefined ? {} : { next_cursor: page.cursor }) }
    },
    suppression: async (address, scope) => {
      const entry = list.get(scope, targetOf(parts, address))
      return entry === undefined ? undefined : toWire(entry)
    },
    suppress: async (address, given) => {
      const entry = entryFrom(parts, address, checked(newSuppression, given))
      const result = await list.add(entry)
      return { result, entry: toWire(list.get(entry.scope, entry.target) ?? entry) }
    },
    unsuppress: async (address, given) => {
      const { scope, who, reason, force, forget } = checked(removal, given)
      const result = await list.remove({ scope, target: targetOf(parts, address), who, why: reason, force, forget })
      if (result !== 'protected') return result === 'not-found' ? undefined : result
      throw new OperationError(
        'conflict',
        `${address} asked not to be mailed (complaint or unsubscribe); removing that needs force.`,
      )
    },
    undoSuppressions: (request) => undone(parts, request),
    checkAddresses: async (addresses, tenant) => addresses.map((address) => check(parts, address, tenant)),
    whySuppressed: async (address, tenant) => story(parts, address, tenant),
    importSuppressions: async (input, options) => toWire(await imported(parts, input, options)),
    exportSuppressions: (query) => exported(parts, query),
  }
}

/** Throws for what is neither an address nor @domain. */
function targetOf({ settings }: SuppressionParts, text: string): string {
  const target = parseTarget(text, settings().suppression)
  if (target === undefined) throw new OperationError('invalid', `Neither a mail address nor @domain: ${text}`)
  return target
}

/** A new entry needs a tenant that there is: one for a misspelt name would protect nobody. */
function assertScope({ settings }: SuppressionParts, scope: string): void {
  if (scope === GLOBAL_SCOPE || settings().tenant.some(({ name }) => name === scope)) return
  throw new OperationError('invalid', `There is no tenant ${scope}.`)
}

function entryFrom(
  parts: SuppressionParts,
  address: string,
  given: ReturnType<typeof newSuppression.parse>,
): Suppression {
  const { scope, reason, expires_at, note, who } = given
  assertScope(parts, scope)
  return {
    scope,
    target: targetOf(parts, address),
    reason,
    createdAt: parts.clock.now(),
    who,
    ...(expires_at === undefined ? {} : { expiresAt: Date.parse(expires_at) }),
    ...(note === undefined ? {} : { note }),
  }
}

function check({ core }: SuppressionParts, text: string, tenant: string): CheckedAddress {
  const address = parseAddress(text.trim())
  if (address === undefined) return { address: text, result: 'invalid' }
  const entry = core.gate.find(tenant, address.text)
  return entry === undefined
    ? { address: address.text, result: 'clear' }
    : { address: address.text, result: 'suppressed', entry: toWire(entry) }
}

function story({ core, clock }: SuppressionParts, text: string, tenant: string): SuppressionStory {
  const address = parseAddress(text)
  if (address === undefined) throw new OperationError('invalid', `Not a mail address: ${text}`)
  const { entries, strikes } = core.suppressions.why(tenant, address.text)
  const active = core.gate.find(tenant, address.text)
  const trial = entries.map((entry) => core.gate.trial(entry)).find((message) => message !== undefined)
  // A tenant never learns whose mail taught what all tenants know.
  const isAbout = (record: StoredRecord): boolean =>
    record.tenant === tenant && record.recipient.toLowerCase() === address.text.toLowerCase()
  const events = core.journal
    .messagesTo(address.text, STORY_MESSAGES)
    .reverse()
    .flatMap((id) => core.journal.ofMessage(id).filter(isAbout))
  return {
    target: address.text,
    tenant,
    ...(active === undefined ? {} : { active: toWire(active) }),
    entries: entries.map((entry) => ({ ...toWire(entry), standing: standingOf(entry, clock.now()) })),
    ...(trial === undefined || core.queue.message(trial)?.tenant !== tenant ? {} : { trial }),
    ...(strikes === undefined
      ? {}
      : {
          strikes: toWire({
            count: strikes.count,
            firstAt: strikes.first,
            lastAt: strikes.last,
            messages: strikes.messages,
          }),
        }),
    events: events.map(toWire),
  }
}

async function undone(parts: SuppressionParts, request: UndoRequest): Promise<UndoReport> {
  const { reason, who, preview, since, until, ...filter } = checked(undoBody, request)
  if (filter.scope !== undefined) assertScope(parts, filter.scope)
  const report = await undoSuppressions({
    list: parts.core.suppressions,
    who,
    why: reason,
    isReal: !preview,
    ...Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
  })
  return { ...toWire(report), preview }
}

function imported(parts: SuppressionParts, input: ImportInput, options: ImportOptions): Promise<ImportReport> {
  const { scope, dry_run, include_blocks, mode, who } = checked(importQuery, options)
  assertScope(parts, scope)
  const { core, settings, clock } = parts
  return importSuppressions({
    input,
    list: core.suppressions,
    folding: settings().suppression,
    clock,
    scope,
    who,
    mode,
    dryRun: dry_run,
    includeBlocks: include_blocks,
    classifier: core.classifier,
  })
}

async function* exported({ core }: SuppressionParts, { scope, format = 'csv' }: ExportQuery): AsyncGenerator<string> {
  for (const piece of exportSuppressions(core.suppressions.scan(scope === undefined ? {} : { scope }), format)) {
    yield piece
    // Let mail through between two pieces.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function filterOf(given: Omit<ReturnType<typeof suppressionQuery.parse>, 'limit' | 'cursor'>): SuppressionFilter {
  const { scope, reason, domain, since, q, standing } = given
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(reason === undefined ? {} : { reason }),
    ...(domain === undefined ? {} : { domain }),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(q === undefined ? {} : { query: q }),
    ...(standing === undefined ? {} : { standing }),
  }
}
