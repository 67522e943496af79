// What a message on its way in costs in memory, however it is cut.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Intake } from '../../src/inbound/intake.ts'
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

test('a header section in pieces of one byte is kept as bytes, not as objects', () => {
  const intake = new Intake({ body, openHead, maxSize: 1e8, clock: systemClock })
  const before = memory()
  for (let n = 0; n < 260_000; n++) intake.push(Buffer.from('a'))
  const taken = memory() - before
  expect(intake.receivedBytes).toBe(260_000)
  // The bytes and at most 4096 buffer objects of a few hundred bytes; one for each of them would be tens of megabytes.
  expect(taken).toBeLessThan(5e6)
})
