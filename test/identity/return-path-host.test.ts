// The host that bounces come back to has a name of its own, which no source says in EHLO: nobody but the check of the return
// path looks at its addresses. And a policy that is served is asked for by nobody without its record.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Diagnosis } from '../../src/identity/diagnosis.ts'
import { systemClock } from '../../src/util/clock.ts'
import { type CliResult, runCli } from '../cli/run-cli.ts'
import { Knot, noKnot } from '../support/knot.ts'

const ZONES = ['example.com', '113.0.203.in-addr.arpa', '8.b.d.0.1.0.0.2.ip6.arpa', 'com']

describe.skipIf(noKnot !== undefined)('the host of the return path', () => {
  const directory = mkdtempSync(join(tmpdir(), 'studs-return-path-'))
  let knot: Knot
  let printed: readonly string[]

  const studs = (...words: string[]): Promise<CliResult> =>
    runCli(words, { clock: systemClock, configFile: join(directory, 'studs.toml') })
  const configure = (listensOn: string): void =>
    writeFileSync(
      join(directory, 'studs.toml'),
      `
[node]
hostname = "Relay.example.com"
[delivery]
resolvers = ["${knot.address}"]
[[bounce_listener]]
name = "bounces"
address = "${listensOn}"
port = 25
[unsubscribe]
port = 2580
[[source]]
name = "one"
ipv4 = "127.0.0.1"
public_ipv4 = "203.0.113.10"
public_ipv6 = "2001:db8::10"
ehlo = "one.example.com"
[[pool]]
name = "default"
sources = [{ source = "one" }]
[[domain]]
name = "example.com"
return_path = "bounce.example.com"
mta_sts = "testing"
`,
    )
  const publishable = async (): Promise<string[]> => {
    const { out } = await studs('dns', 'records', 'example.com', '--format', 'bind')
    return out.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
  }
  const told = async (topic: Diagnosis['topic'], without: RegExp): Promise<string[]> => {
    await knot.load([
      ...printed.filter((line) => !without.test(line)),
      'mta-sts.bounce.example.com. 60 IN A 203.0.113.10',
    ])
    const { out } = await studs('--json', 'dns', 'check', 'example.com')
    return out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Diagnosis)
      .filter((each) => each.topic === topic)
      .map(({ severity, state, message }) => (state === 'ok' ? state : `${severity} ${state}: ${message}`))
  }

  beforeAll(async () => {
    knot = await Knot.start(ZONES)
    configure('::')
    printed = await publishable()
  })
  afterAll(async () => {
    await knot[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  test.each<[what: string, without: RegExp, told: readonly string[]]>([
    ['nothing missing', /^$/, ['ok']],
    [
      'no A',
      /^relay\.example\.com\. .* A /i,
      ['warning different: relay.example.com has no IPv4 address: most servers cannot bring a bounce back'],
    ],
    [
      'no AAAA',
      /^relay\.example\.com\. .* AAAA /i,
      ['note different: relay.example.com is not 2001:db8::10, where this relay is too'],
    ],
    ['neither', /^relay\.example\.com\. /i, ['error different: relay.example.com has no address']],
  ])('%s', async (_, without, expected) => expect(await told('return-path', without)).toEqual(expected))

  test('a policy that is served, and no record that tells of it', async () => {
    expect(await told('mta-sts', /^$/)).toEqual(['ok'])
    expect(await told('mta-sts', /STSv1/)).toEqual([
      'warning missing: not published: nobody asks for the policy (mta_sts = "testing") that this relay serves',
    ])
  })

  test('a listener of IPv4 alone: its host is not said to be at an address where nobody answers', async () => {
    const hosts = (lines: readonly string[]) =>
      lines.filter((line) => /^relay\./i.test(line)).map((line) => line.split(' ')[3])
    expect(hosts(printed)).toEqual(['A', 'AAAA'])
    configure('0.0.0.0')
    expect(hosts(await publishable())).toEqual(['A'])
  })
})
