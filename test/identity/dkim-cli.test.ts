// `studs dkim`: files that only their owner reads and that nothing overwrites, and words that can be copied as they are.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { parseKey } from '../../src/sign/key.ts'
import { createSigner } from '../../src/sign/signer.ts'
import { systemClock } from '../../src/util/clock.ts'
import { type CliResult, runCli } from '../cli/run-cli.ts'
import { load } from '../support/config-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'studs-dkim-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  configure('[[domain]]\nname = "example.com"\n')
})

// A name server where nobody listens: what DNS says is no part of this.
const configure = (domains: string): void =>
  writeFileSync(
    join(directory, 'studs.toml'),
    `[data]\ndirectory = "data"\n[delivery]\nresolvers = ["127.0.0.1:1"]\ndns_timeout = "100ms"\n${domains}`,
  )
const studs = (...words: string[]): Promise<CliResult> =>
  runCli(words, { clock: systemClock, configFile: join(directory, 'studs.toml'), width: 200 })
const keyFile = (name: string): string => join(directory, 'data', 'dkim', `${name}.pem`)

/** The blocks of configuration in a text for people, as one file. */
const blocksIn = (text: string): string =>
  text
    .split('\n')
    .filter((line) => /^(?:\[\[domain\.dkim\]\]|selector = |key_file = |state = )/.test(line))
    .join('\n')

describe('gen', () => {
  test('writes a key for its owner only, and prints record and block', async () => {
    const { code, out } = await studs('dkim', 'gen', 'example.com')
    expect(code).toBe(0)
    expect(statSync(keyFile('example.com.s1')).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'data', 'dkim')).mode & 0o777).toBe(0o700)
    expect(parse(blocksIn(out))).toEqual({
      domain: { dkim: [{ selector: 's1', key_file: 'data/dkim/example.com.s1.pem' }] },
    })
    expect(out).toMatch(/^s1\._domainkey\.example\.com\. IN TXT "v=DKIM1; k=rsa; p=[^"]{230,}" "[^"]+"$/m)
  })

  test.each([
    [['--algorithm', 'ed25519'], 'ed25519', undefined],
    [['--bits', '3072'], 'rsa', 3072],
  ] as const)('%j', async (words, type, bits) => {
    expect((await studs('dkim', 'gen', 'example.com', ...words)).code).toBe(0)
    const key = parseKey(readFileSync(keyFile('example.com.s1'), 'latin1'))
    if ('problem' in key) throw new Error(key.problem)
    expect(key.privateKey.asymmetricKeyType).toBe(type)
    expect(key.privateKey.asymmetricKeyDetails?.modulusLength).toBe(bits)
  })

  test('of a domain below one that signs for it leads to that', async () => {
    configure('[[domain]]\nname = "example.com"\nsubdomains = true\n')
    const { code, err } = await studs('dkim', 'gen', 'news.example.com')
    expect(code).toBe(3)
    expect(err).toContain('signed with the keys of example.com (subdomains = true): studs dkim gen example.com.')
  })

  test('--new makes the key before the configuration names the domain, and prints both', async () => {
    const { code, out } = await studs('dkim', 'gen', 'example.net', '--new')
    expect(code).toBe(0)
    expect(statSync(keyFile('example.net.s1')).mode & 0o777).toBe(0o600)
    const block = /2\. Add to the configuration, and reload: until then the key signs nothing\n(.*?)\n\n/s.exec(
      out,
    )![1]!
    configure(block)
    expect((await studs('dkim', 'txt', 'example.net')).out).toMatch(/^s1\._domainkey\.example\.net\. IN TXT/)
  })

  test('a key that the configuration does not name yet is told by list and txt', async () => {
    await studs('dkim', 'gen', 'example.com')
    const note = `The key s1 of example.com is there and signs nothing: no [[domain.dkim]] names ${keyFile('example.com.s1')}.`
    expect(await studs('dkim', 'list')).toEqual({
      code: 0,
      out: 'No key is named by the configuration.\n',
      err: `${note}\n`,
    })
    expect(await studs('dkim', 'txt', 'example.com')).toMatchObject({
      code: 3,
      err: `error: The configuration names no key of example.com. ${note}\n`,
    })
    // Nobody makes one after the other without being told.
    expect(await studs('dkim', 'gen', 'example.com')).toMatchObject({ code: 0, err: `${note}\n` })
    rmSync(keyFile('example.com.s2'))
    configure(
      '[[domain]]\nname = "example.com"\ndkim = [{ selector = "s1", key_file = "data/dkim/example.com.s1.pem" }]',
    )
    expect((await studs('dkim', 'list')).err).toBe('')
  })

  test('never overwrites a key', async () => {
    await studs('dkim', 'gen', 'example.com', '--selector', 'x')
    const before = readFileSync(keyFile('example.com.x'))
    const again = await studs('dkim', 'gen', 'example.com', '--selector', 'x')
    expect(again).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('Nothing was made: there is a key at'),
    })
    expect(readFileSync(keyFile('example.com.x'))).toEqual(before)
    expect((await studs('dkim', 'gen', 'example.com')).out).toContain('selector = "s1"')
    expect((await studs('dkim', 'gen', 'example.com')).out).toContain('selector = "s2"')
  })

  test('makes the key that the configuration names and has not yet, where it names it', async () => {
    const named = 'dkim = [{ selector = "s1", key_file = "keys/a.pem" }]'
    configure(`[[domain]]\nname = "example.com"\n${named}\n`)
    const { code, out } = await studs('dkim', 'gen', 'example.com')
    expect(code).toBe(0)
    expect(statSync(join(directory, 'keys', 'a.pem')).mode & 0o777).toBe(0o600)
    expect(out).toMatch(/^s1\._domainkey\.example\.com\. IN TXT/m)
    expect(out).toContain('2. The configuration names it already')
    expect(out).not.toContain('key_file')
    const next = await studs('dkim', 'gen', 'example.com')
    expect(next.out).toMatch(/selector = "s2".*state = "publish"/s)
  })

  test('a retired key whose file is gone is not made again', async () => {
    const named = 'dkim = [{ selector = "s1", key_file = "keys/a.pem", state = "retired" }]'
    configure(`[[domain]]\nname = "example.com"\n${named}\n`)
    expect((await studs('dkim', 'gen', 'example.com')).out).toContain('selector = "s2"')
    expect(await studs('dkim', 'gen', 'example.com', '--selector', 's1')).toMatchObject({ code: 1 })
  })

  test('the signer takes what was made', async () => {
    const { out } = await studs('dkim', 'gen', 'example.com')
    configure(`[[domain]]\nname = "example.com"\n${blocksIn(out)}\n`)
    const { settings } = load(readFileSync(join(directory, 'studs.toml'), 'utf8'))
    const dkim = settings.domain[0]!.dkim.map((key) => ({ ...key, keyFile: keyFile('example.com.s1') }))
    expect(
      createSigner({ domains: [{ name: 'example.com', subdomains: false, dkim }], clock: systemClock }).warnings,
    ).toEqual([])
    expect((await studs('dkim', 'txt', 'example.com')).out).toBe(`${/^s1\._domainkey.*$/m.exec(out)![0]}\n`)
  })

  test.each<[words: readonly string[], code: number, said: string]>([
    [['gen', 'not a domain'], 2, 'not a domain is no domain name.'],
    [['gen', '[192.0.2.1]'], 2, 'is no domain name'],
    [['gen', '../../etc/passwd'], 2, 'is no domain name'],
    [['gen', 'example.com', '--selector', '../x'], 2, '"../x" cannot stand in DNS'],
    [['gen', 'example.com', '--algorithm', 'dsa'], 2, 'There is no algorithm "dsa"'],
    [['gen', 'example.com', '--bits', '1024'], 2, '--bits goes from 2048 to 4096'],
    [['gen', 'example.com', '--bits', 'many'], 2, '--bits goes from 2048 to 4096'],
    [
      ['gen', 'nope.net'],
      3,
      'nope.net is no sender domain: a key for it would sign nothing. Add the [[domain]] first.',
    ],
    [['gen', 'exmaple.com'], 3, 'Did you mean example.com? With --new the key is made all the same'],
    [['txt', 'example.net'], 3, 'example.net is no sender domain'],
    [['rotate', 'example.net'], 3, 'example.net is no sender domain'],
  ])('refuses %j', async (words, code, said) => {
    expect(await studs('dkim', ...words)).toMatchObject({ code, out: '', err: expect.stringContaining(said) })
  })
})

describe('rotate', () => {
  const configured = async (more = ''): Promise<void> => {
    await studs('dkim', 'gen', 'example.com')
    configure(
      `[[domain]]\nname = "example.com"\n[[domain.dkim]]\nselector = "s1"\nkey_file = "data/dkim/example.com.s1.pem"\n${more}`,
    )
  }

  test('leads from the old key to the next by two configurations that are valid', async () => {
    await configured()
    const { code, out } = await studs('dkim', 'rotate', 'example.com')
    expect(code).toBe(0)
    const [, , second = '', third = '', fourth = ''] = out.split(/^\d\. /m)
    const block = (selector: string, state?: string) => ({
      selector,
      key_file: `data/dkim/example.com.${selector}.pem`,
      ...(state !== undefined && { state }),
    })
    expect(parse(blocksIn(second))).toEqual({ domain: { dkim: [block('s1'), block('s2', 'publish')] } })
    expect(parse(blocksIn(third))).toEqual({ domain: { dkim: [block('s1', 'retired'), block('s2')] } })
    expect(fourth).toMatch(/^7 days later/)
    for (const step of [second, third]) {
      configure(`[[domain]]\nname = "example.com"\n${blocksIn(step)}\n`)
      const checked = await studs('config', 'check')
      expect(checked.out).toMatch(/: valid/)
      expect(checked.err).not.toContain('no key of example.com signs')
    }
    expect((await studs('dkim', 'rotate', 'example.com')).out).toContain('selector = "s3"')
  })

  test('not while the next key waits already', async () => {
    await configured('[[domain.dkim]]\nselector = "s2"\nkey_file = "data/dkim/example.com.s1.pem"\nstate = "publish"\n')
    expect(await studs('dkim', 'rotate', 'example.com')).toMatchObject({
      code: 1,
      err: expect.stringContaining('example.com has a next key already (s2): let it sign first.'),
    })
  })

  test('not where nothing signs', async () => {
    configure('[[domain]]\nname = "example.com"\n')
    expect(await studs('dkim', 'rotate', 'example.com')).toMatchObject({
      code: 1,
      err: expect.stringContaining('No key of example.com signs'),
    })
  })
})

describe('list', () => {
  test('a name server that cannot be reached and a file that is gone are told of', async () => {
    await studs('dkim', 'gen', 'example.com')
    configure(
      '[[domain]]\nname = "example.com"\ndkim = [{ selector = "s1", key_file = "data/dkim/example.com.s1.pem" }, { selector = "s2", key_file = "gone.pem", state = "retired" }]\n',
    )
    const { out } = await studs('--json', 'dkim', 'list')
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(rows).toEqual([
      expect.objectContaining({
        selector: 's1',
        algorithm: 'rsa',
        bits: 2048,
        dns: 'unknown',
        message: 'no name server could be reached',
      }),
      expect.objectContaining({
        selector: 's2',
        algorithm: 'unusable',
        state: 'retired',
        dns: 'unknown',
        message: expect.stringContaining('cannot be read'),
      }),
    ])
  })

  test('no key at all', async () => {
    expect((await studs('dkim', 'list')).out).toBe('No sender domain has a key: studs dkim gen DOMAIN\n')
  })
})
