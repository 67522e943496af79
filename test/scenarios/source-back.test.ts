// A source that was suspended comes back while the mail of its pool waits for the limit of another source: the mail goes at once. With
// both in one pool, and with the other in a pool that messages may name besides.

import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/util/clock.ts'
import { runCli } from '../cli/run-cli.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

afterEach(stopRelays)

const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
const configOf = (own: string): string => `
[[source]]
name = "own"
ipv4 = "127.0.0.2"
[[source]]
name = "cold"
ipv4 = "127.0.0.3"
[source.warm_up]
since = "${yesterday}"
start = "2/h"
growth = 1
[[pool]]
name = "default"
sources = [${own}]
[[pool]]
name = "further"
sources = [{ source = "cold" }]
[[tenant]]
name = "default"
any_sender = true
pools = ["further"]
`

test.each([
  ['of its own pool', '{ source = "own" }, { source = "cold" }', /Limited: .*2\/h of the warm-up.* cold/],
  // Nothing of it may leave from there: that is not what it waits for.
  ['of a pool that it did not name', '{ source = "own" }', /Suspended: the source own/],
])('it waits for a source %s', { timeout: 20_000 }, async (_, own, because) => {
  await using mx = await ScriptedMx.start()
  const relay = await startTestRelay({ routeTo: mx.port, toml: configOf(own) })
  const studs = async (...words: string[]): Promise<string> =>
    (await runCli(words, { clock: systemClock, configFile: join(relay.directory, 'studs.toml'), width: 160 })).out
  await studs('suspend', 'add', 'source', 'own', '--for', '1h', '--reason', 'listed')
  for (const name of ['one', 'two']) await relay.send(`${name}@a.test`, { headers: { 'X-Studs-Pool': 'further' } })
  await relay.record('delivered', { count: 2 })
  const late = await relay.send('late@b.test')
  while (!/Limited|Suspended: /.test(await studs('explain', 'b.test'))) await new Promise(setImmediate)
  const said = await studs('explain', 'b.test')
  await studs('suspend', 'rm', 'source', 'own', '--reason', 'delisted')
  expect(await relay.record('delivered', { recipient: 'late@b.test' })).toMatchObject({
    message: late,
    way: { source: 'own' },
  })
  expect(said).toMatch(because)
})
