// Another chance, surges and rollback, as a person at the terminal sees them.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DAY, HOUR } from '../../src/util/clock.ts'
import { DELIVERED, refusal, type Served, serveFixture } from '../http/fixture.ts'
import { type CliOptions, type CliResult, runCli } from './run-cli.ts'

let relay: Served
beforeEach(async () => {
  relay = await serveFixture()
})
afterEach(() => relay.close())

const run = (words: string[], more: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli(words, { clock: relay.clock, configFile: relay.configFile, width: 120, ...more })
const suppress = (...words: string[]): Promise<CliResult> => run(['suppress', ...words])

async function refused(...to: string[]): Promise<string> {
  const { id, flights } = await relay.accept({ to })
  for (const flight of flights) await relay.settle(flight, refusal(550, '5.1.1 No such user'))
  return id
}

describe('studs suppress rm', () => {
  test('gives what Studs learned another chance, and tells how it goes', async () => {
    await refused('jane@example.net')
    expect((await suppress('rm', 'jane@example.net', '--reason', 'asked to come back')).out).toBe(
      'jane@example.net may be mailed again for the tenant default. The next message goes alone; once it has got through, so do the others.\n',
    )
    expect((await suppress('list')).out).toMatch(/jane@example\.net +default +hard_bounce +2026-11-21 +half-open /)
    expect((await suppress('check', 'jane@example.net')).out).toMatch(/clear/)
    const { id, flights } = await relay.accept({ to: ['jane@example.net'] })
    expect(await relay.core.queue.refuseBeforeAttempt(flights[0]!)).toBe(false)
    const { out } = await suppress('why', 'jane@example.net')
    expect(out).toMatch(/^jane@example\.net is half-open for the tenant default: mail goes one message at a time\.\n/)
    expect(out).toMatch(/ {2}reactivated 2026-11-21 23:20:11 UTC by cli:.*: asked to come back\n/)
    expect(out).toContain('  half-open: the next message goes alone')
    expect(out).toContain(`Being tried right now: message ${id}.`)
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user'))
    const after = (await suppress('why', 'jane@example.net')).out
    expect(after).toMatch(/^jane@example\.net is suppressed \(hard_bounce\)/)
    expect(after).toContain('  suppressed for the second time\n')
  })

  test('--forget takes it away at once', async () => {
    await refused('jane@example.net')
    expect((await suppress('rm', 'jane@example.net', '--forget')).out).toBe(
      'jane@example.net may be mailed again for the tenant default.\n',
    )
    expect((await suppress('list')).out).toBe('Nobody.\n')
  })

  test('says what else keeps the address from being mailed', async () => {
    await refused('jane@example.net')
    await suppress('add', '@example.net', '--everybody', '--reason', 'policy')
    expect((await suppress('rm', 'jane@example.net')).err).toBe(
      'But @example.net is suppressed for everybody too (policy).\n',
    )
    expect((await suppress('rm', '@example.net', '--everybody')).err).toBe('')
  })

  test('a delivery clears the history', async () => {
    await refused('jane@example.net')
    await suppress('rm', 'jane@example.net')
    const { flights } = await relay.accept({ to: ['jane@example.net'] })
    await relay.settle(flights[0], DELIVERED)
    expect((await suppress('list')).out).toBe('Nobody.\n')
  })
})

test('a surge shows in the list as pending, in why and in the journal', async () => {
  await refused(...Array.from({ length: 50 }, (_, n) => `user${n}@example.net`))
  expect((await suppress('list', '--pending', '--limit', '100')).out.match(/ pending /g)).toHaveLength(50)
  const { out } = await suppress('why', 'user7@example.net')
  expect(out).toMatch(/^user7@example\.net is not suppressed yet \(pending\) for the tenant default\.\n/)
  expect(out).toContain('  pending until 2026-11-24 23:20:11 UTC: learned in a surge')
  expect((await suppress('check', 'user7@example.net')).out).toMatch(/clear/)
  expect((await suppress('export')).out.split('\r\n')).toHaveLength(2)
  expect((await suppress('export', '--format', 'jsonl')).out.trim().split('\n')).toHaveLength(50)
  expect(relay.core.journal.latest({ limit: 1, kinds: ['alert'] })).toMatchObject([
    { tenant: 'default', site: 'mx.example.net', why: expect.stringContaining('50 hard bounces') },
  ])
  await relay.clock.advance(DAY)
  await refused('user7@example.net')
  expect((await suppress('check', 'user7@example.net')).out).toMatch(/suppressed/)
  expect((await suppress('list', '--pending', '--limit', '100')).out.match(/ pending /g)).toHaveLength(49)
})

describe('studs suppress undo', () => {
  test('shows first, acts with --yes, and leaves what people asked for', async () => {
    await refused('jane@example.net', 'joe@example.net')
    await suppress('add', 'asked@example.net', '--reason', 'complaint')
    const look = await suppress('undo', '--rule', 'mailbox-unknown')
    expect(look).toMatchObject({ code: 0, err: 'Nothing was changed yet. Add --yes to take them back.\n' })
    expect(look.out).toMatch(
      /^2 entries would be taken back\.\n\nBY RULE\n +2 mailbox-unknown@\d+\n\nBY SITE\n +2 mx\.example\.net\n/,
    )
    expect(look.out).toMatch(/\njane@example\.net +default +hard_bounce/)
    expect((await suppress('list', '--json')).out.trim().split('\n')).toHaveLength(3)
    expect((await suppress('undo', '--since', '1h', '--reason', 'a bad rule', '--yes')).out).toMatch(
      /^2 entries taken back\.\n/,
    )
    expect((await suppress('list', '--json')).out).toContain('asked@example.net')
    expect((await suppress('list', '--json')).out.trim().split('\n')).toHaveLength(1)
    expect((await suppress('undo', '--since', '1h', '--yes')).out).toBe('Nothing that Studs learned fits.\n')
    expect(relay.core.journal.latest({ limit: 1 })).toMatchObject([
      { kind: 'suppression-removed', why: 'taken back: a bad rule', who: expect.stringMatching(/^cli:/) },
    ])
  })

  test('takes times as durations and dates', async () => {
    await refused('jane@example.net')
    await relay.clock.advance(3 * HOUR)
    const count = async (...words: string[]): Promise<string> =>
      (await suppress('undo', ...words, '--json')).out.match(/"count":(\d+)/)?.[1] ?? ''
    expect(await count('--since', '2h')).toBe('0')
    expect(await count('--since', '4h')).toBe('1')
    expect(await count('--since', '2026-11-21T23:00Z')).toBe('1')
    expect(await count('--since', '2026-11-21', '--until', '2026-11-21 23:20')).toBe('0')
    expect(await count('--site', 'mx.example.net', '--tenant', 'shop')).toBe('0')
    expect(await count('--category', 'bad-mailbox', '--until', '1h')).toBe('1')
  })

  test.each([
    [[]],
    [['--until', '1h']],
    [['--tenant', 'default']],
    [['--category', 'nonsense']],
    [['--since', 'lately']],
  ])('%j is a usage error', async (words) => {
    expect((await suppress('undo', ...words)).code).toBe(2)
  })
})
