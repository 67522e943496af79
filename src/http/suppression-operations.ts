// The suppression list, as the API asks and changes it.

import type { Settings } from '../config/schema.ts'
import { parseAddress } from '../mail/address.ts'
import type { Core } from '../queue/core.ts'
import { exportSuppressions } from '../suppression/export.ts'
import { type ImportInput, type ImportReport, importSuppressions } from '../suppression/import.ts'
import { parseTarget } from '../suppression/normalise.ts'
import type { SuppressionFilter } from '../suppression/pages.ts'
import { GLOBAL_SCOPE, type Suppression } from '../suppression/suppression.ts'
import { undoSuppressions } from '../suppression/undo.ts'
import type { Clock } from '../util/clock.ts'
import { checked, importQuery, newSuppression, removal, suppressionQuery, undoBody } from './input.ts'
import { assertNamed, namesOf } from './known-name.ts'
import type { CheckedAddress, ExportQuery, ImportOptions, Operations, UndoReport, UndoRequest } from './operations.ts'
import { OperationError } from './problem.ts'
import { storiesOf } from './suppression-story.ts'
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

export function suppressionOperations(parts: SuppressionParts): SuppressionFunctions {
  const { core } = parts
  const list = core.suppressions
  return {
    suppressions: async (query) => {
      const { limit, cursor, ...filter } = checked(suppressionQuery, query)
      assertKnown(parts, filter.scope)
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
      const { who, reason, force, forget, ...where } = checked(removal, given)
      assertKnown(parts, where.scope)
      const target = targetOf(parts, address)
      const scope = where.scope ?? onlyScope(parts, target)
      if (scope === undefined) return undefined
      const result = await list.remove({ scope, target, who, why: reason, force, forget })
      if (result !== 'protected') return result === 'not-found' ? undefined : { result, scope }
      throw new OperationError(
        'conflict',
        `${address} asked not to be mailed (complaint or unsubscribe): removing that needs force and a reason (--force --reason WHY).`,
      )
    },
    undoSuppressions: (request) => undone(parts, request),
    checkAddresses: async (addresses, tenant) => {
      const tenants = tenantsOf(parts, tenant)
      return addresses.map((address) => check(parts, address, tenants))
    },
    whySuppressed: async (address, tenant) => storiesOf(parts, address, tenantsOf(parts, tenant)),
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
function assertScope({ settings }: SuppressionParts, scope: string, pointer = 'scope'): void {
  if (scope === GLOBAL_SCOPE) return
  assertNamed({ kind: 'tenant', name: scope, known: namesOf(settings().tenant), pointer })
}

/** What was kept for a tenant that is no longer configured can still be seen and removed. */
function assertKnown(parts: SuppressionParts, scope: string | undefined, pointer = 'scope'): void {
  if (scope === undefined || parts.core.suppressions.list({ scope, limit: 1 }).entries.length > 0) return
  assertScope(parts, scope, pointer)
}

function tenantsOf(parts: SuppressionParts, tenant: string | undefined): readonly string[] {
  if (tenant === undefined) return parts.settings().tenant.map(({ name }) => name)
  assertKnown(parts, tenant, 'tenant')
  return [tenant]
}

/** Where the entry of a target stands; undefined: nowhere. */
function onlyScope(parts: SuppressionParts, target: string): string | undefined {
  const [scope, ...others] = [...tenantsOf(parts, undefined), GLOBAL_SCOPE].filter(
    (each) => parts.core.suppressions.get(each, target) !== undefined,
  )
  if (scope === undefined || others.length === 0) return scope
  const names = [scope, ...others].map((each) => (each === GLOBAL_SCOPE ? 'everybody' : each))
  throw new OperationError(
    'conflict',
    `${target} is suppressed for several: ${names.join(', ')}. Say for which it is to be removed (--tenant NAME or --everybody).`,
  )
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

function check({ core }: SuppressionParts, text: string, tenants: readonly string[]): CheckedAddress {
  const address = parseAddress(text.trim())
  if (address === undefined) return { address: text, result: 'invalid' }
  const found = tenants.flatMap((tenant) => {
    const entry = core.gate.find(tenant, address.text)
    return entry === undefined ? [] : [{ tenant, entry }]
  })
  const [first] = found
  return first === undefined
    ? { address: address.text, result: 'clear' }
    : {
        address: address.text,
        result: 'suppressed',
        tenants: found.map(({ tenant }) => tenant),
        entry: toWire(first.entry),
      }
}

async function undone(parts: SuppressionParts, request: UndoRequest): Promise<UndoReport> {
  const { reason, who, preview, since, until, ...filter } = checked(undoBody, request)
  assertKnown(parts, filter.scope)
  const report = await undoSuppressions({
    list: parts.core.suppressions,
    who,
    why: reason,
    isReal: !preview,
    providerOf: (mx) => parts.core.classifier.providerOf(mx),
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

async function* exported(parts: SuppressionParts, { scope, format = 'csv' }: ExportQuery): AsyncGenerator<string> {
  assertKnown(parts, scope)
  const { core } = parts
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
