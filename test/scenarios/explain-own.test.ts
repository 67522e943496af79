// What `studs explain` says of one message that something of its own keeps back, or that is on its way just now: that, and not that
// it "waits for its next attempt", which is what a refused one does.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { Operations } from '../../src/http/operations.ts'
import { explain, explained } from '../support/explained.ts'
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

afterEach(stopRelays)

const clientOf = ({ relay }: TestRelay): Operations => createClient({ kind: 'socket', path: relay.socket })
const spring = { headers: { 'X-Studs-Tag': 'spring' } }
const SPRING = '[[tag_limit]]\ntag = "spring"\nmessage_rate = "1/d"\n'

test('its tag', async () => {
  await using mx = await ScriptedMx.start()
  const relay = await startTestRelay({ routeTo: mx.port, toml: SPRING })
  await relay.send('one@a.test', spring)
  await relay.record('delivered')
  const id = await relay.send('two@a.test', spring)
  const text = await explained(relay, id, /^ {2}Limited/m)
  const limited =
    /Limited: message_rate 1\/d of the tag spring of default is used up\. The next goes in (1d|23h 5\dm) \(2\d{3}-/
  expect(text).toMatch(new RegExp(`^Now +${limited.source}`, 'm'))
  expect(text).toMatch(/^Next +in (1d|23h 5\dm)/m)
  expect(text).not.toMatch(/next attempt/)
  // The domain has nothing else that waits.
  expect(await explain(relay, 'a.test')).toMatch(
    new RegExp(`1 recipient waiting, 0 of them due\\n {2}${limited.source}`),
  )
  const { lanes, recipient } = await clientOf(relay).explain(id)
  expect([lanes[0]?.binding, recipient?.binding]).toMatchObject([
    { kind: 'limit', limit: 'tag spring of default', rate: '1/d' },
    { kind: 'limit', limit: 'tag spring of default', rate: '1/d' },
  ])
})

test('a refusal, and not its tag, when the tag has something again before that', async () => {
  await using mx = await ScriptedMx.start({
    script: ({ command }) => (command.startsWith('RCPT') ? '450 4.2.0 later' : undefined),
  })
  const relay = await startTestRelay({
    routeTo: mx.port,
    queue: 'retry = ["2h"]',
    toml: '[[tag_limit]]\ntag = "spring"\nmessage_rate = "1/h"\n',
  })
  const id = await relay.send('one@a.test', spring)
  await relay.record('deferred')
  const text = await explained(relay, id, /^ {2}Waits for its next attempt, in (1h 59m|2h)/m)
  expect(text).toMatch(/^Now +Waits for its next attempt, in (1h 59m|2h)/m)
  expect(text).not.toMatch(/spring/)
})

test('a pool of its own, none of whose sources is there', async () => {
  await using mx = await ScriptedMx.start()
  const relay = await startTestRelay({
    routeTo: mx.port,
    toml: `
[[source]]
name = "here"
ipv4 = "127.0.0.2"
[[source]]
name = "away"
ipv4 = "198.51.100.77"
[[pool]]
name = "default"
sources = [{ source = "here" }]
[[pool]]
name = "other"
sources = [{ source = "away" }]
[[tenant]]
name = "default"
any_sender = true
pools = ["other"]
`,
  })
  const id = await relay.send('one@a.test', { headers: { 'X-Studs-Pool': 'other' } })
  const text = await explained(relay, id, /Tenant default, pool other: .*\n {2}No source of its pool/)
  expect(text).toMatch(/^Now +No source of its pool/m)
  expect(text).not.toMatch(/^Next|leaves from/m)
})

test('an attempt that is under way', async () => {
  await using mx = await ScriptedMx.start({
    script: ({ command }) => (command.startsWith('RCPT') ? 'silence' : undefined),
  })
  const relay = await startTestRelay({ routeTo: mx.port, queue: 'retry = ["1h"]' })
  const before = Date.now()
  const id = await relay.send('one@a.test')
  while (!mx.commands.includes('RCPT')) await new Promise(setImmediate)
  const text = await explain(relay, id)
  expect(text).toMatch(/^Now +Being tried right now, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.$/m)
  expect(text).toMatch(/1 recipient waiting, 0 of them due, 1 on the way\n {2}Being tried right now, since /)
  expect(text).not.toMatch(/^Next|next attempt/m)
  const { recipient } = await clientOf(relay).explain(id)
  const since = recipient?.binding?.kind === 'tried' ? Date.parse(recipient.binding.since) : Number.NaN
  expect(since).toBeGreaterThanOrEqual(before)
  expect(since).toBeLessThanOrEqual(Date.now())
})

test('others of its lane are on their way, and itself it waits', async () => {
  await using mx = await ScriptedMx.start({
    script: ({ command }) => (command.startsWith('RCPT') ? 'silence' : undefined),
  })
  const relay = await startTestRelay({ routeTo: mx.port, toml: SPRING })
  await relay.send('one@a.test', spring)
  while (!mx.commands.includes('RCPT')) await new Promise(setImmediate)
  const id = await relay.send('two@a.test', spring)
  const text = await explained(relay, id, /^ {2}Limited/m)
  expect(text).toMatch(/^Now +Limited: .* tag spring/m)
  expect(text).toMatch(/2 recipients waiting, 0 of them due, 1 on the way\n {2}Limited: .* tag spring/)
})

test('somebody holds it', async () => {
  const relay = await startTestRelay()
  const id = await relay.send('tempfail@a.test')
  await relay.record('deferred')
  await clientOf(relay).changeQueue('hold', { ids: [id], reason: 'they asked', who: 'eve' })
  const text = await explain(relay, id)
  expect(text).toMatch(/^Now +Held by eve since \d{4}-.*: they asked\. Goes on after `studs queue release`\.$/m)
  expect(text).not.toMatch(/^Next/m)
})

test('mail of a tenant that was taken out of the configuration is listed too', async () => {
  const own = '[[network]]\ncidr = "127.0.0.0/8"\n'
  const gone = '[[network]]\ncidr = "127.0.0.9/32"\ntenant = "gone"\n[[tenant]]\nname = "gone"\nany_sender = true\n'
  const relay = await startTestRelay({ toml: `[[tenant]]\nname = "default"\nany_sender = true\n${own}${gone}` })
  await relay.send('tempfail@a.test')
  await relay.send('tempfail+2@a.test', {}, '127.0.0.9')
  await relay.send('tempfail+3@b.test', {}, '127.0.0.9')
  await relay.record('deferred', { count: 3 })
  const file = join(relay.directory, 'studs.toml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(gone, ''))
  await relay.relay.reload()
  const text = await explained(
    relay,
    'a.test',
    /Tenant gone: 1 recipient waiting, 0 of them due\n {2}Waits for its next/,
  )
  expect(text.match(/^Tenant \S+/gm)).toEqual(['Tenant default:', 'Tenant gone:'])
  expect((await explain(relay, 'c.test')).match(/Nobody waits/g)).toHaveLength(1)
})
