// Where something stands in a shaping file: its level, its section, its line.

/** From wide to narrow. */
export const LEVELS = ['default', 'provider', 'site', 'domain'] as const
export type Level = (typeof LEVELS)[number]

export interface Place {
  readonly file: string
  readonly line: number
  /** As it stands in the file: `[provider.google]`. */
  readonly section: string
}
