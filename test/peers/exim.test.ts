// A real Exim as the next hop: another reading of the standards (GnuTLS, no enhanced codes, PIPELINING and CHUNKING offered).

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EmailAddress } from '../../src/mail/address.ts'
import { Exim, stopExim, whyNoExim } from '../support/exim.ts'
import { type PeerRelay, startPeerRelay, stopPeerRelays } from '../support/peer-relay.ts'

const HEAD = 'From: Ann <app@sender.test>\r\nTo: ok@exim.test\r\nSubject: Hello\r\n\r\n'
const CONTENT = `${HEAD}Hello.\r\n`
/** Mailbox and body. Characters are bytes. */
const BODIES = [
  ['dots', '.\r\n..\r\n.hidden\r\nend\r\n.\r\n'],
  ['long', `${'x'.repeat(998)}\r\n`],
  ['eight-bit', 'Gr\xc3\xbc\xc3\x9fe \xff\r\n'],
  ['empty', ''],
  ['large', Array.from({ length: 4000 }, (_, n) => `.${n} ${'z'.repeat(70)}\r\n`).join('')],
] as const

const noExim = whyNoExim()
let exim: Exim
let peer: PeerRelay

describe.skipIf(noExim !== undefined)(
  `Exim as the next hop${noExim === undefined ? '' : ` (left out: ${noExim})`}`,
  () => {
    beforeAll(async () => {
      exim = await Exim.start([...BODIES.map(([name]) => name), 'ok', 'one', 'two'])
      peer = await startPeerRelay({ routes: [{ domain: 'exim.test', port: exim.port }] })
    })
    afterAll(async () => {
      await stopPeerRelays()
      await stopExim()
    })

    test.each(BODIES)('stores the body as it was sent: %s', async (name, body) => {
      const mail = name === 'eight-bit' ? 'BODY=8BITMIME' : ''
      const message = await peer.send({ to: [`${name}@exim.test`], content: Buffer.from(HEAD + body, 'latin1'), mail })
      const { way } = await peer.record('delivered', { message })
      expect(way?.tls).toMatch(/^TLSv1\.3 /)
      const stored = await exim.mail(name)
      expect(stored.body).toBe(body)
      expect(stored.header('Received')[0]).toContain('with esmtps')
    })

    test('refuses one of three recipients: that one fails and is suppressed', async () => {
      const message = await peer.send({ to: ['one@exim.test', 'nobody@exim.test', 'two@exim.test'], content: CONTENT })
      await peer.record('delivered', { message, count: 2 })
      expect(await peer.record('failed', { message })).toMatchObject({
        recipient: 'nobody@exim.test',
        cause: { kind: 'reply', command: 'RCPT', reply: { code: 550, lines: ['Unrouteable address'] } },
        verdict: { kind: 'hard', fault: 'recipient' },
      })
      expect(
        peer.relay.suppressions.find('default', 'nobody@exim.test' as EmailAddress, { useGlobal: true }),
      ).toBeDefined()
    })

    test('names its size limit: a larger message fails with 5.3.4 and suppresses nobody', async () => {
      const message = await peer.send({
        to: ['ok@exim.test'],
        content: HEAD + 'x'.repeat(70).concat('\r\n').repeat(16_000),
      })
      expect(await peer.record('failed', { message })).toMatchObject({ cause: { kind: 'local', code: '5.3.4' } })
      expect(
        peer.relay.suppressions.find('default', 'ok@exim.test' as EmailAddress, { useGlobal: true }),
      ).toBeUndefined()
    })
  },
)
