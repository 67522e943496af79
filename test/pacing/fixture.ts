// A relay with two sources before receivers on loopback: big.test is at a provider, small.test at nobody's, and evil.test
// names a host of the provider first that is dead, and one of its own behind it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import type { StoredRecord } from '../../src/journal/record.ts'
import { SECOND, systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { DnsServer } from '../support/dns-server.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { startTestRelay, stopRelays, type TestRelay, type TestRelayOptions } from '../support/relay.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

export const X = '127.0.0.2'
export const Y = '127.0.0.3'

const SOURCES = `
[[source]]
name = "x"
ipv4 = "${X}"
[[source]]
name = "y"
ipv4 = "${Y}"
[[tenant]]
name = "default"
any_sender = true
[[tenant]]
name = "shop"
any_sender = true
[[network]]
cidr = "127.0.0.9"
tenant = "shop"
[[network]]
cidr = "127.0.0.1"
`

export interface PacedOptions extends TestRelayOptions {
  readonly shaping: string
  /** Members of the pool; default: both. */
  readonly sources?: readonly string[]
  /** More keys of the pool. */
  readonly pool?: string
}

export interface Paced {
  readonly relay: TestRelay
  readonly big: ScriptedMx
  readonly small: ScriptedMx
  readonly evil: ScriptedMx
  readonly client: Operations
  readonly shapingFile: string
  studs(...words: string[]): Promise<string>
  /** Sources that mail to a domain was delivered from, in the order of the journal. */
  sources(domain: string): string[]
  of(kind: StoredRecord['kind']): StoredRecord[]
  /** Another relay on the same store, or on the one in `directory`; the one before must have ended. */
  again(clock?: FakeClock, directory?: string): Promise<Paced>
}

const ends: (() => Promise<unknown>)[] = []

export async function endAll(): Promise<void> {
  await stopRelays()
  for (const end of ends.splice(0)) await end()
}

export async function startPaced(options: PacedOptions): Promise<Paced> {
  const [big, small, evil] = await ScriptedMx.startAll(['127.0.0.11', '127.0.0.12', '127.0.0.14'])
  const dns = await DnsServer.start({
    'big.test': { mx: [[10, 'mx1.big-mx.test']] },
    'large.test': { mx: [[10, 'mx2.big-mx.test']] },
    'small.test': { mx: [[10, 'mx.small.test']] },
    'evil.test': {
      mx: [
        [5, 'dead.big-mx.test'],
        [20, 'mx.evil.test'],
      ],
    },
    'mx1.big-mx.test': { a: ['127.0.0.11'] },
    'mx2.big-mx.test': { a: ['127.0.0.11'] },
    'dead.big-mx.test': { a: ['127.0.0.13'] },
    'mx.small.test': { a: ['127.0.0.12'] },
    'mx.evil.test': { a: ['127.0.0.14'] },
  })
  const folder = mkdtempSync(join(tmpdir(), 'studs-paced-'))
  const shapingFile = join(folder, 'shaping.toml')
  writeFileSync(shapingFile, `[provider.big]\nmx = ["big-mx.test"]\n${options.shaping}`)
  ends.push(async () => {
    for (const each of [big!, small!, evil!, dns]) await each[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })
  const { sources = ['x', 'y'], pool = '', delivery = '', toml = '', shaping: _, ...rest } = options
  const members = sources.map((name) => `{ source = "${name}" }`).join(', ')
  const relay = await startTestRelay({
    ...rest,
    internet: true,
    toml: `${SOURCES}[[pool]]\nname = "default"\nsources = [${members}]\n${pool}\n${toml}`,
    delivery: `resolvers = ["${dns.address}"]\nport = ${big!.port}\nallow_private = true\ndane = "off"\nmta_sts = false\nshaping = "${shapingFile}"\n${delivery}`,
  })
  return paced({ relay, big: big!, small: small!, evil: evil!, shapingFile })
}

function paced(given: Pick<Paced, 'relay' | 'big' | 'small' | 'evil' | 'shapingFile'>): Paced {
  const { relay } = given
  return {
    ...given,
    client: createClient({ kind: 'socket', path: relay.relay.socket }),
    studs: async (...words) => {
      const file = join(relay.directory, 'studs.toml')
      const { out, err } = await runCli(words, { clock: systemClock, configFile: file, width: 240 })
      return out + err
    },
    sources: (domain) =>
      relay.records
        .filter(({ kind, recipient }) => kind === 'delivered' && String(recipient).endsWith(`@${domain}`))
        .map(({ way }) => way?.source ?? ''),
    of: (kind) => relay.records.filter((record) => record.kind === kind),
    again: async (clock, directory = relay.directory) =>
      paced({
        ...given,
        relay: await startTestRelay({ directory, ...(clock !== undefined && { clock }) }),
      }),
  }
}

export const many = (count: number, domain: string): string[] =>
  Array.from({ length: count }, (_, at) => `ok+${at}@${domain}`)

/** Each a message of its own, so that they leave from all sources. */
export async function sendEach({ relay }: Paced, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) await relay.send(address)
}

/** A long time, in steps that leave the disk its own: a commit that takes hours is a fault. */
export async function pass(clock: FakeClock, ms: number, stepMs: number = 10 * SECOND): Promise<void> {
  for (let at = 0; at < ms; at += stepMs) {
    await clock.advance(Math.min(stepMs, ms - at))
    await systemClock.sleep(5)
  }
}

/** Asks until it is so: what was just said needs a moment. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate)
}
