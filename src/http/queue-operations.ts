// The queue, as the API lists and changes it.

import type { QueueFilter, QueueOperator, Selection } from '../queue/operator.ts'
import { changeMany, checked, queueQuery, readRecipientKey } from './input.ts'
import type { Operations } from './operations.ts'
import { OperationError } from './problem.ts'
import { toWire } from './wire.ts'

export function queueOperations({
  operator,
}: {
  readonly operator: QueueOperator
}): Pick<Operations, 'queue' | 'queueSummary' | 'changeQueue'> {
  return {
    queue: async (query) => {
      const { limit, cursor, ...filter } = checked(queueQuery, query)
      const page = await found(operator, { ...filterOf(filter), limit, ...(cursor === undefined ? {} : { cursor }) })
      return { items: page.recipients.map(toWire), ...(page.cursor === undefined ? {} : { next_cursor: page.cursor }) }
    },
    queueSummary: async (by) => (await operator.summary(by)).map(toWire),
    changeQueue: async (action, change) => {
      const { who, reason, ids, filter } = checked(changeMany, change)
      const select: Selection =
        ids === undefined ? { filter: filterOf(filter ?? {}) } : { ids: ids.map(readRecipientKey) }
      const given = { select, who, why: reason }
      if (action === 'drop' || action === 'bounce') return operator.cancel({ ...given, mode: action })
      return operator[action](given)
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
