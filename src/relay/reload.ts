// The settings in force, and how a reload changes them: everything that can refuse is asked first, then all parts take over, and
// the log has what came of it. Invariant: what is in force was checked as a whole, also where a part of it waits for a restart.

import type { LoadedSettings } from '../config/load.ts'
import { reloadable } from '../config/reload.ts'
import type { Settings } from '../config/schema.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Health } from '../health/health.ts'
import type { Submission } from '../inbound/submission.ts'
import type { Logger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import { originIn } from '../shaping/origin.ts'
import type { ConfiguredSigner } from '../sign/signer.ts'
import { changesOf, type NamedFiles, namedFiles } from './named-files.ts'
import type { Reports } from './reports.ts'
import type { Sending } from './sending.ts'
import type { WatchedSources } from './sources.ts'

/** The parts that take new settings over. */
export interface Reloaded {
  readonly core: Core
  readonly sources: WatchedSources
  readonly delivery: Delivery
  readonly signer: ConfiguredSigner
  readonly submission: Submission
  readonly reports: Reports
  readonly sending: Sending
  readonly health: Health
  /** How delivery sees the settings. */
  readonly inSandbox: (settings: Settings) => Settings
}

export class SettingsInForce {
  #loaded: LoadedSettings
  #files: NamedFiles
  readonly #logger: Logger

  constructor(loaded: LoadedSettings, logger: Logger) {
    this.#loaded = loaded
    this.#files = namedFiles(loaded.settings)
    this.#logger = logger
  }

  get loaded(): LoadedSettings {
    return this.#loaded
  }

  get settings(): Settings {
    return this.#loaded.settings
  }

  /** `read` throws when the configuration cannot be taken; whoever asks for it, the log has it. A sentence per change. */
  async reload(read: (() => LoadedSettings) | undefined, parts: Reloaded): Promise<readonly string[]> {
    if (read === undefined) return []
    try {
      return await this.#takeOver(read(), parts)
    } catch (error) {
      this.#logger.error({ event: 'reload-refused' }, (error as Error).message)
      throw error
    }
  }

  async #takeOver(next: LoadedSettings, parts: Reloaded): Promise<readonly string[]> {
    // What runs from here on is old where a restart is needed and new elsewhere: that mixture was checked as a whole.
    const { changes, needsRestart, effective } = reloadable(this.#loaded, next)
    const { settings } = effective
    // Rules and keys are read before anything changes: these are the last parts that can refuse.
    const takeOver = parts.core.prepare(settings, originIn(effective))
    parts.signer.reconfigure(settings.domain)
    this.#loaded = effective
    takeOver()
    await parts.sources.watch(settings)
    parts.delivery.reconfigure(parts.inSandbox(settings), parts.core.shaping())
    parts.submission.reconfigure(settings)
    await parts.reports.reconfigure(settings)
    parts.sending.runner.forgetPlaces()
    parts.health.reconfigure()
    return this.#tell(changes, needsRestart)
  }

  #tell(changes: readonly string[], needsRestart: readonly string[]): readonly string[] {
    const files = namedFiles(this.settings)
    const all = [...changes, ...changesOf(this.#files, files)]
    this.#files = files
    for (const change of all) this.#logger.info({ event: 'reloaded' }, change)
    for (const option of needsRestart)
      this.#logger.warn({ event: 'needs-restart', option }, `${option} takes effect at the next start`)
    return [...all, ...needsRestart.map((option) => `${option} takes effect at the next start`)]
  }
}
