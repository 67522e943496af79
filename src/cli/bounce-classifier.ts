// The classifier of a command that needs neither relay nor store: with the operator's own rules where there are any.

import type { Command } from 'commander'
import { type Classifier, createClassifier } from '../bounce/classify.ts'
import { loadRules } from '../bounce/load-rules.ts'
import { RulesError } from '../bounce/rules.ts'
import { ConfigError } from '../config/load.ts'
import { CliError, EXIT, type Io } from './io.ts'
import type { Output } from './output.ts'
import { settingsFor } from './session.ts'

export interface ClassifierWish {
  /** A file instead of the one that the configuration names. */
  readonly rules?: string | undefined
  /** What was not done because of wrong rules: `classified`. */
  readonly doing: string
  readonly command: Command
  readonly io: Io
  readonly output: Pick<Output, 'note'>
}

/** Throws CliError for rules that are wrong. */
export function classifierFor({ rules, doing, command, io, output }: ClassifierWish): Classifier {
  try {
    return createClassifier(loadRules(rules ?? settingsFor(command, io).bounce.rules))
  } catch (error) {
    if (error instanceof RulesError) throw new CliError(EXIT.usage, `Nothing was ${doing}: ${error.message}`)
    if (!(error instanceof ConfigError)) throw error
    // A reply can be explained without a configuration; only the operator's own rules are then not known.
    output.note('The configuration is not valid; only the shipped rules are asked.')
    return createClassifier(loadRules())
  }
}
