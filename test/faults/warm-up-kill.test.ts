// kill -9 of a relay that warms an address up: whatever was in the air, no more than the plan leaves from it in the hour,
// nothing is lost, and a drain that was acknowledged holds.

import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { DAY } from '../../src/util/clock.ts'
import { type ChildOptions, ChildRelay, endChildren, runStuds, temporaryFolder } from '../support/child-relay.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'
import { sendOne } from './submit.ts'

afterEach(endChildren)

const PLAN = 12
const LIVES = 4
const MAILS = 12
const yesterday = new Date(Date.now() - DAY).toISOString().slice(0, 10)

test('the plan over kills, and a drain', { timeout: 90_000 }, async () => {
  const by = new Map<string, string[]>()
  await using mx = await ScriptedMx.start({
    script: ({ command, from }) => {
      if (command.startsWith('RCPT ')) by.set(from, [...(by.get(from) ?? []), command.slice(5)])
      return undefined
    },
  })
  const options: ChildOptions = {
    folder: temporaryFolder(),
    mxPort: mx.port,
    toml: `
[[source]]
name = "warm"
ipv4 = "127.0.0.2"
[[source]]
name = "cold"
ipv4 = "127.0.0.3"
[source.warm_up]
since = "${yesterday}"
start = "${PLAN}/h"
growth = 1
[[pool]]
name = "default"
sources = [{ source = "warm" }, { source = "cold", weight = 4 }]
`,
  }
  const arrived = (): Set<string> => new Set([...by.values()].flat())
  const acked: string[] = []
  const send = async (relay: ChildRelay, name: string): Promise<void> => {
    if ((await sendOne(relay.port, name))?.startsWith('250')) acked.push(`${name}@dest.test`)
  }
  for (let life = 0; life < LIVES; life++) {
    const relay = await ChildRelay.start(options)
    for (let n = 0; n < MAILS; n++) await send(relay, `l${life}m${n}`)
    // Killed with some of them under way.
    while (arrived().size < (life + 1) * (MAILS - 4)) await once(mx, 'received')
    await relay.kill()
  }
  const cold = (): number => new Set(by.get('127.0.0.3')).size
  const relay = await ChildRelay.start(options)
  while (!acked.every((each) => arrived().has(each))) await once(mx, 'received')
  expect(acked.length).toBe(LIVES * MAILS)
  expect(cold()).toBeLessThanOrEqual(PLAN)
  expect(cold()).toBeGreaterThan(0)
  const drained = await runStuds(['--config', relay.configFile, 'source', 'drain', 'warm', '--reason', 'x'])
  expect([drained.code, drained.err]).toEqual([0, ''])
  await relay.kill()
  const last = await ChildRelay.start(options)
  const before = by.get('127.0.0.2')?.length
  await send(last, 'last')
  const { out } = await runStuds(['--config', last.configFile, '--json', 'source', 'list'])
  expect(out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).state]))).toEqual([
    'drained',
    'warming',
  ])
  expect(by.get('127.0.0.2')?.length).toBe(before)
  expect(cold()).toBeLessThanOrEqual(PLAN)
})
