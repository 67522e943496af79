// pino, once. One line an event: JSON for machines, coloured on a terminal. AUTH and bodies are never logged. Much of what
// is logged was written by strangers, so no character that moves a cursor, ends a line, turns the reading direction or
// is not to be seen leaves here as itself.

import { pino } from 'pino'
import pretty from 'pino-pretty'

export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'level' | 'flush'> & {
  child(bindings: Record<string, unknown>): Logger
}

export interface LogSettings {
  readonly level: string
  readonly format: 'auto' | 'json' | 'pretty'
}

export function createLogger(
  settings: LogSettings,
  output: NodeJS.WritableStream & { isTTY?: boolean } = process.stdout,
): Logger {
  const isPretty = settings.format === 'pretty' || (settings.format === 'auto' && output.isTTY === true)
  const options: pino.LoggerOptions = {
    level: settings.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: isPretty ? escapedTwice : escaped },
  }
  if (isPretty) {
    return pino(
      options,
      pretty({ colorize: output.isTTY === true, translateTime: 'SYS:HH:MM:ss.l', destination: output }),
    )
  }
  return pino(options, output === process.stdout ? patientOutput() : output)
}

/** Lines that wait for a disk without room; further ones are dropped. */
const LONGEST_WAITING_BYTES = 4 * 2 ** 20

/** Standard output may be a file on a full disk: then lines are lost, but the relay neither ends nor hangs at its end. */
function patientOutput(): pino.DestinationStream {
  const settings = { fd: 1, sync: false, minLength: 4096, periodicFlush: 200, maxLength: LONGEST_WAITING_BYTES }
  const destination = pino.destination(settings)
  const { flushSync } = destination
  destination.on('error', () => {
    destination.flushSync = () => undefined
  })
  destination.on('write', () => {
    destination.flushSync = flushSync
  })
  return destination
}

// DEL and C1 controls, soft hyphen, bidirectional marks, zero width, line and paragraph separators, byte order mark.
const UNSEEN = /[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/
const ALL_UNSEEN = new RegExp(UNSEEN, 'g')

/** JSON escapes the C0 controls by itself; these stand in strings only, where an escape means the same. */
function escaped(line: string): string {
  return UNSEEN.test(line) ? line.replace(ALL_UNSEEN, codeOf) : line
}

const codeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

const SPECIAL = new RegExp(`\\\\(?:u[0-9a-f]{4}|.)|${UNSEEN.source}`, 'g')
const FRAME = '    at '

/** For pino-pretty, which takes the escapes back and prints messages and stacks as they are: escapes of escapes. */
function escapedTwice(line: string): string {
  return line.replace(SPECIAL, (special, at: number) => {
    if (!special.startsWith('\\')) return `\\${codeOf(special)}`
    const isFrame = special === '\\n' && line.startsWith(FRAME, at + 2)
    return isFrame || '\\"/t'.includes(special.charAt(1)) ? special : `\\${special}`
  })
}

/** For tests and commands that print for themselves. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}
