// Every signature is checked by another implementation, mailauth's verifier, against keys published by a resolver of ours.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Domain } from '../src/mail/address.ts'
import { type Algorithm, generateKey } from '../src/sign/key.ts'
import type { SigningDomain } from '../src/sign/keyring.ts'
import { type ConfiguredSigner, createSigner } from '../src/sign/signer.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const clock = { now: () => NOW }
const BASIC =
  'From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: Hello\r\nDate: Fri, 02 Jan 2026 03:04:05 +0000\r\nMessage-ID: <1@example.com>\r\n'

let directory: string
let signer: ConfiguredSigner
const zone = new Map<string, string>()

async function publish(
  domain: string,
  selector: string,
  algorithm: Algorithm,
): Promise<{ selector: string; keyFile: string }> {
  const key = await generateKey({ algorithm })
  const keyFile = join(directory, `${selector}.${domain}.pem`)
  await writeFile(keyFile, key.privatePem, { mode: 0o600 })
  zone.set(`${selector}._domainkey.${domain}`, key.dnsRecord)
  return { selector, keyFile }
}

let domains: SigningDomain[]
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'studs-sign-'))
  const both = [await publish('example.com', 'rsa', 'rsa-sha256'), await publish('example.com', 'ed', 'ed25519-sha256')]
  domains = [
    { name: 'example.com', subdomains: true, dkim: both },
    { name: 'other.example', subdomains: false, dkim: [await publish('other.example', 'only', 'ed25519-sha256')] },
    { name: 'unsigned.example', subdomains: false, dkim: [] },
  ]
  signer = createSigner({ domains, clock })
})
afterAll(() => rm(directory, { recursive: true }))

async function sign(headers: string, chunks: readonly string[], domain = 'example.com'): Promise<string> {
  const session = signer.start(domain as Domain)!
  for (const chunk of chunks) session.body(Buffer.from(chunk, 'latin1'))
  return session.finish(headers)
}

async function verify(message: string) {
  const resolver = async (name: string): Promise<string[][]> => {
    const record = zone.get(name)
    if (record === undefined) throw Object.assign(new Error(`queryTxt ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
    return [record.match(/.{1,255}/g)!]
  }
  const { results } = await dkimVerify(Buffer.from(message, 'latin1'), { resolver, curTime: new Date(NOW) })
  return results.map((result) => `${result.signingDomain} ${result.algo} ${result.status.result}`)
}

const BOTH_PASS = ['example.com ed25519-sha256 pass', 'example.com rsa-sha256 pass']

async function expectValid(headers: string, body: string, chunks: readonly string[] = [body]): Promise<void> {
  const signatures = await sign(headers, chunks)
  expect((await verify(`${signatures}${headers}\r\n${body}`)).sort()).toEqual(BOTH_PASS)
}

describe('bodies', () => {
  test.each([
    ['plain text', 'Hello\r\n'],
    ['empty', ''],
    ['one empty line', '\r\n'],
    ['trailing empty lines', 'Hello\r\n\r\n\r\n\r\n'],
    ['no last line break', 'Hello'],
    ['dots at line starts', '.\r\n..\r\n.hidden\r\n'],
    ['white space at line ends', 'a \r\nb\t\r\nc \t \r\n \r\n'],
    ['tabs and runs of spaces', 'a\tb  c \t d\r\n'],
    ['8-bit bytes', `${String.fromCharCode(...Array.from({ length: 128 }, (_, at) => at + 128))}\r\n`],
    ['a line of 998 characters', `${'x'.repeat(998)}\r\n`],
    ['a line of 100,000 characters', `${'word '.repeat(20_000)}\r\n`],
    ['empty lines first', '\r\n\r\nHello\r\n'],
    ['a body of 1 MiB', 'The quick brown fox\tjumps  over. \r\n'.repeat(30_000)],
  ])('%s', async (_, body) => {
    await expectValid(BASIC, body)
  })

  test('any text, cut anywhere', async () => {
    const piece = fc.constantFrom(' ', '\t', '\r\n', 'a', '.', '\xe9', '  \t', ' \r\n', '\r\n\r\n', 'two words')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 8 }), async (pieces) => {
        const chunks = pieces.map((part) => part.join(''))
        await expectValid(BASIC, chunks.join(''), chunks)
      }),
      { seed: 8463, numRuns: 150 },
    )
  })

  test('cut at every position', async () => {
    const body = ' a  b\t\r\n\r\n \t\r\n. \r\nend \r\n\r\n'
    for (let cut = 0; cut <= body.length; cut++) await expectValid(BASIC, body, [body.slice(0, cut), body.slice(cut)])
  })
})

describe('headers', () => {
  test.each([
    ['the least there can be', 'From: ann@example.com\r\n'],
    ['duplicates', `${BASIC}Cc: one@example.net\r\nX-Between: x\r\nCc: two@example.net\r\nSubject: Second\r\n`],
    [
      'folded',
      `From: Ann\r\n <ann@example.com>\r\nSubject: one\r\n\ttwo\r\n   three \r\nReferences: <1@a>\r\n <2@b>\r\n\t<3@c>\r\n`,
    ],
    [
      'bytes that are not ASCII',
      `${BASIC}Reply-To: Andr\xe9 <a@example.com>\r\nCc: "\xc3\xa0 la \xc3\xa0" <c@example.net>\r\nSender: x\xa0\r\n`,
    ],
    ['odd white space', 'FROM \t: ann@example.com\r\nSubject:\tx  \t y\t\r\nTo:\r\n'],
    [
      'every signed field',
      `${BASIC}${[
        'Cc',
        'Reply-To',
        'Sender',
        'In-Reply-To',
        'References',
        'MIME-Version',
        'Content-Type',
        'Content-Transfer-Encoding',
        'List-Unsubscribe',
        'List-Unsubscribe-Post',
        'List-Id',
        'Feedback-ID',
        'Resent-Date',
        'Resent-From',
        'Resent-To',
      ]
        .map((name) => `${name}: value of ${name}\r\n`)
        .join('')}`,
    ],
    [
      'many recipients',
      `${BASIC}Cc: ${Array.from({ length: 500 }, (_, at) => `user${at}@example.net`).join(',\r\n ')}\r\n`,
    ],
    ['a field name in the value', 'From: ann@example.com\r\nSubject: From: b= d=evil.example; h=x\r\n'],
  ])('%s', async (_, headers) => {
    await expectValid(headers, 'Hello\r\n')
  })

  test.each([
    'From: eve@example.org',
    'Subject: Other',
    'To: x@example.org',
    'Date: now',
    'Message-ID: <x@y>',
    'Content-Type: text/html',
    'Cc: x@example.org',
    'Reply-To: x@example.org',
  ])('adding "%s" on the way breaks the signature', async (added) => {
    for (const headers of [BASIC, `${BASIC}Content-Type: text/plain\r\n`]) {
      const signed = `${await sign(headers, ['Hello\r\n'])}${added}\r\n${headers}\r\nHello\r\n`
      expect((await verify(signed)).every((result) => result.endsWith('fail'))).toBe(true)
    }
  })

  test.each([
    'Sender',
    'MIME-Version',
    'Content-Transfer-Encoding',
    'List-Unsubscribe',
    'List-Unsubscribe-Post',
    'Feedback-ID',
  ])('a second %s breaks the signature', async (name) => {
    const headers = `${BASIC}${name}: one\r\n`
    const signed = `${await sign(headers, ['Hello\r\n'])}${name}: two\r\n${headers}\r\nHello\r\n`
    expect((await verify(signed)).every((result) => result.endsWith('fail'))).toBe(true)
  })

  test('a trace field on the way does not', async () => {
    const signed = await sign(BASIC, ['Hello\r\n'])
    const added = 'Return-Path: <x@example.com>\r\nReceived: from a by b; now\r\n'
    expect((await verify(`${added}${signed}${BASIC}X-Spam: no\r\n\r\nHello\r\n`)).sort()).toEqual(BOTH_PASS)
  })

  test('a changed body breaks the signature', async () => {
    const signed = await sign(BASIC, ['Hello\r\n'])
    expect((await verify(`${signed}${BASIC}\r\nHello!\r\n`)).some((result) => result.endsWith('pass'))).toBe(false)
  })

  test('without From nothing is signed', async () => {
    expect(await sign('Subject: x\r\n', ['Hello\r\n'])).toBe('')
  })
})

describe('domains and keys', () => {
  test('a subdomain is signed by its parent, with d= of the parent', async () => {
    const signatures = await sign(BASIC, ['Hello\r\n'], 'news.example.com')
    expect((await verify(`${signatures}${BASIC}\r\nHello\r\n`)).sort()).toEqual(BOTH_PASS)
  })

  test('no session where no key signs', () => {
    for (const name of ['unsigned.example', 'sub.other.example', 'unknown.example']) {
      expect(signer.start(name as Domain)).toBeUndefined()
    }
  })

  test('t= is the time of signing in seconds', async () => {
    expect(await sign(BASIC, [])).toContain(`; t=${NOW / 1000};`)
  })

  test('messages signed at the same time do not mix', async () => {
    const bodies = Array.from({ length: 20 }, (_, at) => `body ${at}\r\n`)
    const results = await Promise.all(
      bodies.map(async (body) => verify(`${await sign(BASIC, [body], 'other.example')}${BASIC}\r\n${body}`)),
    )
    expect(results.flat()).toEqual(bodies.map(() => 'other.example ed25519-sha256 pass'))
  })

  test('reconfigure takes new keys, keeps the old ones when one is bad, and lets a session end with its own', async () => {
    const changing = createSigner({ domains, clock })
    const begun = changing.start('other.example' as Domain)!
    const renewed = {
      name: 'other.example',
      subdomains: false,
      dkim: [await publish('other.example', 'next', 'ed25519-sha256')],
    }
    const bad = { ...renewed, dkim: [{ selector: 'x', keyFile: join(directory, 'missing.pem') }] }
    expect(() => changing.reconfigure([bad])).toThrow(/missing\.pem: cannot be read/)
    expect(await changing.start('other.example' as Domain)!.finish(BASIC)).toContain('s=only;')
    changing.reconfigure([renewed])
    expect(await changing.start('other.example' as Domain)!.finish(BASIC)).toContain('s=next;')
    expect(await begun.finish(BASIC)).toContain('s=only;')
    expect(changing.start('example.com' as Domain)).toBeUndefined()
  })

  test('only a key whose state is "sign" signs; the file of a retired one may be gone, that of the next may not', async () => {
    const [sign, next] = [
      await publish('turn.example', 'a', 'ed25519-sha256'),
      await publish('turn.example', 'b', 'ed25519-sha256'),
    ]
    const gone = { selector: 'c', keyFile: join(directory, 'gone.pem') }
    const dkim = [{ ...gone, state: 'retired' as const }, sign, { ...next, state: 'publish' as const }]
    const turning = createSigner({ domains: [{ name: 'turn.example', subdomains: false, dkim }], clock })
    const signatures = await turning.start('turn.example' as Domain)!.finish(BASIC)
    expect(signatures.match(/s=\w+/g)).toEqual(['s=a'])
    const unready = [sign, { ...gone, state: 'publish' as const }]
    expect(() => turning.reconfigure([{ name: 'turn.example', subdomains: false, dkim: unready }])).toThrow(
      /gone\.pem: cannot be read/,
    )
    turning.reconfigure([{ name: 'turn.example', subdomains: false, dkim: [{ ...sign, state: 'retired' }] }])
    expect(turning.start('turn.example' as Domain)).toBeUndefined()
  })

  test('a key file that everybody can read is warned of', async () => {
    const key = await publish('open.example', 'open', 'ed25519-sha256')
    await chmod(key.keyFile, 0o644)
    const { warnings } = createSigner({ domains: [{ name: 'open.example', subdomains: false, dkim: [key] }], clock })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(`chmod 600 ${key.keyFile}`)
  })
})
