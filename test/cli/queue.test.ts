import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { refusal, type Served, serveFixture } from '../http/fixture.ts'
import { type CliResult, runCli } from './run-cli.ts'

let relay: Served
let id: string
beforeEach(async () => {
  relay = await serveFixture()
  const accepted = await relay.accept({
    to: ['jane@example.net', 'bob@example.org', 'eve@example.org'],
    subject: 'Hej',
  })
  id = accepted.id
  await relay.clock.advance(1000)
  await relay.settle(
    accepted.flights[0],
    refusal(450, '4.2.1 The user you are trying to contact is receiving too much mail at this time'),
  )
  await relay.clock.advance(59_000)
})
afterEach(() => relay.close())

const studs = (...words: string[]): Promise<CliResult> =>
  runCli(words, { clock: relay.clock, configFile: relay.configFile, width: 80, isTty: true })
const states = async (): Promise<string[]> => (await relay.operations.message(id))!.to.map(({ state }) => state.kind)

describe('studs queue', () => {
  test('into a file or pipe nothing is cut', async () => {
    const { out } = await runCli(['queue', 'list'], { clock: relay.clock, configFile: relay.configFile, width: 80 })
    expect(out).toContain('The user you are trying to contact is receiving too much mail at this time\n')
  })

  test('list', async () => {
    expect((await studs('queue', 'list')).out).toBe(`\
ID               AGE  TRIES   NEXT  RECIPIENT
${id}.0   1m      1  4m 1s  jane@example.net
    450 4.2.1 The user you are trying to contact is receiving too much mail at …
${id}.1   1m      1    now  bob@example.org
${id}.2   1m      1    now  eve@example.org
`)
  })

  test('list with filters, and a note when there is more', async () => {
    expect(
      (await studs('queue', 'list', '--domain', 'example.org', '--json')).out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).address),
    ).toEqual(['bob@example.org', 'eve@example.org'])
    expect(await studs('queue', 'list', '--limit', '2')).toMatchObject({
      code: 0,
      err: 'There are more; --limit 20 shows more of them.\n',
    })
    expect((await studs('-q', 'queue', 'list', '--limit', '2')).err).toBe('')
    expect((await studs('queue', 'list', '--older', '2m')).out).toBe('The queue is empty.\n')
    expect((await studs('queue', 'list', '--older', '30s', '--json')).out.trim().split('\n')).toHaveLength(3)
    expect((await studs('queue', 'list', '--sender', '')).out).toBe('The queue is empty.\n')
    expect((await studs('queue', 'list', '--older', '2m', '--json')).out).toBe('')
  })

  test('summary', async () => {
    await studs('queue', 'hold', `${id}.2`)
    expect((await studs('queue', 'summary')).out).toBe(`\
DOMAIN       WAITING  DUE  IN FLIGHT  HELD  OLDEST
example.org        1    0          2     1      1m
example.net        1    0          0     0      1m
`)
    expect((await studs('queue', 'summary', '--by', 'state')).out).toMatch(/^STATE .*\nwaiting +2 .*\nheld +0 .*\n$/)
    expect((await studs('queue', 'summary', '--by', 'colour')).code).toBe(2)
  })

  test('show', async () => {
    expect((await studs('queue', 'show', id)).out).toBe(`\
Message ${id}  Hej
  from news@shop.example, tenant default, 12.4 KiB, accepted 2026-11-21 23:20:11
  UTC

 N  RECIPIENT         STATE    TRIES  NEXT
.0  jane@example.net  waiting      1  2026-11-21 23:25:12
    450 4.2.1 The user you are trying to contact is receiving too much mail at
    this time
.1  bob@example.org   waiting      1  2026-11-21 23:25:11
.2  eve@example.org   waiting      1  2026-11-21 23:25:11
`)
    expect((await studs('queue', 'show', '0000000000000')).code).toBe(3)
    expect((await studs('queue', 'show', 'nonsense')).code).toBe(3)
  })

  test('hold, release, retry, drop: who and why stand in the journal', async () => {
    expect(await studs('queue', 'hold', `${id}.0`, '--reason', 'asked to wait')).toEqual({
      code: 0,
      out: '1 recipient held.\n',
      err: '',
    })
    expect(await studs('queue', 'release', `${id}.0`)).toMatchObject({ out: '1 recipient released.\n' })
    expect(await studs('queue', 'retry', `${id}.0`, `${id}.1`)).toMatchObject({
      out: '2 recipients will be tried now.\n',
    })
    expect(await studs('queue', 'drop', `${id}.0`)).toMatchObject({ out: '1 recipient dropped.\n' })
    expect(await states()).toEqual(['cancelled', 'waiting', 'waiting'])
    const changes = (await relay.operations.messageEvents(id))!.filter(({ n, who }) => n === 0 && who !== undefined)
    expect(changes.map(({ kind, why }) => [kind, why])).toEqual([
      ['held', 'asked to wait'],
      ['released', 'by hand'],
      ['retried', 'by hand'],
      ['cancelled', 'by hand'],
    ])
    for (const { who } of changes) expect(who).toMatch(/^cli:./)
  })

  test('bounce ends the recipient as failed', async () => {
    expect((await studs('queue', 'bounce', `${id}.1`)).out).toBe('1 recipient bounced.\n')
    expect(await states()).toEqual(['waiting', 'failed', 'waiting'])
  })

  test('a filter may hold at once; what is final needs --yes and says first what it would do', async () => {
    expect(await studs('queue', 'hold', '--domain', 'example.org')).toMatchObject({
      code: 0,
      out: '2 recipients held.\n',
    })
    expect(await studs('queue', 'drop', '--held')).toEqual({
      code: 2,
      out: '',
      err: 'error: This would drop 2 recipients. Add --yes to do it.\n',
    })
    expect(await states()).toEqual(['waiting', 'held', 'held'])
    expect(await studs('queue', 'drop', '--held', '--yes')).toMatchObject({ code: 0, out: '2 recipients dropped.\n' })
    expect(await states()).toEqual(['waiting', 'cancelled', 'cancelled'])
  })

  test('--all needs --yes, whatever the action', async () => {
    for (const action of ['retry', 'hold', 'release', 'drop', 'bounce']) {
      expect(await studs('queue', action, '--all')).toMatchObject({
        code: 2,
        err: `error: This would ${action} 3 recipients. Add --yes to do it.\n`,
      })
    }
    expect(await states()).toEqual(['waiting', 'waiting', 'waiting'])
    expect((await studs('queue', 'hold', '--all', '--yes', '--json')).out).toBe('{"count":3}\n')
  })

  test.each([
    [['queue', 'drop']],
    [['queue', 'drop', '--yes']],
    [['queue', 'drop', '--all', '--domain', 'example.net', '--yes']],
    [['queue', 'hold', '--older', 'yesterday']],
    [['queue', 'list', '--held', '--waiting']],
    [['queue', 'list', '--limit', 'many']],
    [['queue']],
    [['queue', 'explode']],
  ])('%j is a usage error and changes nothing', async (words) => {
    const { code, err } = await studs(...words)
    expect(code).toBe(2)
    expect(err).not.toBe('')
    expect(await states()).toEqual(['waiting', 'waiting', 'waiting'])
  })

  test('nothing to change is exit code 3', async () => {
    expect(await studs('queue', 'drop', 'nonsense')).toEqual({
      code: 3,
      out: '',
      err: 'error: There is no nonsense in the queue.\n',
    })
    expect((await studs('queue', 'drop', '--tenant', 'shpo', '--yes')).err).toBe(
      'error: There is no tenant shpo; did you mean shop?\n',
    )
    expect(await studs('queue', 'release', `${id}.0`)).toEqual({
      code: 3,
      out: '',
      err: 'error: There was nothing to release.\n',
    })
    expect((await studs('queue', 'hold', '0000000000000')).code).toBe(3)
    expect((await studs('queue', 'hold', '--tenant', 'shop')).code).toBe(3)
  })
})
