// What a reload of a whole relay says and logs: files that the configuration only names, and what is refused.

import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import { createClient } from '../../src/http/client.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { type Relay, startRelay } from '../../src/relay.ts'
import { systemClock } from '../../src/util/clock.ts'
import { configOf } from '../support/relay.ts'

let directory: string
let relay: Relay
let log: string
const write = (name: string, text: string): void => writeFileSync(join(directory, name), text)
const rule = (id: string): string =>
  `[[rule]]\nid = "${id}"\nmatch = "xyzzy-${id}"\ncategory = "other"\nsamples = ["550 xyzzy-${id}"]\n`
const key = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const configure = (more = ''): void =>
  write(
    'studs.toml',
    configOf({
      toml: `
[bounce]
rules = "own.toml"
[unsubscribe]
port = 0
[[domain]]
name = "sender.test"
dkim = [{ selector = "s1", key_file = "s1.pem"${more} }]
`,
    }),
  )

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'studs-reload-'))
  log = ''
  write('own.toml', rule('a') + rule('b'))
  write('s1.pem', key())
  configure()
  const load = () => loadSettings({ file: join(directory, 'studs.toml'), env: {} })
  const loaded = load()
  const output = new PassThrough()
  output.on('data', (chunk: Buffer) => {
    log += chunk
  })
  const logger = createLogger({ ...loaded.settings.log, format: 'json', level: 'info' }, output)
  relay = await startRelay({ loaded, reload: load, clock: systemClock, logger })
})
afterEach(async () => {
  await relay.stop()
  await rm(directory, { recursive: true, force: true })
})

test('tells when only the files that it names have changed', async () => {
  expect(await relay.reload()).toEqual([])
  write('own.toml', rule('a') + rule('b') + rule('c'))
  expect(await relay.reload()).toEqual(['bounce.rules: 3 rules (was 2)'])
  expect(log).toContain('"bounce.rules: 3 rules (was 2)"')
  write('own.toml', rule('a') + rule('b') + rule('d'))
  expect(await relay.reload()).toEqual(['bounce.rules: changed, 3 rules'])
  write('s1.pem', key())
  expect(await relay.reload()).toEqual(['DKIM key s1._domainkey.sender.test: another key is in the file'])
  expect(await relay.reload()).toEqual([])
  configure(', state = "retired"')
  await relay.reload()
  await rm(join(directory, 's1.pem'))
  expect(await relay.reload()).toEqual(['DKIM key s1._domainkey.sender.test: the file is gone'])
})

test('a refused one is in the log, whoever asked for it, and changes nothing', async () => {
  const client = createClient({ kind: 'socket', path: relay.socket })
  write('own.toml', rule('a').replace('"other"', '"othr"'))
  await expect(client.reload()).rejects.toThrow(/not taken over: .*line 4, rule "a", category/s)
  expect(log).toMatch(/"event":"reload-refused".*line 4/)
  write('own.toml', rule('a') + rule('b'))
  expect(await relay.reload()).toEqual([])
})

test('the unsubscribe endpoint says where it listens', () => {
  expect(log).toMatch(/"event":"listening","name":"unsubscribe","address":"127\.0\.0\.1","port":\d+/)
})
