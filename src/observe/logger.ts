// pino, once. One line an event: JSON for machines, coloured on a terminal. AUTH and bodies are never logged.

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
  }
  if (isPretty) {
    return pino(
      options,
      pretty({ colorize: output.isTTY === true, translateTime: 'SYS:HH:MM:ss.l', destination: output }),
    )
  }
  if (output === process.stdout)
    return pino(options, pino.destination({ fd: 1, sync: false, minLength: 4096, periodicFlush: 200 }))
  return pino(options, output)
}

/** For tests and commands that print for themselves. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}
