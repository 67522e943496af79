// Content on the wire: large bodies in pieces, and nothing in it that a server could take for the end of the message.

import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/util/clock.ts'
import { closed, connected, mailOf } from '../support/client-options.ts'
import { ScriptedServer } from '../support/scripted-server.ts'

const LINE = `${'0123456789'.repeat(7)}\r\n`
const MEGABYTE = LINE.repeat(14_600)

describe('large bodies', () => {
  test('in one buffer', async () => {
    await using server = await ScriptedServer.start()
    const client = await connected(server)
    expect(await client.send(mailOf({ prefix: 'A: b\r\n', body: Buffer.from(MEGABYTE) }))).toMatchObject({
      ok: true,
      reusable: true,
    })
    expect(server.peer.contents[0] === `A: b\r\n${MEGABYTE}.\r\n`).toBe(true)
    client.destroy()
  })

  test('in chunks, asked for in order and cut anywhere', async () => {
    await using server = await ScriptedServer.start()
    const client = await connected(server)
    const text = `.\r\n${MEGABYTE}.\r\n..\r\nend`
    const asked: number[] = []
    const size = 100_001
    const read = async (index: number) => {
      asked.push(index)
      return Buffer.from(text.slice(index * size, (index + 1) * size))
    }
    const chunks = Math.ceil(text.length / size)
    expect(await client.send(mailOf({ prefix: '', body: { chunks, read } }))).toMatchObject({
      ok: true,
      reusable: true,
    })
    expect(asked).toEqual([...Array(chunks).keys()])
    expect(server.peer.contents[0] === `..\r\n${MEGABYTE}..\r\n...\r\nend\r\n.\r\n`).toBe(true)
    client.destroy()
  })

  test('are not read ahead of a server that does not read', async () => {
    let asked = 0
    const chunk = Buffer.from(LINE.repeat(3000))
    await using server = await ScriptedServer.start({ content: (peer) => peer.stopReading() })
    const client = await connected(server, { settings: { blockTimeout: 300 } })
    const read = async () => {
      asked++
      return chunk
    }
    const result = await client.send(mailOf({ prefix: '', body: { chunks: 1000, read } }))
    expect(result).toMatchObject({ ok: false, cause: { kind: 'timeout', command: 'DATA' } })
    // The kernel's buffers on both sides take some megabytes; the 200 MB of this message would not fit.
    expect(asked).toBeLessThan(100)
  })

  test('a chunk that is gone: no dot, no connection', async () => {
    await using server = await ScriptedServer.start()
    const client = await connected(server)
    const read = async (index: number) => (index === 3 ? undefined : Buffer.from(LINE.repeat(3000)))
    const result = await client.send(mailOf({ prefix: '', body: { chunks: 5, read } }))
    expect(result).toMatchObject({ ok: false, cause: { kind: 'local', code: '4.3.0' }, reusable: false })
    await closed(client)
    await server.peer.gone
    expect(server.peer.contents).toEqual([])
  })

  test('a chunk that cannot be read: the error goes to the caller, no dot, no connection', async () => {
    await using server = await ScriptedServer.start()
    const client = await connected(server)
    const read = () => Promise.reject(new Error('disk on fire'))
    await expect(client.send(mailOf({ prefix: 'A: b\r\n', body: { chunks: 1, read } }))).rejects.toThrow('disk on fire')
    await server.peer.gone
    expect(client.usable).toBe(false)
    expect(server.peer.contents).toEqual([])
  })
})

describe('a final dot that is still in this process', () => {
  const PIECE = Buffer.alloc(256 * 1024, LINE)

  /** Sends `chunks` pieces to a server that reads none of them; it says `words` when the last piece is on its way. */
  async function stall(chunks: number, words?: string) {
    await using server = await ScriptedServer.start({ content: (peer) => peer.stopReading() })
    const client = await connected(server, { settings: { blockTimeout: 150, dotTimeout: 150 } })
    const read = async (index: number) => {
      if (index === chunks - 1 && words !== undefined) void systemClock.sleep(20).then(() => server.peer.say(words))
      return PIECE
    }
    const result = await client.send(mailOf({ prefix: '', body: { chunks, read } }))
    client.destroy()
    return result
  }

  /** The fewest pieces that the buffers of the system do not take: only the last of them is kept back. */
  async function fewestThatStall(): Promise<number> {
    let [fits, stalls] = [1, 128]
    while (stalls - fits > 1) {
      const middle = Math.floor((fits + stalls) / 2)
      const result = await stall(middle)
      if (!result.ok && result.cause.kind === 'ambiguous') fits = middle
      else stalls = middle
    }
    return stalls
  }

  test('nothing said of it can be an answer, and nothing lost with it is in doubt', async () => {
    const chunks = await fewestThatStall()
    expect(await stall(chunks)).toMatchObject({ ok: false, cause: { kind: 'timeout', command: 'DATA' } })
    expect(await stall(chunks, '250 taken')).toMatchObject({ ok: false, cause: { kind: 'protocol', command: 'DATA' } })
    expect(await stall(chunks, '552 5.3.4 enough')).toMatchObject({
      ok: false,
      cause: { kind: 'reply', command: 'dot' },
      reusable: false,
    })
  })
})

describe('smuggling out', () => {
  const before = ['\r\n', '\n', '\r', '\n\r', '\r\r\n', '\n\n', '\r\r', '\r\n\0', '\x0b', '\x0c', '\x85', '']
  const after = ['\r\n', '\n', '\r', '\n\r', '\r\r\n', '\0\r\n', ' \r\n', '.\r\n', '\n\n']
  const shapes = before.flatMap((first) =>
    after.map(
      (last) => `Subject: a\r\n\r\none${first}.${last}MAIL FROM:<evil@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n`,
    ),
  )

  function expectOneMessage(wire: string, messages: number): void {
    expect(wire).not.toMatch(/[^\r]\n|\r[^\n]/)
    const ends = wire.split(/\r\n|\r|\n/).filter((line) => line === '.')
    expect(ends).toHaveLength(messages)
  }

  test(`${shapes.length} shapes of a false end, whole`, async () => {
    await using server = await ScriptedServer.start()
    const client = await connected(server)
    for (const shape of shapes) expect(await client.send(mailOf(shape))).toMatchObject({ ok: true, reusable: true })
    expect(server.peer.contents).toHaveLength(shapes.length)
    expectOneMessage(server.peer.received, shapes.length)
    client.destroy()
  })

  test('the same, cut into chunks at every place of the false end', async () => {
    await using server = await ScriptedServer.start()
    const client = await connected(server)
    let messages = 0
    for (const shape of shapes) {
      const start = shape.indexOf('one') + 3
      for (let cut = start; cut < start + 7; cut++) {
        const pieces = [shape.slice(0, cut), shape.slice(cut, cut + 1), shape.slice(cut + 1)]
        const read = async (index: number) => Buffer.from(pieces[index]!, 'latin1')
        expect(await client.send(mailOf({ prefix: '', body: { chunks: 3, read } }))).toMatchObject({ ok: true })
        messages++
      }
    }
    expect(server.peer.contents).toHaveLength(messages)
    expectOneMessage(server.peer.received, messages)
    client.destroy()
  })
})
