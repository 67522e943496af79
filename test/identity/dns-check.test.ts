// What `studs dns records` prints, served by a real name server, passes `studs dns check`; and each record broken once is found.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Diagnosis } from '../../src/identity/diagnosis.ts'
import { systemClock } from '../../src/util/clock.ts'
import { type CliResult, runCli } from '../cli/run-cli.ts'
import { Knot, noKnot } from '../support/knot.ts'

const ZONES = ['example.com', '113.0.203.in-addr.arpa', '8.b.d.0.1.0.0.2.ip6.arpa', 'com']

describe.skipIf(noKnot !== undefined)('records on a real name server', () => {
  const directory = mkdtempSync(join(tmpdir(), 'studs-identity-'))
  let knot: Knot
  let printed: string[]

  const studs = (...words: string[]): Promise<CliResult> =>
    runCli(words, { clock: systemClock, configFile: join(directory, 'studs.toml') })
  const check = async (): Promise<{ code: number; diagnoses: Diagnosis[] }> => {
    const { code, out } = await studs('--json', 'dns', 'check', 'example.com')
    return {
      code,
      diagnoses: out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Diagnosis),
    }
  }
  const troubles = async (): Promise<string[]> =>
    (await check()).diagnoses
      .filter(({ state, severity }) => state !== 'ok' && severity !== 'note')
      .map(({ severity, topic, subject, state }) => `${severity} ${topic} ${subject} ${state}`)

  beforeAll(async () => {
    knot = await Knot.start(ZONES)
    const config = (keys: string): string => `
[node]
hostname = "relay.example.com"
[data]
directory = "data"
[delivery]
resolvers = ["${knot.address}"]
dns_timeout = "2s"
[[bounce_listener]]
name = "bounces"
address = "0.0.0.0"
port = 25
[[tenant]]
name = "default"
[[source]]
name = "one"
ipv4 = "127.0.0.1"
public_ipv4 = "203.0.113.10"
public_ipv6 = "2001:db8::10"
[[source]]
name = "two"
ipv4 = "127.0.0.2"
public_ipv4 = "203.0.113.11"
ehlo = "two.example.com"
[[pool]]
name = "default"
sources = [{ source = "one" }, { source = "two" }]
[[domain]]
name = "example.com"
return_path = "bounce.example.com"
dkim = [${keys}]
`
    writeFileSync(join(directory, 'studs.toml'), config(''))
    for (const [selector, algorithm] of [
      ['s1', 'rsa'],
      ['s2', 'ed25519'],
      ['s3', 'rsa'],
    ] as const) {
      const made = await studs('dkim', 'gen', 'example.com', '--selector', selector, '--algorithm', algorithm)
      expect(made.err).toBe('')
    }
    const key = (selector: string, state: string): string =>
      `{ selector = "${selector}", key_file = "data/dkim/example.com.${selector}.pem", state = "${state}" }`
    writeFileSync(
      join(directory, 'studs.toml'),
      config([key('s1', 'sign'), key('s2', 'publish'), key('s3', 'retired')].join(', ')),
    )
    const { out, code } = await studs('dns', 'records', 'example.com', '--format', 'bind')
    expect(code).toBe(0)
    printed = [
      // What is optional stands there as a comment.
      ...out
        .split('\n')
        .map((line) => line.replace(/^;(?=_)/, ''))
        .filter((line) => line !== '' && !line.startsWith(';')),
      'mta-sts.bounce.example.com. 60 IN A 203.0.113.10',
    ]
  })
  afterAll(async () => {
    await knot[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  test('all of them together pass', async () => {
    await knot.load(printed)
    const { code, diagnoses } = await check()
    expect(diagnoses.filter(({ state }) => state !== 'ok')).toEqual([
      expect.objectContaining({
        topic: 'dmarc',
        severity: 'note',
        message: expect.stringContaining('the policy is "none"'),
      }),
    ])
    expect(diagnoses.length).toBeGreaterThanOrEqual(14)
    expect(code).toBe(0)
    expect((await studs('dns', 'check')).code).toBe(0)
  })

  test('the JSON says the same as the zone file', async () => {
    const { out } = await studs('dns', 'records', 'example.com', '--format', 'json')
    const records = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; type: string; zone_value: string })
    const lines = records.map(({ name, type, zone_value }) => `${name}. 3600 IN ${type} ${zone_value}`)
    expect(lines.toSorted()).toEqual(printed.slice(0, -1).toSorted())
  })

  test('every record that is taken away is missed', async () => {
    await knot.load(printed)
    const before = new Set((await check()).diagnoses.map((each) => JSON.stringify(each)))
    const unmissed: string[] = []
    for (const line of printed.slice(0, -1)) {
      await knot.load(printed.filter((other) => other !== line))
      const told = (await check()).diagnoses.filter((each) => each.state !== 'ok' && !before.has(JSON.stringify(each)))
      // Also the optional ones, as a note.
      if (!told.some((each) => isAbout(line, each))) unmissed.push(line)
    }
    expect(unmissed).toEqual([])
  }, 60_000)

  test.each<[what: string, change: (lines: readonly string[]) => string[], troubles: readonly string[]]>([
    [
      'an address that SPF does not name',
      (lines) => lines.map((line) => (line.startsWith('bounce.') ? line.replace(' ip4:203.0.113.11', '') : line)),
      ['error spf bounce.example.com different'],
    ],
    [
      'two SPF records',
      (lines) => [...lines, 'bounce.example.com. 60 IN TXT "v=spf1 -all"'],
      ['error spf bounce.example.com different'],
    ],
    [
      'SPF with a typing error',
      (lines) =>
        lines.map((line) =>
          line.startsWith('bounce.') ? line.replace('ip4:203.0.113.10', 'ipv4:203.0.113.10') : line,
        ),
      ['error spf bounce.example.com different'],
    ],
    [
      'SPF of eleven look-ups',
      (lines) => [
        ...lines.map((line) =>
          line.startsWith('bounce.') && line.includes('spf1')
            ? line.replace(' -all', `${' a:relay.example.com'.repeat(11)} -all`)
            : line,
        ),
      ],
      ['error spf bounce.example.com different'],
    ],
    [
      'three names of SPF that are nothing',
      (lines) =>
        lines.map((line) =>
          line.startsWith('bounce.') && line.includes('spf1')
            ? line.replace(' -all', ' a:x1.example.com a:x2.example.com include:x3.example.com -all')
            : line,
        ),
      ['error spf bounce.example.com different'],
    ],
    [
      'the key of another private key',
      (lines) => {
        const other = lines.find((line) => line.startsWith('s3.'))!.replace(/^s3/, 's1')
        return [...lines.filter((line) => !line.startsWith('s1.')), other]
      },
      ['error dkim s1._domainkey.example.com different'],
    ],
    [
      'a key that was cut off',
      (lines) => lines.map((line) => (line.startsWith('s1.') ? line.replace(/" ".*"$/, '"') : line)),
      ['error dkim s1._domainkey.example.com different'],
    ],
    [
      'a revoked key',
      (lines) =>
        lines.map((line) => (line.startsWith('s1.') ? 's1._domainkey.example.com. 60 IN TXT "v=DKIM1; p="' : line)),
      ['error dkim s1._domainkey.example.com different'],
    ],
    [
      'garbage for a key',
      (lines) =>
        lines.map((line) =>
          line.startsWith('s1.') ? 's1._domainkey.example.com. 60 IN TXT "\\001\\255p=\\"%$"' : line,
        ),
      ['error dkim s1._domainkey.example.com different'],
    ],
    [
      'a key that is to sign next and is not there',
      (lines) => lines.filter((line) => !line.startsWith('s2.')),
      ['warning dkim s2._domainkey.example.com missing'],
    ],
    [
      'a key behind an alias that leads nowhere',
      (lines) => [
        ...lines.filter((line) => !line.startsWith('s1.')),
        's1._domainkey.example.com. 60 IN CNAME gone.example.com.',
      ],
      ['error dkim s1._domainkey.example.com missing'],
    ],
    [
      'two DMARC records',
      (lines) => [...lines, '_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject"'],
      ['error dmarc _dmarc.example.com different'],
    ],
    [
      'an MX that leads elsewhere',
      (lines) => [
        ...lines.map((line) => line.replace('10 relay.example.com.', '10 mx.example.com.')),
        'mx.example.com. 60 IN A 203.0.113.99',
      ],
      ['error return-path bounce.example.com different'],
    ],
    [
      'a null MX',
      (lines) => lines.map((line) => line.replace('MX 10 relay.example.com.', 'MX 0 .')),
      ['error return-path bounce.example.com different'],
    ],
    [
      'a second MX of somebody else',
      (lines) => [...lines, 'bounce.example.com. 60 IN MX 20 mx.example.com.', 'mx.example.com. 60 IN A 203.0.113.99'],
      ['warning return-path bounce.example.com different'],
    ],
    [
      'another PTR name',
      (lines) => lines.map((line) => (line.startsWith('11.113') ? line.replace('two.', 'host-11.') : line)),
      ['error source two 203.0.113.11 different'],
    ],
    [
      'another PTR name that leads back',
      (lines) => [
        ...lines.map((line) => (line.startsWith('11.113') ? line.replace('two.', 'host-11.') : line)),
        'host-11.example.com. 60 IN A 203.0.113.11',
      ],
      ['warning source two 203.0.113.11 different'],
    ],
    [
      'an MTA-STS record without an id',
      (lines) => lines.map((line) => line.replace(/v=STSv1; id=\w+/, 'v=STSv1')),
      ['warning mta-sts _mta-sts.bounce.example.com different'],
    ],
    [
      'reports about TLS to nobody',
      (lines) => lines.map((line) => line.replace('mailto:tls-reports@example.com', 'tls-reports')),
      ['warning tls-rpt _smtp._tls.bounce.example.com different'],
    ],
  ])('%s', async (_, change, expected) => {
    await knot.load(change(printed))
    expect(await troubles()).toEqual(expected)
    expect((await check()).code).toBe(expected.some((trouble) => trouble.startsWith('error')) ? 1 : 0)
  })

  test('a key behind an alias is as good', async () => {
    const moved = printed.map((line) => line.replace(/^s1\._domainkey/, 'keys'))
    await knot.load([...moved, 's1._domainkey.example.com. 60 IN CNAME keys.example.com.'])
    expect(await troubles()).toEqual([])
  })

  test('what is wrong is shown with its cure', async () => {
    await knot.load(printed.map((line) => (line.startsWith('bounce.') ? line.replace(' ip4:203.0.113.11', '') : line)))
    const { out, code } = await studs('dns', 'check', 'example.com')
    expect(code).toBe(1)
    expect(out).toContain('✗ spf          bounce.example.com')
    expect(out).toContain('different: 203.0.113.11 does not pass (fail)')
    expect(out).toContain('expected  v=spf1 ip4:203.0.113.10 ip6:2001:db8::10 ip4:203.0.113.11 -all')
    expect(out).toContain('do        publish the expected record in place of it')
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^1 error, 1 note, \d+ ok$/)
  })

  test('dkim list says which keys are there', async () => {
    await knot.load(printed.filter((line) => !line.startsWith('s2.')))
    const { out } = await studs('--json', 'dkim', 'list')
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(rows.map(({ selector, algorithm, bits, state, dns }) => [selector, algorithm, bits, state, dns])).toEqual([
      ['s1', 'rsa', 2048, 'sign', 'published'],
      ['s2', 'ed25519', undefined, 'publish', 'missing'],
      ['s3', 'rsa', 2048, 'retired', 'published'],
    ])
  })
})

/** An address record is missed by the source or MX that needs it, the others by their name. */
function isAbout(line: string, { subject, message, cure }: Diagnosis): boolean {
  const [name = '', , , type = '', value = ''] = line.split(' ')
  const said = `${subject} ${message} ${cure}`
  return said.includes(type === 'A' || type === 'AAAA' ? value : name.slice(0, -1))
}
