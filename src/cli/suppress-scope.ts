// Whom the suppression commands are about: a tenant, or everybody.

import { type Command, Option } from 'commander'
import { GLOBAL_SCOPE } from '../suppression/suppression.ts'
import { CliError, EXIT } from './io.ts'

export interface ScopeOptions {
  readonly tenant?: string
  readonly everybody?: boolean
}
export function scoped(command: Command): Command {
  return command
    .addOption(new Option('--tenant <name>', 'the tenant it is about').conflicts('everybody'))
    .option('--everybody', 'entries that hold for all tenants')
}

export function maybeScope({ tenant, everybody }: ScopeOptions): string | undefined {
  return everybody === true ? GLOBAL_SCOPE : tenant
}

export function scopeOf(options: ScopeOptions): string {
  return maybeScope(options) ?? 'default'
}

/** An address is mailed by a tenant, never by everybody. */
export function tenantOf({ tenant, everybody }: ScopeOptions): string {
  if (everybody === true)
    throw new CliError(EXIT.usage, 'Mail is sent by a tenant: give --tenant NAME, or nothing for "default".')
  return tenant ?? 'default'
}
