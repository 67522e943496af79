import { expect, test } from 'vitest'
import { Ongoing } from './ongoing.ts'

test('whoever ends it waits until it has ended', async () => {
  const loop = new Ongoing()
  const round = Promise.withResolvers<void>()
  const said: string[] = []
  loop.begin(async (signal) => {
    await round.promise
    said.push(signal.aborted ? 'was asked to end' : 'goes on')
  })
  const ended = loop.end().then(() => said.push('ended'))
  expect(loop.signal.aborted).toBe(true)
  await new Promise(setImmediate)
  expect(said).toEqual([])
  round.resolve()
  await ended
  expect(said).toEqual(['was asked to end', 'ended'])
})

test('what never began ends at once', async () => {
  await expect(new Ongoing().end()).resolves.toBeUndefined()
})
