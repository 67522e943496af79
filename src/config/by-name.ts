// Finds what is configured by its name. Asked several times for every message: a list of thousands is not searched but read
// once into a table, which lasts as long as the settings it came from.

interface Named {
  readonly name: string
}

/** Up to here a search is faster than a table. */
const SHORT = 8

const tables = new WeakMap<readonly Named[], ReadonlyMap<string, Named>>()

/** The first of the list that has this name; no settings that are in force are ever changed in place. */
export function byName<Entry extends Named>(list: readonly Entry[], name: string | undefined): Entry | undefined {
  if (name === undefined) return undefined
  if (list.length <= SHORT) return list.find((entry) => entry.name === name)
  return tableOf(list).get(name)
}

function tableOf<Entry extends Named>(list: readonly Entry[]): ReadonlyMap<string, Entry> {
  // Made of this very list below.
  const known = tables.get(list) as ReadonlyMap<string, Entry> | undefined
  if (known !== undefined) return known
  const made = new Map<string, Entry>()
  for (const entry of list) if (!made.has(entry.name)) made.set(entry.name, entry)
  tables.set(list, made)
  return made
}
