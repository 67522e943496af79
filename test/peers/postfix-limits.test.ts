// A Postfix that takes less than everything: extensions it does not offer, sizes it does not take, a greylist before it.
// What is our message's fault fails and suppresses nobody; what will pass is tried again.

import { createServer, type Server } from 'node:net'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StoredRecord } from '../../src/journal/record.ts'
import type { EmailAddress } from '../../src/mail/address.ts'
import { freePort } from '../support/line-log.ts'
import { type PeerRelay, PLAIN_DOMAIN, SENDER_DOMAIN, startPeerRelay, stopPeerRelays } from '../support/peer-relay.ts'
import { noPostfix, Postfix, stopPostfix } from '../support/postfix.ts'

const HEAD = 'From: Ann <app@sender.test>\r\nTo: ok@good.test\r\nSubject: Hello\r\n\r\n'
const CONTENT = `${HEAD}Hello.\r\n`
const LARGE = HEAD + 'x'.repeat(70).concat('\r\n').repeat(400)
const LIMIT_BYTES = 20_000

const discard = (keywords: string) => ({ smtpd_discard_ehlo_keywords: keywords })

let postfix: Postfix
let peer: PeerRelay
let greylist: Server

const leftOut = noPostfix === undefined ? '' : ` (left out: ${noPostfix})`
describe.skipIf(noPostfix !== undefined)(`Postfix that takes less${leftOut}`, () => {
  beforeAll(async () => {
    const policyPort = await freePort()
    greylist = startGreylist(policyPort)
    const services = {
      no8bit: discard('8bitmime'),
      noutf8: discard('smtputf8'),
      nopipelining: discard('pipelining'),
      nodsn: discard('dsn'),
      bare: discard('8bitmime smtputf8 pipelining dsn size enhancedstatuscodes chunking starttls etrn vrfy'),
      small: { message_size_limit: LIMIT_BYTES },
      nosize: { message_size_limit: LIMIT_BYTES, ...discard('size') },
      checks: {},
      grey: { smtpd_recipient_restrictions: `check_policy_service inet:127.0.0.1:${policyPort}` },
      tired: {
        smtpd_recipient_restrictions: 'check_recipient_access inline:{ { worn@tired.test = 450 4.2.1 Mailbox busy } }',
      },
      strict: {
        smtpd_sender_restrictions: 'check_sender_access inline:{ { bounces.sender.test = 554 5.7.1 Not from you } }',
      },
    }
    const names = Object.keys(services)
    postfix = await Postfix.start({
      services,
      main: { header_checks: 'regexp:{ { /^Subject: Cheap pills/ REJECT 5.7.1 This looks like spam } }' },
      mailboxes: [...names.map((name) => `@${name}.test`), 'app@sender.test'],
    })
    peer = await startPeerRelay({
      routes: [
        ...names.map((name) => ({ domain: `${name}.test`, port: postfix.port(name) })),
        { domain: 'sender.test', port: postfix.port('nodsn') },
      ],
    })
  })
  afterAll(async () => {
    await stopPeerRelays()
    await stopPostfix()
    greylist?.close()
  })

  const suppressed = (address: string) =>
    peer.relay.suppressions.find('default', address as EmailAddress, { useGlobal: true })

  /** Sends and expects a failure that is nobody's but the message's: nothing stored, nobody suppressed. */
  async function failsUnsuppressed(mail: {
    to: string
    content?: string | Buffer
    parameters?: string
  }): Promise<StoredRecord> {
    const { to, content = CONTENT, parameters = '' } = mail
    const message = await peer.send({ to: [to], content, mail: parameters })
    const failed = await Promise.race([peer.record('failed', { message }), peer.record('delivered', { message })])
    expect(failed.kind).toBe('failed')
    expect(suppressed(to)).toBeUndefined()
    return failed
  }

  test('no 8BITMIME: 8-bit content fails with 5.6.3, 7-bit content goes', async () => {
    const content = Buffer.from(`${HEAD}Gr\xfc\xdfe\r\n`, 'latin1')
    const failed = await failsUnsuppressed({ to: 'a@no8bit.test', content, parameters: 'BODY=8BITMIME' })
    expect(failed.cause).toMatchObject({ kind: 'local', code: '5.6.3' })
    const message = await peer.send({ to: ['a@no8bit.test'], content: CONTENT, mail: 'BODY=8BITMIME' })
    await peer.record('delivered', { message })
    expect((await postfix.mail('@no8bit.test')).body).toBe('Hello.\r\n')
  })

  test('no SMTPUTF8: an address beyond ASCII fails with 5.6.7', async () => {
    const failed = await failsUnsuppressed({ to: 'żółw@noutf8.test', parameters: 'SMTPUTF8' })
    expect(failed.cause).toMatchObject({ kind: 'local', code: '5.6.7' })
  })

  test.each(['nopipelining', 'nodsn', 'bare'])('%s: a plain message goes all the same', async (service) => {
    const message = await peer.send({ to: [`a@${service}.test`], content: CONTENT })
    await peer.record('delivered', { message })
    expect((await postfix.mail(`@${service}.test`)).body).toBe('Hello.\r\n')
  })

  test('no DSN: Studs reports by itself that the mail was relayed', async () => {
    const message = await peer.send({
      from: `app@${PLAIN_DOMAIN}`,
      to: ['b@nodsn.test'],
      content: CONTENT.replace(SENDER_DOMAIN, PLAIN_DOMAIN),
      rcpt: 'NOTIFY=SUCCESS',
    })
    expect((await peer.record('delivered', { message })).way).not.toHaveProperty('dsnPassedOn')
    expect(await peer.record('dsn-sent', { message })).toMatchObject({ why: 'relayed' })
  })

  describe('a message larger than Postfix takes', () => {
    test('fails by the announced SIZE without being sent', async () => {
      const failed = await failsUnsuppressed({ to: 'a@small.test', content: LARGE })
      expect(failed).toMatchObject({ verdict: { category: 'message-too-large' } })
      expect(JSON.stringify(failed.cause)).toContain(`the server takes ${LIMIT_BYTES}`)
      expect(failed.cause).toMatchObject({ code: '5.3.4' })
    })

    test('fails by the reply to the dot where SIZE is not announced', async () => {
      const failed = await failsUnsuppressed({ to: 'a@nosize.test', content: LARGE })
      expect(failed).toMatchObject({
        verdict: { category: 'message-too-large' },
        cause: { kind: 'reply', command: 'dot', reply: { code: 552, enhanced: '5.3.4' } },
      })
    })

    test('leaves the smaller ones alone', async () => {
      const message = await peer.send({ to: ['a@small.test'], content: CONTENT })
      await peer.record('delivered', { message })
    })
  })

  test('a greylist: deferred as greylisted, then delivered', async () => {
    const message = await peer.send({ to: ['a@grey.test'], content: CONTENT })
    expect(await peer.record('deferred', { message })).toMatchObject({
      verdict: { category: 'greylisted' },
      cause: { command: 'RCPT', reply: { code: 450, enhanced: '4.2.0' } },
    })
    expect(await peer.record('delivered', { message })).toMatchObject({ attempt: 2 })
    expect((await postfix.mail('@grey.test')).header('Delivered-To')).toEqual(['a@grey.test'])
  })

  test('a lasting 450 is tried again and suppresses nobody', async () => {
    const message = await peer.send({ to: ['worn@tired.test', 'fresh@tired.test'], content: CONTENT })
    await peer.record('delivered', { message, recipient: 'fresh@tired.test' })
    const deferred = await peer.record('deferred', { message, recipient: 'worn@tired.test', count: 2 })
    expect(deferred).toMatchObject({ attempt: 2, cause: { reply: { code: 450, enhanced: '4.2.1' } } })
    expect(suppressed('worn@tired.test')).toBeUndefined()
  })

  test('content it does not want is not the fault of the recipient', async () => {
    const content = CONTENT.replace('Subject: Hello', 'Subject: Cheap pills')
    const failed = await failsUnsuppressed({ to: 'a@checks.test', content })
    expect(failed.cause).toMatchObject({ kind: 'reply', command: 'dot', reply: { code: 550, enhanced: '5.7.1' } })
    expect(failed.verdict).toMatchObject({ kind: 'block' })
    const message = await peer.send({ to: ['a@checks.test'], content: CONTENT })
    await peer.record('delivered', { message })
  })

  test('a sender it does not want is not the fault of the recipient', async () => {
    const message = await peer.send({ to: ['a@strict.test'], content: CONTENT })
    const refused = await Promise.race([peer.record('failed', { message }), peer.record('deferred', { message })])
    expect(refused.cause).toMatchObject({ kind: 'reply', reply: { code: 554, enhanced: '5.7.1' } })
    expect(refused.verdict?.fault).not.toBe('recipient')
    expect(suppressed('a@strict.test')).toBeUndefined()
  })
})

/** A policy service as postgrey is (Postfix' SMTPD_POLICY_README): the first try of a recipient is deferred, the next one taken. */
function startGreylist(port: number): Server {
  const seen = new Set<string>()
  const server = createServer((socket) => {
    let recipient = ''
    createInterface({ input: socket }).on('line', (line) => {
      if (line.startsWith('recipient=')) recipient = line
      if (line !== '') return
      socket.write(
        `action=${seen.has(recipient) ? 'dunno' : 'defer_if_permit 4.2.0 Greylisted, see http://postgrey.test/'}\n\n`,
      )
      seen.add(recipient)
    })
    socket.on('error', () => socket.destroy())
  })
  return server.listen(port, '127.0.0.1')
}
