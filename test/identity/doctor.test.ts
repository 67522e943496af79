// `studs doctor` on a machine that is well, and on ones that are not: real name server, real listeners, real files.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AUTHENTIC_DATA, decode, encode } from 'dns-packet'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkClock } from '../../src/identity/check-data.ts'
import type { Diagnosis } from '../../src/identity/diagnosis.ts'
import { asksForProof } from '../../src/identity/validation.ts'
import { makeSelfSigned } from '../../src/inbound/self-signed.ts'
import { DAY, systemClock } from '../../src/util/clock.ts'
import { type CliResult, runCli } from '../cli/run-cli.ts'
import { Knot, noKnot } from '../support/knot.ts'
import { freePort } from '../support/line-log.ts'

/** An SMTP server that says this and no more. */
async function greeter(line: string | undefined, port = 0): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.resume()
    if (line !== undefined) socket.write(`${line}\r\n`)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port

describe.skipIf(noKnot !== undefined)('studs doctor', () => {
  let knot: Knot
  let directory: string
  let servers: Server[]
  let mx: Server
  let ports: { mx: number; submission: number; bounces: number }

  beforeAll(async () => {
    knot = await Knot.start(['example.com', '113.0.203.in-addr.arpa'])
  })
  afterAll(() => knot[Symbol.asyncDispose]())
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'studs-doctor-'))
    mkdirSync(join(directory, 'data'), { mode: 0o700 })
    mkdirSync(join(directory, 'certs'))
    certify('relay.example.com', 90)
    mx = await greeter('220 mx.example.com ESMTP')
    const submission = await greeter('220 relay.example.com ESMTP')
    const bounces = await greeter('220 relay.example.com ESMTP')
    servers = [mx, submission, bounces]
    ports = { mx: portOf(mx), submission: portOf(submission), bounces: portOf(bounces) }
    await knot.load(WELL)
  })
  afterEach(async () => {
    await Promise.all(servers.filter(({ listening }) => listening).map((server) => once(server.close(), 'close')))
    rmSync(directory, { recursive: true })
  })

  const WELL = [
    'example.com. 60 IN MX 10 mx.example.com.',
    'mx.example.com. 60 IN A 127.0.0.1',
    'relay.example.com. 60 IN A 203.0.113.10',
    'relay.example.com. 60 IN TXT "v=spf1 ip4:203.0.113.10 -all"',
    'bounce.example.com. 60 IN MX 10 relay.example.com.',
    'bounce.example.com. 60 IN TXT "v=spf1 ip4:203.0.113.10 -all"',
    'example.com. 60 IN TXT "v=spf1 ip4:203.0.113.10 -all"',
    '_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"',
    '10.113.0.203.in-addr.arpa. 60 IN PTR relay.example.com.',
    'bl.example.com. 60 IN A 127.0.0.1',
  ]

  function certify(name: string, days: number): void {
    const pair = makeSelfSigned([name], { from: Date.now() - DAY, to: Date.now() + days * DAY })
    writeFileSync(join(directory, 'certs', 'relay.crt'), pair.cert)
    writeFileSync(join(directory, 'certs', 'relay.key'), pair.key, { mode: 0o600 })
  }

  interface Given {
    readonly mode?: string
    readonly source?: string
    readonly bounceAddress?: string
    readonly bouncePort?: number
    readonly toml?: string
  }
  const configOf = ({
    mode = 'internet',
    source = 'ipv4 = "127.0.0.1"',
    bounceAddress = '0.0.0.0',
    bouncePort,
    toml = '',
  }: Given) => `
[node]
hostname = "relay.example.com"
[data]
directory = "data"
min_free = "0"
[doctor]
port_25_domain = "example.com"
[delivery]
mode = "${mode}"
port = ${ports.mx}
resolvers = ["${knot.address}"]
dns_timeout = "1s"
[[listener]]
name = "submission"
port = ${ports.submission}
[[bounce_listener]]
name = "bounces"
address = "${bounceAddress}"
port = ${bouncePort ?? ports.bounces}
[[tenant]]
name = "default"
[[source]]
name = "default"
${source}
public_ipv4 = "203.0.113.10"
[[domain]]
name = "example.com"
return_path = "bounce.example.com"
${toml}
`
  async function doctor(
    given: Given = {},
    ...words: string[]
  ): Promise<CliResult & { said: string[]; all: Diagnosis[] }> {
    writeFileSync(join(directory, 'studs.toml'), configOf(given))
    const configFile = join(directory, 'studs.toml')
    const result = await runCli(['--json', 'doctor', ...words], { clock: systemClock, configFile })
    expect(result.err).toBe('')
    const all = result.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Diagnosis)
    const said = all
      .filter(({ state, severity }) => state !== 'ok' && state !== 'skipped' && severity !== 'note')
      .map(({ severity, topic, subject, state }) => `${severity} ${topic} ${subject} ${state}`)
    return { ...result, said, all }
  }
  /** Without a key every run ends with this. */
  const UNSIGNED = 'error dkim example.com missing'

  test('all that is not about keys is well', async () => {
    const { said, all, code } = await doctor()
    expect(said).toEqual([UNSIGNED])
    expect(code).toBe(1)
    const topics = all.filter(({ state }) => state === 'ok').map(({ topic }) => topic)
    for (const topic of ['machine', 'listener', 'resolver', 'source', 'port-25', 'spf', 'dmarc', 'return-path'])
      expect(topics).toContain(topic)
  })

  test('with a key, nothing is left: exit code 0', async () => {
    writeFileSync(join(directory, 'studs.toml'), configOf({}))
    const configFile = join(directory, 'studs.toml')
    const { out } = await runCli(['dkim', 'gen', 'example.com', '--algorithm', 'ed25519'], {
      clock: systemClock,
      configFile,
    })
    await knot.load([...WELL, /^s1\._domainkey.*$/m.exec(out)![0]!.replace(' IN', ' 60 IN')])
    const toml = '[[domain.dkim]]\nselector = "s1"\nkey_file = "data/dkim/example.com.s1.pem"\n'
    expect(await doctor({ toml })).toMatchObject({ said: [], code: 0 })
    const text = await runCli(['doctor'], { clock: systemClock, configFile })
    expect(text.out).toContain('This machine\n')
    expect(text.out.trimEnd().split('\n').at(-1)).toMatch(/^\d+ notes?, \d+ ok$/)
  })

  test('the sandbox is told of, and port 25 is left alone', async () => {
    let isKnocked = false
    mx.on('connection', () => {
      isKnocked = true
    })
    const { all } = await doctor({ mode: 'sandbox' })
    expect(all).toContainEqual(
      expect.objectContaining({
        topic: 'mode',
        severity: 'note',
        message: expect.stringContaining('this is the sandbox'),
      }),
    )
    expect(all).toContainEqual(
      expect.objectContaining({
        topic: 'port-25',
        state: 'skipped',
        message: 'no mail leaves the sandbox, so the way out was not tried',
      }),
    )
    expect(isKnocked).toBe(false)
  })

  test.each<[what: string, given: Given, break_: () => unknown, expected: string]>([
    [
      'a source whose address is not there',
      { source: 'ipv4 = "192.0.2.77"' },
      () => undefined,
      'error source default 192.0.2.77 different',
    ],
    ['nobody at the submission port', {}, () => servers[1]!.close(), 'error listener submission'],
    [
      'a bounce listener on loopback',
      { bounceAddress: '127.0.0.1' },
      () => undefined,
      'error listener bounces different',
    ],
    ['a certificate that has expired', {}, () => certify('relay.example.com', -0.5), 'error listener'],
    ['a certificate that is about to', {}, () => certify('relay.example.com', 3), 'warning listener'],
    ['a certificate of another name', {}, () => certify('mail.example.org', 90), 'warning listener'],
    [
      'no certificate but a file',
      {},
      () => writeFileSync(join(directory, 'certs', 'relay.crt'), 'hello'),
      'error listener',
    ],
    ['data that everybody reads', {}, () => chmodSync(join(directory, 'data'), 0o755), 'warning machine'],
    ['a name server that lies', {}, () => knot.load([...WELL, '*.example.com. 60 IN A 192.0.2.80']), `error resolver`],
    [
      'no PTR',
      {},
      () => knot.load(WELL.filter((line) => !line.includes('PTR'))),
      'error source default 203.0.113.10 missing',
    ],
    ['an MX nobody is at', {}, () => mx.close(), 'error port-25 default 127.0.0.1 different'],
  ])('%s', async (_, given, breakIt, expected) => {
    await breakIt()
    const { said, code } = await doctor(given)
    expect(code).toBe(1)
    expect(said.filter((each) => each !== UNSIGNED)).toContainEqual(expect.stringContaining(expected))
  })

  test('a greeting that refuses the address is shown', async () => {
    await once(mx.close(), 'close')
    mx = await greeter('554 5.7.1 203.0.113.10 is blocked', ports.mx)
    servers.push(mx)
    expect((await doctor()).all).toContainEqual(
      expect.objectContaining({
        topic: 'port-25',
        state: 'different',
        severity: 'warning',
        found: '554 5.7.1 203.0.113.10 is blocked',
      }),
    )
  })

  describe('blocklists', () => {
    const LISTED = '10.113.0.203.bl.example.com. 60 IN'
    test('are not asked unless wanted', async () => {
      expect((await doctor()).all.filter(({ topic }) => topic === 'dnsbl')).toEqual([])
    })

    test.each<[what: string, records: readonly string[], state: string, message: RegExp]>([
      ['not listed', [], 'ok', /^not on bl\.example\.com$/],
      [
        'listed',
        [`${LISTED} A 127.0.0.2`, `${LISTED} TXT "sent spam"`],
        'different',
        /^listed on bl\.example\.com: sent spam$/,
      ],
      ['a list that refuses', [`${LISTED} A 127.255.255.254`], 'unknown', /does not answer this name server/],
      [
        'a list that is gone, and its domain for sale',
        [`${LISTED} A 192.0.2.80`],
        'unknown',
        /does not answer this name server/,
      ],
    ])('%s', async (_, records, state, message) => {
      await knot.load([...WELL, ...records])
      writeFileSync(
        join(directory, 'studs.toml'),
        configOf({}).replace('port_25_domain', 'dnsbl = ["bl.example.com"]\nport_25_domain'),
      )
      const { out } = await runCli(['--json', 'doctor'], {
        clock: systemClock,
        configFile: join(directory, 'studs.toml'),
      })
      const found = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Diagnosis)
        .filter(({ topic }) => topic === 'dnsbl')
      expect(found).toEqual([
        expect.objectContaining({ subject: 'default 203.0.113.10', state, message: expect.stringMatching(message) }),
      ])
    })

    test('the well-known ones with --dnsbl', async () => {
      const { all } = await doctor({}, '--dnsbl')
      // This name server knows none of them, and says so.
      expect(all.filter(({ topic }) => topic === 'dnsbl').map(({ state, severity }) => `${state} ${severity}`)).toEqual(
        Array.from({ length: 4 }, () => 'unknown note'),
      )
    })
  })
})

describe('the clock', () => {
  test('years behind, set back, and well', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'studs-clock-'))
    mkdirSync(join(directory, 'store'))
    const file = join(directory, 'store', 'data.mdb')
    writeFileSync(file, '')
    const now = Date.now()
    expect(await checkClock(0, directory)).toMatchObject({
      state: 'different',
      severity: 'error',
      message: 'the clock is years behind',
    })
    expect((await checkClock(now, directory)).severity).toBe('note')
    utimesSync(file, new Date(now + 3 * DAY), new Date(now + 3 * DAY))
    expect(await checkClock(now, directory)).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('the clock was set back'),
    })
    rmSync(directory, { recursive: true })
  })
})

describe('DNSSEC', () => {
  test.each([
    ['validates', AUTHENTIC_DATA],
    ['does-not', 0],
  ])('a name server that %s', async (expected, flags) => {
    const socket = createSocket('udp4')
    socket.on('message', (query, from) => {
      const { id = 0, questions = [] } = decode(query)
      // One for somebody else comes first.
      socket.send(encode({ type: 'response', id: id ^ 1, flags: AUTHENTIC_DATA, questions }), from.port, from.address)
      socket.send(encode({ type: 'response', id, flags, questions }), from.port, from.address)
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const server = `127.0.0.1:${socket.address().port}`
    expect(await asksForProof({ server, timeoutMs: 2000, clock: systemClock })).toBe(expected)
    socket.close()
  })

  test('nobody there', async () => {
    const server = `127.0.0.1:${await freePort()}`
    expect(await asksForProof({ server, timeoutMs: 300, clock: systemClock })).toEqual({ failed: expect.any(String) })
  })
})
