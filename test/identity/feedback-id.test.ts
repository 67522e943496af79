// The Feedback-ID that acceptance adds: for whom, and that DKIM covers it.

import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { expect, test } from 'vitest'
import { startNewsletterRelay } from '../unsubscribe/fixture.ts'

const TAG = { headers: { 'X-Studs-Tag': 'spring' } }

test('is added to signed mail of a credential that wants it, with its tag, and covered by DKIM', async () => {
  const relay = await startNewsletterRelay()
  const sent = await relay.send(TAG, 'counted')
  expect(sent.header('Feedback-ID')).toEqual(['spring:default:mail:news.test'])
  expect(sent.header('X-Studs-Tag')).toEqual([])
  const verdict = async (wire: string): Promise<string | undefined> => {
    const resolver = async (name: string): Promise<string[][]> => [[relay.zone.get(name) ?? '']]
    const { results } = await dkimVerify(Buffer.from(wire, 'latin1'), {
      resolver,
      curTime: new Date(relay.clock.now()),
    })
    return results[0]?.status.result
  }
  expect(await verdict(sent.wire)).toBe('pass')
  expect(await verdict(sent.wire.replace('spring:default', 'winter:default'))).toBe('fail')
})

test('not for others, not without a signature, not where the app has one', async () => {
  const relay = await startNewsletterRelay()
  expect((await relay.send(TAG, 'plain')).header('Feedback-ID')).toEqual([])
  expect((await relay.send({ from: 'app@unsigned.test' }, 'counted')).header('Feedback-ID')).toEqual([])
  const own = await relay.send({ headers: { 'Feedback-ID': 'mine:app01' } }, 'counted')
  expect(own.header('Feedback-ID')).toEqual(['mine:app01'])
})
