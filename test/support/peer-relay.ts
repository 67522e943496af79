// A whole relay between real programs: it delivers over its configured routes instead of the sandbox, and takes mail as
// in production, by 587 with STARTTLS and AUTH, by 465, and from the trusted network. Tests wait for records.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReturnPathKey } from '../../src/bounce/return-path.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/schema.ts'
import { hashPassword } from '../../src/inbound/password.ts'
import type { RecordKind, StoredRecord } from '../../src/journal/record.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { returnPathKeys } from '../../src/queue/return-path-keys.ts'
import { type Relay, startRelay } from '../../src/relay.ts'
import { type Algorithm, generateKey } from '../../src/sign/key.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { systemClock } from '../../src/util/clock.ts'
import { LineClient } from './dialog.ts'

export const USER = 'app'
export const PASSWORD = 'pass phrase: yes'
/** Signed by two keys, with signed return paths. */
export const SENDER_DOMAIN = 'sender.test'
export const RETURN_PATH_DOMAIN = 'bounces.sender.test'
/** Neither signed nor with a return path: the app's own sender goes out. */
export const PLAIN_DOMAIN = 'plain.test'

export interface Route {
  readonly domain: string
  readonly port: number
  /** More keys, as TOML. */
  readonly more?: string
}

export interface PeerRelayOptions {
  readonly routes: readonly Route[]
  /** More keys of [delivery]. */
  readonly delivery?: string
}

export interface RawMail {
  readonly from?: string
  readonly to: readonly string[]
  /** Headers and body, CRLF lines, without dot-stuffing and without the final dot. */
  readonly content: string | Buffer
  /** Parameters of MAIL, and of every RCPT. */
  readonly mail?: string
  readonly rcpt?: string
}

type About = Partial<Pick<StoredRecord, 'recipient' | 'message'>> & { readonly count?: number }

export interface PeerRelay {
  readonly relay: Relay
  readonly directory: string
  readonly records: readonly StoredRecord[]
  /** DNS name and TXT record of each DKIM key. */
  readonly zone: ReadonlyMap<string, string>
  /** What return paths are signed with. */
  readonly returnPathKeys: readonly ReturnPathKey[]
  port(listener: 'submission' | 'submissions' | 'trusted'): number
  /** Sends over the trusted listener, byte for byte; resolves with the id. */
  send(mail: RawMail): Promise<string>
  /** Resolves with the next (or an earlier) record that fits. */
  record(kind: RecordKind, about?: About): Promise<StoredRecord>
  /** Its directory goes too. */
  stop(): Promise<void>
}

const configOf = (options: PeerRelayOptions, password: string, selectors: readonly string[]): string => `
[node]
hostname = "relay.test"
[data]
map_size = "1GiB"
min_free = "0"
[delivery]
mode = "internet"
connection_rate = "100000/s"
${options.delivery ?? 'workers = 0'}
[queue]
jitter = 0
retry = ["300ms"]
${options.routes.map(routeOf).join('')}
[[listener]]
name = "submission"
port = 0
tls = "starttls"
auth = "required"
[[listener]]
name = "submissions"
port = 0
tls = "implicit"
auth = "required"
[[listener]]
name = "trusted"
port = 0
tls = "none"
auth = "optional"
[[bounce_listener]]
name = "bounces"
port = 0
[[credential]]
name = "${USER}"
password = "${password}"
dsn = "failures"
[[domain]]
name = "${SENDER_DOMAIN}"
return_path = "${RETURN_PATH_DOMAIN}"
${selectors.map((selector) => `[[domain.dkim]]\nselector = "${selector}"\nkey_file = "${selector}.pem"\n`).join('')}
[[domain]]
name = "${PLAIN_DOMAIN}"
`

const routeOf = ({ domain, port, more = '' }: Route): string => `
[[route]]
domain = "${domain}"
to = "smtp://127.0.0.1:${port}"
allow_private = true
${more}
`

const ALGORITHMS: Readonly<Record<string, Algorithm>> = { rsa: 'rsa-sha256', ed: 'ed25519-sha256' }

const running = new Set<PeerRelay>()

/** For afterAll: stops what a test left running. */
export async function stopPeerRelays(): Promise<void> {
  for (const each of [...running]) await each.stop()
}

export async function startPeerRelay(options: PeerRelayOptions): Promise<PeerRelay> {
  const directory = mkdtempSync(join(tmpdir(), 'studs-peer-'))
  const zone = await writeKeys(directory)
  const file = join(directory, 'studs.toml')
  writeFileSync(file, configOf(options, await hashPassword(PASSWORD), Object.keys(ALGORITHMS)))
  const load = () => loadSettings({ file, env: {} })
  const keys = await makeReturnPathKeys(load().settings)
  const relay = await startRelay({ loaded: load(), reload: load, clock: systemClock, logger: silentLogger() })
  const port: PeerRelay['port'] = (name) => relay.listeners.find((listener) => listener.name === name)!.port
  const peer: PeerRelay = {
    relay,
    directory,
    zone,
    returnPathKeys: keys,
    ...followed(relay),
    port,
    send: (mail) => sendRaw(port('trusted'), mail),
    stop: async () => {
      running.delete(peer)
      await relay.stop(0)
      rmSync(directory, { recursive: true })
    },
  }
  running.add(peer)
  return peer
}

async function writeKeys(directory: string): Promise<ReadonlyMap<string, string>> {
  const zone = new Map<string, string>()
  for (const [selector, algorithm] of Object.entries(ALGORITHMS)) {
    const key = await generateKey({ algorithm })
    writeFileSync(join(directory, `${selector}.pem`), key.privatePem, { mode: 0o600 })
    zone.set(`${selector}._domainkey.${SENDER_DOMAIN}`, key.dnsRecord)
  }
  return zone
}

/** Before the start, because a running relay has its store for itself. */
async function makeReturnPathKeys({ data }: Settings): Promise<readonly ReturnPathKey[]> {
  const store = openStore({ ...data, clock: systemClock })
  const keys = await returnPathKeys(store)
  await store.close()
  return keys
}

function followed({ journal }: Relay): Pick<PeerRelay, 'records' | 'record'> {
  const records: StoredRecord[] = []
  const waiting = new Set<() => void>()
  journal.follow((record) => {
    records.push(record)
    for (const look of [...waiting]) look()
  })
  const isAbout = (record: StoredRecord, { recipient, message }: About): boolean =>
    (recipient ?? record.recipient) === record.recipient && (message ?? record.message) === record.message
  const find = (kind: RecordKind, about: About): StoredRecord | undefined =>
    records.filter((record) => record.kind === kind && isAbout(record, about))[(about.count ?? 1) - 1]
  return {
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
  }
}

async function sendRaw(
  port: number,
  { from = `app@${SENDER_DOMAIN}`, to, content, mail = '', rcpt = '' }: RawMail,
): Promise<string> {
  const client = new LineClient(connect(port, '127.0.0.1'))
  await client.reply()
  const ask = async (line: string): Promise<string> => {
    const reply = await client.command(line)
    if (reply === undefined || !/^[23]/.test(reply)) throw new Error(`${line}: ${reply}`)
    return reply
  }
  await ask('EHLO app.test')
  await ask(`MAIL FROM:<${from}> ${mail}`.trimEnd())
  for (const recipient of to) await ask(`RCPT TO:<${recipient}> ${rcpt}`.trimEnd())
  await ask('DATA')
  const text = typeof content === 'string' ? Buffer.from(content).toString('latin1') : content.toString('latin1')
  client.send(Buffer.from(text.replace(/^\./gm, '..'), 'latin1'))
  const reply = await ask(text.endsWith('\r\n') ? '.' : '\r\n.')
  client.close()
  return /queued as ([0-9a-v]{13})/.exec(reply)![1]!
}
