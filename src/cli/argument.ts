// How words on the command line become values; a wrong one is a usage error with a sentence.

import { userInfo } from 'node:os'
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../config/units.ts'

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

/** Who is at the keyboard, for records of changes made by hand. */
export function whoAmI(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return `cli:uid-${process.getuid?.() ?? 'unknown'}` // A uid without a name, as containers have.
  }
}
