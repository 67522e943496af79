// /bounces over the API's own socket: reading reports, judging them, giving mails.

import { once } from 'node:events'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReportEntry } from '../../src/reports/report-entry.ts'
import { idMaker } from '../../src/util/id.ts'
import { about, reportEntry } from '../support/report-entry.ts'
import { type Served, START, serveFixture } from './fixture.ts'

type Json = ReturnType<typeof JSON.parse>

let relay: Served
let makeId: () => string
beforeEach(async () => {
  relay = await serveFixture()
  makeId = idMaker(relay.clock, 5)
})
afterEach(() => relay.close())

const json = async (
  path: string,
  init?: Parameters<Served['fetch']>[1],
): Promise<{ status: number; type: string; body: Json }> => {
  const { status, type, body } = await relay.fetch(`/api/v1${path}`, init)
  return { status, type, body: body === '' ? undefined : JSON.parse(body) }
}
const keep = async (given: Partial<ReportEntry> = {}, raw?: Buffer): Promise<ReportEntry> => {
  const entry = reportEntry({ id: makeId(), at: START, ...given })
  await relay.store.write(relay.book.compose(entry, raw))
  return entry
}

describe('GET /bounces', () => {
  test('in pages whose cursor leads on, newest first', async () => {
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.unshift((await keep()).id)
    const first = (await json('/bounces?limit=3')).body
    expect(first.next_cursor).toBe(ids[2])
    const rest = (await json(`/bounces?limit=3&cursor=${first.next_cursor}`)).body
    expect([...first.items, ...rest.items].map(({ id }: Json) => id)).toEqual(ids)
    expect(rest.next_cursor).toBeUndefined()
  })

  test('filters are combined; ?review alone means it', async () => {
    const open = await keep({ outcome: 'review', review: { why: 'weak' }, about: about() })
    const acted = await keep({ outcome: 'bounced', review: { why: 'odd' }, about: about({ tenant: 'shop' }) })
    const ids = async (query: string): Promise<string[]> =>
      (await json(`/bounces?${query}`)).body.items.map(({ id }: Json) => id)
    expect(await ids('review')).toEqual([acted.id, open.id])
    expect(await ids('review=true&tenant=shop')).toEqual([acted.id])
    expect(await ids('review&outcome=review')).toEqual([open.id])
    expect(await ids('message=0000000000001&address=jane%40example.net')).toEqual([acted.id, open.id])
    expect(await ids('address=bob%40example.net')).toEqual([])
  })

  test.each([
    'cursor=garbage',
    'cursor=zzzzzzzzzzzzz',
    'cursor=%00',
    'limit=0',
    'limit=1001',
    'outcome=lost',
    'message=nonsense',
    'tenant=%1b%5B2J',
    'adress=jane%40example.net',
  ])('?%s is refused with a problem document', async (query) => {
    expect(await json(`/bounces?${query}`)).toMatchObject({
      status: 422,
      type: 'application/problem+json',
      body: { code: 'invalid' },
    })
  })
})

describe('GET /bounces/{id}', () => {
  test('the report and its mail, byte by byte and only to be saved', async () => {
    const raw = Buffer.from('<script>\r\n\xff\0', 'latin1')
    const { id } = await keep({ about: about() }, raw)
    expect((await json(`/bounces/${id}`)).body).toMatchObject({
      id,
      at: '2026-11-21T23:20:11.120Z',
      size_bytes: 1200,
      report: { recipients: [{ remote_mta: 'mx.example.net' }] },
      about: { evidence: 'return-path' },
    })
    const mail = await relay.client.reportMail(id)
    expect(Buffer.from(mail!).equals(raw)).toBe(true)
    const { headers } = await head(`/api/v1/bounces/${id}/raw`)
    expect(headers).toMatchObject({
      'content-type': 'message/rfc822',
      'content-disposition': `attachment; filename="${id}.eml"`,
      'x-content-type-options': 'nosniff',
    })
  })

  test.each(['0000000000000', 'nonsense', '%00%1b%5B2J', 'zzzzzzzzzzzzz'])('%s is not found', async (id) => {
    for (const [method, path] of [
      ['GET', `/bounces/${id}`],
      ['GET', `/bounces/${id}/raw`],
      ['POST', `/bounces/${id}/accept`],
      ['POST', `/bounces/${id}/dismiss`],
    ] as const)
      expect(await json(path, { method })).toMatchObject({ status: 404, type: 'application/problem+json' })
    expect(relay.errors).toEqual([])
  })

  test('over the client: undefined', async () => {
    expect(await relay.client.report('nonsense')).toBeUndefined()
    expect(await relay.client.reportMail((await keep()).id)).toBeUndefined()
    expect(await relay.client.decideReport('nonsense', 'accept', 'ann')).toBeUndefined()
  })
})

describe('POST /bounces/{id}/accept and dismiss', () => {
  test('closes the review once, with who did it', async () => {
    const { id } = await keep({ outcome: 'review', review: { why: 'weak' } })
    const dismiss = (who: string) => json(`/bounces/${id}/dismiss`, { method: 'POST', body: JSON.stringify({ who }) })
    expect(await dismiss('ann')).toMatchObject({
      status: 200,
      body: { outcome: 'dismissed', review: { why: 'weak', decided: { who: 'ann', at: '2026-11-21T23:20:11.120Z' } } },
    })
    expect(await dismiss('bob')).toMatchObject({
      status: 409,
      body: { detail: `The report ${id} was decided already, by ann.` },
    })
  })

  test('a report that waits for nobody is a conflict; other verbs are not found', async () => {
    const { id } = await keep()
    expect((await json(`/bounces/${id}/accept`, { method: 'POST' })).status).toBe(409)
    expect((await json(`/bounces/${id}/forget`, { method: 'POST' })).status).toBe(404)
    expect((await json(`/bounces/${id}/accept`, { method: 'POST', body: '{"whom":"x"}' })).status).toBe(422)
  })
})

describe('POST /bounces', () => {
  const post = (body: string | undefined, query = '') =>
    json(`/bounces${query}`, {
      method: 'POST',
      headers: { 'content-type': 'message/rfc822' },
      ...(body === undefined ? {} : { body }),
    })

  test('takes a mail and answers with its report', async () => {
    const { status, body } = await post('Subject: x\r\n\r\nhello\r\n', '?who=ann')
    expect(status).toBe(201)
    expect(body).toMatchObject({ origin: { kind: 'ingest', who: 'ann' }, to: '', size_bytes: 21, is_cut: false })
    expect(relay.desk.raw(body.id)?.toString()).toBe('Subject: x\r\n\r\nhello\r\n')
    expect((await json(`/bounces/${body.id}`)).body).toEqual(body)
  })

  test.each([
    ['an empty one', ''],
    ['none at all', undefined],
  ])('%s is refused', async (_, body) => {
    expect(await post(body)).toMatchObject({ status: 422, body: { detail: expect.stringContaining('empty') } })
    expect(relay.book.list({ limit: 1 }).entries).toEqual([])
  })

  test('of 40 MB the beginning is kept', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const report = await relay.client.ingestReport(Readable.from(Array.from({ length: 40 }, () => piece)), 'ann')
    expect(report).toMatchObject({ size_bytes: 40 * piece.length, is_cut: true })
    expect(relay.desk.raw(report.id)?.length).toBe(relay.settings.bounce.maxSize)
  })

  test('what is too much is not held while it comes', async () => {
    const pieces: WeakRef<Buffer>[] = []
    let held = 0
    async function* mail(): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 40; n++) {
        const piece = Buffer.alloc(1024 * 1024, 'x')
        pieces.push(new WeakRef(piece))
        yield piece
      }
      await collectGarbage()
      held = pieces.filter((piece) => piece.deref() !== undefined).length
    }
    await relay.operations.ingestReport(mail(), 'ann')
    expect(held).toBeLessThan(5)
  })

  test('a mail whose sender vanishes in the middle is not taken', async () => {
    const sent = request({
      socketPath: relay.settings.api.socket,
      path: '/api/v1/bounces',
      method: 'POST',
      headers: { 'content-length': 1000 },
      agent: false,
    })
    sent.on('error', () => {})
    sent.write('Subject: half')
    await once(sent, 'socket')
    await new Promise((resolve) => setImmediate(resolve))
    sent.destroy()
    await new Promise((resolve) => sent.once('close', resolve))
    // Whoever comes later is served after it: by then it would be there.
    await post('Subject: whole\r\n\r\n')
    expect(relay.book.list({ limit: 10 }).entries.map(({ sizeBytes }) => sizeBytes)).toEqual([18])
  })
})

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  for (let turn = 0; turn < 3; turn++) {
    // What was looked at through a WeakRef lives until the turn ends.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
}

function head(path: string): Promise<{ readonly headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: relay.settings.api.socket, path, agent: false }, (response) => {
      response.resume()
      resolve({ headers: response.headers })
    })
    asked.once('error', reject)
    asked.end()
  })
}
