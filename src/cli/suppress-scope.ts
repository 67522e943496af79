// Whom the suppression commands are about: a tenant, or everybody.

import { type Command, Option } from 'commander'
import { GLOBAL_SCOPE } from '../suppression/suppression.ts'
import { CliError, EXIT } from './io.ts'

export interface ScopeOptions {
  readonly tenant?: string
  readonly everybody?: boolean
}

/** `without`: whom it is about when neither option is given. */
export function scoped(command: Command, without: string): Command {
  return command
    .addOption(new Option('--tenant <name>', `the tenant it is about; without it ${without}`).conflicts('everybody'))
    .option('--everybody', 'entries that hold for all tenants')
}

export function maybeScope({ tenant, everybody }: ScopeOptions): string | undefined {
  return everybody === true ? GLOBAL_SCOPE : tenant
}

export function scopeOf(options: ScopeOptions): string {
  return maybeScope(options) ?? 'default'
}

/** An address is mailed by a tenant, never by everybody. Undefined: all tenants. */
export function tenantOf({ tenant, everybody }: ScopeOptions): string | undefined {
  if (everybody === true)
    throw new CliError(EXIT.usage, 'Mail is sent by a tenant: give --tenant NAME, or nothing for all tenants.')
  return tenant
}

/** `for everybody`, `for the tenant shop`, `for any tenant`. */
export function forWhom(scope: string | undefined): string {
  if (scope === undefined) return 'for any tenant'
  return scope === GLOBAL_SCOPE ? 'for everybody' : `for the tenant ${scope}`
}
