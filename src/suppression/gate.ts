// The gate: whether a message may be sent to an address. Asked at RCPT (find) and again right before every attempt
// (admission). Puts together what the list says, who is on trial, and the addresses a tenant's policy refuses.

import { byName } from '../config/by-name.ts'
import type { Settings } from '../config/schema.ts'
import type { EmailAddress } from '../mail/address.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import type { SuppressionList } from './list.ts'
import { addressTarget } from './normalise.ts'
import type { Suppression } from './suppression.ts'
import { TRIAL_WAIT_MS, type Trials } from './trials.ts'

export type Admission =
  | { readonly kind: 'free' }
  | { readonly kind: 'suppressed'; readonly entry: Suppression }
  /** Another message to the same address is on trial: ask again then. Not an attempt. */
  | { readonly kind: 'wait'; readonly until: EpochMs }

export interface Gate {
  /** The entry because of which `tenant` must not mail `address`; claims nothing. */
  find(tenant: string, address: EmailAddress): Suppression | undefined
  /** Right before an attempt for `message`; where the address is half-open and free, the message is its trial from now on. */
  admission(tenant: string, address: EmailAddress, message: string): Admission
  /** The message that is tried right now to an address that is half-open. */
  trial(entry: Suppression): string | undefined
}

interface Parts {
  readonly list: SuppressionList
  readonly trials: Trials
  readonly settings: () => Pick<Settings, 'suppression' | 'tenant'>
  readonly clock: Clock
}

const FREE: Admission = { kind: 'free' }

export function createGate({ list, trials, settings, clock }: Parts): Gate {
  const tenantOf = (name: string): Settings['tenant'][number] | undefined => byName(settings().tenant, name)
  const refusedRole = (tenant: string, address: EmailAddress): Suppression | undefined =>
    tenantOf(tenant)?.roleAddresses === 'refuse' && isRole(address, settings().suppression.roles)
      ? roleEntry({ tenant, target: addressTarget(address, settings().suppression), now: clock.now() })
      : undefined
  const ask = (tenant: string, address: EmailAddress): ReturnType<SuppressionList['ask']> =>
    list.ask(tenant, address, { useGlobal: tenantOf(tenant)?.useGlobal ?? true })
  return {
    find: (tenant, address) => ask(tenant, address).inForce ?? refusedRole(tenant, address),
    admission: (tenant, address, message) => {
      const { inForce, halfOpen } = ask(tenant, address)
      const entry = inForce ?? refusedRole(tenant, address)
      if (entry !== undefined) return { kind: 'suppressed', entry }
      if (halfOpen === undefined || trials.begin(halfOpen, message)) return FREE
      return { kind: 'wait', until: clock.now() + TRIAL_WAIT_MS }
    },
    trial: (entry) => trials.current(entry),
  }
}

/** Addresses that stand for a function, not for a person: exactly so, as `abuse+shop@` is somebody's own invention. */
export function isRole(address: EmailAddress, roles: readonly string[]): boolean {
  return roles.includes(address.slice(0, address.lastIndexOf('@')).toLowerCase())
}

/** Stored nowhere: it is there for as long as the configuration says so. */
function roleEntry(given: { tenant: string; target: string; now: EpochMs }): Suppression {
  return {
    scope: given.tenant,
    target: given.target,
    reason: 'policy',
    createdAt: given.now,
    who: 'config',
    note: 'a role address (role_addresses = "refuse")',
  }
}
