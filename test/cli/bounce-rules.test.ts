// studs bounce classify for many, explain, test-rules and unknown; the last two over the socket of a running relay and on
// the store of a stopped one.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { replyFrom } from '../../src/bounce/pasted.ts'
import { CATEGORIES } from '../../src/bounce/verdict.ts'
import type { Way } from '../../src/mail/outcome.ts'
import { HOUR } from '../../src/util/clock.ts'
import { openFixture, type Served, serveFixture } from '../http/fixture.ts'
import { type CliOptions, type CliResult, runCli } from './run-cli.ts'

const WAY: Way = { site: 'example.net', source: 'default', mx: 'mx1.example.net', durationMs: 3 }
const RULE = `
[[rule]]
id = "acme-gone"
match = 'xyzzy'
category = "inactive-mailbox"
samples = ["550 xyzzy"]
`

let relay: Served
beforeEach(async () => {
  relay = await serveFixture()
})
afterEach(() => relay.close())

const studs = (words: string[], more: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli(['bounce', ...words], { clock: relay.clock, configFile: relay.configFile, width: 100, ...more })
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
function file(text: string): string {
  const name = join(relay.directory, 'rules.toml')
  writeFileSync(name, text)
  return name
}
async function refuse(to: string, text: string): Promise<string> {
  const { id, flights } = await relay.accept({ to: [to] })
  const cause = { kind: 'reply' as const, command: 'RCPT' as const, reply: replyFrom(text) }
  await relay.settle(flights[0], { kind: 'failed', cause, way: WAY })
  return id
}

describe('classify', () => {
  const INPUT = `550 5.1.1 User unknown
421-4.7.0 too many
421 4.7.0 connections
{"text": "Mailbox full", "code": "552", "enhanced": "5.2.2", "command": "RCPT"}
`

  test('takes one reply per line and gives a line of JSON each', async () => {
    const { out, code } = await studs(['classify', '--json'], { input: INPUT })
    expect(code).toBe(0)
    expect(lines(out)).toEqual([
      {
        text: '550 5.1.1 User unknown',
        category: 'bad-mailbox',
        code: 10,
        kind: 'hard',
        fault: 'recipient',
        class: 'recipient',
        action: 'fail',
        rule: expect.stringMatching(/^mailbox-unknown@/),
        by: 'text',
        names: expect.objectContaining({ sparkpost: 10 }),
      },
      expect.objectContaining({
        text: '421-4.7.0 too many 421 4.7.0 connections',
        category: 'rate-limited',
        class: 'rate',
      }),
      expect.objectContaining({ text: 'Mailbox full', category: 'quota-issues', action: 'fail' }),
    ])
  })

  test('one reply has the same fields as many, and more', async () => {
    const [one] = lines((await studs(['classify', '550 5.1.1 User unknown', '--json'])).out)
    const [many] = lines((await studs(['classify', '--json'], { input: INPUT })).out)
    expect(one).toMatchObject(many)
    expect(one).toMatchObject({ verdict: { category: 'bad-mailbox' }, cause: { kind: 'reply' } })
  })

  test('and a table for people', async () => {
    const { out } = await studs(['classify'], { input: INPUT })
    expect(out.split('\n')[0]).toMatch(/^CATEGORY +CODE +MESSAGE +RULE +REPLY/)
    expect(out).toMatch(/bad-mailbox +10 +fail +mailbox-unknown@\d+ +550 5\.1\.1 User unknown/)
  })

  test('a single line of JSON is answered in the same form', async () => {
    const { out } = await studs(['classify', '--json'], { input: '{"text":"550 User unknown","command":"MAIL FROM"}' })
    expect(lines(out)).toEqual([expect.objectContaining({ category: 'invalid-sender', kind: 'block' })])
  })

  test('asks the rules of a file, or of the configuration', async () => {
    const rules = file(RULE)
    const { out } = await studs(['classify', '550 xyzzy', '--rules', rules, '--json'])
    expect(JSON.parse(out).verdict.rule).toBe('acme-gone@1')
    writeFileSync(relay.configFile, '[bounce]\nrules = "rules.toml"\n')
    expect(JSON.parse((await studs(['classify', '550 xyzzy', '--json'])).out).verdict.rule).toBe('acme-gone@1')
    writeFileSync(relay.configFile, '[nonsense]')
    const shipped = await studs(['classify', '550 xyzzy', '--json'])
    expect(JSON.parse(shipped.out).verdict.rule).toBe('default')
    expect(shipped.err).toContain('not valid')
  })

  test('says what others call it', async () => {
    const { out } = await studs(['classify', '550 5.1.1 User unknown', '--json'])
    expect(JSON.parse(out).names).toEqual({
      sparkpost: 10,
      kumomta: 'InvalidRecipient',
      postmark: 'HardBounce',
      ses: 'Permanent/General',
      marketing: 'unknown user',
    })
    expect((await studs(['classify', '550 5.1.1 User unknown'])).out).toContain('SparkPost 10')
  })

  test.each([
    [['classify'], '{"text": '],
    [['classify', '--rules', '/nowhere/rules.toml'], '550 x'],
  ])('%j of %s is a usage error', async (words, input) => {
    const { code, err } = await studs(words, { input })
    expect(code).toBe(2)
    expect(err).not.toBe('')
  })
})

describe('explain', () => {
  test('a code, with all of its categories', async () => {
    const { out } = await studs(['explain', '10'])
    expect(out).toContain('Code 10: Bad email address')
    for (const category of ['bad-mailbox', 'inactive-mailbox', 'bad-domain']) expect(out).toContain(category)
  })

  test('without a word, all codes and categories', async () => {
    const { out, code } = await studs(['explain'], { width: 80, isTty: true })
    expect(code).toBe(0)
    expect(out).toMatch(/^CODE {2}CATEGORY +KIND +MEANING\n {3}0 {2}non-bounce/)
    expect(out).toMatch(/\n {2}51 {2}spam-related +block +The receiver blocks/)
    // What a meaning needs more than a line for stands in its column, whole.
    expect(out.match(/^ *\d+ {2}\S/gm)).toHaveLength(Object.keys(CATEGORIES).length)
    expect(out).not.toContain('…')
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  test('a category, also as JSON', async () => {
    const { out } = await studs(['explain', 'Greylisted', '--json'])
    expect(lines(out)).toEqual([
      expect.objectContaining({
        category: 'greylisted',
        code: 70,
        happened: expect.any(String),
        cure: expect.any(String),
      }),
    ])
  })

  test.each([
    ['greylistd', /did you mean "greylisted"/],
    ['550', /bounce classify/],
    ['77', /codes are/],
  ])('%s is none', async (wanted, hint) => {
    const { code, err } = await studs(['explain', wanted])
    expect(code).toBe(3)
    expect(err).toMatch(hint)
  })
})

describe('the journal and the rules', () => {
  const OLD = '550 xyzzy of long ago'

  beforeEach(async () => {
    await refuse('a@example.net', OLD)
    await relay.clock.advance(25 * HOUR)
    await refuse('a@example.net', '550 xyzzy <a@example.net>')
    await refuse('b@example.net', '550 xyzzy <b@example.net>')
    await refuse('c@example.net', '550 plugh')
    await refuse('d@example.net', '550 5.1.1 User unknown')
  })

  test('test-rules shows what would change, and changes nothing', async () => {
    const { out } = await studs(['test-rules', file(RULE), '--days', '1', '--json'])
    expect(JSON.parse(out)).toEqual({
      days: 1,
      recipients: 4,
      changed: 2,
      newly_suppressed: 2,
      no_longer_suppressed: 0,
      changes: [
        {
          from: { category: 'other', code: 40, action: 'fail', rule: 'default' },
          to: { category: 'inactive-mailbox', code: 10, action: 'fail', rule: 'acme-gone@1' },
          count: 2,
          examples: ['550 xyzzy <a@example.net>', '550 xyzzy <b@example.net>'],
        },
      ],
    })
    expect(JSON.parse((await studs(['test-rules', file(RULE), '--json'])).out).changed).toBe(3)
    expect((await studs(['test-rules', file(RULE)])).out).toMatch(
      /^3 of 5 recipients with failures in the last 7 days would be judged otherwise\.\nSuppressed at once would be 2 addresses more, and 0 addresses would not be any more\.\n/,
    )
    expect((await studs(['unknown', '--json'])).out).toContain('xyzzy')
  })

  test('test-rules counts a recipient once, however often it was tried, and suppresses nobody for what is tried again', async () => {
    const { flights } = await relay.accept({ to: ['e@example.net'] })
    for (let at = 0; at < 3; at++) {
      const cause = { kind: 'reply' as const, command: 'RCPT' as const, reply: replyFrom('450 xyzzy') }
      await relay.settle(flights[0], { kind: 'deferred', cause, way: WAY })
    }
    const trial = JSON.parse((await studs(['test-rules', file(RULE), '--days', '1', '--json'])).out)
    expect(trial).toMatchObject({ recipients: 5, changed: 3, newly_suppressed: 2 })
  })

  test('wrong rules are refused with their name', async () => {
    const name = file(RULE.replace('"550 xyzzy"', '"550 plugh"'))
    const { code, err } = await studs(['test-rules', name])
    expect(code).toBe(2)
    expect(err).toContain('rule "acme-gone"')
    expect(err).toContain(name)
    expect((await studs(['test-rules', join(relay.directory, 'none.toml')])).code).toBe(3)
  })

  test('unknown gathers replies that differ only in what varies', async () => {
    const found = lines((await studs(['unknown', '--days', '1', '--json'])).out)
    expect(found).toEqual([
      {
        text: '550 xyzzy <{addr}>',
        count: 2,
        first_at: expect.any(String),
        last_at: expect.any(String),
        example: '550 xyzzy <b@example.net>',
        mx: 'mx1.example.net',
        message: expect.any(String),
      },
      expect.objectContaining({ text: '550 plugh', count: 1 }),
    ])
    expect((await studs(['unknown'])).out).toContain('550 plugh')
    expect(lines((await studs(['unknown', '--json', '--limit', '1'])).out)).toHaveLength(1)
    expect(lines((await studs(['unknown', '--json'])).out)).toHaveLength(3)
  })

  test('a reply that the rules of now know is no longer among them', async () => {
    writeFileSync(join(relay.directory, 'rules.toml'), RULE)
    const { settings } = relay
    relay.core.reconfigure({ ...settings, bounce: { ...settings.bounce, rules: join(relay.directory, 'rules.toml') } })
    expect(lines((await studs(['unknown', '--json'])).out).map(({ text }) => text)).toEqual(['550 plugh'])
  })
})

test('a stopped relay answers from its store', async () => {
  const stopped = await openFixture()
  try {
    const { flights } = await stopped.accept({ to: ['a@example.net'] })
    const cause = { kind: 'reply' as const, command: 'RCPT' as const, reply: replyFrom('550 xyzzy') }
    await stopped.settle(flights[0], { kind: 'failed', cause, way: WAY })
    const [found] = await stopped.operations.unknownReplies({})
    expect(found).toMatchObject({ text: '550 xyzzy', count: 1 })
    expect(await stopped.operations.testRules({ rules: RULE })).toMatchObject({ recipients: 1, changed: 1 })
    await expect(stopped.operations.testRules({ rules: 'x' })).rejects.toThrow(/not TOML/)
  } finally {
    await stopped.close()
  }
})
