// The client against servers that keep to the book: what goes over the wire, what comes back, when a connection is kept.

import { describe, expect, test } from 'vitest'
import { SmtpClient } from '../../src/delivery/client.ts'
import { type Clock, systemClock } from '../../src/util/clock.ts'
import { closed, connected, connectOptions, mailOf } from '../support/client-options.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { type Peer, type Script, ScriptedServer } from '../support/scripted-server.ts'

const EVERYTHING = '250-mx.test\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN'
const NOTHING = '250 mx.test'

function serverWith(script: Script = {}): Promise<ScriptedServer> {
  return ScriptedServer.start(script)
}

describe('a message', () => {
  test('is delivered with the words of the server', async () => {
    await using server = await serverWith()
    const client = await connected(server)
    const result = await client.send(mailOf('Subject: hi\r\n\r\nhello\r\n'))
    expect(result).toEqual({
      ok: true,
      reply: { code: 250, enhanced: '2.0.0', lines: ['2.0.0 taken'] },
      reusable: true,
    })
    await client.quit()
    expect(server.peer.commands).toEqual([
      'EHLO relay.test',
      'MAIL FROM:<from@a.test> SIZE=22',
      'RCPT TO:<to@b.test>',
      'DATA',
      'QUIT',
    ])
    expect(server.peer.contents).toEqual(['Subject: hi\r\n\r\nhello\r\n.\r\n'])
  })

  test('follows another on the same connection', async () => {
    await using server = await serverWith()
    const client = await connected(server)
    for (const n of [1, 2, 3]) {
      expect(client.usable).toBe(true)
      expect(await client.send(mailOf(`n: ${n}\r\n\r\n`))).toMatchObject({ ok: true, reusable: true })
    }
    await client.quit()
    expect(server.peer.contents).toEqual(['n: 1\r\n\r\n.\r\n', 'n: 2\r\n\r\n.\r\n', 'n: 3\r\n\r\n.\r\n'])
    expect(server.peer.commands).not.toContain('RSET')
  })

  test('is not taken beside another', async () => {
    await using server = await serverWith()
    const client = await connected(server)
    const first = client.send(mailOf())
    expect(client.usable).toBe(false)
    await expect(client.send(mailOf())).rejects.toThrow(/in use/)
    expect(await first).toMatchObject({ ok: true })
    client.destroy()
  })

  test('has its prefix before the body', async () => {
    await using server = await serverWith()
    const client = await connected(server)
    await client.send(mailOf({ prefix: '.Received: gr\xfcn\r\n', body: Buffer.from('Subject: hi\r\n\r\n.\r\n') }))
    expect(server.peer.contents).toEqual(['..Received: gr\xfcn\r\nSubject: hi\r\n\r\n..\r\n.\r\n'])
    client.destroy()
  })

  test('costs no timer of its own', async () => {
    let timers = 0
    const clock: Clock = {
      ...systemClock,
      after: (delayMs, callback) => {
        timers++
        return systemClock.after(delayMs, callback)
      },
    }
    await using server = await serverWith()
    const client = await connected(server, {
      clock,
      settings: { commandTimeout: 300_000, dataTimeout: 120_000, dotTimeout: 600_000 },
    })
    await client.send(mailOf())
    const before = timers
    for (let n = 0; n < 50; n++) await client.send(mailOf())
    expect(timers).toBe(before)
    client.destroy()
  })
})

describe('pipelining', () => {
  /** Answers to DATA only if MAIL and RCPT are there already, unanswered. */
  test('MAIL, RCPT and DATA leave together', async () => {
    let flight = ''
    await using server = await serverWith({
      MAIL: (peer) => {
        flight = peer.received
        return peer.say('250 ok')
      },
    })
    const client = await connected(server)
    await client.send(mailOf())
    expect(flight).toMatch(/MAIL FROM:.*\r\nRCPT TO:.*\r\nDATA\r\n$/)
    client.destroy()
  })

  test('only where it is offered', async () => {
    const seen: string[] = []
    const note = (answer: string) => (peer: Peer) => {
      seen.push(
        peer.received
          .split('\r\n')
          .slice(1, -1)
          .map((line) => line.slice(0, 4))
          .join(' '),
      )
      return peer.say(answer)
    }
    await using server = await serverWith({
      EHLO: NOTHING,
      MAIL: note('250 ok'),
      RCPT: note('250 ok'),
      dot: note('250 ok'),
    })
    const client = await connected(server)
    expect(await client.send(mailOf('a\r\n'))).toMatchObject({ ok: true })
    expect(seen).toEqual(['MAIL', 'MAIL RCPT', 'MAIL RCPT DATA a .'])
    client.destroy()
  })

  test('a refused recipient leaves the connection in use, after RSET', async () => {
    let refuse = true
    const refusing = (good: string, bad: string) => (peer: Peer) => peer.say(refuse ? bad : good)
    await using server = await serverWith({
      RCPT: refusing('250 ok', '550 5.1.1 no such user'),
      DATA: '503 5.5.1 no recipients',
      RSET: (peer) => {
        refuse = false
        return peer.say('250 reset')
      },
    })
    const client = await connected(server)
    const refused = await client.send(mailOf())
    expect(refused).toEqual({
      ok: false,
      cause: { kind: 'reply', command: 'RCPT', reply: { code: 550, enhanced: '5.1.1', lines: ['5.1.1 no such user'] } },
      reusable: true,
    })
    // The next one is not begun before RSET is answered.
    expect(await client.send(mailOf())).toMatchObject({ ok: false, cause: { command: 'DATA', reply: { code: 503 } } })
    const verbs = server.peer.commands.map((line) => line.slice(0, 4))
    expect(verbs.slice(0, 8)).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA', 'RSET', 'MAIL', 'RCPT', 'DATA'])
    client.destroy()
  })

  test('354 although the recipient was refused: a lone dot, and the connection is closed', async () => {
    await using server = await serverWith({ RCPT: '550 5.1.1 no such user', dot: '250 taken' })
    const client = await connected(server)
    const result = await client.send(mailOf('secret\r\n'))
    expect(result).toMatchObject({
      ok: false,
      cause: { kind: 'reply', command: 'RCPT', reply: { code: 550 } },
      reusable: false,
    })
    await closed(client)
    expect(server.peer.contents).toEqual(['.\r\n'])
  })

  test('354 although the sender was refused: the same', async () => {
    await using server = await serverWith({ MAIL: '550 5.7.1 no' })
    const client = await connected(server)
    expect(await client.send(mailOf())).toMatchObject({ ok: false, cause: { command: 'MAIL' }, reusable: false })
    await closed(client)
    expect(server.peer.contents).toEqual(['.\r\n'])
  })

  test('the first refusal counts', async () => {
    await using server = await serverWith({
      MAIL: '452 4.3.1 full',
      RCPT: '503 5.5.1 MAIL first',
      DATA: '503 5.5.1 RCPT first',
    })
    const client = await connected(server)
    expect(await client.send(mailOf())).toMatchObject({
      ok: false,
      cause: { command: 'MAIL', reply: { code: 452 } },
      reusable: true,
    })
    client.destroy()
  })

  test('a refusal stands although the connection is lost right after it', async () => {
    await using server = await serverWith({ MAIL: (peer) => peer.close('250 ok\r\n550 5.1.1 no such user\r\n') })
    const client = await connected(server)
    expect(await client.send(mailOf())).toMatchObject({
      ok: false,
      cause: { command: 'RCPT', reply: { code: 550 } },
      reusable: false,
    })
    await closed(client)
  })

  test('RSET refused: the connection is not used again', async () => {
    await using server = await serverWith({ RCPT: '550 no', DATA: '503 no', RSET: '500 what?' })
    const client = await connected(server)
    await client.send(mailOf())
    await closed(client)
    expect(client.usable).toBe(false)
    expect(server.peer.commands.at(-1)).toBe('QUIT')
  })
})

describe('refusals', () => {
  const cases: readonly [string, Script, string, number, boolean][] = [
    ['MAIL', { EHLO: NOTHING, MAIL: '451 4.7.1 greylisted' }, 'MAIL', 451, true],
    ['RCPT', { EHLO: NOTHING, RCPT: '550 5.1.1 no' }, 'RCPT', 550, true],
    ['DATA', { EHLO: NOTHING, DATA: '451 4.3.0 no' }, 'DATA', 451, true],
    ['421 at MAIL, one by one', { EHLO: NOTHING, MAIL: '421 4.7.0 too many' }, 'MAIL', 421, false],
    ['421 at DATA, one by one', { EHLO: NOTHING, DATA: '421 4.7.0 too many' }, 'DATA', 421, false],
    ['dot', { dot: '550-5.7.1 spam\r\n550 5.7.1 really' }, 'dot', 550, true],
    ['421 at RCPT', { RCPT: '421 4.7.0 too many' }, 'RCPT', 421, false],
    ['421 at the dot', { dot: '421 4.7.0 too many' }, 'dot', 421, false],
  ]
  test.each(cases)('%s', async (_name, script, command, code, reusable) => {
    await using server = await serverWith(script)
    const client = await connected(server)
    const result = await client.send(mailOf())
    expect(result).toMatchObject({ ok: false, cause: { kind: 'reply', command, reply: { code } }, reusable })
    expect(client.usable).toBe(reusable)
    client.destroy()
    await closed(client)
  })
})

describe('extensions', () => {
  test('are read from EHLO', async () => {
    await using server = await serverWith({
      EHLO: '250-mail.b.test hello\r\n250-size 4096\r\n250-Pipelining\r\n250-AUTH=LOGIN\r\n250-AUTH plain\r\n250 CHUNKING',
    })
    const client = await connected(server)
    expect(client.peerName).toBe('mail.b.test')
    expect(client.localAddress).toBe('127.0.0.1')
    expect(client.tls).toBeUndefined()
    expect(client.extensions).toEqual({
      size: 4096,
      takesSize: true,
      pipelining: true,
      eightBitMime: false,
      smtpUtf8: false,
      dsn: false,
      requireTls: false,
      startTls: false,
      enhancedCodes: false,
      chunking: true,
      auth: ['LOGIN', 'PLAIN'],
    })
    client.destroy()
  })

  test('HELO where EHLO is refused', async () => {
    await using server = await serverWith({ EHLO: '502 5.5.1 what?' })
    const client = await connected(server)
    expect(await client.send(mailOf())).toMatchObject({ ok: true })
    expect(server.peer.commands).toEqual([
      'EHLO relay.test',
      'HELO relay.test',
      'MAIL FROM:<from@a.test>',
      'RCPT TO:<to@b.test>',
      'DATA',
    ])
    expect(client.extensions).toMatchObject({ pipelining: false, takesSize: false })
    client.destroy()
  })

  test('parameters go to a server that offers them', async () => {
    await using server = await serverWith({ EHLO: EVERYTHING })
    const client = await connected(server)
    await client.send(
      mailOf('gr\xfcn\r\n', {
        sender: '',
        recipient: 'jürgen@b.test',
        body: '8bitmime',
        dsnMail: { ret: 'HDRS', envid: 'QQ+2B314' },
        dsnRcpt: { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;jane@b.test' },
      }),
    )
    expect(server.peer.commands[1]).toBe('MAIL FROM:<> SIZE=6 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B314')
    expect(Buffer.from(server.peer.commands[2]!, 'latin1').toString()).toBe(
      'RCPT TO:<jürgen@b.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;jane@b.test',
    )
    expect(server.peer.contents).toEqual(['gr\xfcn\r\n.\r\n'])
    client.destroy()
  })

  test('and to no other', async () => {
    await using server = await serverWith({ EHLO: NOTHING })
    const client = await connected(server)
    await client.send(
      mailOf('a\r\n', { dsnMail: { ret: 'FULL', envid: 'x' }, dsnRcpt: { notify: ['NEVER'], orcpt: 'rfc822;a@b' } }),
    )
    expect(server.peer.commands.slice(1, 3)).toEqual(['MAIL FROM:<from@a.test>', 'RCPT TO:<to@b.test>'])
    client.destroy()
  })

  const impossible: readonly [string, string, Parameters<typeof mailOf>[1], string][] = [
    ['8-bit content', NOTHING, { body: '8bitmime' }, '5.6.3'],
    ['UTF-8 headers', NOTHING, { smtpUtf8: true }, '5.6.7'],
    ['a UTF-8 recipient', NOTHING, { recipient: 'jürgen@b.test' }, '5.6.7'],
    ['a UTF-8 sender', NOTHING, { sender: 'jürgen@b.test' }, '5.6.7'],
    ['too large', '250-mx.test\r\n250 SIZE 1000', { sizeBytes: 1001 }, '5.3.4'],
    ['a line break in the recipient', EVERYTHING, { recipient: 'a@b.test>\r\nRCPT TO:<evil@c.test' }, '5.1.3'],
    ['a line break in the sender', EVERYTHING, { sender: 'a@b.test\nRSET' }, '5.1.3'],
  ]
  test.each(impossible)('%s is not begun where it cannot go', async (_name, ehlo, envelope, code) => {
    await using server = await serverWith({ EHLO: ehlo })
    const client = await connected(server)
    expect(await client.send(mailOf('a\r\n', envelope))).toMatchObject({
      ok: false,
      cause: { kind: 'local', code },
      reusable: true,
    })
    await client.quit()
    expect(server.peer.commands).toEqual(['EHLO relay.test', 'QUIT'])
  })

  test('SIZE without a limit, and exactly at the limit', async () => {
    for (const size of ['SIZE', 'SIZE 0', 'SIZE 1000']) {
      await using server = await serverWith({ EHLO: `250-mx.test\r\n250 ${size}` })
      const client = await connected(server)
      expect(await client.send(mailOf('a\r\n', { sizeBytes: 1000 }))).toMatchObject({ ok: true })
      client.destroy()
    }
  })
})

describe('an idle connection', () => {
  const rude: readonly [string, (peer: Peer) => unknown][] = [
    ['is closed by the server', (peer) => peer.close()],
    ['is closed with 421', (peer) => peer.close('421 4.4.2 idle too long\r\n')],
    ['is told 421 and left open', (peer) => peer.say('421 4.4.2 idle too long')],
    ['is told 250', (peer) => peer.say('250 ok')],
    ['is told garbage', (peer) => peer.say('hello?')],
    ['is reset', (peer) => peer.reset()],
  ]
  test.each(rude)('%s', async (_name, act) => {
    await using server = await serverWith()
    const client = await connected(server)
    await client.send(mailOf())
    expect(client.usable).toBe(true)
    act(server.peer)
    await closed(client)
    expect(client.usable).toBe(false)
    expect(await client.send(mailOf())).toMatchObject({ ok: false, cause: { command: 'MAIL' }, reusable: false })
    expect(server.peer.contents).toHaveLength(1)
    await client.quit()
  })

  test('has no deadline but what its keeper sets', async () => {
    const clock = new FakeClock()
    await using server = await serverWith()
    const client = await connected(server, { clock })
    await client.send(mailOf())
    await clock.advance(24 * 3_600_000)
    expect(client.usable).toBe(true)
    expect(await client.send(mailOf())).toMatchObject({ ok: true, reusable: true })
    client.destroy()
  })

  test('is told half a reply: the rest of it is not taken for an answer', async () => {
    await using server = await serverWith()
    const client = await connected(server)
    await client.send(mailOf())
    await server.peer.write('250 sm')
    await server.peer.write('uggled\r\n')
    await closed(client)
    expect(client.usable).toBe(false)
  })
})

describe('giving up', () => {
  test('connecting, by a signal', async () => {
    const controller = new AbortController()
    await using server = await serverWith({ banner: () => controller.abort() })
    const result = await SmtpClient.connect(connectOptions(server, { signal: controller.signal }))
    expect(result).toMatchObject({ ok: false, cause: { kind: 'timeout', detail: 'connecting was given up' } })
    await server.peer.gone
  })

  test('connecting, by a signal that was given before', async () => {
    await using server = await serverWith()
    const result = await SmtpClient.connect(connectOptions(server, { signal: AbortSignal.abort() }))
    expect(result).toMatchObject({ ok: false, cause: { kind: 'timeout' } })
  })

  test('the signal has no hold on a connection that is there', async () => {
    const controller = new AbortController()
    await using server = await serverWith()
    const client = await connected(server, { signal: controller.signal })
    controller.abort()
    expect(await client.send(mailOf())).toMatchObject({ ok: true })
    client.destroy()
  })

  test('a message, by its ceiling; what was refused before stays refused', async () => {
    await using server = await serverWith({ RCPT: '550 5.1.1 no', DATA: () => {} })
    const client = await connected(server)
    const result = await client.send({ ...mailOf(), until: systemClock.monotonic() + 100 })
    expect(result).toMatchObject({ ok: false, cause: { kind: 'reply', command: 'RCPT' }, reusable: false })
    await closed(client)
  })

  test('the ceiling of one message is none for what comes after it', async () => {
    const clock = new FakeClock()
    await using server = await serverWith({ RCPT: '550 5.1.1 no', DATA: '503 no' })
    const client = await connected(server, { clock })
    await client.send({ ...mailOf(), until: clock.monotonic() + 100 })
    await clock.advance(150)
    expect(await client.send(mailOf())).toMatchObject({
      ok: false,
      cause: { kind: 'reply', command: 'RCPT' },
      reusable: true,
    })
    client.destroy()
    await closed(client)
    expect(clock.pending).toBe(0)
  })

  test('the ceiling of a delivered message is none for the parting', async () => {
    const clock = new FakeClock()
    const order: string[] = []
    await using server = await serverWith({
      QUIT: async (peer) => {
        peer.holdOn()
        await clock.advance(1000)
        order.push('server')
        peer.close('221 bye\r\n')
      },
    })
    const client = await connected(server, { clock })
    await client.send({ ...mailOf(), until: clock.monotonic() + 100 })
    await clock.advance(200)
    await client.quit()
    order.push('client')
    expect(order).toEqual(['server', 'client'])
  })

  test('a server that sends a byte now and then', async () => {
    const clock = new FakeClock()
    const drip = async (peer: Peer): Promise<void> => {
      // Four minutes and fifty seconds, ten times: each byte comes well within the five minutes that RCPT may take.
      for (let n = 0; n < 10; n++) {
        await peer.write('250-'[n % 4]!)
        await clock.advance(290_000)
      }
    }
    await using server = await serverWith({ RCPT: drip, DATA: () => {} })
    const client = await connected(server, { clock, settings: { commandTimeout: 300_000 } })
    const result = await client.send(mailOf())
    expect(result).toMatchObject({
      ok: false,
      cause: { kind: 'timeout', command: 'RCPT', detail: 'no answer within 300 s' },
    })
  })

  test('a message at its dot, by its ceiling', async () => {
    await using server = await serverWith({ dot: () => {} })
    const client = await connected(server)
    const result = await client.send({ ...mailOf(), until: systemClock.monotonic() + 100 })
    expect(result).toMatchObject({
      ok: false,
      cause: { kind: 'ambiguous', detail: 'the time for the attempt is over' },
      reusable: false,
    })
  })

  test('a message at its dot, by cutting the connection', async () => {
    let client: SmtpClient | undefined
    await using server = await serverWith({ dot: () => client?.destroy() })
    client = await connected(server)
    expect(await client.send(mailOf())).toMatchObject({ ok: false, cause: { kind: 'ambiguous' }, reusable: false })
  })

  test('a message before its dot, by cutting the connection', async () => {
    let client: SmtpClient | undefined
    await using server = await serverWith({ EHLO: NOTHING, DATA: () => client?.destroy() })
    client = await connected(server)
    expect(await client.send(mailOf())).toMatchObject({
      ok: false,
      cause: { kind: 'connect', command: 'DATA' },
      reusable: false,
    })
  })

  test('waiting for a server that does not close after QUIT', async () => {
    const clock = new FakeClock()
    await using server = await serverWith({
      QUIT: (peer) => {
        peer.holdOn()
        return clock.advance(5000)
      },
    })
    const client = await connected(server, { clock })
    await client.quit()
    await client.quit()
    client.destroy()
    expect(client.usable).toBe(false)
    expect(clock.pending).toBe(0)
  })
})

describe('no connection', () => {
  test('refused', async () => {
    const server = await serverWith()
    const { port } = server
    await server[Symbol.asyncDispose]()
    expect(await SmtpClient.connect(connectOptions({ port }))).toEqual({
      ok: false,
      cause: { kind: 'connect', detail: expect.stringMatching(/ECONNREFUSED/) },
    })
  })

  test('from an address that is not ours', async () => {
    await using server = await serverWith()
    const result = await SmtpClient.connect(connectOptions(server, { localAddress: '192.0.2.1' }))
    expect(result).toMatchObject({
      ok: false,
      cause: { kind: 'connect', detail: expect.stringMatching(/192\.0\.2\.1/), ours: true },
    })
  })

  test('from an address of ours', async () => {
    await using server = await serverWith()
    const client = await connected(server, { localAddress: '127.0.0.9' })
    expect(client.localAddress).toBe('127.0.0.9')
    expect(server.peer.socket.remoteAddress).toBe('127.0.0.9')
    client.destroy()
  })

  test('in time', async () => {
    const clock = new FakeClock()
    await using server = await serverWith()
    const connecting = SmtpClient.connect(connectOptions(server, { clock, settings: { connectTimeout: 30_000 } }))
    // The time is over before the event loop could see the connection.
    const advanced = clock.advance(30_000)
    expect(await connecting).toMatchObject({ ok: false, cause: { kind: 'timeout', detail: 'no answer within 30 s' } })
    await advanced
  })
})
