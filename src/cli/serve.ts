// `studs serve`: the relay in the foreground, until it is told to stop. Exit codes: 0 after a stop, 70 (EX_SOFTWARE) when
// the store failed and the process must not go on; a supervisor starts it again.

import { formatProblem, loadSettings } from '../config/load.ts'
import { createLogger } from '../observe/logger.ts'
import { startRelay } from '../relay.ts'
import type { Clock } from '../util/clock.ts'
import { CliError, EXIT } from './io.ts'

export interface ServeIo {
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal
  /** Calls `listener` when the process is asked to read its configuration again (SIGHUP). */
  onReload(listener: () => void): void
  /** Ends the process at once: what is in memory cannot be trusted or saved. */
  die(exitCode: number): never
}

const EX_SOFTWARE = 70
const LAST_WORDS_MS = 200

/** Resolves after an orderly stop. */
export async function serve(file: string | undefined, io: ServeIo): Promise<void> {
  const load = () => loadSettings({ file, env: io.env })
  const loaded = load()
  const logger = createLogger(loaded.settings.log)
  for (const warning of loaded.warnings)
    logger.warn({ event: 'config-warning', option: warning.path }, formatProblem(warning))
  const relay = await startRelay({
    loaded,
    reload: load,
    clock: io.clock,
    logger,
    onFatal: () => {
      logger.flush()
      // Those who wait for their 250 get their 451 first; nothing can be written meanwhile, so nothing is taken.
      io.clock.after(LAST_WORDS_MS, () => io.die(EX_SOFTWARE))
    },
  }).catch((cause: unknown) => {
    throw new CliError(
      EXIT.failed,
      `The relay cannot start: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  })
  logger.info({ event: 'ready', config: loaded.file ?? 'defaults', socket: relay.socket })
  io.onReload(() => {
    // The relay has logged why.
    relay.reload().catch(() => undefined)
  })
  if (!io.signal.aborted) await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }))
  logger.info({ event: 'stopping' })
  await relay.stop()
  logger.info({ event: 'stopped' })
  logger.flush()
}
