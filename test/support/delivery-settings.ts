// Settings for deliveries to servers on loopback: the defaults of the schema, with short waits.

import { type Settings, schema } from '../../src/config/schema.ts'

type DeliverySettings = Settings['delivery']

/** The defaults with camelCase keys; `overrides` are laid over the first level of each section. */
export function settingsWith(overrides: { readonly [Section in keyof Settings]?: unknown } = {}): Settings {
  const defaults = camelKeys(schema.parse({})) as Record<string, unknown>
  for (const [section, value] of Object.entries(overrides)) {
    defaults[section] = Array.isArray(value) ? value : { ...(defaults[section] as object), ...(value as object) }
  }
  return defaults as unknown as Settings
}

export function deliverySettings(overrides: Partial<DeliverySettings> = {}): DeliverySettings {
  return settingsWith({ delivery: { workers: 0, allowPrivate: true, dnsTimeout: 200, ...overrides } }).delivery
}

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      camelKeys(inner),
    ]),
  )
}
