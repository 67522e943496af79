// Our signatures in the eyes of OpenDKIM, whose library half of the world's mail servers verify with.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Domain } from '../src/mail/address.ts'
import { type Algorithm, generateKey } from '../src/sign/key.ts'
import { createSigner } from '../src/sign/signer.ts'
import { judgedByOpenDkim, noOpenDkim } from './support/opendkim.ts'

describe.skipIf(noOpenDkim !== undefined)('signatures verified by OpenDKIM', () => {
  const directory = mkdtempSync(join(tmpdir(), 'studs-opendkim-'))
  const mails = new Map<string, string>()
  const file = (name: string, text: string): unknown => mails.set(name.replace(/\.eml$/, ''), text)
  const HEADERS =
    'From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: Hello\r\nDate: Fri, 02 Jan 2026 03:04:05 +0000\r\nMessage-ID: <1@example.com>\r\n'
  const MORE =
    'Sender: x@example.com\r\nMIME-Version: 1.0\r\nFeedback-ID: t:default:mail:example.com\r\nList-Unsubscribe: <mailto:u@b.example.com>\r\n'
  let answers: ReadonlyMap<string, string>

  beforeAll(async () => {
    const keys = []
    const records = new Map<string, string>()
    for (const [selector, algorithm] of [['s1', 'rsa-sha256'] as const, ['s2', 'rsa-sha256'] as const]) {
      const key = await generateKey({ algorithm: algorithm satisfies Algorithm, bits: selector === 's1' ? 2048 : 3072 })
      const keyFile = join(directory, `${selector}.pem`)
      writeFileSync(keyFile, key.privatePem, { mode: 0o600 })
      keys.push({ selector, keyFile })
      records.set(`${selector}._domainkey.example.com`, key.dnsRecord)
    }
    const domains = [{ name: 'example.com', subdomains: false, dkim: keys }]
    const signer = createSigner({ domains, clock: { now: () => Date.now() } })
    const signed = async (headers: string, body: string): Promise<string> => {
      const session = signer.start('example.com' as Domain)!
      session.body(Buffer.from(body, 'latin1'))
      return `${await session.finish(headers)}${headers}\r\n${body}`
    }
    file('plain.eml', await signed(HEADERS, 'Hello\r\n'))
    file('empty.eml', await signed(HEADERS, ''))
    file('dots.eml', await signed(HEADERS, '.\r\n..\r\n.hidden  \r\n\r\n\r\n'))
    file('long.eml', await signed(HEADERS, `${'x'.repeat(998)}\r\n`))
    file('eight-bit.eml', await signed(HEADERS, 'Gr\xfc\xdfe \xe4\r\n'))
    file('more.eml', await signed(HEADERS + MORE, 'Hello\r\n'))
    const whole = await signed(HEADERS, 'Hello\r\n')
    file('changed-body.eml', whole.replace('Hello\r\n', 'Hallo\r\n').replace(/Hello\r\n$/, 'Hallo\r\n'))
    for (const added of [
      'From: eve@example.org',
      'Reply-To: eve@example.org',
      'Cc: eve@example.org',
      'Subject: Other',
    ]) {
      file(`added-${added.split(':')[0]}.eml`, whole.replace('From: Ann', `${added}\r\nFrom: Ann`))
    }
    for (const added of ['Sender', 'Feedback-ID', 'List-Unsubscribe']) {
      file(
        `second-${added}.eml`,
        (await signed(HEADERS + MORE, 'Hello\r\n')).replace('From: Ann', `${added}: other\r\nFrom: Ann`),
      )
    }
    answers = judgedByOpenDkim({ mails, records, domain: 'example.com' })
  }, 60_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test.each(['plain', 'empty', 'dots', 'long', 'eight-bit', 'more'])('%s: good', (name) => {
    expect(answers.get(name)).toBe('good')
  })

  test.each(['changed-body', 'added-Reply-To', 'added-Cc', 'second-Feedback-ID', 'second-List-Unsubscribe'])(
    '%s: bad',
    (name) => {
      expect(answers.get(name)).toMatch(/^bad: .*(?:ad signature|did not verify|ody hash)/i)
    },
  )

  // A header that RFC 5322 allows once: it does not even look at the signature. mailauth does, in sign.test.ts.
  test.each(['added-From', 'added-Subject', 'second-Sender'])('%s: no mail', (name) => {
    expect(answers.get(name)).toMatch(/^bad: .*Syntax error/)
  })
})
