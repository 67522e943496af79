// Warm-up plans: a date that there is, rates that a provider can be counted by, and somewhere for the rest to go.

import { HOUR } from '../util/clock.ts'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import type { Settings } from './schema.ts'
import type { Rate } from './units.ts'

export function* checkWarmUp({ source, pool }: Settings): Iterable<Finding> {
  const warming = new Set(source.flatMap(({ name, warmUp }) => (warmUp === undefined ? [] : [name])))
  for (const [index, { warmUp }] of source.entries()) {
    if (warmUp === undefined) continue
    const path = `source.${index}.warm_up`
    if (!isDay(warmUp.since)) yield wrong(`${path}.since`, { message: `there is no day ${warmUp.since}` })
    yield* checkRate(`${path}.start`, warmUp.start)
    for (const [at, rate] of warmUp.table.entries()) yield* checkRate(`${path}.table.${at}`, rate)
  }
  for (const [index, { name, sources }] of pool.entries()) {
    const carrying = sources.filter(({ weight }) => weight > 0)
    if (carrying.length === 0 || carrying.some((member) => !warming.has(member.source))) continue
    yield doubtful(`pool.${index}.sources`, {
      message: `every source of pool "${name}" is being warmed up: what is beyond their plans waits`,
      cure: 'add a warm source to the pool, or remove warm_up once it is over',
    })
  }
}

/** `2026-02-30` is read as a day in March. */
function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

function* checkRate(path: string, { per }: Rate): Iterable<Finding> {
  if (per >= HOUR) return
  yield wrong(path, { message: 'a warm-up is counted by the hour or longer', cure: 'write "20/h" or "400/d"' })
}
