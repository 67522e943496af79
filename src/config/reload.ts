// What a reload would change, for the log and for `studs config`: every difference in words, secrets hidden, and which of
// them wait for a restart. Loading has validated the new settings before anybody asks this.

import { type Option, optionsOf, REDACTED, tomlValue } from './effective.ts'
import type { LoadedSettings } from './load.ts'
import type { Path } from './shape.ts'

export interface Reload {
  /** One sentence per difference. */
  readonly changes: readonly string[]
  /** The options among them that only take effect after a restart. */
  readonly needsRestart: readonly string[]
}

// Bound once at start: sockets, the store, identity, threads. `*` = any one part, `**` = all below.
const NEEDS_RESTART: readonly (readonly string[])[] = [
  ['node', 'id'],
  ['data', '**'],
  ['api', 'socket'],
  ['listener', '*', 'address'],
  ['listener', '*', 'port'],
  ['delivery', 'workers'],
  ['sandbox', 'address'],
  ['sandbox', 'smtp_port'],
  ['sandbox', 'dns_port'],
]

/** Whether a change of the option at `path` (an index may be `*`) waits for a restart. */
export function needsRestart(path: Path): boolean {
  return NEEDS_RESTART.some((pattern) => {
    const isOpen = pattern.at(-1) === '**'
    const parts = isOpen ? pattern.slice(0, -1) : pattern
    return (isOpen || path.length === parts.length) && parts.every((part, at) => part === '*' || part === path[at])
  })
}

export function reloadable(old: Pick<LoadedSettings, 'tree'>, next: Pick<LoadedSettings, 'tree'>): Reload {
  const before = byLabel(old)
  const after = byLabel(next)
  const changes = new Set<string>()
  const restart = new Set<string>()
  for (const label of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(label), after.get(label)]
    if (was?.identity === is?.identity) continue
    changes.add(sentence({ label, was, is, before, after }))
    if (needsRestart((is ?? was)?.path ?? [])) restart.add(label)
  }
  return { changes: [...changes], needsRestart: [...restart] }
}

function byLabel({ tree }: Pick<LoadedSettings, 'tree'>): Map<string, Option> {
  return new Map(optionsOf(tree).map((option) => [option.label, option]))
}

interface Difference {
  readonly label: string
  readonly was: Option | undefined
  readonly is: Option | undefined
  readonly before: ReadonlyMap<string, Option>
  readonly after: ReadonlyMap<string, Option>
}

function sentence({ label, was, is, before, after }: Difference): string {
  if (is === undefined) return `${missingEntry(was, after) ?? label}: removed`
  if (was === undefined) {
    const entry = missingEntry(is, before)
    return entry === undefined ? `${label}: set to ${shown(is)}` : `${entry}: added`
  }
  return is.value === REDACTED ? `${label}: changed` : `${label}: ${shown(was)} → ${shown(is)}`
}

// A new or lost entry of an array of tables is one change, not one per option of it.
function missingEntry(option: Option | undefined, others: ReadonlyMap<string, Option>): string | undefined {
  const known = new Set([...others.values()].flatMap(({ entries }) => entries))
  return option?.entries.find((entry) => !known.has(entry))
}

function shown({ value }: Option): string {
  return value === REDACTED ? REDACTED : tomlValue(value)
}
