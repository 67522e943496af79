// An attempt with everything that was decided for it, as plain data: what is handed to a courier of this thread or crosses to
// a worker.

import type { Attempt } from './delivery.ts'
import type { Destination } from './destination.ts'
import type { Source } from './sources.ts'
import type { WorkLimits } from './work-limits.ts'

/** Where many attempts go to, from which source, and what they keep to. Made once and never changed. */
export interface WorkPlace {
  readonly destination: Destination
  readonly source: Source
  /** Absent: those of the settings, for everybody the same. */
  readonly limits?: WorkLimits
}

export interface Work extends WorkPlace {
  readonly attempt: Attempt
}
