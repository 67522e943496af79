// SIGHUP to a real process: a shaping file with a mistake is refused whole, with file and line, and the old one holds; a
// right one is taken over; mail that came before, meanwhile and after is delivered once. And no start with a mistake.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ChildRelay, endChildren, runStuds, temporaryFolder } from '../support/child-relay.ts'
import { RecordingMx } from './recording-mx.ts'
import { sendOne } from './submit.ts'

afterEach(() => endChildren())

const MISTAKES: [string, string, RegExp][] = [
  [
    'an unknown key',
    '[domain."a.test"]\nmesage_rate = "1/s"',
    /shaping\.toml:4: .*mesage_rate.*did you mean "message_rate"/,
  ],
  ['an impossible value', '[domain."a.test"]\nconnections = 0', /shaping\.toml:4: .*connections/],
  [
    'a rule that could run away',
    '[[default.rule]]\nmatch = "(a+)+"\naction = "suspend"\nfor = "1h"',
    /shaping\.toml:4: .*repeats/,
  ],
]
const RIGHT = '[default]\nconnections = 9\n'

async function connectionsOf(relay: ChildRelay): Promise<string | undefined> {
  const { out } = await runStuds(['resolve', 'dest.test', '-c', relay.configFile])
  return /^connections +(\d+)/m.exec(out)?.[1]
}

test('SIGHUP', { timeout: 90_000 }, async () => {
  await using mx = await RecordingMx.start()
  const folder = temporaryFolder()
  const file = join(folder, 'shaping.toml')
  writeFileSync(file, '[default]\nconnections = 6\n')
  const relay = await ChildRelay.start({ folder, mxPort: mx.port, delivery: `shaping = "${file}"` })
  const ids: string[] = []
  const send = async (): Promise<void> => {
    ids.push(`m${ids.length}`)
    expect(await sendOne(relay.port, ids.at(-1)!)).toMatch(/^250 /)
  }
  await send()
  for (const [at, [, mistake, named]] of MISTAKES.entries()) {
    writeFileSync(file, `${RIGHT}${mistake}\n`)
    relay.signal('SIGHUP')
    while (relay.count('reload-refused') <= at) await relay.loggedMore()
    const refused = relay.log.filter(({ event }) => event === 'reload-refused').at(-1)
    expect(refused?.msg).toMatch(named)
    expect(await connectionsOf(relay)).toBe('6')
    await send()
  }
  writeFileSync(file, RIGHT)
  relay.signal('SIGHUP')
  expect(await relay.logged('reloaded')).toMatchObject({ msg: expect.stringContaining('shaping') })
  expect(await connectionsOf(relay)).toBe('9')
  await send()
  expect(await mx.arrived(ids, 10_000)).toEqual([])
  for (const id of ids) expect(mx.copies.get(id)?.length).toBe(1)
  expect(await relay.stop()).toMatchObject({ code: 0 })
})

test.each(MISTAKES)('no start with %s', async (_, mistake, named) => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'shaping.toml'), `${RIGHT}${mistake}\n`)
  const config = join(folder, 'studs.toml')
  writeFileSync(config, '[delivery]\nshaping = "shaping.toml"\n')
  const { code, err } = await runStuds(['serve', '-c', config])
  expect(code).toBeGreaterThan(0)
  expect(err).toMatch(named)
  expect(err).not.toMatch(/\n\s+at /)
})
