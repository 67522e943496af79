import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Domain } from '../mail/address.ts'
import { generateKey } from './key.ts'
import { Keyring, type SigningDomain, SigningKeyError } from './keyring.ts'

const good = (await generateKey({ algorithm: 'ed25519-sha256' })).privatePem
const exported = { type: 'pkcs8', format: 'pem' } as const
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export(exported).toString()
const elliptic = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const locked = generateKeyPairSync('ed25519')
  .privateKey.export({ ...exported, cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString()

const files: Record<string, { pem: string; mode: number }> = {
  good: { pem: good, mode: 0o600 },
  group: { pem: good, mode: 0o640 },
  open: { pem: good, mode: 0o644 },
  short: { pem: shortRsa, mode: 0o600 },
  elliptic: { pem: elliptic.privateKey.export(exported).toString(), mode: 0o600 },
  public: { pem: elliptic.publicKey.export({ type: 'spki', format: 'pem' }).toString(), mode: 0o600 },
  locked: { pem: locked, mode: 0o600 },
  junk: { pem: 'not a key', mode: 0o600 },
}
const readFile = (path: string) => {
  const file = files[path]
  if (file === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
  return file
}

const signing = (
  name: string,
  keyFile?: string,
  extra: Partial<SigningDomain> & { selector?: string } = {},
): SigningDomain => ({
  name,
  subdomains: extra.subdomains ?? false,
  dkim: keyFile === undefined ? [] : [{ selector: extra.selector ?? 's1', keyFile }],
})

const problemsOf = (...domains: SigningDomain[]): readonly string[] => {
  try {
    new Keyring(domains, readFile)
  } catch (error) {
    if (error instanceof SigningKeyError) return error.problems
    throw error
  }
  return []
}

describe('keys at start', () => {
  test.each([
    ['missing', /DKIM key file missing: cannot be read \(ENOENT.*put the key there/],
    ['short', /RSA key of 1024 bits; make one of 2048 with `openssl genrsa/],
    ['elliptic', /type ec; DKIM knows RSA and Ed25519 only/],
    ['public', /not a private key in PEM form/],
    ['locked', /protected by a passphrase; take it off/],
    ['junk', /not a private key in PEM form/],
  ])('%s is refused with its name and cure', (file, expected) => {
    const problems = problemsOf(signing('example.com', file))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(expected)
    expect(problems[0]).toContain(`domain "example.com", DKIM key file ${file}`)
  })

  test('all problems are told at once', () => {
    expect(
      problemsOf(signing('a.example', 'junk'), signing('b.example', 'good'), signing('c.example', 'short')),
    ).toHaveLength(2)
  })

  test.each(['', 'a b', 'a;b', '-a', 'a..b', 'a\r\nb'])('selector %j is refused', (selector) => {
    expect(problemsOf(signing('example.com', 'good', { selector }))).toHaveLength(1)
  })

  test('one selector for two keys is refused', () => {
    const twice = {
      ...signing('example.com'),
      dkim: [
        { selector: 's', keyFile: 'good' },
        { selector: 's', keyFile: 'open' },
      ],
    }
    expect(problemsOf(twice)[0]).toContain('is there twice')
  })

  test('a name that cannot stand in d= is refused', () => {
    expect(problemsOf(signing('[192.0.2.1]', 'good'))).toHaveLength(1)
  })

  test('only a file that everybody can read is warned of', () => {
    const { warnings } = new Keyring(
      [signing('a.example', 'good'), signing('b.example', 'group'), signing('c.example', 'open')],
      readFile,
    )
    expect(warnings).toEqual([
      'domain "c.example", DKIM key file open: everybody on this machine can read it; run `chmod 600 open`',
    ])
  })
})

describe('keys for a domain', () => {
  const keyring = new Keyring(
    [
      signing('example.com', 'good', { subdomains: true }),
      signing('own.example.com', 'good', { selector: 'own' }),
      signing('bare.example.com', undefined, { subdomains: true }),
      signing('alone.example', 'good'),
      signing('BÜCHER.example', 'good'),
    ],
    readFile,
  )
  test.each([
    ['example.com', 'example.com/s1'],
    ['news.example.com', 'example.com/s1'],
    ['a.b.example.com', 'example.com/s1'],
    ['own.example.com', 'own.example.com/own'],
    ['x.own.example.com', 'example.com/s1'],
    ['bare.example.com', undefined],
    ['x.bare.example.com', undefined],
    ['alone.example', 'alone.example/s1'],
    ['x.alone.example', undefined],
    ['notexample.com', undefined],
    ['com', undefined],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example/s1'],
  ])('%s → %s', (domain, expected) => {
    const [key] = keyring.keysFor(domain as Domain)
    expect(key && `${key.domain}/${key.selector}`).toBe(expected)
  })
})
