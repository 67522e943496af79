// Suspensions, as the API lists and changes them. A name that nobody has is an error: a typing error would suspend
// nothing and look as if it had.

import type { z } from 'zod'
import type { Settings } from '../config/schema.ts'
import type { Pacing } from '../dispatch/pacing.ts'
import { parseDomain } from '../mail/address.ts'
import type { Shaping } from '../shaping/shaping.ts'
import type { SuspensionKind, Suspensions } from '../throttle/suspensions.ts'
import type { Clock } from '../util/clock.ts'
import { checked, newSuspension, suspensionKey, type suspensionRemoval } from './input.ts'
import { assertNamed, namesOf } from './known-name.ts'
import { OperationError } from './problem.ts'
import { type ListedSuspension, learned, listed, listedSuspensions } from './suspension-list.ts'
import { toWire, type Wire } from './wire.ts'

export type Suspension = Wire<ListedSuspension>
export type NewSuspension = z.input<typeof newSuspension>
export type SuspensionKey = z.input<typeof suspensionKey>
export type SuspensionRemoval = z.input<typeof suspensionRemoval>

export interface SuspensionOperations {
  /** Those that hold now, the first to end first, and paces that were learned. */
  suspensions(): Promise<readonly Suspension[]>
  /** Durable when it resolves. One that holds already gets the new end and reason. */
  suspend(given: NewSuspension): Promise<Suspension>
  /** Durable when it resolves; undefined when nothing of the kind is suspended or slow. */
  resume(key: SuspensionKey, removal: SuspensionRemoval): Promise<Suspension | undefined>
}

export interface SuspensionParts {
  readonly core: { readonly suspensions: Suspensions; shaping(): Shaping }
  readonly settings: () => Settings
  readonly clock: Clock
  readonly relay?: { pacing?(): Pick<Pacing, 'pace' | 'paces' | 'forget'> | undefined }
}

type Named = Exclude<SuspensionKind, 'slow'>

export function suspensionOperations(parts: SuspensionParts): SuspensionOperations {
  const { core, clock } = parts
  const pacing = () => parts.relay?.pacing?.()
  return {
    suspensions: async () =>
      listedSuspensions({ suspensions: core.suspensions, pacing: pacing() }).map((each) => toWire(each)),
    suspend: async (given) => {
      const { kind, name, who, reason, duration_ms } = checked(newSuspension, given)
      const until = clock.now() + duration_ms
      const made = await core.suspensions.add({ kind, name: nameOf(parts, kind, name), who, why: reason, until })
      return toWire(listed(made))
    },
    resume: async (key, { who = 'api', reason }) => {
      const { kind, name } = checked(suspensionKey, key)
      const canonical = kind === 'domain' ? (parseDomain(name) ?? name) : name
      const resumed = await core.suspensions.remove({ kind, name: canonical, who, why: reason })
      const forgotten = kind === 'slow' ? await pacing()?.forget(name, { who, why: reason }) : undefined
      if (resumed !== undefined) return toWire(listed(resumed))
      return forgotten === undefined ? undefined : toWire(learned(forgotten))
    },
  }
}

/** The name as it is kept; throws an OperationError for what does not exist. */
function nameOf(parts: SuspensionParts, kind: Named, given: string): string {
  const { core, settings } = parts
  switch (kind) {
    case 'domain': {
      const domain = parseDomain(given)
      if (domain === undefined) throw new OperationError('invalid', `${given} is not a domain.`)
      return domain
    }
    case 'site':
      return siteNamed(given)
    case 'provider':
      return existing(kind, given, core.shaping().providers)
    case 'source':
    case 'tenant': {
      const at = given.indexOf('@')
      const name = existing(kind, at === -1 ? given : given.slice(0, at), namesOf(settings()[kind]))
      if (at === -1) return name
      const place = given.slice(at + 1)
      return `${name}@${core.shaping().providers.has(place) ? place : siteNamed(place)}`
    }
  }
}

function existing(kind: 'provider' | 'source' | 'tenant', name: string, known: Iterable<string>): string {
  assertNamed({ kind, name, known, pointer: 'name' })
  return name
}

/** Sites are known only once mail has gone there; but each is made of host names. */
function siteNamed(name: string): string {
  if (/^\S+\.\S+$/.test(name)) return name
  throw new OperationError('invalid', `${name} is neither a provider nor a site; \`studs resolve DOMAIN\` names them.`)
}
