// What only the files that the configuration names can tell: an operator's rules, the shaping and the DKIM keys, read as the relay would
// read them. Every problem gets the place of the option that names the file.

import { loadRules } from '../bounce/load-rules.ts'
import { RulesError } from '../bounce/rules.ts'
import { ConfigError, type Problem } from '../config/load.ts'
import type { Remainder } from '../config/problem.ts'
import type { Settings } from '../config/schema.ts'
import { loadShaping } from '../shaping/load-shaping.ts'
import { SigningKeyError } from '../sign/keyring.ts'
import { createSigner } from '../sign/signer.ts'
import { systemClock } from '../util/clock.ts'

export interface NamedFiles {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

type SenderDomain = Settings['domain'][number]

export function checkNamedFiles(read: Remainder): NamedFiles {
  const keys = read.settings.domain.map((domain, at) => checkKeys(read, domain, at))
  return {
    problems: [...checkRules(read), ...checkShaping(read), ...keys.flatMap(({ problems }) => problems)],
    warnings: keys.flatMap(({ warnings }) => warnings),
  }
}

function checkRules({ settings, place }: Remainder): Problem[] {
  try {
    loadRules(settings.bounce.rules)
    return []
  } catch (error) {
    if (!(error instanceof RulesError)) throw error
    return [{ path: 'bounce.rules', message: error.message, ...place(['bounce', 'rules']) }]
  }
}

/** Every problem has its own line of the shaping file. */
function checkShaping({ settings }: Remainder): readonly Problem[] {
  try {
    loadShaping({ settings, families: loadRules(undefined).providers })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems
  }
}

function checkKeys({ place }: Remainder, domain: SenderDomain, at: number): NamedFiles {
  try {
    return { problems: [], warnings: createSigner({ domains: [domain], clock: systemClock }).warnings }
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error
    const problems = error.problems.map((message): Problem => {
      const key = domain.dkim.findIndex(({ keyFile }) => message.includes(`DKIM key file ${keyFile}:`))
      const path = ['domain', String(at), ...(key < 0 ? [] : ['dkim', String(key), 'key_file'])]
      return { path: path.join('.'), message, ...place(path) }
    })
    return { problems, warnings: [] }
  }
}
