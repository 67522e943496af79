// A next hop that is away for a while, as seen by the worker that delivers by default.

import { afterAll, expect, test } from 'vitest'
import type { EmailAddress } from '../../src/mail/address.ts'
import { startPeerRelay, stopPeerRelays } from '../support/peer-relay.ts'
import { noPostfix, Postfix, stopPostfix } from '../support/postfix.ts'

const HEAD = 'From: Ann <app@sender.test>\r\nTo: ok@good.test\r\nSubject: Hello\r\n\r\n'
const BODY = Array.from({ length: 8000 }, (_, n) => `.${n} ${'z'.repeat(70)}\r\n`).join('')

afterAll(async () => {
  await stopPeerRelays()
  await stopPostfix()
})

const leftOut = noPostfix === undefined ? '' : ` (left out: ${noPostfix})`
test.skipIf(noPostfix !== undefined)(
  `mail waits while Postfix is stopped, and arrives once when it is back${leftOut}`,
  async () => {
    const to = 'ok@good.test'
    const postfix = await Postfix.start({ services: { mx: { smtpd_tls_security_level: 'may' } }, mailboxes: [to] })
    const peer = await startPeerRelay({
      routes: [{ domain: 'good.test', port: postfix.port('mx') }],
      delivery: 'workers = 1',
    })

    // In several chunks, and over a connection that is kept until Postfix goes away with it.
    const first = await peer.send({ to: [to], content: HEAD + BODY })
    expect((await peer.record('delivered', { message: first })).way?.tls).toMatch(/^TLSv1\.3 /)
    // Stored, not only queued: so that what comes after the restart can only be the second.
    const large = await postfix.mail(to)
    // A difference would fill pages.
    expect(large.body === BODY).toBe(true)
    await postfix.stop()

    const second = await peer.send({ to: [to], content: `${HEAD}second\r\n` })
    expect(await peer.record('deferred', { message: second })).toMatchObject({
      attempt: 1,
      cause: { kind: 'connect' },
      way: { mxAddress: '127.0.0.1' },
    })
    expect(await peer.record('deferred', { message: second, count: 2 })).toMatchObject({ attempt: 2 })
    await postfix.start()
    await peer.record('delivered', { message: second })

    const mails = await postfix.mails(to, 2)
    expect(mails.map(({ body }) => body.length)).toEqual([BODY.length, 'second\r\n'.length])
    expect(peer.relay.suppressions.find('default', to as EmailAddress, { useGlobal: true })).toBeUndefined()
  },
)
