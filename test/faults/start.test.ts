// What must not start says why in one sentence: which file and line, or which port, directory or certificate, and what
// to do about it; and leaves nothing behind that keeps the next start from working.

import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { encode } from '../../src/store/codec.ts'
import { textKey } from '../../src/store/keys.ts'
import { ChildRelay, endChildren, runStuds, temporaryFolder } from '../support/child-relay.ts'
import { withDeadStore } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { sendOne } from './submit.ts'

afterEach(() => endChildren())

const TRUSTED = '[[listener]]\nname = "trusted"\nport = 0\ntls = "none"\nauth = "optional"\n'

describe('a configuration that is wrong', () => {
  test.each([
    ['is no TOML', '[data]\ndirectory = "d\n', /studs\.toml:2(:\d+)?: .*not valid TOML/],
    [
      'has an unknown key',
      '[queue]\nretrys = ["5m"]\n',
      /studs\.toml:2: queue\.retrys: unknown key.*did you mean "retry"/,
    ],
    ['has a value without its unit', '\n[queue]\nlifetime = "72"\n', /studs\.toml:3: queue\.lifetime: /],
    [
      'is an open relay',
      '[[listener]]\nname = "all"\naddress = "0.0.0.0"\nport = 0\nauth = "optional"\n[[network]]\ncidr = "0.0.0.0/0"\n',
      /studs\.toml:\d+: .*(open relay|0\.0\.0\.0\/0)/,
    ],
    [
      'routes to nowhere',
      `${TRUSTED}[[route]]\ndomain = "*"\nto = "127.0.0.1:25"\n`,
      /studs\.toml:8: route\.0\.to: .*smtp:\/\//,
    ],
  ])('%s: file, line, what to do, exit 2', async (_name, toml, sentence) => {
    const file = join(temporaryFolder(), 'studs.toml')
    writeFileSync(file, toml)
    const { code, err } = await runStuds(['serve', '-c', file])
    expect(code).toBe(2)
    expect(err).toMatch(sentence)
    expect(err).not.toMatch(/\n\s+at /)
  })

  test('is not there: exit 2, with its name', async () => {
    const { code, err } = await runStuds(['serve', '-c', '/nowhere/studs.toml'])
    expect(code).toBe(2)
    expect(err).toMatch(/\/nowhere\/studs\.toml/)
  })
})

test('a port in use: the sentence names listener, address and port; the data directory is free again', async () => {
  await using mx = await RecordingMx.start()
  await using taker = await RecordingMx.start()
  const toml = `[[listener]]\nname = "taken"\nport = ${taker.port}\ntls = "none"\nauth = "optional"\n`
  const folder = temporaryFolder()
  const failure = await ChildRelay.start({ folder, mxPort: mx.port, toml }).then(
    () => 'it started',
    (error: Error) => error.message,
  )
  expect(failure).toMatch(/"code":1/)
  expect(failure).toMatch(
    new RegExp(`The relay cannot start: the listener "taken" cannot have port ${taker.port} of 127\\.0\\.0\\.1`),
  )
  const relay = await ChildRelay.start({ folder, mxPort: mx.port })
  expect(await sendOne(relay.port, 'ok')).toMatch(/^250 /)
})

test('a second relay on the same data is refused, by the pid of the first, which goes on', async () => {
  await using mx = await RecordingMx.start()
  const first = await ChildRelay.start({ mxPort: mx.port })
  const failure = await ChildRelay.start({ mxPort: mx.port, data: first.data }).then(
    () => 'it started',
    (error: Error) => error.message,
  )
  expect(failure).toMatch(/"code":1/)
  expect(failure).toContain(`in use by the process ${first.pid}`)
  expect(await sendOne(first.port, 'still-here')).toMatch(/^250 /)
  expect(await mx.arrived(['still-here'], 5000)).toEqual([])
})

test('the store of a newer Studs is refused and left as it is', async () => {
  await using mx = await RecordingMx.start()
  const first = await ChildRelay.start({ mxPort: mx.port })
  await first.stop()
  const version = (value: number) => [{ table: 'meta' as const, key: textKey('schema-version'), value: encode(value) }]
  await withDeadStore(first.data, (store) => store.write(version(99)))
  const { code, err } = await runStuds(['serve', '-c', first.configFile])
  expect(code).toBe(1)
  expect(err).toMatch(/schema version 99.*newer Studs/)
})

describe('a certificate that is wrong', () => {
  const hasOpenssl = spawnSync('openssl', ['version']).status === 0
  const noOpenssl = hasOpenssl ? undefined : 'openssl is not installed'
  const makePair = (folder: string, name: string): void => {
    const out = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    execFileSync('openssl', ['req', '-x509', ...curve, '-subj', '/CN=relay.test', '-days', '2', ...out], {
      stdio: 'pipe',
    })
  }

  test.each([
    [
      'a key of another certificate',
      (certs: string) => makePair(certs, 'other'),
      'relay.crt',
      'other.key',
      /other\.key|relay\.crt/,
    ],
    [
      'garbage',
      (certs: string) => writeFileSync(join(certs, 'bad.crt'), 'garbage'),
      'bad.crt',
      'relay.key',
      /bad\.crt/,
    ],
    ['a key that is missing', () => undefined, 'relay.crt', 'none.key', /none\.key/],
  ])('%s: the sentence names the file', async (_name, prepare, certificate, key, file) => {
    if (noOpenssl !== undefined) return void console.log(noOpenssl)
    await using mx = await RecordingMx.start()
    const folder = temporaryFolder()
    const certs = join(folder, 'certs')
    mkdirSync(certs)
    makePair(certs, 'relay')
    prepare(certs)
    const toml = `[[listener]]\nname = "secure"\nport = 0\ntls = "implicit"\nauth = "required"\n[tls]\ndirectory = "${certs}"\ncertificate = "${certificate}"\nkey = "${key}"\n`
    const failure = await ChildRelay.start({ folder, mxPort: mx.port, toml }).then(
      () => 'it started',
      (error: Error) => error.message,
    )
    expect(failure).toMatch(/"code":[12]/)
    expect(failure).toMatch(file)
    expect(failure).not.toMatch(/\n\s+at /)
  })

  test('of an MX that must be verified: deferred, nothing of the mail is sent, no bounce', async ({ skip }) => {
    skip(noOpenssl !== undefined, noOpenssl)
    const certs = temporaryFolder()
    makePair(certs, 'mx')
    const pair = { cert: readFileSync(join(certs, 'mx.crt')), key: readFileSync(join(certs, 'mx.key')) }
    let heard = ''
    const mx = createServer(pair, (socket) => {
      socket
        .on('error', () => socket.destroy())
        .on('data', (bytes) => {
          heard += bytes.toString('latin1')
        })
      socket.write('220 mx.test ESMTP\r\n')
    }).listen(0, '127.0.0.1')
    await once(mx, 'listening')
    const { port } = mx.address() as AddressInfo
    const relay = await ChildRelay.start({
      mxPort: port,
      mxScheme: 'smtps',
      route: 'tls = "required"',
      queue: 'retry = ["5m"]',
    })
    expect(await sendOne(relay.port, 'secret')).toMatch(/^250 /)
    expect(await relay.logged('deferred')).toMatchObject({
      cause: expect.stringMatching(/^tls 4\.7\.5: .*(self-signed|certificate)/),
    })
    expect(heard).toBe('')
    expect(relay.log.map(({ event }) => event)).not.toContain('failed')
    mx.close()
  })

  test('STARTTLS that an MX does not offer, where TLS is required: deferred, never in plaintext', async () => {
    await using mx = await RecordingMx.start()
    const relay = await ChildRelay.start({ mxPort: mx.port, route: 'tls = "required"', queue: 'retry = ["5m"]' })
    expect(await sendOne(relay.port, 'secret')).toMatch(/^250 /)
    expect(await relay.logged('deferred')).toMatchObject({ cause: expect.stringMatching(/^tls 4\.7\.5: /) })
    expect(mx.copies.size).toBe(0)
    expect(relay.log.map(({ event }) => event)).not.toContain('failed')
  })
})
