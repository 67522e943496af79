// The sandbox of a relay in sandbox mode, and the settings as delivery sees them then: every way leads into it.

import type { Settings } from '../config/schema.ts'
import type { Logger } from '../observe/logger.ts'
import { createSandbox, type Sandbox } from '../sandbox/sandbox.ts'
import type { Clock } from '../util/clock.ts'

export interface PretendInternet {
  readonly sandbox: Sandbox
  /** The settings with every way out turned into the sandbox. */
  inSandbox(settings: Settings): Settings
}

export async function startPretendInternet(parts: {
  readonly settings: Settings
  readonly clock: Clock
  readonly logger: Logger
  /** Our own listener: in the pretend internet it is the MX of every return path. */
  readonly reportTo: NonNullable<Parameters<typeof createSandbox>[0]['reportTo']>
}): Promise<PretendInternet> {
  const { settings, clock, logger, reportTo } = parts
  const sandbox = createSandbox({ settings: settings.sandbox, clock, reportTo })
  const { address, smtpPort, dnsPort } = await sandbox.start()
  logger.info(
    { event: 'sandbox', address, smtpPort, dnsPort },
    'every mail is delivered into the sandbox (delivery.mode)',
  )
  return {
    sandbox,
    inSandbox: (given) => ({
      ...given,
      // No route leads out of the sandbox.
      route: [],
      tlsPolicy: [],
      delivery: {
        ...given.delivery,
        resolvers: [`${address}:${dnsPort}`],
        port: smtpPort,
        allowPrivate: false,
        // Its name server validates nothing, and its domains publish nothing.
        dane: 'off',
        mtaSts: false,
      },
    }),
  }
}
