// What a cross check finds: a problem that stops the start, or a warning. Checks are generators of findings over the
// whole settings; check.ts runs them all.

import type { Problem } from './problem.ts'
import type { Settings } from './schema.ts'

export interface Finding extends Problem {
  readonly severity: 'error' | 'warning'
}

export type Check = (settings: Settings) => Iterable<Finding>

type Words = Pick<Problem, 'message' | 'cure'>

export function wrong(path: string, words: Words): Finding {
  return { severity: 'error', path, ...words }
}

export function doubtful(path: string, words: Words): Finding {
  return { severity: 'warning', path, ...words }
}

export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}
