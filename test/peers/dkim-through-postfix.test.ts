// Incoming proof: what an app submits, Studs signs and sends, and a real Postfix stores, octet for octet; both signatures hold
// on what lies in the mailbox, in the eyes of mailauth and of OpenDKIM.

import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judgedByOpenDkim, noOpenDkim } from '../support/opendkim.ts'
import { type PeerRelay, SENDER_DOMAIN, startPeerRelay, stopPeerRelays } from '../support/peer-relay.ts'
import { noPostfix, Postfix, stopPostfix } from '../support/postfix.ts'
import type { StoredMail } from '../support/stored-mail.ts'

const HEAD = `From: =?utf-8?q?J=C3=B6rg?= <app@${SENDER_DOMAIN}>\r\nTo: somebody@good.test\r\nSubject:  two  spaces \r\n\tand a fold\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`
/** Name, body as submitted, body as stored where it differs. Characters are bytes. */
const BODIES: Readonly<Record<string, readonly [sent: string, stored?: string]>> = {
  dots: ['.\r\n..\r\n.hidden\r\n...\r\nend\r\n.\r\n'],
  'lines-of-998': [`${'x'.repeat(998)}\r\n.${'y'.repeat(997)}\r\n`],
  'eight-bit': ['Gr\xc3\xbc\xc3\x9fe \xff\x80 \xa0\r\n'],
  empty: [''],
  'one-empty-line': ['\r\n'],
  'empty-lines-at-the-end': ['text\r\n\r\n\r\n\r\n'],
  'white-space': ['trailing \t\r\n \r\n\t\r\ntwo  spaces\tand a tab\r\n'],
  'no-final-newline': ['the end', 'the end\r\n'],
  'from-line': ['From here on\r\n>From there\r\n'],
  'several-chunks': [
    Array.from({ length: 4000 }, (_, n) => `${n % 7 === 0 ? '.' : ''}${n} ${'z'.repeat(70)}\r\n`).join(''),
  ],
  'bare-line-ends': ['a\nb\r\nc\rd\r\r\ne\n.\nf\r\n', 'a\r\nb\r\nc\r\nd\r\ne\r\n.\r\nf\r\n'],
}
const NAMES = Object.keys(BODIES)
const box = (name: string): string => `${name}@good.test`

const leftOut = noPostfix === undefined ? '' : ` (left out: ${noPostfix})`
describe.skipIf(noPostfix !== undefined)(`signed mail in a mailbox of Postfix${leftOut}`, () => {
  let postfix: Postfix
  let peer: PeerRelay
  const stored = new Map<string, StoredMail>()

  beforeAll(async () => {
    postfix = await Postfix.start({
      services: { mx: { smtpd_tls_security_level: 'may' } },
      mailboxes: NAMES.map(box),
    })
    peer = await startPeerRelay({ routes: [{ domain: 'good.test', port: postfix.port('mx') }] })
    for (const [name, [sent]] of Object.entries(BODIES))
      await peer.send({
        to: [box(name)],
        content: Buffer.from(HEAD + sent, 'latin1'),
        ...(name === 'eight-bit' && { mail: 'BODY=8BITMIME' }),
      })
    for (const name of NAMES) stored.set(name, await postfix.mail(box(name)))
  }, 60_000)
  afterAll(async () => {
    await stopPeerRelays()
    await stopPostfix()
  })

  const bodyOf = ({ raw }: StoredMail): string => raw.slice(raw.indexOf('\r\n\r\n') + 4)

  test.each(NAMES)('%s: stored as it was sent', (name) => {
    const [sent, expected = sent] = BODIES[name]!
    expect(bodyOf(stored.get(name)!)).toBe(expected)
  })

  test.each(NAMES)('%s: mailauth', async (name) => {
    const resolver = async (asked: string): Promise<string[][]> => [peer.zone.get(asked)!.match(/.{1,255}/g)!]
    const { results } = await dkimVerify(Buffer.from(stored.get(name)!.raw, 'latin1'), { resolver })
    const said = results.map(({ signingDomain, algo, status }) => `${signingDomain} ${algo} ${status.result}`).sort()
    expect(said).toEqual([`${SENDER_DOMAIN} ed25519-sha256 pass`, `${SENDER_DOMAIN} rsa-sha256 pass`])
  })

  describe.skipIf(noOpenDkim !== undefined)(
    `OpenDKIM${noOpenDkim === undefined ? '' : ` (left out: ${noOpenDkim})`}`,
    () => {
      let answers: ReadonlyMap<string, string>
      beforeAll(() => {
        const mails = new Map([...stored].map(([name, { raw }]) => [name, raw]))
        const [dots] = [stored.get('dots')!.raw]
        mails.set('one-octet-changed', dots.replace('.hidden', '.hiddem'))
        answers = judgedByOpenDkim({ mails, records: peer.zone, domain: SENDER_DOMAIN })
      }, 60_000)

      test.each(NAMES)('%s', (name) => {
        expect(answers.get(name)).toBe('good')
      })

      test('one octet that was changed', () => {
        expect(answers.get('one-octet-changed')).toMatch(/^bad: /)
      })
    },
  )
})
