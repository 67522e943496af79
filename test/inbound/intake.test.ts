// What a message on its way in costs in memory, however it is cut.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { scanHead } from '../../src/inbound/head.ts'
import { Intake, type OpenedHead } from '../../src/inbound/intake.ts'
import type { Submitted } from '../../src/queue/submission.ts'
import { systemClock } from '../../src/util/clock.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const body = { id: 'x', write: async () => {}, discard: async () => {} }
const openHead = (): never => {
  throw new Error('the header section has not ended')
}

function memory(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('a stream that ends while its last bytes are being written: they are waited for, and come once', async () => {
  const gate = Promise.withResolvers<void>()
  const written: Buffer[] = []
  const slow = {
    ...body,
    write: async (bytes: Buffer) => {
      await gate.promise
      written.push(Buffer.from(bytes))
    },
  }
  const opened = (_id: string, text: string): OpenedHead => ({
    lines: Buffer.from('A: b\r\n'),
    bodyStart: text.indexOf('\r\n\r\n') + 4,
    signing: undefined,
    signedBlock: () => '',
    complete: ({ storedBytes }) => ({ sizeBytes: storedBytes }) as Submitted,
  })
  const intake = new Intake({ body: slow, openHead: opened, maxSize: 1e8, clock: systemClock })
  const text = `${'0123456789'.repeat(40_000)}\r\n`
  expect(intake.push(Buffer.from(`A: b\r\n\r\n${text}`))).toBeInstanceOf(Promise)
  const finished = intake.finish()
  gate.resolve()
  const whole = `A: b\r\n\r\n${text}`
  expect(await finished).toMatchObject({ submitted: { sizeBytes: whole.length } })
  expect(Buffer.concat(written).toString() === whole).toBe(true)
})

test('a header section in pieces of one byte is kept as bytes, not as objects', () => {
  const intake = new Intake({ body, openHead, maxSize: 1e8, clock: systemClock })
  const before = memory()
  for (let n = 0; n < 260_000; n++) intake.push(Buffer.from('a'))
  const taken = memory() - before
  expect(intake.receivedBytes).toBe(260_000)
  // The bytes and at most 4096 buffer objects of a few hundred bytes; one for each of them would be tens of megabytes.
  expect(taken).toBeLessThan(5e6)
})

const MESSAGES: readonly (readonly [text: string, head: string, behind: string])[] = [
  ['A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore\r\n', 'A: b\r\nC: d\r\n', '\r\nbody\r\n\r\nmore\r\n'],
  ['\r\nbody without a head\r\n\r\n', '', '\r\nbody without a head\r\n\r\n'],
  ['A: b\r\n\r\n', 'A: b\r\n', '\r\n'],
  ['A: b\r\nno header line\r\n\r\nbody\r\n', 'A: b\r\n', '\r\nno header line\r\n\r\nbody\r\n'],
]

test.each(MESSAGES)('cut in three at any two places, it is the same message: %j', async (text, head, behind) => {
  for (let first = 0; first <= text.length; first++)
    for (let second = first; second <= text.length; second++) {
      const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)]
      expect(await taken(pieces), JSON.stringify(pieces)).toEqual({ head, body: behind, isOpenedInTime: true })
    }
})

/** What is given out as head and as body when the message comes in these pieces, and whether before its end. */
async function taken(pieces: readonly string[]): Promise<{ head: string; body: string; isOpenedInTime: boolean }> {
  const written: Buffer[] = []
  let head: string | undefined
  const opened = (_id: string, text: string): OpenedHead => {
    const { end, bodyStart } = scanHead(text)
    head = text.slice(0, end)
    return {
      lines: Buffer.from(head, 'latin1'),
      bodyStart,
      signing: undefined,
      signedBlock: () => '',
      complete: () => ({}) as Submitted,
    }
  }
  const kept = { ...body, write: async (bytes: Buffer) => void written.push(Buffer.from(bytes)) }
  const intake = new Intake({ body: kept, openHead: opened, maxSize: 1e8, clock: systemClock })
  for (const piece of pieces) await intake.push(Buffer.from(piece, 'latin1'))
  const isOpenedInTime = head !== undefined
  expect(await intake.finish()).toHaveProperty('submitted')
  const opening = head ?? ''
  return { head: opening, body: Buffer.concat(written).toString('latin1').slice(opening.length), isOpenedInTime }
}
