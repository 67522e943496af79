// Which programs of others this machine has, found out by running them.

import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

/** Whether the command is there and ends well. */
export function runs(program: string, ...words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore', timeout: 10_000 }).status === 0
}

/** Without its plug-ins the SASL library of Postfix cannot log in anywhere. */
export function hasSaslPlain(): boolean {
  return globSync('/usr/lib/{*/,}sasl2/libplain.so').length > 0
}
