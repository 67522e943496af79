// A whole relay for scenarios: real sockets on free ports, a real store in a temporary directory, the sandbox as the
// internet, and (if wanted) a clock of the test's own. Tests wait for records, never for time.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { loadSettings } from '../../src/config/load.ts'
import type { RecordKind, StoredRecord } from '../../src/journal/record.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { type Relay, startRelay } from '../../src/relay.ts'
import { type Clock, systemClock } from '../../src/util/clock.ts'
import { SandboxClient } from './sandbox-client.ts'

export interface TestRelayOptions {
  /** More TOML; [data], [sandbox], [delivery] and the listener `trusted` are given. */
  readonly toml?: string
  /** More keys of [delivery]. */
  readonly delivery?: string
  readonly queue?: string
  /** Everything goes to this port of 127.0.0.1 instead of the sandbox. */
  readonly routeTo?: number
  /** No sandbox: mail goes where DNS (`resolvers` in `delivery`) says. */
  readonly internet?: boolean
  readonly clock?: Clock
  /** Of retries; none unless given. */
  readonly jitter?: number
  /** Written as rules.toml beside the configuration. */
  readonly rules?: string
  /** The directory of an earlier relay, to start it again. */
  readonly directory?: string
}

export interface TestRelay {
  readonly relay: Relay
  readonly directory: string
  readonly records: readonly StoredRecord[]
  /** Sends one message through the trusted listener, from a loopback address; resolves with its id after 250. */
  send(to: string | readonly string[], more?: Record<string, unknown>, from?: string): Promise<string>
  /** Resolves with the next (or an earlier) record that fits. */
  record(kind: RecordKind, about?: { recipient?: string; message?: string; count?: number }): Promise<StoredRecord>
  /** Gives a mail to the bounce listener, from the null sender unless named; the first refusal, or the reply to the dot. */
  report(to: string, raw: string | Buffer, sender?: string): Promise<string>
  /** MAIL FROM on the wire of the last mail to `recipient` that the sandbox has. */
  returnPathOf(recipient: string): string
  readonly bouncePort: number
  stop(): Promise<void>
}

/** For `toml`: sender.test with a signed return path, and the boxes that some reports need. */
export const RETURN_PATHS = `
[[domain]]
name = "sender.test"
return_path = "bounce.sender.test"
[[bounce_box]]
address = "fbl@bounce.sender.test"
kind = "feedback"
[[bounce_box]]
address = "*@sender.test"
`

export const configOf = ({
  toml = '',
  delivery = '',
  queue = '',
  jitter = 0,
  routeTo,
  internet,
}: TestRelayOptions): string => `
[node]
hostname = "relay.test"
[data]
map_size = "1GiB"
min_free = "0"
[sandbox]
smtp_port = 0
dns_port = 0
report_delay = "10ms"
[delivery]
mode = "${routeTo === undefined && internet !== true ? 'sandbox' : 'internet'}"
workers = 0
connection_rate = "100000/s"
${delivery}
[queue]
jitter = ${jitter}
${queue}
[[listener]]
name = "trusted"
port = 0
tls = "none"
auth = "optional"
[[bounce_listener]]
name = "bounces"
port = 0
tls = "none"
${routeTo === undefined ? '' : `[[route]]\ndomain = "*"\nto = "smtp://127.0.0.1:${routeTo}"\ntls = "none"\nallow_private = true`}
${toml}
`

const running = new Set<TestRelay>()

/** For afterEach: stops what a test left running and removes its directories. */
export async function stopRelays(): Promise<void> {
  for (const each of running) {
    await each.stop()
    await rm(each.directory, { recursive: true, force: true })
  }
}

export async function startTestRelay(options: TestRelayOptions = {}): Promise<TestRelay> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'studs-relay-'))
  const file = join(directory, 'studs.toml')
  if (options.directory === undefined) writeFileSync(file, configOf(options))
  if (options.rules !== undefined) writeFileSync(join(directory, 'rules.toml'), options.rules)
  const load = () => loadSettings({ file, env: {} })
  const relay = await startRelay({
    loaded: load(),
    reload: load,
    clock: options.clock ?? systemClock,
    logger: silentLogger(),
  })
  const records: StoredRecord[] = []
  const waiting = new Set<() => void>()
  relay.journal.follow((record) => {
    records.push(record)
    for (const look of [...waiting]) look()
  })
  const find = (
    kind: RecordKind,
    about: { recipient?: string; message?: string; count?: number },
  ): StoredRecord | undefined =>
    records.filter(
      (record) =>
        record.kind === kind &&
        (about.recipient ?? record.recipient) === record.recipient &&
        (about.message ?? record.message) === record.message,
    )[(about.count ?? 1) - 1]
  const test: TestRelay = {
    relay,
    directory,
    records,
    record: (kind, about = {}) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = find(kind, about)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    async send(to, more = {}, from = '127.0.0.1') {
      const transport = createTransport({
        host: '127.0.0.1',
        port: relay.listeners[0]!.port,
        secure: false,
        ignoreTLS: true,
        localAddress: from,
      })
      const sent = await transport.sendMail({
        from: 'app@sender.test',
        to: [...(typeof to === 'string' ? [to] : to)],
        subject: 'Hello',
        text: 'Hello.\n',
        ...more,
      })
      transport.close()
      return /queued as ([0-9a-v]{13})/.exec(sent.response)?.[1] ?? sent.response
    },
    async report(to, raw, sender = '') {
      const client = await SandboxClient.to(test.bouncePort)
      try {
        const bytes = (typeof raw === 'string' ? raw : raw.toString('latin1')).replace(/^\./gm, '..')
        let reply = await client.reply()
        for (const line of [
          'EHLO mx.example.test',
          `MAIL FROM:<${sender}>`,
          `RCPT TO:<${to}>`,
          'DATA',
          `${bytes}\r\n.`,
        ]) {
          if (!/^[23]/.test(reply)) break
          reply = await client.say(line)
        }
        return reply
      } finally {
        client.close()
      }
    },
    returnPathOf(recipient) {
      const mail = relay.sandbox?.inbox.list().findLast(({ recipients }) => recipients.includes(recipient))
      if (mail === undefined) throw new Error(`nothing was delivered to ${recipient}`)
      return mail.sender
    },
    get bouncePort() {
      const listener = relay.reportListeners.find(({ name }) => name === 'bounces')
      if (listener === undefined) throw new Error('the relay has no bounce listener')
      return listener.port
    },
    async stop() {
      running.delete(test)
      await relay.stop(0)
    },
  }
  running.add(test)
  return test
}
