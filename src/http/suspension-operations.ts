// Suspensions, as the API lists and changes them. A name that nobody has is an error: a typing error would suspend
// nothing and look as if it had.

import type { z } from 'zod'
import type { Settings } from '../config/schema.ts'
import { parseDomain } from '../mail/address.ts'
import type { Suspension as Held, SuspensionKind, Suspensions } from '../queue/suspensions.ts'
import type { Shaping } from '../shaping/shaping.ts'
import type { Clock } from '../util/clock.ts'
import { checked, newSuspension, suspensionKey, type suspensionRemoval } from './input.ts'
import { OperationError } from './problem.ts'
import { toWire, type Wire } from './wire.ts'

export type Suspension = Wire<Held>
export type NewSuspension = z.input<typeof newSuspension>
export type SuspensionKey = z.input<typeof suspensionKey>
export type SuspensionRemoval = z.input<typeof suspensionRemoval>

export interface SuspensionOperations {
  /** Those that hold now, the first to end first. */
  suspensions(): Promise<readonly Suspension[]>
  /** Durable when it resolves. One that holds already gets the new end and reason. */
  suspend(given: NewSuspension): Promise<Suspension>
  /** Durable when it resolves; undefined when nothing of the kind is suspended. */
  resume(key: SuspensionKey, removal: SuspensionRemoval): Promise<Suspension | undefined>
}

export interface SuspensionParts {
  readonly core: { readonly suspensions: Suspensions; shaping(): Shaping }
  readonly settings: () => Settings
  readonly clock: Clock
}

export function suspensionOperations({ core, settings, clock }: SuspensionParts): SuspensionOperations {
  const nameOf = (kind: SuspensionKind, name: string): string => {
    if (kind === 'domain') {
      const domain = parseDomain(name)
      if (domain === undefined) throw new OperationError('invalid', `${name} is not a domain.`)
      return domain
    }
    const known = kind === 'provider' ? core.shaping().providers : new Set(settings()[kind].map((entry) => entry.name))
    if (!known.has(name)) throw new OperationError('invalid', `There is no ${kind} ${name}.`)
    return name
  }
  return {
    suspensions: async () => core.suspensions.list().map(toWire),
    suspend: async (given) => {
      const { kind, name, who, reason, duration_ms } = checked(newSuspension, given)
      const until = clock.now() + duration_ms
      return toWire(await core.suspensions.add({ kind, name: nameOf(kind, name), who, why: reason, until }))
    },
    resume: async (key, { who = 'api', reason }) => {
      const { kind, name } = checked(suspensionKey, key)
      const canonical = kind === 'domain' ? (parseDomain(name) ?? name) : name
      const resumed = await core.suspensions.remove({ kind, name: canonical, who, why: reason })
      return resumed === undefined ? undefined : toWire(resumed)
    },
  }
}
