import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyPassword } from '../../src/inbound/password.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type CliOptions, type CliResult, runCli } from './run-cli.ts'

const studs = (words: string[], more: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli(words, { clock: new FakeClock(), width: 80, ...more })

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'studs-cli-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('the command line', () => {
  test('version', async () => {
    expect(await studs(['version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' })
    expect((await studs(['version', '--json'])).out).toBe('{"version":"1.2.3"}\n')
  })

  test('help goes to stdout and is no mistake; a wrong word goes to stderr and is one', async () => {
    expect(await studs(['--help'])).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Usage: studs') })
    expect(await studs(['queue', 'drop', '--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('--reason'),
    })
    expect(await studs(['qeue'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Did you mean queue?'),
    })
    expect((await studs(['status', '--colour'])).code).toBe(2)
    expect((await studs(['status', 'extra'])).code).toBe(2)
    expect((await studs([])).code).toBe(2)
  })

  test('every command explains itself within the width', async () => {
    const nouns = [...(await studs(['--help'])).out.matchAll(/^ {2}([a-z]+)[ [<]/gm)].map(([, noun]) => noun!)
    expect(nouns).toEqual(
      expect.arrayContaining([
        'serve',
        'status',
        'healthcheck',
        'reload',
        'top',
        'message',
        'queue',
        'suppress',
        'bounce',
        'backup',
        'store',
        'credential',
        'config',
        'sandbox',
        'demo',
        'version',
      ]),
    )
    for (const noun of nouns) {
      const { code, out } = await studs([noun, '--help'])
      expect(code).toBe(0)
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    }
  })

  test('serve is given the config file, and its failure is a sentence', async () => {
    const seen: unknown[] = []
    expect(
      (await studs(['serve', '--config', 'a.toml'], { serve: async (options) => void seen.push(options) })).code,
    ).toBe(0)
    expect(seen).toEqual([{ config: 'a.toml' }])
    expect(await studs(['serve'], { serve: () => Promise.reject(new Error('port 25 is taken')) })).toEqual({
      code: 1,
      out: '',
      err: 'error: port 25 is taken\n',
    })
  })

  test('a broken configuration is a usage error that says where', async () => {
    const file = join(directory, 'broken.toml')
    await writeFile(file, '[queue]\nretrry = ["5m"]\n')
    expect(await studs(['--config', file, 'status'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/broken\.toml:2.*retrry/),
    })
    expect((await studs(['--config', join(directory, 'missing.toml'), 'status'])).code).toBe(2)
  })
})

describe('studs bounce classify', () => {
  test('explains a reply', async () => {
    const { out } = await studs([
      'bounce',
      'classify',
      '550 5.1.1 The email account that you tried to reach does not exist',
    ])
    // Rules get new versions.
    expect(out.replace(/(mailbox-unknown)@\d+/, '$1@2')).toBe(`\
550 5.1.1 The email account that you tried to reach does not exist

bad-mailbox  There is no such mailbox.
  Code      10, hard
  Fault     recipient
  Rule      mailbox-unknown@2, decided by the text
  Matched   550 5.1.1 The email account that you tried to reach does not exist
  Message   fail. The message fails for this recipient.
  Address   The address is suppressed at once when the message fails so.
  Elsewhere SparkPost 10, KumoMTA InvalidRecipient, Postmark HardBounce, SES
            Permanent/General, marketing tools "unknown user"
`)
  })

  test('reads several lines from standard input', async () => {
    const { out } = await studs(['bounce', 'classify', '-', '--json'], {
      input: '452-4.2.2 The mailbox\r\n452 4.2.2 is full\r\n',
    })
    expect(JSON.parse(out)).toMatchObject({
      cause: { reply: { code: 452, lines: ['4.2.2 The mailbox', '4.2.2 is full'] } },
      verdict: { category: 'quota-issues', action: 'retry' },
    })
  })

  test('the command it answered matters', async () => {
    const category = async (command: string): Promise<string> =>
      JSON.parse((await studs(['bounce', 'classify', '550 User unknown', '--command', command, '--json'])).out).verdict
        .category
    expect(await category('RCPT')).toBe('bad-mailbox')
    expect(await category('MAIL')).not.toBe('bad-mailbox')
  })

  test.each([
    [['bounce', 'classify']],
    [['bounce', 'classify', '  ']],
    [['bounce', 'classify', '550 x', '--command', 'SEND']],
  ])('%j without anything to judge is a usage error', async (words) => {
    expect((await studs(words)).code).toBe(2)
  })
})

describe('studs credential hash', () => {
  test('hashes what it reads, without the line end', async () => {
    const { code, out } = await studs(['credential', 'hash'], { input: 'secret word\n' })
    expect(code).toBe(0)
    expect(out).toMatch(/^scrypt:\S+\n$/)
    expect(await verifyPassword('secret word', out.trim())).toBe(true)
    expect(await verifyPassword('secret word\n', out.trim())).toBe(false)
  })

  test('at a terminal what is typed is taken key by key, with mistakes mended, and shown nowhere', async () => {
    async function* keys(): AsyncGenerator<string> {
      yield 'secrex'
      yield '\u007f'
      yield 't word\r'
    }
    const { code, out, err } = await studs(['credential', 'hash'], { keys })
    expect({ code, err }).toEqual({ code: 0, err: 'Password (it is not shown): \n' })
    expect(await verifyPassword('secret word', out.trim())).toBe(true)
  })

  test('takes no password as an argument and none that is empty', async () => {
    expect((await studs(['credential', 'hash', 'secret'])).code).toBe(2)
    expect((await studs(['credential', 'hash'], { input: '\n' })).code).toBe(2)
  })
})
