import { describe, expect, test } from 'vitest'
import { MessageData } from './message-data.ts'

/** Notes what it is given; `busy` holds it up after each chunk. */
function taker(busy?: () => Promise<void> | undefined) {
  const notes: string[] = []
  return {
    notes,
    push(chunk: Buffer) {
      notes.push(chunk.toString())
      return busy?.()
    },
    end: () => void notes.push('end'),
    gone: () => void notes.push('gone'),
  }
}

const bytes = (text: string): Buffer => Buffer.from(text)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('to somebody who is ready', () => {
  test('everything is handed on in the call that brings it', () => {
    const data = new MessageData()
    const to = taker()
    data.handTo(to)
    expect(data.write(bytes('a'))).toBe(true)
    expect(to.notes).toEqual(['a'])
    data.end(bytes('b'))
    expect(to.notes).toEqual(['a', 'b', 'end'])
    expect(data).toMatchObject({ writable: false, writableEnded: true, readable: false, readableEnded: true })
  })

  test('what came before is kept, the end too', async () => {
    const data = new MessageData()
    expect(data.readableFlowing).toBeNull()
    expect(data.write(bytes('a'))).toBe(false)
    data.end(bytes('b'))
    expect(data).toMatchObject({ readable: true, readableEnded: false })
    const to = taker()
    data.handTo(to)
    expect(data.readableFlowing).toBe(true)
    expect(to.notes).toEqual(['a', 'b', 'end'])
  })
})

describe('to somebody who is busy', () => {
  test('the writer waits for drain, and nothing overtakes', async () => {
    const data = new MessageData()
    const gates: (() => void)[] = []
    const to = taker(() => new Promise((resolve) => gates.push(resolve)))
    data.handTo(to)
    let drained = 0
    data.on('drain', () => drained++)
    expect(data.write(bytes('a'))).toBe(false)
    // As the parser does behind a dot that was stuffed.
    expect(data.write(bytes('b'))).toBe(false)
    data.end(bytes('c'))
    expect(to.notes).toEqual(['a'])
    for (const expected of [
      ['a', 'b'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c', 'end'],
    ]) {
      gates.shift()?.()
      await turn()
      expect(to.notes).toEqual(expected)
    }
    // There is nobody left to write more.
    expect(drained).toBe(0)
    expect(data.readableEnded).toBe(true)
  })

  test('drain comes once it is ready again', async () => {
    const data = new MessageData()
    const gates: (() => void)[] = []
    data.handTo(taker(() => new Promise((resolve) => gates.push(resolve))))
    let drained = 0
    data.on('drain', () => drained++)
    data.write(bytes('a'))
    await turn()
    expect(drained).toBe(0)
    gates.shift()?.()
    await turn()
    expect(drained).toBe(1)
  })
})

test('`end` is told to who asked before, and not within the call', async () => {
  const data = new MessageData()
  data.handTo(taker())
  let ended = 0
  data.once('end', () => ended++)
  data.end()
  expect(ended).toBe(0)
  await turn()
  expect(ended).toBe(1)
})

test('what nobody wants ends all the same', async () => {
  const data = new MessageData()
  let ended = 0
  data.on('end', () => ended++)
  data.resume()
  expect(data.write(bytes('a'))).toBe(true)
  data.end()
  await turn()
  expect(ended).toBe(1)
})

describe('a client that goes away', () => {
  test('in the middle: gone, once, and whoever waits for drain is told', async () => {
    const data = new MessageData()
    const to = taker(() => new Promise(() => undefined))
    data.handTo(to)
    let closed = 0
    data.once('close', () => closed++)
    data.write(bytes('a'))
    data.write(bytes('b'))
    data.destroy()
    data.destroy()
    await turn()
    expect(to.notes).toEqual(['a', 'gone'])
    expect(closed).toBe(1)
    expect(data).toMatchObject({ destroyed: true, writable: false, readable: false })
    // Bytes that were still on their way.
    expect(data.write(bytes('c'))).toBe(true)
    expect(to.notes).toEqual(['a', 'gone'])
  })

  test('before anybody took it', () => {
    const data = new MessageData()
    data.destroy()
    const to = taker()
    data.handTo(to)
    expect(to.notes).toEqual(['gone'])
  })

  test('after the end it is no matter', () => {
    const data = new MessageData()
    const to = taker()
    data.handTo(to)
    data.end(bytes('a'))
    data.destroy()
    expect(to.notes).toEqual(['a', 'end'])
  })
})
