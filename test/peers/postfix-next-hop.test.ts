// A real Postfix as the next hop: what it stores is what was sent, and what it says is acted upon.

import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dayOf, readReturnPath } from '../../src/bounce/return-path.ts'
import type { EmailAddress } from '../../src/mail/address.ts'
import { type PeerRelay, RETURN_PATH_DOMAIN, startPeerRelay, stopPeerRelays } from '../support/peer-relay.ts'
import { noPostfix, Postfix, stopPostfix } from '../support/postfix.ts'
import type { StoredMail } from '../support/stored-mail.ts'

/** Name, body as submitted, body as stored where it differs. Characters are bytes. */
const BODIES: readonly (readonly [name: string, sent: string, stored?: string])[] = [
  ['dots at line starts', '.\r\n..\r\n.hidden\r\n...\r\nend\r\n.\r\n'],
  ['lines of 998 octets', `${'x'.repeat(998)}\r\n.${'y'.repeat(997)}\r\n`],
  ['8-bit', 'Gr\xc3\xbc\xc3\x9fe \xff\x80\r\n'],
  ['empty', ''],
  ['one empty line', '\r\n'],
  ['no final newline', 'the end', 'the end\r\n'],
  [
    '300 KB in several chunks',
    Array.from({ length: 4000 }, (_, n) => `${n % 7 === 0 ? '.' : ''}${n} ${'z'.repeat(70)}\r\n`).join(''),
  ],
  ['bare LF, bare CR and CR CR LF', 'a\nb\r\nc\rd\r\r\ne\n.\nf\r\n', 'a\r\nb\r\nc\r\nd\r\ne\r\n.\r\nf\r\n'],
]
const bodyBox = (index: number): string => `body-${index}@good.test`
const TWENTY = Array.from({ length: 20 }, (_, n) => (n % 7 === 3 ? `gone-${n}@many.test` : `here-${n}@many.test`))
const HEAD = 'From: Ann <app@sender.test>\r\nTo: ok@good.test\r\nSubject: Hello\r\n\r\n'
const CONTENT = `${HEAD}Hello.\r\n`

let postfix: Postfix
let peer: PeerRelay

const leftOut = noPostfix === undefined ? '' : ` (left out: ${noPostfix})`
describe.skipIf(noPostfix !== undefined)(`Postfix as the next hop${leftOut}`, () => {
  beforeAll(async () => {
    postfix = await Postfix.start({
      services: {
        offers: { smtpd_tls_security_level: 'may' },
        plain: { smtpd_tls_security_level: 'none' },
        reuse: { smtpd_tls_security_level: 'may' },
        broken: { smtpd_tls_security_level: 'may', smtpd_tls_chain_files: '/nowhere.pem' },
        lonely: {
          smtpd_tls_security_level: 'may',
          smtpd_tls_protocols: 'TLSv1.2',
          smtpd_tls_ciphers: 'high',
          tls_high_cipherlist: 'aNULL',
        },
        antique: { smtpd_tls_security_level: 'may', smtpd_tls_protocols: 'TLSv1' },
        demands: { smtpd_tls_security_level: 'encrypt' },
      },
      mailboxes: [
        ...BODIES.map((_, index) => bodyBox(index)),
        ...['ok', 'null', 'dsn', 'dkim', 'verp', 'żółw'].map((name) => `${name}@good.test`),
        ...TWENTY.filter((address) => address.startsWith('here')),
        ...['@reuse.test', '@plain.test', '@strict.test', '@mistaken.test', '@unwilling.test'],
        ...['@broken.test', '@lonely.test', '@antique.test', '@museum.test'],
        ...['app@sender.test', 'app@other.test', `@${RETURN_PATH_DOMAIN}`],
      ],
    })
    peer = await startPeerRelay({
      routes: [
        { domain: 'good.test', port: postfix.port('offers') },
        { domain: 'sender.test', port: postfix.port('offers') },
        { domain: 'many.test', port: postfix.port('offers') },
        { domain: 'reuse.test', port: postfix.port('reuse') },
        { domain: 'plain.test', port: postfix.port('plain') },
        { domain: 'bare.test', port: postfix.port('plain'), more: 'tls = "required"' },
        { domain: 'strict.test', port: postfix.port('demands'), more: 'tls = "required"\nverify = false' },
        { domain: 'mistaken.test', port: postfix.port('demands'), more: 'tls = "required"' },
        { domain: 'antique.test', port: postfix.port('antique') },
        { domain: 'museum.test', port: postfix.port('antique'), more: 'tls = "required"\nverify = false' },
        { domain: 'unwilling.test', port: postfix.port('demands'), more: 'tls = "none"' },
      ],
    })
  })
  afterAll(async () => {
    await stopPeerRelays()
    await stopPostfix()
  })

  test.each(BODIES.map(([name], index) => [name, index] as const))(
    'stores the body as it was sent: %s',
    async (_, index) => {
      const [, sent, stored = sent] = BODIES[index]!
      const isEightBit = /[^\x00-\x7f]/.test(sent)
      await peer.send({
        to: [bodyBox(index)],
        content: Buffer.from(HEAD + sent, 'latin1'),
        mail: isEightBit ? 'BODY=8BITMIME' : '',
      })
      await peer.record('delivered', { recipient: bodyBox(index) })
      expect((await postfix.mail(bodyBox(index))).body).toBe(stored)
    },
  )

  describe('an unknown user', () => {
    test('fails, with the words of Postfix, and is suppressed; the next mail is not sent', async () => {
      const to = 'nobody@good.test'
      const message = await peer.send({ to: [to], content: CONTENT })
      const failed = await peer.record('failed', { message })
      expect(failed).toMatchObject({
        verdict: { category: 'bad-mailbox', kind: 'hard', fault: 'recipient' },
        cause: { kind: 'reply', command: 'RCPT', reply: { code: 550, enhanced: '5.1.1' } },
      })
      expect(JSON.stringify(failed.cause)).toContain(
        'Recipient address rejected: User unknown in virtual mailbox table',
      )
      expect(peer.relay.suppressions.find('default', to as EmailAddress, { useGlobal: true })).toMatchObject({
        reason: 'hard_bounce',
      })

      const second = await peer.send({ to: [to], content: CONTENT })
      await peer.record('suppressed', { message: second })
      // What Postfix would have heard of the second, it would have heard before this one.
      const third = await peer.send({ to: ['ok@good.test'], content: CONTENT })
      await peer.record('delivered', { message: third })
      expect(postfix.log.count(/reject: RCPT .*nobody@good\.test/)).toBe(1)
    })

    test('among twenty recipients touches nobody else', async () => {
      const message = await peer.send({ to: TWENTY, content: CONTENT })
      await peer.record('delivered', { message, count: 17 })
      await peer.record('failed', { message, count: 3 })
      for (const address of TWENTY) {
        const isGone = address.startsWith('gone')
        if (!isGone) expect((await postfix.mail(address)).header('Delivered-To')).toEqual([address])
        expect(
          peer.relay.suppressions.find('default', address as EmailAddress, { useGlobal: true }) !== undefined,
        ).toBe(isGone)
      }
    })
  })

  describe('TLS', () => {
    test('is used where it is offered, whoever the certificate is for', async () => {
      const message = await peer.send({ to: ['ok@good.test'], content: CONTENT })
      expect((await peer.record('delivered', { message })).way?.tls).toMatch(/^TLSv1\.3 TLS_/)
      const mail = (await postfix.mails('ok@good.test')).at(-1)!
      expect(mail.header('Received')[0]).toMatch(/using TLSv1\.3 with cipher TLS_.* \(Postfix\) with ESMTPS id/)
    })

    test('is left out where it is not offered', async () => {
      const message = await peer.send({ to: ['a@plain.test'], content: CONTENT })
      expect((await peer.record('delivered', { message })).way).not.toHaveProperty('tls')
      expect((await postfix.mail('@plain.test')).header('Received')[0]).toMatch(/\(Postfix\) with ESMTP id/)
    })

    test('is used where both sides demand it', async () => {
      const message = await peer.send({ to: ['a@strict.test'], content: CONTENT })
      expect((await peer.record('delivered', { message })).way?.tls).toMatch(/^TLSv1\.3 /)
      expect((await postfix.mail('@strict.test')).header('Received')[0]).toContain('with ESMTPS id')
    })

    test('that is not offered defers where it is demanded', async () => {
      const message = await peer.send({ to: ['a@bare.test'], content: CONTENT })
      expect(await peer.record('deferred', { message })).toMatchObject({ cause: { kind: 'tls' } })
    })

    test('with a certificate for somebody else defers where it is demanded and checked', async () => {
      const message = await peer.send({ to: ['a@mistaken.test'], content: CONTENT })
      expect(await peer.record('deferred', { message })).toMatchObject({ cause: { kind: 'tls' } })
      expect(postfix.log.count(/to=<a@mistaken\.test>/)).toBe(0)
    })

    test.each([
      ['that Postfix offers and cannot do (454 4.7.0)', 'broken.test'],
      ['in whose handshake no cipher is shared', 'lonely.test'],
    ])('%s is left out', async (_, domain) => {
      // A relay of its own: it remembers for the host that its TLS is broken.
      const other = await startPeerRelay({ routes: [{ domain, port: postfix.port(domain.split('.')[0]!) }] })
      const message = await other.send({ to: [`a@${domain}`], content: CONTENT })
      const delivered = await other.record('delivered', { message })
      expect(delivered.attempt).toBe(1)
      expect(delivered.way).not.toHaveProperty('tls')
      expect((await postfix.mail(`@${domain}`)).header('Received')[0]).toMatch(/\(Postfix\) with ESMTP id/)
      await other.stop()
    })

    test('of old age is better than none, and not good enough where TLS is demanded', async () => {
      const welcome = await peer.send({ to: ['a@antique.test'], content: CONTENT })
      expect((await peer.record('delivered', { message: welcome })).way?.tls).toMatch(/^TLSv1 /)
      expect((await postfix.mail('@antique.test')).header('Received')[0]).toContain('using TLSv1 with cipher')
      const demanded = await peer.send({ to: ['a@museum.test'], content: CONTENT })
      expect(await peer.record('deferred', { message: demanded })).toMatchObject({ cause: { kind: 'tls' } })
    })

    test('that Postfix demands and the route forbids is not the fault of the recipient', async () => {
      const message = await peer.send({ to: ['a@unwilling.test'], content: CONTENT })
      const refused = await Promise.race([peer.record('deferred', { message }), peer.record('failed', { message })])
      expect(refused).toMatchObject({ cause: { command: 'MAIL', reply: { code: 530, enhanced: '5.7.0' } } })
      expect(refused.verdict?.fault).not.toBe('recipient')
      expect(
        peer.relay.suppressions.find('default', 'a@unwilling.test' as EmailAddress, { useGlobal: true }),
      ).toBeUndefined()
    })
  })

  test('five messages to one site go over one connection', async () => {
    for (let n = 0; n < 5; n++) {
      const message = await peer.send({ to: [`number-${n}@reuse.test`], content: CONTENT })
      await peer.record('delivered', { message })
    }
    expect(postfix.log.count(/postfix\/reuse\/smtpd.*: client=/)).toBe(5)
    expect(postfix.log.count(/postfix\/reuse\/smtpd.*: connect from/)).toBe(1)
  })

  test('a null sender stays null', async () => {
    const message = await peer.send({ from: '', to: ['null@good.test'], content: CONTENT })
    await peer.record('delivered', { message })
    expect((await postfix.mail('null@good.test')).header('Return-Path')).toEqual(['<>'])
  })

  test('an address beyond ASCII goes by SMTPUTF8', async () => {
    const message = await peer.send({ to: ['żółw@good.test'], content: CONTENT, mail: 'SMTPUTF8' })
    await peer.record('delivered', { message })
    expect((await postfix.mail('żółw@good.test')).header('Received')[0]).toContain('with UTF8SMTPS id')
  })

  test('both DKIM signatures hold on what Postfix stored', async () => {
    await peer.send({ to: ['dkim@good.test'], content: `${HEAD}.dots\r\ntrailing \t\r\n\r\n\r\n` })
    await peer.record('delivered', { recipient: 'dkim@good.test' })
    const mail = await postfix.mail('dkim@good.test')
    expect(await signaturesOf(mail)).toEqual(['sender.test ed25519-sha256 pass', 'sender.test rsa-sha256 pass'])
    const forged: StoredMail = { ...mail, raw: mail.raw.replace('.dots', '.dotz') }
    expect(await signaturesOf(forged)).toEqual(['sender.test ed25519-sha256 neutral', 'sender.test rsa-sha256 neutral'])
  })

  async function signaturesOf({ raw }: StoredMail): Promise<string[]> {
    const resolver = async (name: string): Promise<string[][]> => [peer.zone.get(name)!.match(/.{1,255}/g)!]
    const { results } = await dkimVerify(Buffer.from(raw, 'latin1'), { resolver })
    return results.map(({ signingDomain, algo, status }) => `${signingDomain} ${algo} ${status.result}`).sort()
  }

  test('the return path on the wire names the recipient', async () => {
    const message = await peer.send({ to: ['ok@good.test', 'verp@good.test'], content: CONTENT })
    await peer.record('delivered', { message, recipient: 'verp@good.test' })
    const [returnPath = ''] = (await postfix.mail('verp@good.test')).header('Return-Path')
    expect(readBack(returnPath.slice(1, -1))).toMatchObject({ kind: 'ok', id: message, n: 1 })
  })

  describe('NOTIFY=SUCCESS', () => {
    const asked = {
      content: CONTENT,
      mail: 'RET=HDRS ENVID=order-7',
      rcpt: 'NOTIFY=SUCCESS ORCPT=rfc822;dsn@good.test',
    }

    test("is passed on behind the app's own sender: Postfix reports, and Studs does not", async () => {
      const message = await peer.send({
        ...asked,
        from: 'app@other.test',
        to: ['dsn@good.test'],
        content: CONTENT.replace('sender.test', 'other.test'),
      })
      expect((await peer.record('delivered', { message })).way).toMatchObject({ dsnPassedOn: true })
      const report = await postfix.mail('app@other.test')
      expect(report.header('From')).toEqual(['Mail Delivery System <MAILER-DAEMON@mx.good.test>'])
      expect(report.body).toMatch(/^Original-Envelope-Id: order-7\r$/m)
      expect(report.body).toMatch(/^Original-Recipient: rfc822;dsn@good\.test\r$/m)
      expect(report.body).toMatch(/^Action: delivered\r$/m)
      expect(peer.records.filter(({ kind }) => kind === 'dsn-sent')).toEqual([])
    })

    test('is answered by Studs behind a return path of its own, to which Postfix has nothing to report', async () => {
      const message = await peer.send({ ...asked, to: ['dsn@good.test'] })
      expect(await peer.record('dsn-sent', { message })).toMatchObject({ why: 'relayed' })
      const report = await postfix.mail('app@sender.test')
      expect(report.header('Return-Path')).toEqual(['<>'])
      expect(report.header('From')[0]).toContain('@relay.test')
      expect(report.body).toMatch(/^Original-Envelope-Id: order-7\r$/m)
      expect(report.body).toMatch(/^Original-Recipient: rfc822; ?dsn@good\.test\r$/m)
      expect(report.body).toMatch(/^Action: relayed\r$/m)
      expect(postfix.log.count(new RegExp(`to=<b-.*@${RETURN_PATH_DOMAIN}>`))).toBe(0)
    })
  })

  /** Reads a return path with the keys in the store. */
  function readBack(address: string) {
    const [local = '', domain] = address.split('@')
    expect(domain).toBe(RETURN_PATH_DOMAIN)
    return readReturnPath(local, peer.returnPathKeys, dayOf(Date.now()))
  }
})
