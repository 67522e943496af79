// `studs resolve` and its route: MX, site, provider, and every value with the file and line it comes from. A wrong shaping
// file stops the start and is refused by a reload, which keeps the old one.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import { systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'

const SHAPING = `[default]
connections = 6

[provider.pretend]
mx = ["google.sandbox.test"]
provider_connections = 4
message_rate = "30/min"
note = "as they told us"

[provider.pretend.source.default]
connections = 2

[source.default]
message_rate = "100000/d"
`
let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'studs-shaping-'))
  file = join(folder, 'shaping.toml')
  writeFileSync(file, SHAPING)
})
afterEach(async () => {
  await stopRelays()
  rmSync(folder, { recursive: true, force: true })
})

const start = (delivery = ''): Promise<TestRelay> => startTestRelay({ delivery: `shaping = "${file}"\n${delivery}` })
const studs = (relay: TestRelay, ...words: string[]) =>
  runCli(words, { clock: systemClock, configFile: join(relay.directory, 'studs.toml'), width: 160 })

describe('studs resolve', () => {
  test('a domain of a known provider', async () => {
    const relay = await start('message_rate = "5/s"')
    const { code, out } = await studs(relay, 'resolve', 'jane@gmail.test')
    expect(code).toBe(0)
    const lines = out.split('\n').map((line) => line.trimEnd().replaceAll(`${folder}/`, '').replace(/ {2,}/g, ' | '))
    expect(lines).toEqual(
      expect.arrayContaining([
        'Domain | gmail.test',
        'Site | (mx1|mx2).google.sandbox.test',
        'Provider | pretend',
        'From default',
        'connections | 2 | shaping.toml:11 [provider.pretend.source.default]',
        'messages_per_connection | 100 | default of [delivery]',
        'message_rate | 30/min | shaping.toml:7 [provider.pretend], as they told us',
        'provider_connections | 4 | shaping.toml:6 [provider.pretend], as they told us',
        'provider_message_rate | – | default',
        'source_message_rate | 100000/d | shaping.toml:14 [source.default]',
        'tls | opportunistic | default of [delivery]',
        'retry | 5m, 10m, 20m, 40m, 1h 20m, 2h 40m, 4h | default of [queue]',
      ]),
    )
    expect(lines.find((line) => line.startsWith('connection_rate'))).toMatch(
      /^connection_rate \| 100000\/s \| .*studs\.toml:\d+ \[delivery\]$/,
    )
  })

  test('delivery.presets = false leaves the shipped ones out', async () => {
    const values = async (delivery: string): Promise<string> =>
      (await studs(await start(delivery), 'resolve', 'jane@yahoo.test')).out
    // In the sandbox nobody is at a provider that presets know; their rules are asked everywhere.
    expect(await values('')).toMatch(/presets\.toml:\d+ \[\[default\.rule\]\]/)
    expect(await values('presets = false')).not.toContain('presets.toml')
  })

  test('what the API says, of the wire and of a client', async () => {
    const relay = await start()
    const client = createClient({ kind: 'socket', path: relay.relay.socket })
    const resolution = await client.resolve('other.test')
    expect(resolution).toMatchObject({
      kind: 'site',
      site: 'mx.other.test',
      routed: false,
      hosts: [{ name: 'mx.other.test', addresses: [expect.any(String)] }],
    })
    if (resolution.kind !== 'site') throw new Error('not a site')
    expect(resolution).not.toHaveProperty('provider')
    expect(resolution.paths[0]?.values.find(({ name }) => name === 'connections')).toEqual({
      name: 'connections',
      value: 6,
      from: { kind: 'file', file, line: 2, section: '[default]' },
    })
    await expect(client.resolve('no domain')).rejects.toMatchObject({ code: 'invalid' })
    const json = JSON.parse((await studs(relay, 'resolve', 'other.test', '--json')).out)
    expect(json).toEqual(resolution)
  })

  test('a domain that takes no mail', async () => {
    const relay = await start()
    const { code, out } = await studs(relay, 'resolve', 'nullmx.test')
    expect([code, out]).toEqual([0, expect.stringContaining('none: dns 5.1.10: nullmx.test accepts no mail (null MX)')])
  })

  test('a stopped relay in the sandbox cannot tell', async () => {
    const relay = await start()
    await relay.stop()
    expect(await studs(relay, 'resolve', 'a.test')).toMatchObject({
      code: 4,
      err: expect.stringContaining('start it first'),
    })
  })
})

describe('a wrong file', () => {
  const WRONG = '[default]\nconnections = 6\n\n[provider.pretend]\nmx = ["google.sandbox.test"]\nconections = 0\n'

  test('stops the start and is named by `config check`', async () => {
    const relay = await start()
    await relay.stop()
    writeFileSync(file, WRONG)
    await expect(startTestRelay({ directory: relay.directory })).rejects.toThrow(
      `${file}:6: provider.pretend.conections: unknown key "conections"; did you mean "connections"?`,
    )
    const { code, err } = await studs(relay, 'config', 'check')
    expect([code, err]).toEqual([1, expect.stringContaining(`${file}:6:`)])
  })

  test('is refused whole by a reload; the old one stays', async () => {
    const relay = await start()
    writeFileSync(file, WRONG.replace('6', '9'))
    const { code, err } = await studs(relay, 'reload')
    expect([code, err]).toEqual([1, expect.stringContaining(`${file}:6:`)])
    expect((await studs(relay, 'resolve', 'gmail.test')).out).toMatch(/^message_rate +30\/min/m)
    expect((await studs(relay, 'resolve', 'a.test')).out).toMatch(/^connections +6 /m)
    writeFileSync(file, SHAPING.replace('= 6', '= 9'))
    await relay.relay.reload()
    expect((await studs(relay, 'resolve', 'a.test')).out).toMatch(/^connections +9 /m)
  })

  test.each([
    [
      'a source that nobody has',
      '[default.source.mta7]\nconnections = 1',
      /:1: \[default\.source\.mta7\]: there is no source "mta7"; add a \[\[source\]\]/,
    ],
    [
      'a provider that nobody knows',
      '[default]\n[provider.gogle]\nconnections = 1',
      /:2: \[provider\.gogle\]: nobody knows a provider "gogle"; did you mean "google"/,
    ],
    [
      'hosts of two providers',
      '[provider.x]\nmx = ["a.example"]\n[provider.y]\nmx = [".a.example"]',
      /:3: \[provider\.y\]: hosts that end in a\.example belong to \[provider\.x\]/,
    ],
  ])('%s', async (_, text, expected) => {
    const relay = await start()
    writeFileSync(file, text)
    await expect(relay.relay.reload()).rejects.toThrow(expected)
  })

  test('that is not there', async () => {
    rmSync(file)
    await expect(start()).rejects.toThrow(`${file}: delivery.shaping: there is no such file`)
  })
})
