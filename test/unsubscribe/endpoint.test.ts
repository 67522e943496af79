// The public one-click endpoint over real HTTP: a GET never unsubscribes, a POST does, everything else is told kindly.

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeToken } from '../../src/bounce/return-path.ts'
import { createUnsubscribeEndpoint } from '../../src/http/unsubscribe-endpoint.ts'
import { unsubscribeTarget } from '../../src/reports/unsubscribe-target.ts'
import { encode } from '../../src/store/codec.ts'
import { partKey } from '../../src/store/keys.ts'
import { MINUTE, systemClock } from '../../src/util/clock.ts'
import { settingsOf } from '../inbound/harness.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { memoryStore } from '../support/memory-store.ts'

const ID = '0a00000000000'
const HTML = { accept: 'text/html,application/xhtml+xml' }
const ONE_CLICK = 'List-Unsubscribe=One-Click'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function start(given: { url?: string; recipient?: string; desk?: () => Promise<never> } = {}) {
  const store = memoryStore()
  const clock = new FakeClock()
  const keys = [{ id: 0, secret: Buffer.alloc(32, 1) }]
  const { recipient = 'jane@example.net' } = given
  await store.write([
    {
      table: 'unsubscribe',
      key: partKey(ID, 0),
      value: encode({ tenant: 'default', address: recipient, expiresAt: 1e15 }),
    },
  ])
  const unsubscribed: { recipient: string; client: string }[] = []
  const errors: unknown[] = []
  const target = (token: string) => unsubscribeTarget({ store, keys, clock }, token)
  const settings = settingsOf({ unsubscribe: { port: 0, url: given.url ?? 'https://mail.example.com/u' } })
  const endpoint = createUnsubscribeEndpoint({
    settings: () => settings.unsubscribe,
    desk: {
      unsubscribeTarget: target,
      // The edge: what the desk does with it is the desk's own test.
      unsubscribe: async (token, client) => {
        if (given.desk !== undefined) return given.desk()
        const found = target(token)
        if (found !== undefined) unsubscribed.push({ recipient: found.recipient, client })
        return found
      },
    },
    policyOf: () => undefined,
    clock: { ...systemClock, now: () => clock.now(), monotonic: () => clock.monotonic() },
    onError: (error) => errors.push(error),
  })
  const listening = await endpoint.start()
  onTestFinished(() => endpoint.stop(0))
  const token = (more: { purpose?: 'bounce'; days?: number } = {}) =>
    makeToken({
      purpose: more.purpose ?? 'unsubscribe',
      key: keys[0]!,
      id: ID,
      n: 0,
      expiresDay: Math.floor(clock.now() / 86_400_000) + (more.days ?? 1),
    })
  const ask = async ({ method = 'GET', path = `/u/${token()}`, headers = {}, body }: Ask = {}): Promise<Answer> => {
    const asking = request({ host: '127.0.0.1', port: listening!.port, method, path, headers, agent: false })
    asking.end(body)
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    return { status: response.statusCode!, headers: response.headers, body: await text(response) }
  }
  return { ask, token, unsubscribed, errors, clock, port: listening!.port, endpoint }
}

describe('POST', () => {
  test.each<[string, Record<string, string>, string]>([
    ['urlencoded', FORM, ONE_CLICK],
    ['without a type', {}, ONE_CLICK],
    ['with a line end', FORM, `${ONE_CLICK}\r\n`],
    ['with more fields', FORM, `a=b&${ONE_CLICK}`],
    [
      'multipart, as RFC 8058 prefers it',
      { 'content-type': 'multipart/form-data; boundary=---x' },
      '-----x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n-----x--\r\n',
    ],
    [
      'multipart with a type of its own in the part',
      { 'content-type': 'Multipart/Form-Data; boundary=x' },
      '--x\r\nContent-Disposition: form-data; name=List-Unsubscribe\r\nContent-Type: text/plain\r\n\r\nOne-Click\r\n--x--\r\n',
    ],
  ])('%s: unsubscribes and says so in one sentence', async (_, headers, body) => {
    const { ask, unsubscribed } = await start()
    const answer = await ask({ method: 'POST', headers, body })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(answer.body).toMatch(/^You are unsubscribed\.\n.*jane@example\.net/)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(unsubscribed).toEqual([{ recipient: 'jane@example.net', client: '127.0.0.1' }])
  })

  test.each<[string, Record<string, string>, string]>([
    ['nothing', {}, ''],
    ['something else', FORM, 'List-Unsubscribe=Two-Clicks'],
    ['the words as another field', FORM, `x=${ONE_CLICK}`],
    ['multipart without the field', { 'content-type': 'multipart/form-data; boundary=x' }, '--x\r\nOne-Click\r\n--x--'],
    ['JSON', { 'content-type': 'application/json' }, '{"List-Unsubscribe":"One-Click"}'],
  ])('that says %s changes nothing', async (_, headers, body) => {
    const { ask, unsubscribed } = await start()
    expect((await ask({ method: 'POST', headers, body })).status).toBe(400)
    expect(unsubscribed).toEqual([])
  })

  test('from the button gets a page', async () => {
    const { ask } = await start()
    const answer = await ask({ method: 'POST', headers: { ...FORM, ...HTML }, body: ONE_CLICK })
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain('<h1>You are unsubscribed</h1>')
    expect(answer.body).not.toContain('<form')
  })

  test('a body that is too long is not read to its end', async () => {
    const { ask, unsubscribed } = await start()
    const body = `${ONE_CLICK}&x=${'x'.repeat(2000)}`
    expect((await ask({ method: 'POST', headers: FORM, body })).status).toBe(413)
    const chunked = await ask({ method: 'POST', headers: { ...FORM, 'transfer-encoding': 'chunked' }, body })
    expect(chunked.status).toBe(413)
    expect(unsubscribed).toEqual([])
  })

  test('an error of ours is a 503 that does not tell, and can be tried again', async () => {
    const { ask, errors } = await start({ desk: () => Promise.reject(new Error('no room on /secret/disk')) })
    const answer = await ask({ method: 'POST', headers: FORM, body: ONE_CLICK })
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('120')
    expect(answer.body).not.toContain('secret')
    expect(errors).toEqual([expect.objectContaining({ message: 'no room on /secret/disk' })])
  })
})

describe('GET', () => {
  test('shows whose mail it is and changes nothing', async () => {
    const { ask, unsubscribed } = await start()
    const answer = await ask({ headers: HTML })
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('jane@example.net')
    expect(answer.body).toContain('<form method="post">')
    expect(answer.body).not.toMatch(/<script|https?:|src=|javascript/)
    expect(unsubscribed).toEqual([])
  })

  test('what the form sends is what unsubscribes', async () => {
    const { ask, unsubscribed } = await start()
    const { body } = await ask({ headers: HTML })
    const [, name, value] = /<input type="hidden" name="([^"]+)" value="([^"]+)">/.exec(body)!
    await ask({ method: 'POST', headers: { ...FORM, ...HTML }, body: `${name}=${value}` })
    expect(unsubscribed).toHaveLength(1)
  })

  test('an address that is markup is shown as it is', async () => {
    const { ask } = await start({ recipient: `"<script>alert('$&')</script>"@example.net` })
    const { body } = await ask({ headers: HTML })
    expect(body).toContain('&quot;&lt;script&gt;alert(&#39;$&amp;&#39;)&lt;/script&gt;&quot;@example.net')
    expect(body).not.toContain('<script')
  })

  test('HEAD is GET without the page', async () => {
    const { ask, unsubscribed } = await start()
    const answer = await ask({ method: 'HEAD', headers: HTML })
    expect([answer.status, answer.body]).toEqual([200, ''])
    expect(unsubscribed).toEqual([])
  })
})

describe('which links work', () => {
  const postTo = (path: string): Ask => ({ method: 'POST', path, headers: FORM, body: ONE_CLICK })

  test('in any case, and below / when the proxy has taken the path away', async () => {
    const { ask, token, unsubscribed } = await start()
    for (const path of [`/u/${token().toUpperCase()}`, `/${token()}`, `/u/${token()}?utm_source=x`])
      expect((await ask(postTo(path))).status).toBe(200)
    expect(unsubscribed).toHaveLength(3)
  })

  test('of an older URL with no path, or one that ends in a slash', async () => {
    const slash = await start({ url: 'https://mail.example.com/a/b/' })
    expect((await slash.ask(postTo(`/a/b/${slash.token()}`))).status).toBe(200)
    const none = await start({ url: 'https://u.example.com' })
    expect((await none.ask(postTo(`/${none.token()}`))).status).toBe(200)
  })

  test('the others get a kind 404, whatever the method', async () => {
    const { ask, token, unsubscribed } = await start()
    const good = token()
    const last = good.endsWith('0') ? '1' : '0'
    const paths = [
      '/',
      '/u/',
      '/favicon.ico',
      `/other/${good}`,
      `/u/${good}/`,
      `/u/${good.slice(0, -1)}${last}`,
      `/u/${good}0`,
      `/u/${token({ purpose: 'bounce' })}`,
      `/u/u-${token({ purpose: 'bounce' }).slice(2)}`,
      `/u/${token({ days: -1 })}`,
      '/u/%00%ff',
      '/u/%',
      `/u/${'x'.repeat(4000)}`,
    ]
    for (const path of paths) {
      const shown = await ask({ path, headers: HTML })
      expect([path, shown.status]).toEqual([path, 404])
      expect(shown.body).toContain('This link does not work')
      expect([path, (await ask(postTo(path))).status]).toEqual([path, 404])
    }
    expect(unsubscribed).toEqual([])
  })
})

describe('the rest of HTTP', () => {
  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])('%s is not allowed', async (method) => {
    const { ask, unsubscribed } = await start()
    const answer = await ask({ method })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, POST'])
    expect(unsubscribed).toEqual([])
  })

  test('every answer is bare of cookies and cannot be kept, framed or followed', async () => {
    const { ask } = await start()
    const asks: Ask[] = [
      { headers: HTML },
      { method: 'POST', headers: FORM, body: ONE_CLICK },
      { method: 'POST' },
      { method: 'PUT' },
      { path: '/x' },
      { method: 'POST', headers: FORM, body: 'x'.repeat(5000) },
    ]
    for (const each of asks) {
      const { headers } = await ask(each)
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'/,
      )
      expect(headers['set-cookie']).toBeUndefined()
    }
  })

  test('too many requests of one client wait; behind a proxy each client counts for itself', async () => {
    const { ask, clock } = await start()
    const from = (address: string): Ask => ({ path: '/x', headers: { 'x-forwarded-for': address } })
    for (let n = 0; n < 600; n++) expect((await ask(from('203.0.113.1'))).status).toBe(404)
    const refused = await ask(from('203.0.113.1'))
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '60'])
    expect((await ask(from('198.51.100.7, 203.0.113.1'))).status).toBe(429)
    expect((await ask(from('203.0.113.1, 203.0.113.2'))).status).toBe(404)
    await clock.advance(MINUTE)
    expect((await ask(from('203.0.113.1'))).status).toBe(404)
  })

  test('garbage instead of HTTP ends that connection only', async () => {
    const { ask, port } = await start()
    const socket = connect(port, '127.0.0.1')
    socket.end('EHLO x\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400/)
    expect((await ask()).status).toBe(200)
  })

  test('it stops although a connection is kept open', async () => {
    const { port, endpoint } = await start()
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    await endpoint.stop(0)
    await closed
    const again = connect(port, '127.0.0.1')
    await expect(once(again, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('without a port there is none; a port that is taken is an error', async () => {
    const { port } = await start()
    const parts = {
      desk: { unsubscribe: async () => undefined, unsubscribeTarget: () => undefined },
      policyOf: () => undefined,
      clock: systemClock,
      onError: () => undefined,
    }
    const off = settingsOf({}).unsubscribe
    expect(await createUnsubscribeEndpoint({ ...parts, settings: () => off }).start()).toBeUndefined()
    const taken = settingsOf({ unsubscribe: { port } }).unsubscribe
    const second = createUnsubscribeEndpoint({ ...parts, settings: () => taken })
    await expect(second.start()).rejects.toThrow(
      /cannot have port \d+ of .* \(unsubscribe\.port\); another program has it/,
    )
    await second.stop(0)
  })
})
