// Certificates against TLSA records, over real handshakes: what a server shows decides, not what we would like it to show.

import { describe, expect, test } from 'vitest'
import { SmtpClient } from '../../src/delivery/client.ts'
import type { Tlsa } from '../../src/delivery/tls-demand.ts'
import { Authority, tlsaData } from '../support/authority.ts'
import { connectOptions } from '../support/client-options.ts'
import { type Certificate, type Peer, ScriptedServer, selfSigned } from '../support/scripted-server.ts'

const root = Authority.make()
const middle = root.below('Middle')
const mine = selfSigned('anything.test')
const other = selfSigned('mx.test')
const issued = middle.issue(['mx.test'])

const record = (usage: number, selector: 0 | 1, matching: 0 | 1 | 2, pem: string): Tlsa => ({
  usage,
  selector,
  matching,
  data: tlsaData(pem, selector, matching),
})

async function connect(shown: Certificate, records: readonly Tlsa[], names: readonly string[] = ['mx.test', 'b.test']) {
  await using server = await ScriptedServer.start({
    EHLO: (peer: Peer) => peer.say(peer.secured ? '250 mx.test' : '250-mx.test\r\n250 STARTTLS'),
    STARTTLS: (peer: Peer) => peer.secure(shown),
  })
  const dane = { records, base: 'mx.test', names }
  const result = await SmtpClient.connect(connectOptions(server, { tls: 'required', verify: true, dane }))
  if (!result.ok) return { ...result.cause, said: server.peer.commands }
  const { tlsVerified } = result.client
  result.client.destroy()
  return tlsVerified
}

describe('DANE-EE', () => {
  test.each([
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 0],
    [1, 1],
    [1, 2],
  ] as const)('selector %d, matching %d: the certificate counts, not its name', async (selector, matching) => {
    expect(await connect(mine, [record(3, selector, matching, mine.cert)])).toBe('dane')
    expect(await connect(other, [record(3, selector, matching, mine.cert)])).toMatchObject({
      kind: 'tls',
      failure: 'validation-failure',
      said: ['EHLO relay.test', 'STARTTLS'],
    })
  })

  test('an expired one is as good: the record says when it ends', async () => {
    const expired = root.issue(['mx.test'], { expired: true })
    expect(await connect(expired, [record(3, 1, 1, expired.cert)])).toBe('dane')
  })

  test('one of several records is enough, as while keys are changed', async () => {
    expect(await connect(mine, [record(3, 1, 1, other.cert), record(3, 1, 1, mine.cert)])).toBe('dane')
  })

  test('an authority is no server: its own certificate does not match below it', async () => {
    expect(await connect(issued, [record(3, 1, 1, root.cert)])).toMatchObject({ failure: 'validation-failure' })
  })
})

describe('DANE-TA', () => {
  test.each([
    ['the root', root.cert],
    ['the one in between', middle.cert],
  ])('a chain up to %s', async (_, authority) => {
    for (const selector of [0, 1] as const)
      expect(await connect(issued, [record(2, selector, 1, authority)])).toBe('dane')
  })

  test('the name may be that of the recipient domain, or a wildcard', async () => {
    expect(await connect(middle.issue(['b.test']), [record(2, 1, 1, root.cert)])).toBe('dane')
    expect(await connect(middle.issue(['*.b.test']), [record(2, 1, 1, root.cert)], ['mx.test', 'www.b.test'])).toBe(
      'dane',
    )
  })

  test('a root that the server does not send, whole in the record', async () => {
    const { key, cert } = root.issue(['mx.test'])
    const alone = { key, cert: cert.slice(0, cert.indexOf('-----END CERTIFICATE-----') + 26) }
    expect(await connect(alone, [record(2, 0, 0, root.cert)])).toBe('dane')
    expect(await connect(alone, [record(2, 0, 1, root.cert)])).toMatchObject({ failure: 'validation-failure' })
  })

  const stranger = Authority.make()
  const narrow = root.below('Narrow', { pathLength: 0 })
  const cases: readonly [string, Certificate, readonly Tlsa[], string][] = [
    ['another name', middle.issue(['evil.test']), [record(2, 1, 1, root.cert)], 'certificate-host-mismatch'],
    ['expired', middle.issue(['mx.test'], { expired: true }), [record(2, 1, 1, root.cert)], 'certificate-expired'],
    ['another authority', stranger.issue(['mx.test']), [record(2, 1, 1, root.cert)], 'validation-failure'],
    [
      'not for servers',
      root.issue(['mx.test'], { usage: 'clientAuth' }),
      [record(2, 1, 1, root.cert)],
      'certificate-not-trusted',
    ],
    [
      'longer than allowed',
      narrow.below('Deep').issue(['mx.test']),
      [record(2, 1, 1, root.cert)],
      'certificate-not-trusted',
    ],
    ['issued by a server', impostor(), [record(2, 1, 1, root.cert)], 'certificate-not-trusted'],
  ]
  test.each(cases)('%s is refused', async (_, shown, records, failure) => {
    expect(await connect(shown, records)).toMatchObject({ kind: 'tls', failure })
  })

  test('the name of the root is not its signature', async () => {
    const { key, cert } = stranger.issue(['mx.test'], { anonymousIssuer: true })
    const alone = { key, cert: cert.slice(0, cert.indexOf('-----END CERTIFICATE-----') + 26) }
    expect(await connect(alone, [record(2, 0, 0, root.cert)])).toMatchObject({ failure: 'validation-failure' })
  })

  test('the root sent along by a stranger is refused', async () => {
    const shown = stranger.issue(['mx.test'])
    expect(await connect({ ...shown, cert: shown.cert + root.cert }, [record(2, 1, 1, root.cert)])).toMatchObject({
      kind: 'tls',
      failure: 'validation-failure',
    })
  })
})

/** A certificate issued with the key of a server's certificate, which may not issue any. */
function impostor(): Certificate {
  return Authority.of(root.issue(['victim.test'])).issue(['mx.test'])
}
