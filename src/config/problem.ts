// What can be wrong with a configuration, as a list that is reported whole: every problem names its place (file and line,
// or environment variable), the key, what is wrong and, where one can know it, the cure.

import type { Settings } from './schema.ts'
import type { Path } from './shape.ts'

export interface Problem {
  /** Dotted key, `listener.0.port`; '' for the file as a whole. */
  readonly path: string
  readonly message: string
  readonly cure?: string
  /** As shown to people: relative to the working directory where it lies below it. */
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** The environment variable the value came from, instead of file and line. */
  readonly variable?: string
}

/** Where something stands: in the file, or in the environment. */
export type Place = Pick<Problem, 'file' | 'line' | 'variable'>

/** Of a configuration that is wrong, what is right: so that more problems can be found, and for nothing else. */
export interface Remainder {
  readonly settings: Settings
  place(path: Path): Place
}

/** Thrown for everything that is wrong with the configuration, and for nothing else. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'STUDS_CONFIG'
  readonly problems: readonly Problem[]
  readonly remainder: Remainder | undefined

  constructor(problems: readonly Problem[], remainder?: Remainder) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
    this.remainder = remainder
  }
}

/** `config/studs.toml:12: delivery.mode: expected …; did you mean …` */
export function formatProblem(problem: Problem): string {
  const sentence = problem.cure === undefined ? problem.message : `${problem.message}; ${problem.cure}`
  return [place(problem), problem.path, sentence].filter((part) => part !== '').join(': ')
}

function place({ file, line, column, variable }: Problem): string {
  if (variable !== undefined) return `environment variable ${variable}`
  return [file, line, column].filter((part) => part !== undefined).join(':')
}
