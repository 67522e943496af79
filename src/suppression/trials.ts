// Trials: of an address that is half-open, which message is being tried right now. In memory only: after a restart the
// next one to ask is the trial. Bounded; what is forgotten costs a second message to an address that may be dead.

import { type Clock, HOUR, MINUTE } from '../util/clock.ts'

export interface Trials {
  /** Whether `message` may be tried now; if so, it alone until its attempt has ended. */
  begin(place: TrialPlace, message: string): boolean
  /** Its attempt has ended, whatever came of it. */
  end(place: TrialPlace, message: string): void
  /** Which message is tried at the moment. */
  current(place: TrialPlace): string | undefined
}

export interface TrialPlace {
  readonly scope: string
  readonly target: string
}

/** When to ask again while another message is tried. */
export const TRIAL_WAIT_MS = MINUTE
/** Longer than any attempt: an attempt that ended without a word (cancelled, given back) holds nobody up for ever. */
const TRIAL_LEASE_MS = HOUR
const MAX_TRIALS = 10_000

export function createTrials(clock: Clock): Trials {
  const trials = new Map<string, { readonly message: string; readonly until: number }>()
  const nameOf = ({ scope, target }: TrialPlace): string => `${scope}\0${target}`
  const current = (place: TrialPlace): string | undefined => {
    const trial = trials.get(nameOf(place))
    return trial !== undefined && trial.until > clock.monotonic() ? trial.message : undefined
  }
  return {
    begin: (place, message) => {
      const other = current(place)
      if (other !== undefined && other !== message) return false
      const name = nameOf(place)
      trials.delete(name)
      trials.set(name, { message, until: clock.monotonic() + TRIAL_LEASE_MS })
      if (trials.size > MAX_TRIALS) {
        const oldest = trials.keys().next()
        if (oldest.done !== true) trials.delete(oldest.value)
      }
      return true
    },
    end: (place, message) => {
      if (trials.size === 0) return
      const name = nameOf(place)
      if (trials.get(name)?.message === message) trials.delete(name)
    },
    current,
  }
}
