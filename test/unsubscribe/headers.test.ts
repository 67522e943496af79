// The List-Unsubscribe fields that acceptance adds: when, which, that DKIM covers them, and that their token finds its
// recipient for as long as it says.

import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { describe, expect, test } from 'vitest'
import { makeToken } from '../../src/bounce/return-path.ts'
import { prune } from '../../src/queue/prune.ts'
import { unsubscribeTarget } from '../../src/reports/unsubscribe-target.ts'
import { partKey } from '../../src/store/keys.ts'
import { DAY } from '../../src/util/clock.ts'
import { type Accepted, type NewsletterRelay, startNewsletterRelay, tokenIn } from './fixture.ts'

const URL_OF_RELAY = 'https://mail.example.com/u'
const TOKEN = 'u-[0-9a-v]{40}'

async function verdictOf({ wire }: Accepted, { zone, clock }: NewsletterRelay) {
  const resolver = async (name: string): Promise<string[][]> => {
    const record = zone.get(name)
    if (record === undefined) throw Object.assign(new Error(`queryTxt ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
    return [record.match(/.{1,255}/g)!]
  }
  const { results } = await dkimVerify(Buffer.from(wire, 'latin1'), { resolver, curTime: new Date(clock.now()) })
  const [only, ...others] = results
  expect(others).toEqual([])
  return only
}

/** What h= lists. */
const coveredBy = (sent: Accepted): string[] =>
  /h=([^;]+);/.exec(sent.header('DKIM-Signature')[0]!)![1]!.replace(/\s/g, '').split(':')

describe('what is added', () => {
  test('without a public URL: the mailto form only', async () => {
    const relay = await startNewsletterRelay()
    const sent = await relay.send()
    expect(sent.header('List-Unsubscribe')).toEqual([expect.stringMatching(`^<mailto:${TOKEN}@bounce\\.news\\.test>$`)])
    expect(sent.header('List-Unsubscribe-Post')).toEqual([])
    expect(coveredBy(sent)).toContain('list-unsubscribe')
    expect((await verdictOf(sent, relay))!.status.result).toBe('pass')
  })

  test('with one: mailto, link and one-click, all covered by DKIM', async () => {
    const relay = await startNewsletterRelay({ url: URL_OF_RELAY })
    const sent = await relay.send()
    const token = tokenIn(sent)
    expect(sent.header('List-Unsubscribe')).toEqual([`<mailto:${token}@bounce.news.test>,\t<${URL_OF_RELAY}/${token}>`])
    expect(sent.header('List-Unsubscribe-Post')).toEqual(['List-Unsubscribe=One-Click'])
    expect(coveredBy(sent)).toEqual(expect.arrayContaining(['list-unsubscribe', 'list-unsubscribe-post']))
    expect((await verdictOf(sent, relay))!.status.result).toBe('pass')
    const tampered = { ...sent, wire: sent.wire.replace(`/u/${token}`, `/u/${token.slice(0, -1)}x`) }
    expect(tampered.wire).not.toBe(sent.wire)
    expect((await verdictOf(tampered, relay))!.status.result).toBe('fail')
    const stripped = { ...sent, wire: sent.wire.replace('List-Unsubscribe=One-Click', 'List-Unsubscribe=Two-Clicks') }
    expect((await verdictOf(stripped, relay))!.status.result).toBe('fail')
  })

  test('the lines fit into RFC 5322 also with long names, and the size is that of the wire', async () => {
    const relay = await startNewsletterRelay({ url: `https://${'a'.repeat(60)}.example.com/unsubscribe/` })
    const sent = await relay.send()
    expect(sent.header('List-Unsubscribe')[0]).toContain(`/unsubscribe/${tokenIn(sent)}>`)
    expect(Math.max(...sent.message.prefix.split('\r\n').map(({ length }) => length))).toBeLessThan(200)
    expect(sent.message.sizeBytes).toBe(sent.wire.length)
  })

  test('a subdomain of a sender domain uses its return path', async () => {
    const relay = await startNewsletterRelay()
    expect((await relay.send({ from: 'app@weekly.news.test' })).header('List-Unsubscribe')[0]).toContain(
      '@bounce.news.test>',
    )
  })

  test('no one-click where no signature covers it (RFC 8058 §4), nor without TLS (§3.1)', async () => {
    const unsigned = await (await startNewsletterRelay({ url: URL_OF_RELAY })).send({ from: 'app@unsigned.test' })
    expect(unsigned.header('List-Unsubscribe')[0]).toContain(`<${URL_OF_RELAY}/u-`)
    expect(unsigned.header('List-Unsubscribe-Post')).toEqual([])
    const plain = await (await startNewsletterRelay({ url: 'http://mail.example.com/u' })).send()
    expect(plain.header('List-Unsubscribe')[0]).toContain('<http://mail.example.com/u/u-')
    expect(plain.header('List-Unsubscribe-Post')).toEqual([])
  })
})

describe('what is left alone', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['a List-Unsubscribe of its own', { 'List-Unsubscribe': '<https://app.test/x>' }, ['<https://app.test/x>']],
    ['one in another case', { 'LIST-UNSUBSCRIBE': '<mailto:off@app.test>' }, ['<mailto:off@app.test>']],
    ['only the one-click half', { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }, []],
  ])('%s', async (_, headers, expected) => {
    const relay = await startNewsletterRelay({ url: URL_OF_RELAY })
    const sent = await relay.send({ headers })
    expect(sent.header('List-Unsubscribe')).toEqual(expected)
    expect(sent.header('List-Unsubscribe-Post')).toHaveLength('List-Unsubscribe-Post' in headers ? 1 : 0)
    expect(sent.message.prefix).not.toMatch(/^List-Unsubscribe/im)
    expect(relay.store.count('unsubscribe')).toBe(0)
  })

  test.each<[string, Record<string, unknown>, 'news' | 'plain']>([
    ['two recipients', { to: ['jane@example.net', 'joe@example.net'] }, 'news'],
    ['a domain without a return path', { from: 'app@bare.test' }, 'news'],
    ['a credential that did not ask', {}, 'plain'],
  ])('%s: nothing is added', async (_, mail, user) => {
    const relay = await startNewsletterRelay({ url: URL_OF_RELAY })
    const sent = await relay.send(mail, user)
    expect(sent.wire).not.toMatch(/^List-Unsubscribe/im)
    expect(sent.message.unsubscribeUntil).toBeUndefined()
    expect(relay.store.count('unsubscribe')).toBe(0)
  })

  test('the same recipient twice is one', async () => {
    const relay = await startNewsletterRelay()
    const sent = await relay.send({ envelope: { from: 'app@news.test', to: ['jane@example.net', 'jane@example.net'] } })
    expect(tokenIn(sent)).toMatch(new RegExp(`^${TOKEN}$`))
  })
})

describe('the token', () => {
  test('finds its recipient, in any case, until its last day', async () => {
    const relay = await startNewsletterRelay({ keep: '10d' })
    const sent = await relay.send()
    const token = tokenIn(sent)
    const target = { tenant: 'default', message: sent.message.id, n: 0, recipient: 'jane@example.net' }
    expect(unsubscribeTarget(relay, token)).toEqual(target)
    expect(unsubscribeTarget(relay, token.toUpperCase())).toEqual(target)
    expect(sent.message.unsubscribeUntil).toBe(Date.UTC(2026, 11, 3))
    const targetAt = (now: number) => unsubscribeTarget({ ...relay, clock: { now: () => now } }, token)
    expect(targetAt(sent.message.unsubscribeUntil! - 1)).toEqual(target)
    expect(targetAt(sent.message.unsubscribeUntil!)).toBeUndefined()
  })

  test('outlives its message, and goes when it is over', async () => {
    const relay = await startNewsletterRelay({ keep: '100d' })
    const sent = await relay.send()
    const pruneAt = (now: number) =>
      prune(relay.store, { now, keepFrom: now, keepBodyFrom: now }, new AbortController().signal)
    // Its message is gone; the row is what is left.
    await relay.store.write([{ table: 'recipient', key: partKey(sent.message.id, 0), value: undefined }])
    expect((await pruneAt(relay.clock.now() + 99 * DAY)).subscribers).toBe(0)
    expect(unsubscribeTarget(relay, tokenIn(sent))).toMatchObject({ recipient: 'jane@example.net' })
    expect((await pruneAt(relay.clock.now() + 102 * DAY)).subscribers).toBe(1)
    expect(relay.store.count('unsubscribe')).toBe(0)
    expect(unsubscribeTarget(relay, tokenIn(sent))).toBeUndefined()
  })

  test('without its row, the message still knows', async () => {
    const relay = await startNewsletterRelay()
    const sent = await relay.send()
    await relay.store.write([{ table: 'unsubscribe', key: partKey(sent.message.id, 0), value: undefined }])
    expect(unsubscribeTarget(relay, tokenIn(sent))).toMatchObject({ recipient: 'jane@example.net', tenant: 'default' })
  })

  test('pruning walks on while it finds something, and then no further', async () => {
    const relay = await startNewsletterRelay()
    const ids = Array.from({ length: 810 }, (_, at) => `0${at.toString(32).padStart(12, '0')}`)
    const row = (expiresAt: number) =>
      Buffer.from(JSON.stringify({ tenant: 'default', address: 'a@b.test', expiresAt }))
    await relay.store.write(
      ids.map((id, at) => ({
        table: 'unsubscribe',
        key: partKey(id, 0),
        value: row(at < 250 || at >= 800 ? 1 : 1000),
      })),
    )
    const limits = { now: 500, keepFrom: 0, keepBodyFrom: 0 }
    expect((await prune(relay.store, limits, new AbortController().signal)).subscribers).toBe(250)
    expect(relay.store.count('unsubscribe')).toBe(560)
  })

  test('of another purpose, another key, another recipient or no shape at all: nobody', async () => {
    const relay = await startNewsletterRelay()
    const sent = await relay.send()
    const { id } = sent.message
    const [key] = relay.keys
    const expiresDay = 30_000
    expect(unsubscribeTarget(relay, makeToken({ key, id, n: 0, expiresDay }))).toBeUndefined()
    const asUnsubscribe = makeToken({ key, id, n: 0, expiresDay }).replace(/^b-/, 'u-')
    expect(unsubscribeTarget(relay, asUnsubscribe)).toBeUndefined()
    const foreign = { id: key.id, secret: Buffer.alloc(32, 7) }
    const purpose = 'unsubscribe'
    expect(unsubscribeTarget(relay, makeToken({ purpose, key: foreign, id, n: 0, expiresDay }))).toBeUndefined()
    expect(unsubscribeTarget(relay, makeToken({ purpose, key, id, n: 1, expiresDay }))).toBeUndefined()
    expect(unsubscribeTarget(relay, makeToken({ purpose, key, id, n: 0, expiresDay }))).toMatchObject({ message: id })
    for (const junk of ['', 'u-', 'u-x', '\0', `${tokenIn(sent)}x`, ` ${tokenIn(sent)}`])
      expect(unsubscribeTarget(relay, junk)).toBeUndefined()
  })
})
