// Operations over the API of a running relay: each function is one request. An answer that is a problem document
// becomes the OperationError it stands for; no answer at all becomes Unreachable.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import type { ImportInput } from '../suppression/import.ts'
import { MINUTE, SECOND } from '../util/clock.ts'
import type { Alert, Examination, ScopeHealth } from './health-operations.ts'
import type { InboxMail } from './inbox-operations.ts'
import type {
  CheckedAddress,
  MessageDetail,
  Operations,
  Removed,
  Report,
  SuppressionEntry,
  SuppressionStory,
} from './operations.ts'
import { errorOfProblem, OperationError } from './problem.ts'
import type { UnknownReply } from './rules-operations.ts'
import type { Drained as Drain } from './source-operations.ts'
import type { Suspension } from './suspension-operations.ts'

export type Endpoint = { readonly kind: 'socket'; readonly path: string } | { readonly kind: 'url'; readonly url: URL }

/** Nobody listens at the endpoint, or who does stopped answering. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** `http://host:port`, or anything else as the path of a unix socket (`unix:` may stand before it). */
export function parseEndpoint(text: string): Endpoint {
  if (/^https?:/i.test(text)) {
    const url = new URL(text)
    if (url.protocol !== 'http:') throw new TypeError('the endpoint must be a unix socket or an http:// URL')
    return { kind: 'url', url }
  }
  return { kind: 'socket', path: text.replace(/^unix:(?:\/\/)?/, '') }
}

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly query?: Readonly<Record<string, unknown>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly stream?: { readonly type: string; readonly content: ImportInput }
  /** Without a byte for so long, the relay counts as unreachable. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

// Reading the store takes milliseconds; only what copies or changes much may take longer.
const ANSWER_TIMEOUT_MS = 30 * SECOND
const WORK_TIMEOUT_MS = 30 * MINUTE

export interface ClientOptions {
  /** How long the relay may be silent while it only has to read. */
  readonly timeoutMs?: number
  /** Breaks off every request. */
  readonly signal?: AbortSignal
}

export function createClient(
  endpoint: Endpoint,
  { timeoutMs = ANSWER_TIMEOUT_MS, signal }: ClientOptions = {},
): Operations {
  const reading: Call = { timeoutMs, ...(signal === undefined ? {} : { signal }) }
  const working: Call = { ...reading, timeoutMs: WORK_TIMEOUT_MS }
  const get = <T>(path: string, query?: object): Promise<T> =>
    json<T>(endpoint, `/api/v1${path}`, { ...reading, ...(query === undefined ? {} : { query: { ...query } }) })
  const work = <T>(method: 'POST' | 'PUT' | 'DELETE', path: string, call: Call = {}): Promise<T> =>
    json<T>(endpoint, `/api/v1${path}`, { ...working, method, ...call })
  const part = encodeURIComponent
  return {
    status: () => get('/status'),
    readiness: () => readiness(endpoint, reading),
    stats: () => get('/stats'),
    destinations: async () =>
      (await get<{ items: Awaited<ReturnType<Operations['destinations']>> }>('/destinations')).items,
    explain: (what) => get(`/destinations/${part(what)}/explain`),
    resolve: (domain) => get(`/destinations/${part(domain)}/resolve`),
    suspensions: async () => (await get<{ items: readonly Suspension[] }>('/suspensions')).items,
    suspend: (body) => work('POST', '/suspensions', { body }),
    resume: ({ kind, name }, query) =>
      unlessMissing(work<Suspension>('DELETE', `/suspensions/${kind}/${part(name)}`, { query: { ...query } })),
    health: async (query) => (await get<{ items: readonly ScopeHealth[] }>('/health', query)).items,
    alerts: async () => (await get<{ items: readonly Alert[] }>('/health/alerts')).items,
    alertHistory: async (limit) => (await get<{ items: [] }>('/health/alerts/history', { limit })).items,
    examination: () => unlessMissing(get<Examination>('/health/doctor')),
    sources: async () => (await get<{ items: Awaited<ReturnType<Operations['sources']>> }>('/sources')).items,
    warmUp: (name) => get(`/sources/${part(name)}/warm-up`),
    drainSource: (name, body) => work('POST', `/sources/${part(name)}/drain`, { body }),
    undrainSource: (name, body) => unlessMissing(work<Drain>('POST', `/sources/${part(name)}/undrain`, { body })),
    messages: async (query) =>
      (await get<{ items: Awaited<ReturnType<Operations['messages']>> }>('/messages', query)).items,
    message: (id) => unlessMissing(get<MessageDetail>(`/messages/${part(id)}`)),
    messageEvents: (id) => unlessMissing(get<{ items: [] }>(`/messages/${part(id)}/events`).then(({ items }) => items)),
    queue: (query) => get('/queue', query),
    queueSummary: async (by) => (await get<{ items: [] }>('/queue/summary', { by })).items,
    changeQueue: (action, body) => work('POST', `/queue/${action}`, { body }),
    suppressions: (query) => get('/suppressions', query),
    suppression: (address, scope) => unlessMissing(get<SuppressionEntry>(`/suppressions/${part(address)}`, { scope })),
    suppress: (address, body) => work('PUT', `/suppressions/${part(address)}`, { body }),
    unsuppress: (address, query) =>
      unlessMissing(work<Removed>('DELETE', `/suppressions/${part(address)}`, { query: { ...query } })),
    undoSuppressions: (body) => work('POST', '/suppressions/undo', { body }),
    checkAddresses: async (addresses, tenant) =>
      (await work<{ items: readonly CheckedAddress[] }>('POST', '/suppressions/check', { body: { addresses, tenant } }))
        .items,
    whySuppressed: async (address, tenant) =>
      (await get<{ items: readonly SuppressionStory[] }>(`/suppressions/${part(address)}/why`, { tenant })).items,
    importSuppressions: (input, query) =>
      work('POST', '/suppressions/import', { query, stream: { type: 'text/csv', content: input } }),
    exportSuppressions: (query) =>
      text(endpoint, '/api/v1/suppressions/export.csv', { ...reading, query: { ...query } }),
    reports: (query) => get('/bounces', query),
    report: (id) => unlessMissing(get<Report>(`/bounces/${part(id)}`)),
    reportMail: (id) => unlessMissing(bytes(endpoint, `/api/v1/bounces/${part(id)}/raw`, reading)),
    decideReport: (id, decision, who) =>
      unlessMissing(work<Report>('POST', `/bounces/${part(id)}/${decision}`, { body: { who } })),
    ingestReport: (mail, who) =>
      work('POST', '/bounces', { query: { who }, stream: { type: 'message/rfc822', content: mail } }),
    testRules: (body) => work('POST', '/bounces/test-rules', { body }),
    unknownReplies: async (query) => {
      const call: Call = { ...working, query: { ...query } }
      return (await json<{ items: readonly UnknownReply[] }>(endpoint, '/api/v1/bounces/unknown', call)).items
    },
    inbox: async (query) => (await get<{ items: [] }>('/sandbox/inbox', query)).items,
    inboxMail: (id) => unlessMissing(get<InboxMail>(`/sandbox/inbox/${id}`)),
    classify: (body) => work('POST', '/bounces/classify', { body }),
    backup: (directory) => work('POST', '/backup', { body: { directory } }),
    reload: () => work('POST', '/reload'),
  }
}

/** /readyz answers 503 with its reasons when it is not ready: that is an answer, not an error. */
async function readiness(endpoint: Endpoint, call: Call): ReturnType<Operations['readiness']> {
  const response = await send(endpoint, '/readyz', call)
  const body = await readAll(response)
  if (response.statusCode === 200 || response.statusCode === 503) return JSON.parse(body)
  throw failure(response, body)
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof OperationError && error.code === 'not-found') return undefined
    throw error
  }
}

async function json<T>(endpoint: Endpoint, path: string, call: Call): Promise<T> {
  const response = await send(endpoint, path, call)
  const body = await readAll(response)
  if (!isSuccess(response)) throw failure(response, body)
  return (body === '' ? undefined : JSON.parse(body)) as T
}

async function bytes(endpoint: Endpoint, path: string, call: Call): Promise<Uint8Array> {
  const response = await send(endpoint, path, call)
  if (!isSuccess(response)) throw failure(response, await readAll(response))
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* text(endpoint: Endpoint, path: string, call: Call): AsyncGenerator<string> {
  const response = await send(endpoint, path, call)
  if (!isSuccess(response)) throw failure(response, await readAll(response))
  response.setEncoding('utf8')
  yield* response as AsyncIterable<string>
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
}

function failure(response: IncomingMessage, body: string): Error {
  return errorOfProblem(body) ?? new Unreachable(`the endpoint answered HTTP ${response.statusCode}, not as Studs does`)
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let body = ''
  for await (const chunk of response) body += chunk
  return body
}

function send(endpoint: Endpoint, path: string, call: Call): Promise<IncomingMessage> {
  const target =
    endpoint.kind === 'socket'
      ? { socketPath: endpoint.path, host: 'localhost' }
      : { host: endpoint.url.hostname, port: endpoint.url.port || 80 }
  const options = {
    ...target,
    // One connection per request: a kept one would hold the process open and may be cut by a restart in between.
    agent: false as const,
    method: call.method ?? 'GET',
    path: path + queryString(call.query),
    headers: { 'content-type': call.stream?.type ?? 'application/json', accept: 'application/json' },
    timeout: call.timeoutMs ?? ANSWER_TIMEOUT_MS,
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest(options, resolve)
    request.once('timeout', () => request.destroy(new Error('no answer in time')))
    request.once('error', (cause) => reject(new Unreachable(cause.message, { cause })))
    const content = call.stream?.content ?? (call.body === undefined ? '' : JSON.stringify(call.body))
    if (typeof content === 'string') request.end(content === '' ? undefined : content)
    // An error of the input destroys the request, and that is reported above.
    else pipeline(Readable.from(content), request, () => {})
  })
}

function queryString(query: Readonly<Record<string, unknown>> = {}): string {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined)
  const text = new URLSearchParams(Object.fromEntries(fields.map(([name, value]) => [name, String(value)]))).toString()
  return text === '' ? '' : `?${text}`
}
