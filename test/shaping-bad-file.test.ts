// A shaping file with a mistake at a reload: refused whole with the line named, the old one stays, also what was right in the new
// one does not come into force, and mail goes on.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../src/util/clock.ts'
import { runCli } from './cli/run-cli.ts'
import { startTestRelay, stopRelays } from './support/relay.ts'

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'studs-shaping-'))
  file = join(folder, 'shaping.toml')
})
afterEach(async () => {
  await stopRelays()
  rmSync(folder, { recursive: true, force: true })
})

const OLD = '[default]\nconnections = 6\n'
/** Right, and to stand in front of each mistake. */
const RIGHT = '[default]\nconnections = 9\n'

test.each<[string, string, RegExp]>([
  ['an unknown key', '[domain."a.test"]\nmesage_rate = "1/s"', /:4: .*mesage_rate.*did you mean "message_rate"/],
  ['an unknown section', '[provder.google]\nconnections = 1', /:3: .*provder/],
  ['no connections', '[domain."a.test"]\nconnections = 0', /:4: .*connections/],
  ['half a connection', '[domain."a.test"]\nconnections = 1.5', /:4: .*connections/],
  ['a rate that is none', '[domain."a.test"]\nmessage_rate = "fast"', /:4: .*message_rate/],
  ['a rate of nothing', '[domain."a.test"]\nmessage_rate = "0/h"', /:4: .*message_rate/],
  ['a negative wait', '[domain."a.test"]\nretry = ["-5m"]', /:4: .*retry/],
  ['no waits at all', '[domain."a.test"]\nretry = []', /:4: .*retry/],
  ['a TLS that is none', '[domain."a.test"]\ntls = "yes"', /:4: .*tls/],
  ['a number where a text belongs', '[domain."a.test"]\ntls = 1', /:4: .*tls/],
  ['a timeout of nothing', '[domain."a.test"]\ncommand_timeout = "0"', /:4: .*command_timeout/],
  ['a section twice', '[default]\nconnections = 1', /:3(?::\d+)?: /],
  ['what is no TOML', '[domain."a.test"\nconnections = 1', /:3/],
  ['a provider limit of a domain', '[domain."a.test"]\nprovider_connections = 1', /:4: .*provider_connections/],
])('%s', async (_, mistake, named) => {
  writeFileSync(file, OLD)
  const relay = await startTestRelay({ delivery: `shaping = "${file}"` })
  const studs = (...words: string[]) =>
    runCli(words, { clock: systemClock, configFile: join(relay.directory, 'studs.toml'), width: 160 })
  writeFileSync(file, `${RIGHT}${mistake}\n`)
  const { code, err } = await studs('reload')
  expect([code, err]).toEqual([1, expect.stringMatching(named)])
  expect((await studs('resolve', 'a.test')).out).toMatch(/^connections +6 /m)
  await relay.send('ok@a.test')
  await relay.record('delivered', { recipient: 'ok@a.test' })
  writeFileSync(file, RIGHT)
  expect((await studs('reload')).code).toBe(0)
  expect((await studs('resolve', 'a.test')).out).toMatch(/^connections +9 /m)
})
