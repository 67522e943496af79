// What a wrong request is told: a problem document (RFC 9457) that names each field and what is allowed there, in words of
// ours. One table over all routes that read a body or a query.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApi } from '../../src/http/api.ts'
import { type Served, serveFixture } from './fixture.ts'

const ID = '0000000000000'
const LONG = 'x'.repeat(1001)

interface Wrong {
  /** A query for GET and DELETE, else a body. */
  readonly given: Readonly<Record<string, unknown>>
  readonly pointer: string
  readonly detail: string
}

interface Route {
  readonly method: 'POST' | 'PUT' | 'DELETE' | 'GET'
  readonly path: string
  /** As hono has it, when that is another. */
  readonly pattern?: string
  /** Of an empty body; absent: it may be empty. */
  readonly empty?: string
  readonly type: Wrong
  readonly long?: Wrong
  /** The fields it knows. */
  readonly known: string
}

const REASON = 'reason is missing; it must be text.'
const who = { given: { who: 7, reason: 'x' }, pointer: 'who', detail: 'who must be text, not a number.' }
const longReason = { given: { reason: LONG }, pointer: 'reason', detail: 'reason may have 1000 characters at most.' }
const limit = {
  given: { limit: 'x' },
  pointer: 'limit',
  detail: 'limit must be a whole number from 1 to 1000, not text.',
}
const queryWho = { given: { who: '' }, pointer: 'who', detail: 'who must not be empty.' }

const ROUTES: readonly Route[] = [
  ...['retry', 'hold', 'release', 'drop', 'bounce'].map(
    (action): Route => ({
      method: 'POST',
      path: `/queue/${action}`,
      empty: REASON,
      type: {
        given: { reason: 'x', filter: { state: 'lost' } },
        pointer: 'filter.state',
        detail: 'filter.state must be waiting or held.',
      },
      long: {
        given: { reason: 'x', ids: Array(10_001).fill(ID) },
        pointer: 'ids',
        detail: 'ids may have 10000 entries at most.',
      },
      known: 'who, reason, ids, filter and all',
    }),
  ),
  ...['retry', 'hold', 'release'].map(
    (action): Route => ({
      method: 'POST',
      path: `/queue/${ID}/${action}`,
      pattern: `/queue/:id/${action}`,
      empty: REASON,
      type: who,
      long: longReason,
      known: 'who and reason',
    }),
  ),
  {
    method: 'DELETE',
    path: `/queue/${ID}`,
    pattern: '/queue/:id',
    empty: REASON,
    type: { given: { mode: 'burn', reason: 'x' }, pointer: 'mode', detail: 'mode must be drop or bounce.' },
    long: longReason,
    known: 'who, reason and mode',
  },
  {
    method: 'POST',
    path: '/suspensions',
    empty: `kind must be domain, provider, site, source or tenant. name is missing; it must be text. ${REASON} duration_ms is missing; it must be a whole number from 1000 to 31536000000.`,
    type: {
      given: { kind: 'domain', name: 'a.test', reason: 'x', duration_ms: '1h' },
      pointer: 'duration_ms',
      detail: 'duration_ms must be a whole number from 1000 to 31536000000, not text.',
    },
    long: {
      given: { kind: 'domain', name: LONG, reason: 'x', duration_ms: 1000 },
      pointer: 'name',
      detail: 'name may have 1000 characters at most.',
    },
    known: 'kind, name, reason, duration_ms and who',
  },
  {
    method: 'DELETE',
    path: '/suspensions/domain/a.test',
    pattern: '/suspensions/:kind/:name',
    empty: REASON,
    type: { given: { reason: '' }, pointer: 'reason', detail: 'reason must not be empty.' },
    long: longReason,
    known: 'reason and who',
  },
  ...['drain', 'undrain'].map(
    (action): Route => ({
      method: 'POST',
      path: `/sources/default/${action}`,
      pattern: `/sources/:name/${action}`,
      empty: REASON,
      type: who,
      long: longReason,
      known: 'reason and who',
    }),
  ),
  {
    method: 'PUT',
    path: '/suppressions/a@example.net',
    pattern: '/suppressions/:address',
    type: {
      given: { expires_at: 'tomorrow' },
      pointer: 'expires_at',
      detail: 'expires_at must be a date and time with its zone, such as 2026-11-21T08:00:00Z.',
    },
    long: { given: { note: LONG }, pointer: 'note', detail: 'note may have 1000 characters at most.' },
    known: 'scope, reason, expires_at, note and who',
  },
  {
    method: 'DELETE',
    path: '/suppressions/a@example.net',
    pattern: '/suppressions/:address',
    empty: REASON,
    type: { given: { reason: 'x', force: 'maybe' }, pointer: 'force', detail: 'force must be true or false.' },
    long: longReason,
    known: 'scope, who, reason, force and forget',
  },
  {
    method: 'POST',
    path: '/suppressions/undo',
    empty: REASON,
    type: {
      given: { reason: 'x', rule: 'x', preview: 'no' },
      pointer: 'preview',
      detail: 'preview must be true or false, not text.',
    },
    long: { given: { reason: 'x', rule: LONG }, pointer: 'rule', detail: 'rule may have 1000 characters at most.' },
    known: 'rule, site, category, since, until, scope, who, reason and preview',
  },
  {
    method: 'POST',
    path: '/suppressions/check',
    empty: 'addresses is missing; it must be a list.',
    type: { given: { addresses: [null] }, pointer: 'addresses.0', detail: 'addresses.0 must be text, not null.' },
    long: {
      given: { addresses: Array(1001).fill('a@example.net') },
      pointer: 'addresses',
      detail: 'addresses may have 1000 entries at most.',
    },
    known: 'tenant and addresses',
  },
  {
    method: 'POST',
    path: '/bounces/classify',
    empty: 'reply is missing; it must be text.',
    type: {
      given: { reply: '550 x', command: 'SEND' },
      pointer: 'command',
      detail: 'command must be banner, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, dot, RSET or QUIT.',
    },
    long: {
      given: { reply: 'x'.repeat(65_537) },
      pointer: 'reply',
      detail: 'reply may have 65536 characters at most.',
    },
    known: 'reply, command and mx',
  },
  {
    method: 'POST',
    path: '/bounces/test-rules',
    empty: 'rules is missing; it must be text.',
    type: {
      given: { rules: '', days: 367 },
      pointer: 'days',
      detail: 'days must be a whole number from 1 to 366.',
    },
    long: { given: { rules: '', name: LONG }, pointer: 'name', detail: 'name may have 1000 characters at most.' },
    known: 'rules, name and days',
  },
  ...['accept', 'dismiss'].map(
    (decision): Route => ({
      method: 'POST',
      path: `/bounces/${ID}/${decision}`,
      pattern: '/bounces/:id/:decision{accept|dismiss}',
      type: { given: { who: ['me'] }, pointer: 'who', detail: 'who must be text, not a list.' },
      long: { given: { who: LONG }, pointer: 'who', detail: 'who may have 1000 characters at most.' },
      known: 'who',
    }),
  ),
  {
    method: 'POST',
    path: '/backup',
    empty: 'directory is missing; it must be text.',
    type: {
      given: { directory: 'here' },
      pointer: 'directory',
      detail: 'directory must be an absolute path on the machine of the relay.',
    },
    long: {
      given: { directory: `/${'x'.repeat(4000)}` },
      pointer: 'directory',
      detail: 'directory may have 4000 characters at most.',
    },
    known: 'directory',
  },
  {
    method: 'GET',
    path: '/messages',
    empty: 'Say what to look for: to=ADDRESS or message_id=ID.',
    type: limit,
    known: 'to, message_id and limit',
  },
  {
    method: 'GET',
    path: '/queue',
    type: {
      given: { older_than_ms: -1 },
      pointer: 'older_than_ms',
      detail: 'older_than_ms must be a whole number from 0.',
    },
    known: 'tenant, domain, state, sender, older_than_ms, limit and cursor',
  },
  {
    method: 'GET',
    path: '/queue/summary',
    type: { given: { by: 'colour' }, pointer: 'by', detail: 'by must be domain, tenant or state.' },
    known: 'by',
  },
  {
    method: 'GET',
    path: '/health',
    type: {
      given: { scope: 'planet' },
      pointer: 'scope',
      detail: 'scope must be relay, tenant, provider, source or path.',
    },
    known: 'scope, name and limit',
  },
  { method: 'GET', path: '/health/alerts/history', type: limit, known: 'limit' },
  {
    method: 'GET',
    path: '/suppressions',
    type: {
      given: { scope: 'No Tenant' },
      pointer: 'scope',
      detail: 'scope must be the name of a tenant, or * for all.',
    },
    known: 'scope, reason, domain, since, q, standing, limit and cursor',
  },
  {
    method: 'GET',
    path: '/suppressions/export.csv',
    type: {
      given: { format: 'xls' },
      pointer: 'format',
      detail: 'format must be csv, jsonl, ses, sendgrid or mailgun.',
    },
    known: 'scope and format',
  },
  {
    method: 'GET',
    path: '/bounces',
    type: { given: { message: 'x' }, pointer: 'message', detail: 'message must be the id of a message.' },
    known: 'review, outcome, tenant, message, address, limit and cursor',
  },
  { method: 'GET', path: '/bounces/unknown', type: limit, known: 'days and limit' },
  { method: 'GET', path: '/sandbox/inbox', type: limit, known: 'to and limit' },
  { method: 'GET', path: '/events', type: limit, known: 'since, kind and limit' },
  // The content is a file: what is asked for stands in the query.
  { method: 'POST', path: '/bounces', empty: 'There is no mail: the request is empty.', type: queryWho, known: 'who' },
  {
    method: 'POST',
    path: '/suppressions/import',
    type: { given: { mode: 'swap' }, pointer: 'mode', detail: 'mode must be add or delete.' },
    known: 'scope, dry_run, include_blocks, mode and who',
  },
]
const STREAMED = new Set(['/bounces', '/suppressions/import'])

let relay: Served
beforeAll(async () => {
  relay = await serveFixture({ inbox: () => [] })
})
afterAll(() => relay.close())

async function ask({ method, path }: Route, given: Readonly<Record<string, unknown>> | string | undefined) {
  const isQuery = method === 'GET' || method === 'DELETE' || STREAMED.has(path)
  const query =
    isQuery && typeof given === 'object'
      ? `?${new URLSearchParams(Object.entries(given).map(([key, value]): [string, string] => [key, String(value)]))}`
      : ''
  const body = isQuery ? '' : typeof given === 'object' ? JSON.stringify(given) : (given ?? '')
  const answer = await relay.fetch(`/api/v1${path}${query}`, { method, ...(body === '' ? {} : { body }) })
  return {
    ...answer,
    problem: answer.type.startsWith('application/problem+json') ? JSON.parse(answer.body) : undefined,
  }
}

const problem = (detail: string, pointer?: string) => ({
  type: 'about:blank',
  title: 'The request is not valid',
  status: 422,
  code: 'invalid',
  detail,
  errors: pointer === undefined ? expect.any(Array) : [{ pointer, detail }],
})

test('the table has every route that changes something', () => {
  const { operations, core, clock } = relay
  const app = createApi({ operations, records: { journal: core.journal, clock }, onError: () => undefined })
  const wanted = app.routes
    .filter(({ method, path }) => ['POST', 'PUT', 'DELETE'].includes(method) && path.startsWith('/api/v1/'))
    .map(({ method, path }) => `${method} ${path.slice('/api/v1'.length)}`)
    // Reads no body.
    .filter((route) => route !== 'POST /reload')
  const listed = ROUTES.map(({ method, path, pattern = path }) => `${method} ${pattern}`)
  expect(listed).toEqual(expect.arrayContaining([...new Set(wanted)]))
})

describe.each(ROUTES)('$method $path', (route) => {
  test('empty', async () => {
    const { status, problem: told } = await ask(route, undefined)
    if (route.empty === undefined) expect(status).not.toBe(422)
    else expect(told).toMatchObject({ type: 'about:blank', status: 422, code: 'invalid', detail: route.empty })
  })

  test('a value that is not allowed', async () => {
    const { given, pointer, detail } = route.type
    expect((await ask(route, given)).problem).toEqual(problem(detail, pointer))
  })

  // Some have no text of the caller's.
  if (route.long !== undefined)
    test('too long', async () => {
      const { given, pointer, detail } = route.long!
      expect((await ask(route, given)).problem).toEqual(problem(detail, pointer))
    })

  test('an unknown field', async () => {
    const { given, pointer } = route.type
    const good = Object.fromEntries(Object.entries(given).filter(([key]) => key !== pointer.split('.')[0]))
    const { problem: told } = await ask(route, { ...good, zzzzzzzz: '1' })
    const detail = `zzzzzzzz is not known here. Allowed: ${route.known}.`
    expect(told.errors).toContainEqual({ pointer: 'zzzzzzzz', detail })
    expect(told.detail).toContain(detail)
  })

  test('no words of the library', async () => {
    for (const given of [route.type.given, { zzz: '' }, '[]', 'null', '"x"', '7'])
      expect((await ask(route, given)).body).not.toMatch(/Invalid|Unrecognized|Too (?:small|big)|received|expected/)
  })
})

test('a misspelt field is told what was meant', async () => {
  const { problem: told } = await ask(ROUTES[0]!, { reason: 'x', filter: { domian: 'example.net' } })
  expect(told.errors[0]).toEqual({
    pointer: 'filter.domian',
    detail:
      'filter.domian is not known here; did you mean domain? Allowed: tenant, domain, state, sender and older_than_ms.',
  })
})

test.each([
  ['{"reason":"x"}', 'Select by exactly one of: ids, a filter that says something, or all: true for the whole queue.'],
  ['[]', 'The request must be a JSON object, not a list.'],
  ['null', 'The request must be a JSON object, not null.'],
  ['"reason"', 'The request must be a JSON object, not text.'],
])('a body of %s', async (body, detail) => {
  expect((await ask(ROUTES[0]!, body)).problem.detail).toBe(detail)
})
