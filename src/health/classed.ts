// What one record counts as. Pure. A fault of our own, our own limits and our own name servers are nobody's bounce: they
// are counted apart, so that an alert about a receiver or a tenant is never raised by them.

import type { JournalRecord } from '../journal/record.ts'
import type { Cause } from '../mail/outcome.ts'
import { AT } from './counts.ts'

export interface Classed {
  readonly cell: number
  /** It was taken before and is now not: counted as late too. */
  readonly isLate: boolean
}

const PLAIN: Readonly<Partial<Record<JournalRecord['kind'], Classed>>> = {
  delivered: { cell: AT.delivered, isLate: false },
  complained: { cell: AT.complained, isLate: false },
  suppressed: { cell: AT.suppressed, isLate: false },
}
const DEFERRED: Classed = { cell: AT.deferred, isLate: false }
const OURS: Classed = { cell: AT.ours, isLate: false }
const HARD: Classed = { cell: AT.hard, isLate: false }
const SOFT: Classed = { cell: AT.soft, isLate: false }
const LATE_HARD: Classed = { cell: AT.hard, isLate: true }
const LATE_SOFT: Classed = { cell: AT.soft, isLate: true }

export function classed(record: JournalRecord): Classed | undefined {
  switch (record.kind) {
    case 'deferred':
      return isOurs(record) ? OURS : DEFERRED
    case 'failed':
    case 'expired':
      if (isOurs(record)) return OURS
      return record.verdict?.kind === 'hard' ? HARD : SOFT
    case 'bounced':
      return record.verdict?.kind === 'hard' ? LATE_HARD : LATE_SOFT
    default:
      return PLAIN[record.kind]
  }
}

function isOurs({ cause, verdict }: JournalRecord): boolean {
  return verdict?.fault === 'local' || (cause !== undefined && isOurFault(cause))
}

function isOurFault(cause: Cause): boolean {
  switch (cause.kind) {
    case 'expired':
      // Never tried, or kept back: it was our queue that was too slow.
      return cause.by !== undefined || cause.last === undefined || isOurFault(cause.last)
    case 'local':
      return cause.code.startsWith('4.3.')
    case 'reply':
    case 'ambiguous':
      return false
    default:
      return cause.ours === true
  }
}
