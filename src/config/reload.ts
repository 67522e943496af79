// What a reload changes: every difference in words, secrets hidden, and what of it waits for a restart. Part of the options
// are bound once at start, so what holds after a reload is a mixture of old and new; the mixture is checked like a
// configuration of its own, because two safe ones can mix into an open relay.

import { check } from './check.ts'
import { type Option, optionsOf, REDACTED, tomlValue } from './effective.ts'
import { type LoadedSettings, settingsOf } from './load.ts'
import { ConfigError } from './problem.ts'
import { isTable, type Path } from './shape.ts'

export interface Reload {
  /** One sentence per difference. */
  readonly changes: readonly string[]
  /** The options among them that only take effect after a restart. */
  readonly needsRestart: readonly string[]
  /** What holds from now on: `next`, but with the old values of all that needs a restart. The `old` of the next reload. */
  readonly effective: LoadedSettings
}

// Bound once at start: sockets, their certificates, the store, identity, log, threads, and where mail goes. Whole
// sections, or single options of one.
const NEEDS_RESTART: readonly Path[] = [
  ['node'],
  ['data'],
  ['log'],
  ['api'],
  ['metrics'],
  ['tls'],
  ['listener'],
  ['bounce_listener'],
  ['unsubscribe', 'address'],
  ['unsubscribe', 'port'],
  ['delivery', 'mode'],
  ['delivery', 'workers'],
  ['sandbox'],
]

/** Whether a change of the option at `path` waits for a restart. */
export function needsRestart(path: Path): boolean {
  return NEEDS_RESTART.some((prefix) => prefix.every((part, at) => part === path[at]))
}

/**
 * Compares what runs with what was loaded anew. Throws a ConfigError when the new options are right, but not together
 * with the old ones that stay until a restart; nothing may be changed then.
 */
export function reloadable(old: LoadedSettings, next: LoadedSettings): Reload {
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
  return { changes: [...changes], needsRestart: [...restart], effective: mixture(old, next) }
}

function mixture(old: LoadedSettings, next: LoadedSettings): LoadedSettings {
  const tree = NEEDS_RESTART.reduce((mixed, path) => withValueOf(old.tree, mixed, path), next.tree)
  const settings = settingsOf(tree)
  const errors = check(settings).filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return { ...next, tree, settings }
  const cure = 'the new options do not go together with those that stay until a restart: restart instead of reloading'
  throw new ConfigError(errors.map(({ path, message }) => ({ path, message, cure })))
}

type Tree = Readonly<Record<string, unknown>>

function withValueOf(source: Tree, target: Tree, [key = '', ...below]: Path): Tree {
  const [from, to] = [source[key], target[key]]
  if (below.length === 0 || !isTable(from) || !isTable(to)) return { ...target, [key]: from }
  return { ...target, [key]: withValueOf(from, to, below) }
}

function byLabel({ tree }: LoadedSettings): Map<string, Option> {
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
