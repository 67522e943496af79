// The queue, as the API lists and changes it.

import type { Settings } from '../config/schema.ts'
import type { QueueFilter, QueueOperator, Selection } from '../queue/operator.ts'
import { changeMany, checked, queueQuery, readRecipientKey } from './input.ts'
import { assertNamed, namesOf } from './known-name.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'
import { toWire } from './wire.ts'

export interface QueueParts {
  readonly core: { readonly operator: QueueOperator }
  readonly settings: () => Settings
}

export function queueOperations({
  core: { operator },
  settings,
}: QueueParts): Pick<Operations, 'queue' | 'queueSummary' | 'changeQueue'> {
  // Mail of a tenant that is no longer configured can still be seen and taken out.
  const assertTenant = (name: string | undefined, pointer: string): void => {
    if (name !== undefined) assertNamed({ kind: 'tenant', name, known: namesOf(settings().tenant), pointer })
  }
  return {
    queue: async (query) => {
      const { limit, cursor, ...filter } = checked(queueQuery, query)
      const page = await found(operator, { ...filterOf(filter), limit, ...(cursor === undefined ? {} : { cursor }) })
      if (page.recipients.length === 0) assertTenant(filter.tenant, 'tenant')
      return { items: page.recipients.map(toWire), ...(page.cursor === undefined ? {} : { next_cursor: page.cursor }) }
    },
    queueSummary: async (by) => (await operator.summary(by)).map(toWire),
    changeQueue: async (action, change) => {
      const { who, reason, ids, filter } = checked(changeMany, change)
      const select: Selection =
        ids === undefined ? { filter: filterOf(filter ?? {}) } : { ids: ids.map(readRecipientKey) }
      const given = { select, who, why: reason }
      const result =
        action === 'drop' || action === 'bounce'
          ? await operator.cancel({ ...given, mode: action })
          : await operator[action](given)
      if (result.count === 0) assertTenant(filter?.tenant, 'filter.tenant')
      return result
    },
  }
}

type Query = Parameters<QueueOperator['find']>[0]

async function found(operator: QueueOperator, query: Query): ReturnType<QueueOperator['find']> {
  try {
    return await operator.find(query)
  } catch (error) {
    if (error instanceof RangeError) throw new OperationError('invalid', `Not a cursor of the queue: ${query.cursor}`)
    throw error
  }
}

interface GivenFilter {
  readonly tenant?: string | undefined
  readonly domain?: string | undefined
  readonly state?: 'waiting' | 'held' | undefined
  readonly sender?: string | undefined
  readonly older_than_ms?: number | undefined
}

function filterOf({ tenant, domain, state, sender, older_than_ms }: GivenFilter): QueueFilter {
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(domain === undefined ? {} : { domain: domain.toLowerCase() }),
    ...(state === undefined ? {} : { state }),
    ...(sender === undefined ? {} : { sender }),
    ...(older_than_ms === undefined ? {} : { olderThanMs: older_than_ms }),
  }
}
