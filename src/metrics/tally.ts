// Counts by labels. What happens to a message adds one to a number in a map; the library hears of it only when somebody
// asks, so that a count costs next to nothing. Bounded: what has no room of its own counts with the others.

import { Counter, type Registry } from '@prometheus-io/client'

export interface Tally {
  /** One value for each label, in their order. */
  add(...values: readonly string[]): void
}

export interface TallyParts {
  readonly registry: Registry
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/** Labels are names from the configuration and from the rules, so this is never reached but by mistake. */
const MOST_SERIES = 2000
const OTHERS = 'other'

export function createTally({ registry, name, help, labels }: TallyParts): Tally {
  const counts = new Map<string, { readonly values: readonly string[]; count: number }>()
  new Counter({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset()
      for (const { values, count } of counts.values())
        this.inc(Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])), count)
    },
  })
  const add = (...values: readonly string[]): void => {
    const key = values.join('\0')
    const known = counts.get(key)
    if (known !== undefined) known.count++
    else if (counts.size < MOST_SERIES) counts.set(key, { values, count: 1 })
    else if (values.some((value) => value !== OTHERS)) add(...labels.map(() => OTHERS))
    else counts.set(key, { values, count: 1 })
  }
  // There from the start: a rate over something that appears at its first count misses that count.
  if (labels.length === 0) counts.set('', { values: [], count: 0 })
  return { add }
}
