import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OperationError } from '../../src/http/problem.ts'
import { DELIVERED, refusal, type Served, serveFixture } from './fixture.ts'

/** Whatever came back; each test says what it must be. */
type Json = ReturnType<typeof JSON.parse>

let relay: Served
beforeEach(async () => {
  relay = await serveFixture()
})
afterEach(() => relay.close())

const json = async (
  path: string,
  init?: Parameters<Served['fetch']>[1],
): Promise<{ status: number; type: string; body: Json }> => {
  const { status, type, body } = await relay.fetch(`/api/v1${path}`, init)
  return { status, type, body: body === '' ? undefined : JSON.parse(body) }
}
const post = (path: string, body: unknown) => json(path, { method: 'POST', body: JSON.stringify(body) })

describe('messages', () => {
  test('one message, with where each recipient stands; nothing of the signature leaks out', async () => {
    const { id, flights } = await relay.accept({ to: ['jane@example.net', 'bob@example.org'], subject: 'Hej' })
    await relay.settle(flights[0], DELIVERED)
    const { status, body } = await json(`/messages/${id}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id,
      tenant: 'default',
      received_at: '2026-11-21T23:20:11.120Z',
      headers: { message_id: '<a1@app.example>', subject: 'Hej' },
      metadata: { userId: '43' },
      to: [
        { n: 0, address: 'jane@example.net', state: { kind: 'delivered', at: '2026-11-21T23:20:11.120Z' } },
        { n: 1, address: 'bob@example.org', state: { kind: 'waiting', attempts: 1 } },
      ],
    })
    expect(JSON.stringify(body)).not.toContain('secret-to-nobody')
  })

  test('its events, oldest first, the reply verbatim', async () => {
    const { id, flights } = await relay.accept({ to: ['jane@example.net'] })
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user', '5.1.1 ask postmaster'))
    const { items } = (await json(`/messages/${id}/events`)).body
    expect(items.map(({ kind }: { kind: string }) => kind)).toEqual(['accepted', 'failed', 'suppression-added'])
    expect(items[1]).toMatchObject({
      cause: {
        kind: 'reply',
        command: 'RCPT',
        reply: { code: 550, enhanced: '5.1.1', lines: ['5.1.1 No such user', '5.1.1 ask postmaster'] },
      },
      way: { mx_address: '192.0.2.5', duration_ms: 214 },
      verdict: { category: 'bad-mailbox', code: 10 },
    })
  })

  test('found by address and by Message-ID, with brackets and without', async () => {
    const first = await relay.accept({ to: ['jane@example.net'], messageId: '<one@app.example>' })
    const second = await relay.accept({ to: ['Jane@EXAMPLE.net', 'bob@example.org'], messageId: '<two@app.example>' })
    const ids = async (query: string): Promise<string[]> =>
      (await json(`/messages?${query}`)).body.items.map(({ id }: { id: string }) => id)
    expect(await ids('to=jane%40example.net')).toEqual([second.id, first.id])
    expect(await ids('to=jane%40example.net&limit=1')).toEqual([second.id])
    expect(await ids('message_id=one%40app.example')).toEqual([first.id])
    expect(await ids(`message_id=${encodeURIComponent('<two@app.example>')}`)).toEqual([second.id])
    expect(await ids('to=bob%40example.org&message_id=one%40app.example')).toEqual([])
  })

  test.each([
    ['/messages', 422],
    ['/messages?to=nobody', 422],
    ['/messages?to=a%40b.example&limit=0', 422],
    ['/messages?to=a%40b.example&colour=red', 422],
    ['/messages/0000000000000', 404],
    ['/messages/%00%1b%5B2J', 404],
    ['/messages/../../etc/passwd', 404],
    ['/messages/0000000000000/events', 404],
  ])('%s → %i as a problem document', async (path, status) => {
    const answer = await json(path)
    expect(answer).toMatchObject({ status, type: 'application/problem+json', body: { type: 'about:blank', status } })
    expect(answer.body.title).toEqual(expect.any(String))
  })
})

describe('queue', () => {
  test('is listed in pages whose cursor leads on', async () => {
    await relay.accept({ to: ['a@example.net', 'b@example.net', 'c@example.net'] })
    const first = (await json('/queue?limit=2')).body
    const rest = (await json(`/queue?limit=2&cursor=${encodeURIComponent(first.next_cursor)}`)).body
    expect([...first.items, ...rest.items].map(({ address }: { address: string }) => address)).toEqual([
      'a@example.net',
      'b@example.net',
      'c@example.net',
    ])
    expect(first.items[0]).toMatchObject({
      n: 0,
      domain: 'example.net',
      sender: 'news@shop.example',
      in_flight: true,
      state: { kind: 'waiting' },
    })
  })

  test('is filtered and counted', async () => {
    await relay.accept({ to: ['a@example.net', 'b@example.org'] })
    expect((await json('/queue?domain=EXAMPLE.org')).body.items).toHaveLength(1)
    expect((await json('/queue?older_than_ms=1000')).body.items).toHaveLength(0)
    expect((await json('/queue/summary?by=domain')).body.items).toEqual([
      { key: 'example.net', waiting: 1, due: 0, held: 0, in_flight: 1, oldest_at: '2026-11-21T23:20:11.120Z' },
      { key: 'example.org', waiting: 1, due: 0, held: 0, in_flight: 1, oldest_at: '2026-11-21T23:20:11.120Z' },
    ])
  })

  test('one recipient is held, released and dropped, with who and why in the journal', async () => {
    const { id } = await relay.accept({ to: ['a@example.net', 'b@example.net'] })
    expect((await post(`/queue/${id}.1/hold`, { who: 'ops', reason: 'complaint' })).body).toEqual({ count: 1 })
    expect((await json('/queue?state=held')).body.items).toMatchObject([
      { n: 1, state: { kind: 'held', who: 'ops', why: 'complaint' } },
    ])
    expect((await post(`/queue/${id}.1/release`, { reason: 'sorry' })).body).toEqual({ count: 1 })
    expect((await json(`/queue/${id}?mode=drop&reason=over`, { method: 'DELETE' })).body).toEqual({ count: 2 })
    const { items } = (await json(`/messages/${id}/events`)).body
    expect(items.slice(2).map(({ kind, n, who, why }: Json) => [kind, n, who, why])).toEqual([
      ['held', 1, 'ops', 'complaint'],
      ['released', 1, 'api', 'sorry'],
      ['cancelled', 0, 'api', 'over'],
      ['cancelled', 1, 'api', 'over'],
    ])
  })

  test('many are changed by a filter, or all with all: true', async () => {
    await relay.accept({ to: ['a@example.net', 'b@example.org', 'c@example.org'] })
    expect((await post('/queue/hold', { filter: { domain: 'example.org' }, reason: 'down' })).body).toEqual({
      count: 2,
    })
    expect((await post('/queue/release', { all: true, reason: 'up' })).body).toEqual({ count: 2 })
    expect((await post('/queue/drop', { all: true, reason: 'test over' })).body).toEqual({ count: 3 })
    expect((await json('/queue')).body).toEqual({ items: [] })
  })

  test.each([
    ['nothing selected', { reason: 'x' }],
    ['an empty filter', { reason: 'x', filter: {} }],
    ['a filter of nothing but undefined', { reason: 'x', filter: { domain: undefined } }],
    ['all: false', { reason: 'x', all: false }],
    ['a misspelt filter', { reason: 'x', filter: { domian: 'example.net' } }],
    ['both a filter and all', { reason: 'x', filter: { domain: 'example.net' }, all: true }],
    ['no reason', { all: true }],
    ['an empty reason', { all: true, reason: '' }],
    ['ids that are none', { ids: ['../x'], reason: 'x' }],
    ['no ids', { ids: [], reason: 'x' }],
    ['an array', []],
    ['null', null],
  ])('a bulk change with %s is refused and changes nothing', async (_, body) => {
    await relay.accept({ to: ['a@example.net'] })
    for (const action of ['retry', 'hold', 'release', 'drop', 'bounce']) {
      const answer = await post(`/queue/${action}`, body)
      expect(answer).toMatchObject({ status: 422, type: 'application/problem+json', body: { code: 'invalid' } })
    }
    expect((await json('/queue')).body.items).toMatchObject([{ state: { kind: 'waiting' } }])
  })

  test('what is wrong is named field by field', async () => {
    const { body } = await post('/queue/hold', { filter: { state: 'lost' }, reason: 7 })
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(['filter.state', 'reason'])
  })

  test.each([
    ['POST', '/queue/0000000000000/hold', 404],
    ['POST', '/queue/nonsense/hold', 422],
    ['DELETE', '/queue/0000000000000?reason=x', 404],
    ['DELETE', '/queue/0000000000000', 422],
    ['GET', '/queue?cursor=rubbish', 422],
    ['GET', '/queue?limit=1001', 422],
    ['GET', '/queue/summary?by=colour', 422],
    ['PATCH', '/queue', 404],
  ])('%s %s → %i', async (method, path, status) => {
    expect((await json(path, { method, body: method === 'GET' ? '' : '{"reason":"x"}' })).status).toBe(status)
  })
})

describe('bodies', () => {
  test('what is no JSON is a problem document that does not quote it', async () => {
    const answer = await json('/queue/hold', { method: 'POST', body: '{"jane@example.net' })
    expect(answer).toMatchObject({ status: 422, body: { detail: 'The body is not JSON.' } })
  })

  test('a body without end is refused before it fills the memory', async () => {
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        { socketPath: relay.settings.api.socket, path: '/api/v1/suppressions/check', method: 'POST', agent: false },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      sent.once('error', reject)
      const piece = Buffer.alloc(1024 * 1024, 0x20)
      const feed = (left: number): void => {
        if (left > 0 && !sent.destroyed) sent.write(piece, () => feed(left - 1))
        else sent.end()
      }
      feed(40)
    })
    expect(status).toBe(413)
  })
})

describe('suppressions', () => {
  test('put, got, listed, checked, explained and deleted', async () => {
    const put = await json('/suppressions/Jane%2Btag%40Example.NET', {
      method: 'PUT',
      body: JSON.stringify({ reason: 'manual', note: 'asked by phone', who: 'ops' }),
    })
    expect(put).toMatchObject({
      status: 200,
      body: {
        result: 'added',
        entry: {
          target: 'jane+tag@example.net',
          scope: 'default',
          note: 'asked by phone',
          created_at: '2026-11-21T23:20:11.120Z',
        },
      },
    })
    expect((await json('/suppressions/jane%2Btag%40example.net')).body).toMatchObject({
      target: 'jane+tag@example.net',
      who: 'ops',
    })
    expect((await json('/suppressions?domain=example.net')).body.items).toHaveLength(1)
    expect((await json('/suppressions?q=bob')).body.items).toHaveLength(0)
    const checked = await post('/suppressions/check', {
      addresses: ['jane+tag@example.net', 'bob@example.net', 'nonsense'],
    })
    expect(checked.body.items.map(({ result }: { result: string }) => result)).toEqual([
      'suppressed',
      'clear',
      'invalid',
    ])
    expect((await json('/suppressions/jane%2Btag%40example.net/why')).body.items[0]).toMatchObject({
      active: { reason: 'manual' },
      entries: [{}],
    })
    expect((await json('/suppressions/jane%2Btag%40example.net?reason=moved', { method: 'DELETE' })).status).toBe(200)
    expect((await json('/suppressions/jane%2Btag%40example.net')).status).toBe(404)
  })

  test('an address with a slash or a percent sign is one address', async () => {
    for (const address of ['a/b@example.net', '50%41@example.net', '"a b"@example.net']) {
      const path = `/suppressions/${encodeURIComponent(address)}`
      expect((await json(path, { method: 'PUT' })).body.entry.target).toBe(address.toLowerCase())
      expect((await json(path)).body.target).toBe(address.toLowerCase())
    }
  })

  test('an entry that is there already stays as it is', async () => {
    await json('/suppressions/jane%40example.net', { method: 'PUT', body: '{"reason":"complaint"}' })
    const again = await json('/suppressions/jane%40example.net', { method: 'PUT', body: '{"reason":"manual"}' })
    expect(again.body).toMatchObject({ result: 'already', entry: { reason: 'complaint' } })
  })

  test('who complained is taken off only by force', async () => {
    await json('/suppressions/jane%40example.net', { method: 'PUT', body: '{"reason":"complaint"}' })
    expect(await json('/suppressions/jane%40example.net?reason=x', { method: 'DELETE' })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    })
    expect((await json('/suppressions/jane%40example.net?reason=x&force', { method: 'DELETE' })).status).toBe(200)
  })

  test('why tells what was learned, from which message, in which words', async () => {
    const { id, flights } = await relay.accept({ to: ['jane@example.net'] })
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user'))
    const [body] = (await json('/suppressions/jane%40example.net/why')).body.items
    expect(body).toMatchObject({
      tenant: 'default',
      active: { reason: 'hard_bounce', evidence: { message: id, category: 'bad-mailbox', mx: 'mx1.example.net' } },
    })
    expect(body.events.map(({ kind }: { kind: string }) => kind)).toEqual(['accepted', 'failed', 'suppression-added'])
  })

  test.each([
    ['PUT', '/suppressions/nonsense', '{}', 422],
    ['PUT', '/suppressions/jane%40example.net', '{"scope":"nobody"}', 422],
    ['PUT', '/suppressions/jane%40example.net', '{"reason":"because"}', 422],
    ['PUT', '/suppressions/jane%40example.net', '{"expires_at":"tomorrow"}', 422],
    ['GET', '/suppressions/nonsense', '', 422],
    ['DELETE', '/suppressions/jane%40example.net', '', 422],
    ['DELETE', '/suppressions/jane%40example.net?reason=x', '', 404],
    ['POST', '/suppressions/check', '{"addresses":[]}', 422],
    ['POST', '/suppressions/check', JSON.stringify({ addresses: new Array(1001).fill('a@b.example') }), 422],
    ['GET', '/suppressions?since=yesterday', '', 422],
  ])('%s %s %s → %i', async (method, path, body, status) => {
    expect(await json(path, { method, body })).toMatchObject({ status, type: 'application/problem+json' })
  })
})

describe('the relay', () => {
  test('status, destinations and stats', async () => {
    const { flights } = await relay.accept({ to: ['jane@example.net'] })
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user'))
    await relay.clock.advance(1000)
    expect((await json('/status')).body).toMatchObject({
      state: 'running',
      version: '1.2.3',
      started_at: '2026-11-21T21:20:11.120Z',
      listeners: [{ name: 'submission', port: 2587 }],
      store: { health: 'ok', map_bytes: 64 * 2 ** 20 },
      queue: { waiting: 0, held: 0, in_flight: 0 },
      counts: { messages: 1, recipients: 1, suppressions: 1 },
    })
    expect((await json('/destinations')).body.items).toEqual([
      { source: 'default', site: 'mx.example.net', connections: 3, idle: 1, active: 2, queued: 7 },
    ])
    const { body } = await json('/stats')
    expect(body.totals).toMatchObject({ accepted: 1, failed: 1, delivered: 0 })
    expect(body.seconds.failed.at(-1)).toBe(1)
    expect(body.recent_failures).toMatchObject([{ kind: 'failed', recipient: 'jane@example.net' }])
  })

  test('health and readiness', async () => {
    expect(await relay.fetch('/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' })
    expect(await relay.fetch('/readyz')).toMatchObject({ status: 200, body: '{"ready":true,"problems":[]}' })
  })

  test('classify explains a pasted reply', async () => {
    const { body } = await post('/bounces/classify', { reply: '550-5.1.1 No such\n550 5.1.1 user' })
    expect(body).toMatchObject({
      cause: { reply: { code: 550, lines: ['5.1.1 No such', '5.1.1 user'] } },
      verdict: { kind: 'hard', rule: expect.any(String) },
    })
    expect((await post('/bounces/classify', { reply: '' })).status).toBe(422)
    expect((await post('/bounces/classify', { reply: '550 no', command: 'NONSENSE' })).status).toBe(422)
  })

  test('backup copies the store; a directory that is not empty is left alone', async () => {
    const directory = join(relay.directory, 'copy')
    expect((await post('/backup', { directory })).status).toBe(204)
    expect(existsSync(join(directory, 'store'))).toBe(true)
    expect(await post('/backup', { directory })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('is not empty') },
    })
    expect((await post('/backup', { directory: 'relative' })).status).toBe(422)
  })

  test('reload tells what changed', async () => {
    expect((await post('/reload', {})).body).toEqual({ changes: ['queue.retry: 5m instead of 10m'] })
  })
})

test.each([
  ['draining', { isDraining: () => true }, 'The relay is stopping: new mail is refused.'],
  ['no listener', { listeners: () => [] }, 'No listener takes mail.'],
])('not ready: %s', async (_, state, problem) => {
  const other = await serveFixture(state)
  try {
    expect(await other.fetch('/readyz')).toMatchObject({
      status: 503,
      body: JSON.stringify({ ready: false, problems: [problem] }),
    })
    expect((await other.fetch('/healthz')).status).toBe(200)
    expect(await other.client.readiness()).toEqual({ ready: false, problems: [problem] })
  } finally {
    await other.close()
  }
})

test('an error of our own: the caller learns nothing, the log everything', async () => {
  const secret = new Error('password=hunter2')
  const other = await serveFixture({
    delivery: { paths: () => Promise.reject(secret), resolve: () => Promise.reject(secret), sourceOf: () => undefined },
  })
  try {
    const answer = await other.fetch('/api/v1/destinations')
    expect(answer).toMatchObject({ status: 500, type: 'application/problem+json' })
    expect(answer.body).not.toContain('hunter2')
    expect(other.errors).toEqual([secret])
    await expect(other.client.destinations()).rejects.toBeInstanceOf(OperationError)
  } finally {
    await other.close()
  }
})
