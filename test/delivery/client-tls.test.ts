// STARTTLS, implicit TLS and AUTH: what is demanded of a server before it gets a message or a password.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { SmtpClient } from '../../src/delivery/client.ts'
import { connected, connectOptions, mailOf } from '../support/client-options.ts'
import { type Peer, type Script, ScriptedServer, selfSigned } from '../support/scripted-server.ts'

const certificate = selfSigned('mx.test')
const other = selfSigned('other.test')

function withTls(script: Script = {}, pair = certificate): Script {
  return {
    EHLO: (peer: Peer) =>
      peer.say(peer.secured ? '250-mx.test\r\n250 PIPELINING' : '250-mx.test\r\n250-AUTH PLAIN\r\n250 STARTTLS'),
    STARTTLS: (peer: Peer) => peer.secure(pair),
    ...script,
  }
}

describe('STARTTLS', () => {
  test('opportunistic: any certificate will do, EHLO is said again', async () => {
    await using server = await ScriptedServer.start(withTls({}, other))
    const client = await connected(server)
    expect(client.tls).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384')
    // Nothing that was said in plaintext counts.
    expect(client.extensions).toMatchObject({ pipelining: true, startTls: false, auth: [] })
    for (let n = 0; n < 3; n++) expect(await client.send(mailOf())).toMatchObject({ ok: true, reusable: true })
    expect(server.peer.commands.slice(0, 4)).toEqual([
      'EHLO relay.test',
      'STARTTLS',
      'EHLO relay.test',
      'MAIL FROM:<from@a.test>',
    ])
    expect(server.peer.serverName).toBe('mx.test')
    await client.quit()
    expect(client.tls).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384')
  })

  test('opportunistic: a refusal leaves plaintext', async () => {
    await using server = await ScriptedServer.start(withTls({ STARTTLS: '454 4.7.0 not now' }))
    const client = await connected(server)
    expect(client.tls).toBeUndefined()
    expect(await client.send(mailOf())).toMatchObject({ ok: true })
    client.destroy()
  })

  test('none: not asked for', async () => {
    await using server = await ScriptedServer.start(withTls())
    const client = await connected(server, { tls: 'none' })
    expect(await client.send(mailOf())).toMatchObject({ ok: true })
    expect(server.peer.commands).not.toContain('STARTTLS')
    client.destroy()
  })

  test('required: with the right name', async () => {
    await using server = await ScriptedServer.start(withTls())
    const client = await connected(server, { tls: 'required', ca: certificate.cert })
    expect(await client.send(mailOf())).toMatchObject({ ok: true })
    client.destroy()
  })

  test('required: not with another name', async () => {
    await using server = await ScriptedServer.start(withTls({}, other))
    const result = await SmtpClient.connect(connectOptions(server, { tls: 'required', ca: other.cert }))
    expect(result).toMatchObject({ ok: false, cause: { kind: 'tls', detail: expect.stringMatching(/mx\.test/) } })
    await server.peer.gone
    expect(server.peer.commands).toEqual(['EHLO relay.test', 'STARTTLS'])
  })

  test('required, unchecked: any certificate, but never plaintext', async () => {
    await using server = await ScriptedServer.start(withTls({}, other))
    const client = await connected(server, { tls: 'required', verify: false })
    expect(client.tls).toMatch(/^TLSv1\.[23] /)
    client.destroy()
  })

  test('a next hop known by its address only', async () => {
    await using server = await ScriptedServer.start(withTls())
    const target = { host: '127.0.0.1', address: '127.0.0.1', port: server.port }
    const client = await connected(server, { target })
    expect(client.tls).toBeDefined()
    expect(server.peer.serverName).toBeFalsy()
    client.destroy()
    const checked = await SmtpClient.connect(connectOptions(server, { target, tls: 'required', ca: certificate.cert }))
    expect(checked).toMatchObject({ ok: false, cause: { kind: 'tls', detail: expect.stringMatching(/127\.0\.0\.1/) } })
  })

  test('a large message', async () => {
    await using server = await ScriptedServer.start(withTls())
    const client = await connected(server)
    const text = `${'x'.repeat(70)}\r\n`.repeat(30_000)
    expect(await client.send(mailOf(text))).toMatchObject({ ok: true, reusable: true })
    expect(server.peer.contents[0] === `${text}.\r\n`).toBe(true)
    client.destroy()
    await server.peer.gone
  })

  const lost: readonly [string, (peer: Peer) => void][] = [
    ['closed', (peer) => peer.close()],
    ['reset', (peer) => peer.socket.destroy()],
  ]
  test.each(lost)('%s at the dot', async (_name, act) => {
    await using server = await ScriptedServer.start(withTls({ dot: act }))
    const client = await connected(server)
    expect(await client.send(mailOf())).toMatchObject({ ok: false, cause: { kind: 'ambiguous' }, reusable: false })
  })
})

describe('TLS from the first byte', () => {
  test('is checked where it is required', async () => {
    await using server = await ScriptedServer.start({}, certificate)
    const target = { host: 'mx.test', address: '127.0.0.1', port: server.port, implicitTls: true }
    const client = await connected(server, { target, tls: 'required', ca: certificate.cert })
    expect(client.tls).toMatch(/^TLS/)
    expect(await client.send(mailOf())).toMatchObject({ ok: true })
    expect(server.peer.commands).toEqual([
      'EHLO relay.test',
      'MAIL FROM:<from@a.test> SIZE=22',
      'RCPT TO:<to@b.test>',
      'DATA',
    ])
    client.destroy()
    const unknown = await SmtpClient.connect(connectOptions(server, { target, tls: 'required' }))
    expect(unknown).toMatchObject({ ok: false, cause: { kind: 'tls' } })
  })

  test('a reply ahead of the report that the dot has left is not taken for a false one', async () => {
    const worker = new Worker(new URL('../support/scripted-server-thread.ts', import.meta.url))
    const [port] = (await once(worker, 'message')) as [number]
    const target = { host: 'mx.test', address: '127.0.0.1', port, implicitTls: true }
    const client = await connected({ port }, { target })
    const body = Buffer.from('a\r\n'.repeat(500))
    // A chunk that comes outside the phase of the event loop in which sockets are read: what TLS says of the write
    // that follows comes after the next reading.
    const read = () => new Promise<Buffer>((resolve) => setImmediate(resolve, body))
    for (let n = 0; n < 1000; n++) {
      expect(await client.send(mailOf({ prefix: '', body: { chunks: 1, read } }))).toMatchObject({
        ok: true,
        reusable: true,
      })
    }
    client.destroy()
    await worker.terminate()
  })

  test('a server that speaks plaintext', async () => {
    await using server = await ScriptedServer.start()
    const target = { host: 'mx.test', address: '127.0.0.1', port: server.port, implicitTls: true }
    expect(await SmtpClient.connect(connectOptions(server, { target }))).toMatchObject({
      ok: false,
      cause: { kind: 'tls' },
    })
  })
})

describe('AUTH', () => {
  const auth = { user: 'jürgen', password: 'pass word' }
  const secret = Buffer.from('\0jürgen\0pass word').toString('base64')

  test('PLAIN under TLS', async () => {
    const EHLO = (peer: Peer) =>
      peer.say(peer.secured ? '250-mx.test\r\n250 AUTH LOGIN PLAIN' : '250-mx.test\r\n250 STARTTLS')
    await using server = await ScriptedServer.start(withTls({ EHLO, AUTH: '235 2.7.0 welcome' }))
    const client = await connected(server, { auth })
    expect(server.peer.commands.at(-1)).toBe(`AUTH PLAIN ${secret}`)
    expect(await client.send(mailOf())).toMatchObject({ ok: true })
    client.destroy()
  })

  test('LOGIN to loopback', async () => {
    const prompts = ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', '235 2.7.0 welcome']
    const said: string[] = []
    const next = (peer: Peer) => {
      said.push(peer.commands[1 + said.length]!)
      return peer.say(prompts[said.length - 1]!)
    }
    await using server = await ScriptedServer.start({ EHLO: '250-mx.test\r\n250 AUTH LOGIN', AUTH: next, other: next })
    const client = await connected(server, { auth })
    expect(said).toEqual([
      'AUTH LOGIN',
      Buffer.from('jürgen').toString('base64'),
      Buffer.from('pass word').toString('base64'),
    ])
    client.destroy()
  })

  const refused: readonly [string, Script, object][] = [
    [
      'a wrong password',
      { EHLO: '250-mx.test\r\n250 AUTH PLAIN', AUTH: '535 5.7.8 no' },
      { kind: 'reply', command: 'AUTH', reply: { code: 535 } },
    ],
    [
      'a prompt instead of an answer',
      { EHLO: '250-mx.test\r\n250 AUTH PLAIN', AUTH: '334 more' },
      { kind: 'protocol', command: 'AUTH' },
    ],
    [
      'a refusal of LOGIN',
      { EHLO: '250-mx.test\r\n250 AUTH LOGIN', AUTH: '504 5.5.4 no' },
      { kind: 'reply', command: 'AUTH', reply: { code: 504 } },
    ],
    ['no mechanism we know', { EHLO: '250-mx.test\r\n250 AUTH CRAM-MD5' }, { kind: 'protocol', command: 'AUTH' }],
    ['no AUTH at all', {}, { kind: 'protocol', command: 'AUTH' }],
  ]
  test.each(refused)('%s', async (_name, script, cause) => {
    await using server = await ScriptedServer.start(script)
    expect(await SmtpClient.connect(connectOptions(server, { auth }))).toMatchObject({ ok: false, cause })
    await server.peer.gone
  })

  test('no password in plaintext beyond loopback', async () => {
    await using server = await ScriptedServer.start({ EHLO: '250-mx.test\r\n250 AUTH PLAIN' })
    // Reaches this host too, but is no address that promises to.
    const target = { host: 'mx.test', address: '0.0.0.0', port: server.port }
    const result = await SmtpClient.connect(connectOptions(server, { auth, target }))
    expect(result).toMatchObject({
      ok: false,
      cause: { kind: 'protocol', command: 'AUTH', detail: expect.stringMatching(/without TLS/) },
    })
    await server.peer.gone
    expect(server.peer.received).not.toContain('AUTH')
  })
})
