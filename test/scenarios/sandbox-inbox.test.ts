// What the relay's own sandbox took can be looked at from outside: by command and over the API.

import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/util/clock.ts'
import { type CliResult, runCli } from '../cli/run-cli.ts'
import { serveFixture } from '../http/fixture.ts'
import { startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

test('studs sandbox inbox lists what was delivered, newest first, and shows one message whole', async () => {
  const { relay, send, record } = await startTestRelay()
  const studs = (...words: string[]): Promise<CliResult> =>
    runCli(['sandbox', 'inbox', ...words, '--endpoint', relay.socket], { clock: systemClock, width: 90 })
  await send('ann@a.test', { subject: 'One' })
  await record('delivered', { recipient: 'ann@a.test' })
  await send('bob@b.test', { subject: 'Two' })
  await record('delivered', { recipient: 'bob@b.test' })
  const { out, code } = await studs()
  expect(code).toBe(0)
  expect(out).toMatch(/^ID +TIME \(UTC\) +TO +ENVELOPE SENDER +SIZE\n +2 .*bob@b\.test.*\n +1 .*ann@a\.test/)
  const [only] = (await studs('--to', 'Ann@a.test', '--json')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(only).toMatchObject({ id: 1, recipients: ['ann@a.test'] })
  expect((await studs('2')).out).toMatch(/^Subject: Two$/m)
  expect(JSON.parse((await studs('2', '--json')).out).raw).toContain('Subject: Two\r\n')
  expect(await studs('3')).toMatchObject({ code: 3, err: expect.stringContaining('no message 3') })
  expect(await studs('x')).toMatchObject({ code: 2 })
})

test('without a sandbox there is no inbox', async () => {
  const served = await serveFixture()
  const { code, err } = await runCli(['sandbox', 'inbox'], { clock: served.clock, configFile: served.configFile })
  expect({ code, err }).toEqual({
    code: 1,
    err: 'error: There is no sandbox: the relay is stopped, or delivery.mode is not "sandbox".\n',
  })
  await served.close()
})
