// Puts health and the doctor's timer together on the core of a running relay.

import type { Settings } from '../config/schema.ts'
import { Health } from '../health/health.ts'
import { createLookup } from '../identity/dns.ts'
import { examine, type Section } from '../identity/doctor.ts'
import { nameServers, onThisMachine } from '../identity/machine.ts'
import type { Message } from '../mail/message.ts'
import type { Logger } from '../observe/logger.ts'
import type { Core } from '../queue/core.ts'
import type { Store } from '../store/store.ts'
import type { Clock, EpochMs } from '../util/clock.ts'
import { DoctorTimer } from './doctor-timer.ts'

export interface RelayHealth {
  readonly health: Health
  readonly doctor: DoctorTimer
  holdsUntil(message: Message): EpochMs | undefined
  stop(): Promise<void>
}

/** Counts from here on. */
export async function startHealth(parts: {
  readonly settings: () => Settings
  readonly store: Store
  readonly core: Core
  readonly clock: Clock
  readonly logger: Logger
}): Promise<RelayHealth> {
  const { settings, store, core, clock, logger } = parts
  const health = new Health({
    ...parts,
    journal: core.journal,
    providerOf: (mx) => core.shaping().providerOf(mx),
    lastWay: (id, n) => core.queue.recipient(id, n)?.lastWay,
  })
  await health.restore()
  health.start()
  const doctor = new DoctorTimer({
    settings,
    examine: () => examineItself(settings(), clock),
    alerts: health.alerts,
    suspensions: core.suspensions,
    store,
    clock,
    logger,
  })
  doctor.start()
  return {
    health,
    doctor,
    holdsUntil: (message) => doctor.holdsUntil(message),
    stop: async () => {
      await doctor.stop()
      await health.stop()
    },
  }
}

/** As `studs doctor` without options does; blocklists are those of the configuration. */
function examineItself(settings: Settings, clock: Clock): Promise<readonly Section[]> {
  const servers = nameServers(settings)
  return examine({
    ...onThisMachine(settings),
    lookup: createLookup({ servers, timeoutMs: settings.delivery.dnsTimeout }),
    servers,
    blocklists: settings.doctor.dnsbl,
    clock,
  })
}
