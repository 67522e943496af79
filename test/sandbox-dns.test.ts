// The pretend name server over real sockets: node's resolver, dig, raw packets good and bad, UDP and TCP.

import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NameServer, startNameServer } from '../src/sandbox/dns.ts'

let server: NameServer
const resolver = new Resolver({ timeout: 250, tries: 1 })

beforeAll(async () => {
  server = await startNameServer({
    address: '127.0.0.1',
    port: 0,
    zone: { address: '127.0.0.1', hosts: new Map([['loop', '127.0.0.7']]) },
  })
  resolver.setServers([`127.0.0.1:${server.port}`])
})
afterAll(() => server.stop())

describe("node's resolver", () => {
  test('MX and A', async () => {
    expect(await resolver.resolveMx('gmail.test')).toMatchObject([
      { priority: 10, exchange: 'mx1.google.sandbox.test' },
      { priority: 20, exchange: 'mx2.google.sandbox.test' },
    ])
    expect(await resolver.resolve4('mx1.google.sandbox.test')).toEqual(['127.0.0.1'])
    expect(await resolver.resolve4('mx.loop.test')).toEqual(['127.0.0.7'])
  })

  test('null MX', async () => {
    expect(await resolver.resolveMx('nullmx.test')).toMatchObject([{ priority: 0, exchange: '' }])
  })

  test.each([
    ['nxdomain.test', 'ENOTFOUND'],
    ['nomx.test', 'ENODATA'],
    ['servfail.test', 'ESERVFAIL'],
    ['timeout.test', 'ETIMEOUT'],
  ])('MX of %s: %s', async (domain, code) => {
    await expect(resolver.resolveMx(domain)).rejects.toMatchObject({ code })
  })

  test('no AAAA', async () => {
    await expect(resolver.resolve6('mx.example.test')).rejects.toMatchObject({ code: 'ENODATA' })
  })
})

describe('dig', () => {
  const dig = async (...options: string[]): Promise<string> =>
    (await promisify(execFile)('dig', ['@127.0.0.1', '-p', String(server.port), '+tries=1', '+timeout=1', ...options]))
      .stdout

  test.each([['+notcp'], ['+tcp']])('%s: an answer with the name as it was asked', async (protocol) => {
    const text = await dig(protocol, 'MX', 'ExAmple.test')
    expect(text).toMatch(/status: NOERROR/)
    expect(text).toMatch(/flags: qr aa rd ra;/)
    expect(text).toMatch(/^ExAmple\.test\.\s+60\s+IN\s+MX\s+10 mx\.example\.test\.$/m)
  })

  test('an absence carries an SOA', async () => {
    const text = await dig('MX', 'nxdomain.test')
    expect(text).toMatch(/status: NXDOMAIN/)
    expect(text).toMatch(/AUTHORITY SECTION:\ntest\.\s+60\s+IN\s+SOA/)
  })

  test('other kinds of request are not implemented', async () => {
    expect(await dig('+opcode=notify', 'example.test')).toMatch(/status: NOTIMP/)
  })
})

describe('raw packets', () => {
  const query = (name: string, id: number): Packet => ({ type: 'query', id, questions: [{ type: 'A', name }] })

  test('two questions in one TCP segment, the second cut in the middle', async () => {
    const socket = connect(server.port, '127.0.0.1')
    const both = Buffer.concat([streamEncode(query('a.test', 1)), streamEncode(query('b.test', 2))])
    socket.write(both.subarray(0, both.length - 5))
    const [first] = (await once(socket, 'data')) as [Buffer]
    expect(streamDecode(first)).toMatchObject({ id: 1, answers: [{ name: 'a.test', data: '127.0.0.1' }] })
    socket.write(both.subarray(both.length - 5))
    const [second] = (await once(socket, 'data')) as [Buffer]
    expect(streamDecode(second)).toMatchObject({ id: 2, answers: [{ name: 'b.test' }] })
    socket.destroy()
  })

  test('rubbish over TCP ends the connection', async () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.write(Buffer.from('\x00\x0cGET / HTTP/1'))
    await once(socket, 'close')
    expect(socket.bytesRead).toBe(0)
  })

  test('rubbish over UDP is not answered, the next question is', async () => {
    const socket = createSocket('udp4')
    for (const rubbish of [
      '',
      'x',
      '\xff'.repeat(512),
      '\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01',
    ]) {
      socket.send(Buffer.from(rubbish, 'latin1'), server.port, '127.0.0.1')
    }
    // A response must not be answered either: two servers would talk for ever.
    socket.send(
      encode({ type: 'response', id: 9, questions: [{ type: 'A', name: 'a.test' }] }),
      server.port,
      '127.0.0.1',
    )
    socket.send(encode(query('a.test', 3)), server.port, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    expect(decode(answer)).toMatchObject({ id: 3, rcode: 'NOERROR' })
    socket.close()
  })

  test('a packet without a question is a format error', async () => {
    const socket = createSocket('udp4')
    socket.send(encode({ type: 'query', id: 4, questions: [] }), server.port, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    expect(decode(answer)).toMatchObject({ id: 4, rcode: 'FORMERR' })
    socket.close()
  })
})
