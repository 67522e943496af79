// Another chance and rollback over the API, and what one tenant gets to see of the others.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { refusal, type Served, serveFixture } from './fixture.ts'

let relay: Served
beforeEach(async () => {
  relay = await serveFixture()
})
afterEach(() => relay.close())

async function json(path: string, init: Parameters<Served['fetch']>[1] = {}) {
  const { status, body } = await relay.fetch(`/api/v1${path}`, init)
  return { status, body: body === '' ? undefined : JSON.parse(body) }
}
const post = (path: string, body: unknown) => json(path, { method: 'POST', body: JSON.stringify(body) })

async function refused(...to: string[]): Promise<void> {
  const { flights } = await relay.accept({ to })
  for (const flight of flights) await relay.settle(flight, refusal(550, '5.1.1 No such user'))
}
const JANE = '/suppressions/jane%40example.net'

test('DELETE says whether the address goes alone at first', async () => {
  await refused('jane@example.net')
  const deleted = await json(`${JANE}?reason=asked&who=ops`, { method: 'DELETE' })
  expect(deleted).toEqual({ status: 200, body: { result: 'half-open', scope: 'default' } })
  expect((await json(JANE)).body).toMatchObject({
    reactivated: { at: '2026-11-21T23:20:11.120Z', who: 'ops', why: 'asked' },
  })
  expect((await json('/suppressions?standing=half-open')).body.items).toHaveLength(1)
  expect((await json('/suppressions?standing=in-force')).body.items).toEqual([])
  expect(await json(`${JANE}?reason=asked&forget`, { method: 'DELETE' })).toEqual({
    status: 200,
    body: { result: 'removed', scope: 'default' },
  })
  expect((await json(JANE)).status).toBe(404)
})

describe('POST /suppressions/undo', () => {
  test('is a preview unless it says otherwise', async () => {
    await refused('jane@example.net')
    const filter = { category: 'bad-mailbox', reason: 'a mistake' }
    expect((await post('/suppressions/undo', filter)).body).toMatchObject({ preview: true, count: 1, first: [{}] })
    expect((await json(JANE)).status).toBe(200)
    expect((await post('/suppressions/undo', { ...filter, preview: false })).body).toMatchObject({
      preview: false,
      count: 1,
    })
    expect((await json(JANE)).status).toBe(404)
  })

  test.each([
    [{}],
    [{ reason: 'x' }],
    [{ rule: 'x' }],
    [{ reason: 'x', scope: 'default' }],
    [{ reason: 'x', rule: 'x', scope: 'nobody' }],
    [{ reason: 'x', since: 'yesterday' }],
    [{ reason: 'x', rule: 'x', preview: 'no' }],
    [{ reason: 'x', rule: 'x', yes: true }],
  ])('%j is refused', async (body) => {
    expect((await post('/suppressions/undo', body)).status).toBe(422)
  })
})

test('a tenant sees neither the mail nor the trials of another', async () => {
  await refused('jane@example.net')
  await relay.core.suppressions.add({
    scope: '*',
    target: 'jane@example.net',
    reason: 'hard_bounce',
    createdAt: relay.clock.now(),
    who: 'studs',
  })
  await relay.core.suppressions.remove({ scope: '*', target: 'jane@example.net', who: 'ops', why: 'x' })
  await relay.core.suppressions.remove({ scope: 'default', target: 'jane@example.net', who: 'ops', why: 'x' })
  const { flights } = await relay.accept({ to: ['jane@example.net'] })
  expect(await relay.core.queue.refuseBeforeAttempt(flights[0]!)).toBe(false)
  const [own] = (await json(`${JANE}/why?tenant=default`)).body.items
  expect(own.events).not.toEqual([])
  expect(own.trial).toBe(flights[0]!.message.id)
  const [others] = (await json(`${JANE}/why?tenant=shop`)).body.items
  // What people did to the entries of everybody is everybody's.
  expect(others.events.map(({ kind, tenant, message }: Record<string, string>) => [kind, tenant, message])).toEqual([
    ['suppression-added', '*', undefined],
    ['suppression-removed', '*', undefined],
  ])
  expect(others.trial).toBeUndefined()
})
