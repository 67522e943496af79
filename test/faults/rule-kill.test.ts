// kill -9 right after a rule has spoken: what it suspended is suspended when the relay is back, and ends as was said.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ChildRelay, endChildren, runStuds, temporaryFolder } from '../support/child-relay.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'
import { sendOne } from './submit.ts'

afterEach(() => endChildren())

const SHAPING = `[[default.rule]]
match = 'not before noon'
action = "suspend"
for = "1h"
`

test('a suspension by a rule outlives kill -9', { timeout: 60_000 }, async () => {
  await using mx = await ScriptedMx.start()
  mx.script = ({ command }) => (command.startsWith('RCPT') ? '450 4.7.1 Not before noon' : undefined)
  const folder = temporaryFolder()
  const shaping = join(folder, 'shaping.toml')
  writeFileSync(shaping, SHAPING)
  const options = { folder, mxPort: mx.port, delivery: `shaping = "${shaping}"`, queue: 'retry = ["100ms"]' }
  const first = await ChildRelay.start(options)
  await sendOne(first.port, 'one')
  // The record is logged once it is durable.
  await first.logged('suspended')
  await first.kill()
  mx.script = () => undefined
  const heard = mx.commands.filter((verb) => verb === 'RCPT').length

  const second = await ChildRelay.start(options)
  await sendOne(second.port, 'two')
  const listed = await runStuds(['suspend', 'list', '-c', second.configFile])
  expect(listed.out).toMatch(/site route:127\.0\.0\.1\S* .* none +rule shaping\.toml:1 +450 4\.7\.1 Not before noon/)
  expect(mx.commands.filter((verb) => verb === 'RCPT').length).toBe(heard)
  const [, site = ''] = /site (\S+)/.exec(listed.out) ?? []
  const removed = await runStuds(['suspend', 'rm', 'site', site, '--reason', 'it is noon', '-c', second.configFile])
  expect(removed.code).toBe(0)
  await mx.received(2)
})
