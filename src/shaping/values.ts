// What can be shaped: the keys of a section, their types and limits. The reference (docs/shaping.md), the check of a file
// and the layering all come from here. Keys are snake_case in the file, camelCase in the code.

import { z } from 'zod'
import { connectionRate, duration, type Milliseconds, type Rate, rate } from '../config/units.ts'

const count = () => z.number().int().min(1)
const wait = () => duration().refine((ms) => ms > 0, 'must be longer than "0"')
/** "unlimited" takes back what a wider section limits. */
const maybeRate = () => z.literal('unlimited').or(rate())

/** What every section may say. */
export const VALUES = {
  connections: count(),
  messages_per_connection: count(),
  connection_rate: connectionRate(),
  message_rate: maybeRate(),
  tls: z.enum(['opportunistic', 'required', 'verify', 'none']),
  retry: z.array(wait()).min(1),
  idle_timeout: duration(),
  connect_timeout: wait(),
  greeting_timeout: wait(),
  command_timeout: wait(),
  data_timeout: wait(),
  block_timeout: wait(),
  dot_timeout: wait(),
  attempt_timeout: wait(),
}
/** What only a provider has: limits over all its sites. */
export const PROVIDER_VALUES = {
  provider_connections: count(),
  provider_connections_per_source: count(),
  provider_message_rate: maybeRate(),
}

type Limit = Rate | 'unlimited'

/** The values of one place: where a message goes to and where from. */
export interface Values {
  readonly connections: number
  readonly messagesPerConnection: number
  readonly connectionRate: Rate
  readonly messageRate: Limit
  /** The words of [[tls_policy]]: `required` takes any certificate. */
  readonly tls: 'opportunistic' | 'required' | 'verify' | 'none'
  readonly retry: readonly Milliseconds[]
  readonly idleTimeout: Milliseconds
  readonly connectTimeout: Milliseconds
  readonly greetingTimeout: Milliseconds
  readonly commandTimeout: Milliseconds
  readonly dataTimeout: Milliseconds
  readonly blockTimeout: Milliseconds
  readonly dotTimeout: Milliseconds
  readonly attemptTimeout: Milliseconds
  readonly providerConnections: number | undefined
  readonly providerConnectionsPerSource: number | undefined
  readonly providerMessageRate: Limit
}
export type ValueName = keyof Values

export const VALUE_NAMES = [...Object.keys(VALUES), ...Object.keys(PROVIDER_VALUES)].map(camel) as ValueName[]

/** From the least demanding to the most. */
export const TLS_STRENGTH: readonly Values['tls'][] = ['none', 'opportunistic', 'required', 'verify']

/** Those by which one path differs from another, so that a domain that has them needs a path of its own. */
export const PATH_VALUES: readonly ValueName[] = [
  'connections',
  'messagesPerConnection',
  'connectionRate',
  'messageRate',
  'idleTimeout',
]

export function camel(key: string): string {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

export function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
