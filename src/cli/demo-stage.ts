// Where the demo plays: a folder of its own with a configuration, a credential and a relay that delivers into its sandbox.
// Everything takes free ports, so that it runs beside a real relay; the waits are seconds, so that one can watch.

import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LoadedSettings, loadSettings } from '../config/load.ts'
import { createClient } from '../http/client.ts'
import type { Operations } from '../http/operations.ts'
import { hashPassword } from '../inbound/password.ts'
import type { Journal } from '../journal/journal.ts'
import { createLogger, type Logger } from '../observe/logger.ts'
import type { Inbox } from '../sandbox/inbox.ts'
import type { Sandbox, SandboxReports } from '../sandbox/sandbox.ts'
import { type Clock, SECOND } from '../util/clock.ts'

/** As much of a relay as the demo needs; the composition root stands above the commands and is handed in. */
export interface DemoRelay {
  readonly listeners: readonly { readonly name: string; readonly address: string; readonly port: number }[]
  readonly journal: Pick<Journal, 'follow'>
  readonly sandbox: Pick<Sandbox, 'inbox' | 'reports'> | undefined
  /** Path of the API socket. */
  readonly socket: string
  stop(graceMs?: number): Promise<void>
}

export type StartRelay = (options: { loaded: LoadedSettings; clock: Clock; logger: Logger }) => Promise<DemoRelay>

export interface Stage {
  readonly relay: DemoRelay
  readonly inbox: Inbox
  /** What recipients send back. */
  readonly reports: SandboxReports
  readonly operations: Operations
  readonly submission: { readonly address: string; readonly port: number }
  /** Configuration of the demo, for `studs --config`. */
  readonly configFile: string
  readonly logFile: string
  /** Stops the relay; removes the folder unless it is to be looked at. */
  close(options?: { keepFolder: boolean }): Promise<void>
}

export const CREDENTIAL = { user: 'demo', password: 'demo' }
const GRACE_MS = SECOND

export async function openStage({ clock, startRelay }: { clock: Clock; startRelay: StartRelay }): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'studs-demo-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const configFile = join(folder, 'studs.toml')
    const logFile = join(folder, 'studs.log')
    await writeFile(configFile, configText(await hashPassword(CREDENTIAL.password)), { mode: 0o600 })
    const loaded = loadSettings({ file: configFile, env: {} })
    const log = createWriteStream(logFile)
    const logger = createLogger({ level: 'info', format: 'json' }, log)
    const relay = await startRelay({ loaded, clock, logger })
    const [submission] = relay.listeners
    if (submission === undefined || relay.sandbox === undefined)
      throw new Error('the relay of the demo has no listener or no sandbox')
    return {
      relay,
      inbox: relay.sandbox.inbox,
      reports: relay.sandbox.reports,
      operations: createClient({ kind: 'socket', path: relay.socket }),
      submission,
      configFile,
      logFile,
      close: async ({ keepFolder } = { keepFolder: false }) => {
        await relay.stop(GRACE_MS)
        await new Promise<void>((resolve) => log.end(resolve))
        if (!keepFolder) await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

function configText(passwordHash: string): string {
  return `# The demo's relay: everything is delivered into the sandbox; waits are short so that one can watch.
[node]
hostname = "relay.demo.studs.test"

[data]
directory = "data"
map_size = "1GiB"
min_free = "0"

[[listener]]
name = "submission"
port = 0
tls = "starttls"
auth = "required"

[[tenant]]
name = "default"
any_sender = true

# Its bounces come back to a signed address of their own, its complaints to fbl@.
[[domain]]
name = "shop.test"
return_path = "bounce.shop.test"

[[bounce_listener]]
name = "bounces"
port = 0

[[bounce_box]]
address = "fbl@bounce.shop.test"
kind = "feedback"

[[credential]]
name = "${CREDENTIAL.user}"
password = "${passwordHash}"
list_unsubscribe = true

[queue]
retry = ["1s", "2s", "3s"]
jitter = 0.3
lifetime = "9s"

# The pretend receivers say "listed" of single mails: no source should rest for it.
[delivery]
presets = false
mode = "sandbox"
dns_timeout = "1s"
connection_rate = "100/s"
dot_timeout = "1500ms"
idle_timeout = "1s"

# Ten seconds are too short to learn a pace and to come back from it: the last mails would only wait for half a minute.
[pace]
adaptive = false

[sandbox]
smtp_port = 0
dns_port = 0
report_delay = "400ms"
`
}
