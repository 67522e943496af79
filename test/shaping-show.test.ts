// `studs resolve`, `explain` and `doctor` as an operator sees them: zones on a real name server (Knot DNS), a real Postfix with and
// without TLS as the receivers, and a relay that sends there by MX. What is printed is what docs/identity.md and docs/tls.md show.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSettings } from '../src/config/load.ts'
import { makeSelfSigned } from '../src/inbound/self-signed.ts'
import type { RecordKind, StoredRecord } from '../src/journal/record.ts'
import { silentLogger } from '../src/observe/logger.ts'
import { type Relay, startRelay } from '../src/relay.ts'
import { DAY, systemClock } from '../src/util/clock.ts'
import { type CliResult, runCli } from './cli/run-cli.ts'
import { Knot, noKnot } from './support/knot.ts'
import { freePorts } from './support/line-log.ts'
import { noPostfix, Postfix, stopPostfix } from './support/postfix.ts'

const missing = noKnot ?? noPostfix
const leftOut = missing === undefined ? '' : ` (left out: ${missing})`

const ZONES = ['example.com', 'partner.example', 'old.example', 'slow.example', '113.0.203.in-addr.arpa']
const RECEIVERS = [
  'partner.example. 60 IN MX 10 mx1.partner.example.',
  'partner.example. 60 IN MX 20 mx2.partner.example.',
  'mx1.partner.example. 60 IN A 127.0.0.1',
  'mx2.partner.example. 60 IN A 127.0.0.1',
  'old.example. 60 IN MX 10 mx.old.example.',
  'mx.old.example. 60 IN A 127.0.0.2',
  'slow.example. 60 IN MX 10 mx.old.example.',
]
const SHAPING = `[provider.partner]
mx = ["partner.example"]
connections = 3
message_rate = "20/s"
tls = "required"
note = "asked by their postmaster, 2026-11-02"

[domain."old.example"]
tls = "required"

[domain."slow.example"]
message_rate = "2/h"
`

const configOf = (given: {
  data: string
  shaping: string
  dns: string
  port: number
  own: readonly number[]
}): string => `
[node]
hostname = "relay.example.com"
[data]
directory = "${given.data}"
map_size = "1GiB"
min_free = "0"
[delivery]
mode = "internet"
port = ${given.port}
resolvers = ["${given.dns}"]
allow_private = true
mta_sts = false
workers = 0
shaping = "${given.shaping}"
[doctor]
port_25_domain = "partner.example"
[queue]
jitter = 0
[[listener]]
name = "trusted"
port = ${given.own[0]}
tls = "none"
auth = "optional"
[[bounce_listener]]
name = "bounces"
address = "0.0.0.0"
port = ${given.own[1]}
[[tenant]]
name = "default"
[[source]]
name = "default"
ipv4 = "127.0.0.1"
public_ipv4 = "203.0.113.10"
[[domain]]
name = "example.com"
return_path = "bounce.example.com"
dkim = [{ selector = "s1", key_file = "data/dkim/example.com.s1.pem" }]
`

describe.skipIf(missing !== undefined)(`resolve, explain, doctor${leftOut}`, () => {
  let knot: Knot
  let relay: Relay
  let directory = ''
  let zone: readonly string[] = []
  const records: StoredRecord[] = []
  const studs = (...words: string[]): Promise<CliResult> =>
    runCli(words, { clock: systemClock, configFile: join(directory, 'studs.toml'), width: 100 })

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'studs-show-'))
    const postfix = await Postfix.start({
      services: { tls: { smtpd_tls_security_level: 'may' }, plain: { smtpd_tls_security_level: 'none' } },
      addresses: { plain: '127.0.0.2' },
      mailboxes: ['@partner.example', '@old.example', '@slow.example'],
    })
    knot = await Knot.start(ZONES)
    await writeFiles(postfix.port('tls'))
    const { out } = await studs('dns', 'records', 'example.com', '--format', 'bind')
    zone = [...RECEIVERS, ...zoneLines(out)]
    await knot.load(zone)
    relay = await start()
  }, 60_000)
  afterAll(async () => {
    await relay?.stop(0)
    await stopPostfix()
    await knot?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  async function writeFiles(port: number): Promise<void> {
    mkdirSync(join(directory, 'data'), { mode: 0o700 })
    mkdirSync(join(directory, 'certs'))
    const pair = makeSelfSigned(['relay.example.com'], { from: Date.now() - DAY, to: Date.now() + 90 * DAY })
    writeFileSync(join(directory, 'certs', 'relay.crt'), pair.cert)
    writeFileSync(join(directory, 'certs', 'relay.key'), pair.key, { mode: 0o600 })
    writeFileSync(join(directory, 'shaping.toml'), SHAPING)
    const about = { data: join(directory, 'data'), shaping: join(directory, 'shaping.toml'), dns: knot.address, port }
    const config = configOf({ ...about, own: await freePorts(2) })
    writeFileSync(join(directory, 'studs.toml'), config.replace(/^dkim = .*$/m, ''))
    expect(await studs('dkim', 'gen', 'example.com', '--selector', 's1')).toMatchObject({ code: 0 })
    writeFileSync(join(directory, 'studs.toml'), config)
  }

  async function start(): Promise<Relay> {
    const load = () => loadSettings({ file: join(directory, 'studs.toml'), env: {} })
    const started = await startRelay({ loaded: load(), reload: load, clock: systemClock, logger: silentLogger() })
    started.journal.follow((record) => {
      records.push(record)
    })
    return started
  }

  async function send(...to: string[]): Promise<void> {
    const transport = createTransport({ host: '127.0.0.1', port: relay.listeners[0]!.port, ignoreTLS: true })
    for (const each of to)
      await transport.sendMail({ from: 'app@example.com', to: each, subject: 'Hello', text: 'Hello.\n' })
    transport.close()
  }
  async function recorded(kind: RecordKind, recipient: string): Promise<StoredRecord> {
    for (;;) {
      const found = records.find((record) => record.kind === kind && record.recipient === recipient)
      if (found !== undefined) return found
      await new Promise((resolve) => relay.journal.follow(resolve))
    }
  }

  /** What an operator reads, without what differs from run to run, a cell after the other. */
  const cells = (out: string): string[] =>
    out.split('\n').map((line) => line.trim().replaceAll(`${directory}/`, '').replace(/ {2,}/g, ' | '))
  const ANN = 'ann@partner.example'
  const BOB = 'bob@old.example'

  test('resolve: hosts, site, provider, and where each value comes from', async () => {
    const { code, out } = await studs('resolve', 'partner.example')
    const partner = 'shaping.toml:N [provider.partner], asked by their postmaster, 2026-11-02'
    expect(code).toBe(0)
    expect(cells(out).map((line) => line.replace(/shaping\.toml:\d+/, 'shaping.toml:N'))).toEqual(
      expect.arrayContaining([
        'Site | (mx1|mx2).partner.example',
        'Provider | partner',
        expect.stringMatching(/^Hosts \| 10 \| mx1\.partner\.example \| 127\.0\.0\.1 \| port \d+$/),
        expect.stringMatching(/^20 \| mx2\.partner\.example \| 127\.0\.0\.1 \| port \d+$/),
        `connections | 3 | ${partner}`,
        `message_rate | 20/s | ${partner}`,
        `tls | required | ${partner}`,
        'messages_per_connection | 100 | default of [delivery]',
      ]),
    )
    expect(cells((await studs('resolve', 'slow.example')).out)).toContain(
      'message_rate | 2/h | shaping.toml:12 [domain."slow.example"]',
    )
  })

  test('explain: what binds, since when, until when', async () => {
    await send(ANN, BOB, ...Array.from({ length: 5 }, (_, n) => `u${n}@slow.example`))
    expect(await recorded('delivered', ANN)).toMatchObject({ way: { tls: expect.stringMatching(/^TLSv1\.3/) } })
    await recorded('deferred', BOB)
    for (const n of [0, 1]) expect(await recorded('delivered', `u${n}@slow.example`)).not.toHaveProperty('way.tls')
    expect(cells((await studs('explain', 'partner.example')).out)).toContain('Nobody waits.')
    expect((await studs('explain', 'old.example')).out).toMatch(
      /1 recipient waiting, 0 of them due\n {2}Waits for its next attempt, in [45]m.*\n {2}Last refused: bob@old\.example, tls 4\.7\.5: the server offers no STARTTLS \(/,
    )
    const limited = (await studs('explain', 'slow.example')).out
    expect(limited).toMatch(/3 recipients waiting, 3 of them due\n {2}Limited: message_rate 2\/h .*The next goes in 1h/)
  })

  test('without the demand the same host gets it, in the clear', async () => {
    writeFileSync(
      join(directory, 'shaping.toml'),
      SHAPING.replace(/(old\.example"\]\n)tls = "required"/, '$1tls = "opportunistic"'),
    )
    expect(await studs('reload')).toMatchObject({ code: 0 })
    expect(await studs('queue', 'retry', (await recorded('deferred', BOB)).message ?? '', '--yes')).toMatchObject({
      code: 0,
    })
    expect(await recorded('delivered', BOB)).not.toHaveProperty('way.tls')
    expect(cells((await studs('explain', 'old.example')).out)).toContain('Nobody waits.')
  })

  test('doctor: all is well, and then not', async () => {
    const well = await studs('doctor')
    expect([well.code, well.out]).toEqual([0, expect.not.stringMatching(/^[✗!]/m)])
    expect(cells(well.out)).toEqual(
      expect.arrayContaining([
        '✓ port-25 | default 127.0.0.1 | mx1.partner.example greets it',
        '✓ source | default 203.0.113.10 | PTR, EHLO name and address lead to each other',
        '✓ dkim | s1._domainkey.example.com | RSA of 2048 bits, the key is the one that signs',
        '✓ return-path | bounce.example.com | bounces come back to this relay',
      ]),
    )
    await knot.load(zone.filter((line) => !line.startsWith('s1._domainkey.') && !line.includes(' PTR ')))
    const ill = await studs('doctor')
    expect([ill.code, ill.out]).toEqual([1, expect.stringMatching(/it has no PTR record/)])
    const said = ill.out.split('\n').filter((line) => /^[✗!]/.test(line))
    expect(said).toEqual([
      expect.stringMatching(/source +default 203\.0\.113\.10$/),
      expect.stringMatching(/dkim +s1\._domainkey\.example\.com +missing/),
    ])
  })
})

/** As Knot's helper wants them: one line each with the full name first. */
function zoneLines(bind: string): string[] {
  return bind.split('\n').filter((line) => /^[^;\s]/.test(line))
}
