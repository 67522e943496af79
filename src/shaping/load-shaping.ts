// The shaping in force: the operator's file from delivery.shaping over the shipped presets, held against the rest of the
// configuration. A file is taken whole or refused whole, with every line that is wrong.

import { readFileSync } from 'node:fs'
import { readFailure } from '../config/document.ts'
import { ConfigError, type Problem } from '../config/problem.ts'
import type { Settings } from '../config/schema.ts'
import { nearest } from '../config/suggest.ts'
import type { ProviderTable } from './provider.ts'
import { createShaping, type Shaping, type ShapingParts } from './shaping.ts'
import { readShapingFile, type ShapingFile } from './shaping-file.ts'

export interface LoadShaping {
  readonly settings: Pick<Settings, 'delivery' | 'queue' | 'source'>
  readonly families: ProviderTable
  readonly originOf?: ShapingParts['originOf']
}

/** Throws a ConfigError. Reads delivery.shaping, if there is one, and nothing else that is not shipped. */
export function loadShaping({ settings, families, originOf }: LoadShaping): Shaping {
  const { shaping: name, presets } = settings.delivery
  const shipped = presets ? [{ kind: 'preset' as const, file: shippedPresets() }] : []
  const own = name === undefined ? [] : [{ kind: 'file' as const, file: readShapingFile(textOf(name), name) }]
  const files = [...own, ...shipped]
  const problems = own.flatMap(({ file }) => [
    ...crossProblems(file, { settings, families, shipped: shipped[0]?.file }),
  ])
  if (problems.length > 0) throw new ConfigError(problems)
  return createShaping({ settings, files, families, ...(originOf !== undefined && { originOf }) })
}

export function shippedPresets(): ShapingFile {
  return readShapingFile(readFileSync(new URL('presets.toml', import.meta.url), 'utf8'), 'presets.toml')
}

interface Surroundings {
  readonly settings: LoadShaping['settings']
  readonly families: ProviderTable
  readonly shipped: ShapingFile | undefined
}

/** What the form alone cannot tell: names of sources and providers that exist, ends that belong to one provider. */
function* crossProblems(file: ShapingFile, { settings, families, shipped }: Surroundings): Iterable<Problem> {
  const sources = settings.source.map(({ name }) => name)
  for (const [name, { section, ...place }] of file.mentioned) {
    if (sources.includes(name)) continue
    const suggestion = nearest(name, sources)
    const cure =
      suggestion === undefined ? 'add a [[source]] of that name to the configuration' : `did you mean "${suggestion}"?`
    yield { path: section, ...place, message: `there is no source "${name}"`, cure }
  }
  const known = new Set([...families.values(), ...(shipped?.providers.map(({ name }) => name) ?? [])])
  const owner = new Map<string, string>()
  for (const { name, mx, place } of file.providers) {
    const at = { path: place.section, file: place.file, line: place.line }
    if (mx === undefined && !known.has(name)) {
      const suggestion = nearest(name, known)
      const cure =
        suggestion === undefined
          ? 'say by mx = ["…"] which hosts are its'
          : `did you mean "${suggestion}"? Otherwise say by mx = ["…"] which hosts are its`
      yield { ...at, message: `nobody knows a provider "${name}"`, cure }
    }
    for (const end of mx ?? []) {
      const other = owner.get(end)
      if (other !== undefined)
        yield {
          ...at,
          message: `hosts that end in ${end} belong to [provider.${other}] already`,
          cure: 'remove one of them',
        }
      owner.set(end, name)
    }
  }
}

function textOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    throw new ConfigError([{ path: 'delivery.shaping', file, ...readFailure(error) }])
  }
}
