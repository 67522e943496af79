// How words on the command line become values; a wrong one is a usage error with a sentence.

import { userInfo } from 'node:os'
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../config/units.ts'
import { DAY, SECOND } from '../util/clock.ts'

const LONGEST_SPAN = 365 * DAY

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0')
  return value
}

export function durationMs(text: string): number {
  const value = parseDuration(text.trim())
  if (value === undefined) throw new InvalidArgumentError('expected a duration such as "30m", "2h" or "3d"')
  return value
}

/** How long something made by hand may hold. */
export function spanMs(text: string): number {
  const value = durationMs(text)
  if (value < SECOND || value > LONGEST_SPAN) throw new InvalidArgumentError('expected a duration from 1s to 365d')
  return value
}

/** `host:port`; an IPv6 address stands in brackets. */
export function endpoint(text: string): { readonly address: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65_535)
    throw new InvalidArgumentError('expected host:port, such as 127.0.0.1:2528')
  return { address: match[1] ?? match[2] ?? '', port }
}

/** Who is at the keyboard, for records of changes made by hand. */
export function whoAmI(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return `cli:uid-${process.getuid?.() ?? 'unknown'}` // A uid without a name, as containers have.
  }
}
