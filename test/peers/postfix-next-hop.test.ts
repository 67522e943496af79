// A real Postfix as the next hop: what it stores is what was sent, and what it refuses is refused for good.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PeerRelay, RETURN_PATH_DOMAIN, startPeerRelay, stopPeerRelays } from '../support/peer-relay.ts'
import { noPostfix, Postfix, type StoredMail, stopPostfix } from '../support/postfix.ts'

const HEAD = 'From: Ann <app@sender.test>\r\nTo: ok@good.test\r\nSubject: Hello\r\n\r\n'

/** Name, body as submitted, body as stored where it differs. Characters are bytes. */
const BODIES: readonly (readonly [name: string, sent: string, expected?: string])[] = [
  ['dots at line starts', '.\r\n..\r\n.hidden\r\n...\r\nend\r\n.\r\n'],
  ['lines of 998 octets', `${'x'.repeat(998)}\r\n.${'y'.repeat(997)}\r\n`],
  ['8-bit', 'Gr\xc3\xbc\xc3\x9fe \xff\x80\r\n'],
  ['empty', ''],
  ['one empty line', '\r\n'],
  ['no final newline', 'the end', 'the end\r\n'],
  [
    '300 KB over several chunks',
    Array.from({ length: 4000 }, (_, n) => `${n % 7 === 0 ? '.' : ''}${n} ${'z'.repeat(70)}\r\n`).join(''),
  ],
  ['bare LF and bare CR', 'a\nb\r\nc\rd\n.\ne\r\n', 'a\r\nb\r\nc\r\nd\r\n.\r\ne\r\n'],
]

let postfix: Postfix
let peer: PeerRelay

const mailboxOf = (name: string): string => name.slice(0, name.indexOf('@'))

describe.skipIf(noPostfix !== undefined)(
  `Postfix as next hop${noPostfix === undefined ? '' : ` (left out: ${noPostfix})`}`,
  () => {
    beforeAll(async () => {
      const mailboxes: Record<string, string> = { '@bounces.sender.test': 'bounces', '@many.test': 'many' }
      for (const domain of ['good.test', 'plain.test', 'strict.test']) {
        for (const name of ['ok', 'null', 'dsn', 'dkim', ...BODIES.map((_, index) => `body-${index}`)]) {
          mailboxes[`${name}@${domain}`] = `${name}.${domain}`
        }
      }
      for (let n = 0; n < 17; n++) mailboxes[`known-${n}@good.test`] = `known-${n}.good.test`
      postfix = await Postfix.start({
        services: {
          offers: { smtpd_tls_security_level: 'may' },
          plain: { smtpd_tls_security_level: 'none' },
          demands: { smtpd_tls_security_level: 'encrypt' },
        },
        mailboxes,
      })
      peer = await startPeerRelay({
        routes: [
          { domain: 'good.test', port: postfix.port('offers') },
          { domain: 'plain.test', port: postfix.port('plain') },
          { domain: 'strict.test', port: postfix.port('demands'), more: 'tls = "required"\nverify = false' },
        ],
      })
    })
    afterAll(async () => {
      await stopPeerRelays()
      await stopPostfix()
    })

    describe('stores the body byte for byte', () => {
      test.each(BODIES.map(([name], index) => [name, index] as const))('%s', async (_name, index) => {
        const [, sent, expected = sent] = BODIES[index]!
        const to = `body-${index}@good.test`
        const isEightBit = /[^\x00-\x7f]/.test(sent)
        await peer.send({
          to: [to],
          content: Buffer.from(HEAD + sent, 'latin1'),
          mail: isEightBit ? 'BODY=8BITMIME' : '',
        })
        await peer.record('delivered', { recipient: to })
        expect((await postfix.mail(`body-${index}.good.test`)).body).toBe(expected)
      })
    })
  },
)
