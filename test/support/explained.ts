// What `studs explain` says to a person of a test relay.

import { join } from 'node:path'
import { expect } from 'vitest'
import { systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import type { TestRelay } from './relay.ts'

/** A few seconds of them: mail that has not found its place by then does not find it. */
const MOST_LOOKS = 1000

export async function explain({ directory }: TestRelay, what: string): Promise<string> {
  const configFile = join(directory, 'studs.toml')
  const { code, out, err } = await runCli(['explain', what], { clock: systemClock, configFile, width: 240 })
  if (code !== 0) throw new Error(err)
  return out
}

/**
 * Asks until the answer says so: what was just sent needs a moment to find its place. The lane is looked at before the
 * message. Every look goes over the socket of the relay, which goes on meanwhile.
 */
export async function explained(relay: TestRelay, what: string, expected: RegExp): Promise<string> {
  let text = ''
  for (let look = 0; look < MOST_LOOKS && !expected.test(text); look++) text = await explain(relay, what)
  expect(text, `explain ${what}, the last of ${MOST_LOOKS} looks`).toMatch(expected)
  return text
}
