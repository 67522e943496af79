// What listener-session.ts and listener-server.ts rely on in smtp-server beyond its documented options. Each line here
// fails when an upgrade renames or moves it; the behaviour itself is covered by the dialogs.

import { once } from 'node:events'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'
import { describe, expect, test } from 'vitest'
import { MessageData } from '../../src/inbound/message-data.ts'
import { Parser } from '../../src/inbound/parser.ts'

const OVERRIDDEN = [
  'init',
  'connectionReady',
  'send',
  'close',
  '_armTimeout',
  '_onTimeout',
  '_onCommand',
  '_onCloseEvent',
  '_resetSession',
  '_setListeners',
  '_createParser',
  '_whenWritable',
  'upgrade',
  'handler_EHLO',
  'handler_HELO',
  'handler_AUTH',
  'handler_MAIL',
  'handler_RCPT',
  'handler_DATA',
  'handler_QUIT',
] as const

test.each(OVERRIDDEN)('SMTPConnection has %s', (name) => {
  expect(SMTPConnection.prototype[name]).toBeTypeOf('function')
})

test.each([
  'connect',
  'onAuth',
  'onData',
  'onConnect',
  'onSecure',
  '_acceptSocket',
  '_handleProxy',
  '_upgrade',
  'updateSecureContext',
] as const)('SMTPServer has %s', (name) => {
  expect(SMTPServer.prototype[name]).toBeTypeOf('function')
})

describe('what stands for the content of a message', () => {
  test.each([
    ['the parser', SMTPStream],
    ['the session', SMTPConnection],
  ])('has all that %s asks of it', (_, { prototype }) => {
    const source = Object.values(Object.getOwnPropertyDescriptors(prototype))
      .map(({ value }) => (typeof value === 'function' ? value.toString() : ''))
      .join('\n')
    const asked = new Set([...source.matchAll(/dataStream\??\.(\w+)/gi)].map(([, name = '']) => name))
    const data = new MessageData()
    expect(asked.size).toBeGreaterThan(5)
    expect([...asked].filter((name) => !(name in data))).toEqual([])
  })

  test('begins DATA as the original does', () => {
    const [original, ours] = [new SMTPStream(), new Parser()]
    for (const parser of [original, ours]) parser.startDataMode()
    const stateOf = (parser: SMTPStream) =>
      Object.fromEntries(Object.entries(parser).filter(([, value]) => typeof value !== 'object'))
    expect(stateOf(ours)).toEqual(stateOf(original))
    expect(ours._dataStream).toMatchObject({ byteLength: 0, sizeExceeded: false })
  })
})

/** A server whose sessions note which methods run. */
class NotingServer extends SMTPServer {
  readonly notes: string[] = []

  override onConnect(_session: unknown, callback: () => void): void {
    callback()
  }

  override _acceptSocket(...args: Parameters<SMTPServer['_acceptSocket']>) {
    this.notes.push('_acceptSocket')
    return super._acceptSocket(...args)
  }

  override connect(...[socket, options]: Parameters<SMTPServer['connect']>): void {
    this.notes.push('connect')
    const { notes } = this
    class NotingConnection extends SMTPConnection {
      override init(): void {
        notes.push('init')
        this._setListeners(() => this.connectionReady())
      }
      override _armTimeout(...args: Parameters<SMTPConnection['_armTimeout']>): void {
        notes.push('_armTimeout')
        super._armTimeout(...args)
      }
      override _resetSession(): void {
        notes.push('_resetSession')
        super._resetSession()
      }
      override _onCloseEvent(hadError?: boolean): void {
        notes.push('_onCloseEvent')
        super._onCloseEvent(hadError)
      }
      override close(): void {
        notes.push('close')
        super.close()
      }
      override handler_MAIL(_command: Buffer, callback: () => void): void {
        this.session.envelope.mailFrom = { address: '', args: false }
        this.send(250, '2.1.0 as it is', false)
        callback()
      }
      override handler_RCPT(_command: Buffer, callback: () => void): void {
        this.session.envelope.rcptTo.push({ address: 'b@y.test', args: false })
        this.send(250, '2.1.5 as it is', false)
        callback()
      }
    }
    const connection = new NotingConnection(this, socket, options)
    this.connections.add(connection)
    connection.on('error', () => {})
    connection.init()
  }
}

describe('one session', () => {
  test('the overridden methods are called, in this order, with these effects', async () => {
    const server = new NotingServer({
      logger: false,
      authOptional: true,
      disableReverseLookup: true,
      hideENHANCEDSTATUSCODES: false,
    })
    server.onData = (stream, _session, callback) => {
      expect(stream).toBeInstanceOf(PassThrough)
      stream.on('data', () => {})
      stream.on('end', () => callback(null, '2.0.0 kept'))
    }
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    const { port } = server.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.write('EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b>\r\nDATA\r\n')
    while (!text.includes('354 ')) await once(socket, 'data')
    socket.write('hello\r\n.\r\nNOOP\r\nQUIT\r\nNOOP\r\n')
    await once(socket, 'close')
    const replies = text.split('\r\n').filter((line) => /^\d{3} /.test(line))
    expect(replies.map((line) => line.slice(0, 9))).toEqual([
      expect.stringMatching(/^220 /),
      expect.stringMatching(/^250 /),
      '250 2.1.0',
      '250 2.1.5',
      expect.stringMatching(/^354 /),
      expect.stringMatching(/^250 2/),
      '250 2.0.0',
      '221 2.0.0',
    ])
    await new Promise((resolve) => server.server.close(resolve))
    const { notes } = server
    while (!notes.includes('_onCloseEvent')) await new Promise(setImmediate)
    expect(notes.slice(0, 3)).toEqual(['_acceptSocket', 'connect', 'init'])
    expect(notes).toContain('_armTimeout')
    // When the session is ready, after EHLO, after DATA.
    expect(notes.filter((note) => note === '_resetSession')).toHaveLength(3)
    expect(notes.slice(-2)).toEqual(['close', '_onCloseEvent'])
  })
})
