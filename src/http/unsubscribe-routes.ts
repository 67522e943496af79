// The unsubscribe endpoint as one hono app. GET only shows whose mail it is about, because scanners follow every link in
// a mail; POST unsubscribes (RFC 8058 §3.2), for a mail program and for the button on the page alike. No cookies, no
// redirects, no other error than a kind sentence.

import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Settings } from '../config/schema.ts'
import type { ReportDesk } from '../reports/desk.ts'
import { type Clock, MINUTE } from '../util/clock.ts'
import { POLICY_PATH } from './mta-sts-policy.ts'
import { clientAddress, RequestCount } from './unsubscribe-client.ts'
import { asPage, asText, HEADERS, SAYINGS, type Saying } from './unsubscribe-page.ts'

export interface UnsubscribeRouteParts {
  readonly settings: () => Settings['unsubscribe']
  readonly desk: Pick<ReportDesk, 'unsubscribe'> & {
    /** Reads only. Undefined for a token that is no good. */
    unsubscribeTarget(token: string): { readonly recipient: string } | undefined
  }
  /** The MTA-STS policy of that host, if it is one of ours. */
  readonly policyOf: (host: string) => string | undefined
  readonly clock: Clock
  /** Called with errors of our own, whose details the caller is not told. */
  readonly onError: (error: unknown) => void
}

const MAX_BODY_BYTES = 1024
// A large mailbox provider asks for all its users from a few addresses.
const RATE = { count: 600, per: MINUTE }

export function unsubscribeRoutes({ settings, desk, policyOf, clock, onError }: UnsubscribeRouteParts): Hono {
  const app = new Hono()
  const count = new RequestCount(clock, RATE)
  app.onError((error, context) => {
    onError(error)
    return say(context, SAYINGS.failed, { headers: { 'retry-after': '120' } })
  })
  app.use((context, next) => {
    const isTooMany = count.isTooMany(clientOf(context))
    return isTooMany ? Promise.resolve(say(context, SAYINGS.tooMany, { headers: { 'retry-after': '60' } })) : next()
  })
  app.get(POLICY_PATH, (context, next) => {
    const policy = hostsOf(context).map(policyOf).find(Boolean)
    if (policy === undefined) return next()
    return Promise.resolve(
      new Response(policy, { headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' } }),
    )
  })
  // Also HEAD: hono answers it as GET, without the body.
  app.get('*', (context) => {
    const token = tokenOf(context.req.path, settings().url)
    const target = token === undefined ? undefined : desk.unsubscribeTarget(token)
    if (target === undefined) return say(context, SAYINGS.unknown)
    return say(context, SAYINGS.question, { address: target.recipient })
  })
  const limited = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (context) => say(context, SAYINGS.tooLarge) })
  app.post('*', limited, async (context) => {
    const token = tokenOf(context.req.path, settings().url)
    if (token === undefined) return say(context, SAYINGS.unknown)
    if (!saysOneClick(await context.req.text(), context.req.header('content-type'))) {
      return say(context, SAYINGS.notOneClick)
    }
    const done = await desk.unsubscribe(token, clientOf(context))
    return done === undefined ? say(context, SAYINGS.unknown) : say(context, SAYINGS.done, { address: done.recipient })
  })
  app.all('*', (context) => say(context, SAYINGS.notAllowed, { headers: { allow: 'GET, HEAD, POST' } }))
  return app
}

/** The last part of the path, below the path of the public URL or below / (a proxy may have taken the former away). */
function tokenOf(path: string, url: string | undefined): string | undefined {
  const cut = path.lastIndexOf('/')
  const base = url === undefined ? '' : new URL(url).pathname.replace(/\/+$/, '')
  const above = path.slice(0, cut)
  return above === '' || above === base ? path.slice(cut + 1) : undefined
}

/** RFC 8058 §3.2: multipart/form-data or urlencoded. Where the type is missing the words are enough. */
function saysOneClick(body: string, type = ''): boolean {
  if (!/^multipart\/form-data/i.test(type)) {
    return new URLSearchParams(body.trim()).get('List-Unsubscribe') === 'One-Click'
  }
  return /\bname="?List-Unsubscribe"?[^\r\n]*\r?\n(?:[!-9;-~]+:[^\r\n]*\r?\n)*\r?\nOne-Click\r?\n/i.test(body)
}

/** A proxy passes the name on in one of these. Policies are public: nothing hangs on who asks. */
function hostsOf(context: Context): string[] {
  return [context.req.header('host') ?? '', context.req.header('x-forwarded-host') ?? '']
}

function clientOf(context: Context): string {
  return clientAddress(getConnInfo(context).remote.address ?? '', context.req.header('x-forwarded-for'))
}

function say(
  context: Context,
  saying: Saying,
  { address = '', headers = {} }: { address?: string; headers?: Readonly<Record<string, string>> } = {},
): Response {
  // A browser asks for HTML by name; mail programs and their servers do not.
  const isPage = context.req.header('accept')?.includes('text/html') === true
  const type = isPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'
  const body = isPage ? asPage(saying, address) : asText(saying, address)
  return new Response(body, { status: saying.status, headers: { ...HEADERS, 'content-type': type, ...headers } })
}
