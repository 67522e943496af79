// Cursors into the journal as they come from outside.

import { parsePosition } from '../journal/journal.ts'
import { OperationError } from './problem.ts'

// The key of a record holds its time in 42 bits, as ids do, with room to spare up to this.
const LATEST_MS = 8.64e15
const LAST_SEQUENCE = 2 ** 32 - 2

export function journalPosition(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  try {
    const { time, sequence } = parsePosition(cursor)
    if (time <= LATEST_MS && sequence <= LAST_SEQUENCE) return cursor
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new OperationError('invalid', `Not a cursor of the journal: ${cursor}`)
}
