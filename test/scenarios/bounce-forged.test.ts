// Whoever can reach the bounce listener can send it anything. What is not signed by us suppresses nobody, what is signed
// by us is never refused: ten thousand forged reports over real SMTP, with genuine ones among them.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { dayOf, makeReturnPath, makeToken, type ReturnPathKey } from '../../src/bounce/return-path.ts'
import { returnPathKeys } from '../../src/queue/return-path-keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import { systemClock } from '../../src/util/clock.ts'
import { randomOf } from '../faults/submit.ts'
import { configOf, startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts'
import { complaint, ndr } from '../support/report-mails.ts'
import { SandboxClient } from '../support/sandbox-client.ts'

afterEach(stopRelays)

const FORGED = 10_000
const GENUINE = 300
const CONNECTIONS = 8

const toml = (limits: string): string => `
[suppression]
# So many at one site in a minute would be held as a spike.
spike_minimum = 100000
[bounce]
${limits}
[[bounce_box]]
address = "fbl@bounce.b.test"
kind = "feedback"
[[bounce_box]]
address = "*@box.b.test"
${['b', 'c']
  .map(
    (name, at) => `
[[tenant]]
name = "${name}"
[[network]]
cidr = "127.0.0.${at + 2}"
tenant = "${name}"
[[domain]]
name = "${name}.test"
tenant = "${name}"
return_path = "bounce.${name}.test"
`,
  )
  .join('')}`
const UNLIMITED = 'max_bad_recipients = 1000000\nrate_per_ip = "1000000/min"\nmax_connections_per_ip = 50'

/** A relay whose signing key the test knows, as only a thief would. */
async function relayWithKnownKey(limits: string): Promise<{ relay: TestRelay; key: ReturnPathKey }> {
  const directory = mkdtempSync(join(tmpdir(), 'studs-relay-'))
  writeFileSync(join(directory, 'studs.toml'), configOf({ toml: toml(limits) }))
  const store = openStore({ directory: join(directory, 'data'), mapSize: 2 ** 30, clock: systemClock })
  const [key] = await returnPathKeys(store)
  await store.close()
  return { relay: await startTestRelay({ directory }), key }
}

interface Genuine {
  readonly tenant: string
  readonly recipient: string
  readonly message: string
  readonly returnPath: string
}

/** Delivered to both tenants' recipients; every one has a return path of its own. */
async function deliverAll(relay: TestRelay, count: number): Promise<Genuine[]> {
  const sent = await Promise.all(
    ['b', 'c'].map(async (tenant, at) => {
      const to = Array.from({ length: count / 2 }, (_, n) => `ok+${n}@${tenant}.example.test`)
      const message = await relay.send(to, { from: `app@${tenant}.test` }, `127.0.0.${at + 2}`)
      return to.map((recipient) => ({ tenant, recipient, message }))
    }),
  )
  await relay.record('delivered', { count })
  return sent.flat().map((each) => ({ ...each, returnPath: relay.returnPathOf(each.recipient) }))
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuv'

type Forger = (of: Genuine, pick: (below: number) => number) => string

/** Everything somebody may try who has seen a genuine return path, and more than he can. */
function forgersWith(key: ReturnPathKey): readonly Forger[] {
  const today = dayOf(systemClock.now())
  const stranger: ReturnPathKey = { id: key.id, secret: Buffer.alloc(32, 7) }
  const changed = (address: string, at: number, by: number): string => {
    const old = ALPHABET.indexOf(address[at] ?? '')
    return `${address.slice(0, at)}${ALPHABET[(old + by) % 32]}${address.slice(at + 1)}`
  }
  const domainOf = ({ returnPath }: Genuine): string => returnPath.slice(returnPath.indexOf('@') + 1)
  return [
    // One character is another, anywhere in the token.
    ({ returnPath }, pick) => changed(returnPath, 2 + pick(40), 1 + pick(31)),
    // Made up from nothing.
    (of, pick) => `b-${Array.from({ length: 40 }, () => ALPHABET[pick(32)]).join('')}@${domainOf(of)}`,
    // Cut short, or longer than it may be.
    ({ returnPath }, pick) => returnPath.replace(/.{1,20}@/, (end) => `${end.slice(0, pick(end.length - 1))}@`),
    ({ returnPath }, pick) => returnPath.replace('@', `${ALPHABET[pick(32)]}@`),
    // Signed with another key.
    (of) => makeReturnPath({ key: stranger, id: of.message, n: 0, expiresDay: today + 9, domain: domainOf(of) }),
    // Signed by us, long ago.
    (of, pick) => makeReturnPath({ key, id: of.message, n: 0, expiresDay: today - 1 - pick(90), domain: domainOf(of) }),
    // Signed by us for unsubscribing, used as a bounce address.
    (of) =>
      `b-${makeToken({ key, id: of.message, n: 0, expiresDay: today + 9, purpose: 'unsubscribe' }).slice(2)}@${domainOf(of)}`,
    // Signed by us, for a message that does not exist.
    (of, pick) => makeReturnPath({ key, id: '0000000000000', n: pick(9), expiresDay: today + 9, domain: domainOf(of) }),
    // Signed by us, for a recipient that the message does not have.
    (of, pick) =>
      makeReturnPath({ key, id: of.message, n: 1000 + pick(9), expiresDay: today + 9, domain: domainOf(of) }),
    // A good token at a domain that is none of ours.
    ({ returnPath }) => returnPath.replace(/@.*/, '@bounce.elsewhere.test'),
  ]
}

interface Mail {
  readonly to: string
  readonly raw: string
}

const hardBounce = (recipient: string, original = ''): string =>
  ndr({ recipient, status: '5.1.1', diagnostic: '550 5.1.1 User unknown', original: `Subject: Hello\r\n${original}` })

/** Sends all, several sessions at once, each for many mails; the final reply to each, in order. */
async function sendAll(port: number, mails: readonly Mail[]): Promise<string[]> {
  const replies: string[] = []
  let next = 0
  const session = async (): Promise<void> => {
    const client = await SandboxClient.to(port)
    await client.reply()
    await client.sayAll('EHLO mx.example.test')
    let isBegun = false
    for (let at = next++; at < mails.length; at = next++) {
      const { to, raw } = mails[at]!
      if (!isBegun) await client.sayAll('MAIL FROM:<>')
      let reply = await client.say(`RCPT TO:<${to}>`)
      // After a refusal the next recipient is tried in the same transaction: nothing of it may stick.
      isBegun = !reply.startsWith('2')
      if (!isBegun) {
        await client.sayAll('DATA')
        reply = await client.say(`${raw}\r\n.`)
      }
      replies[at] = reply
    }
    client.close()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, session))
  return replies
}

const suppressed = (relay: TestRelay): string[] => {
  const { entries } = relay.relay.suppressions.list({ limit: 10_000 })
  return entries.map(({ scope, target }) => `${scope} ${target}`).sort()
}

test(`${FORGED} forged reports suppress nobody, and no genuine one among them is refused`, {
  timeout: 90_000,
}, async () => {
  const random = randomOf(20_260_101)
  const pick = (below: number): number => Math.floor(random() * below)
  const { relay, key } = await relayWithKnownKey(UNLIMITED)
  const all = await deliverAll(relay, 2 * GENUINE)
  // Half of them bounce; the other half are the victims of the forgers.
  const genuine = all.filter((_, n) => n % 2 === 0)
  const victims = all.filter((_, n) => n % 2 === 1)
  const forgers = forgersWith(key)
  const forged = Array.from({ length: FORGED }, (_, n): Mail & { isForged: true } => {
    const victim = victims[n % victims.length]!
    return { to: forgers[n % forgers.length]!(victim, pick), raw: hardBounce(victim.recipient), isForged: true }
  })
  const folds = [
    (text: string) => text,
    (text: string) => text.toUpperCase(),
    (text: string) => text.replace('b-', 'B-'),
  ]
  const real = genuine.map(({ returnPath, recipient }, n): Mail & { isForged: false } => {
    const [local = '', domain = ''] = returnPath.split('@')
    return { to: `${folds[n % folds.length]!(local)}@${domain}`, raw: hardBounce(recipient), isForged: false }
  })
  const mails = [...forged, ...real].map((mail) => ({ mail, at: random() })).sort((a, b) => a.at - b.at)
  const startedAt = systemClock.monotonic()
  const replies = await sendAll(
    relay.bouncePort,
    mails.map(({ mail }) => mail),
  )
  expect(systemClock.monotonic() - startedAt).toBeLessThan(60_000)

  const accepted = replies.filter((reply) => reply.startsWith('250 '))
  expect(accepted).toHaveLength(GENUINE)
  for (const [n, { mail }] of mails.entries()) {
    if (mail.isForged !== /^550 5\.(?:1\.1|7\.1) /.test(replies[n]!))
      expect([mail.to, replies[n]]).toBe('as it must be')
  }
  expect(suppressed(relay)).toEqual(genuine.map(({ tenant, recipient }) => `${tenant} ${recipient}`).sort())
  const bounced = relay.records.filter(({ kind }) => kind === 'bounced')
  expect(bounced).toHaveLength(GENUINE)
  expect(new Set(relay.records.map(({ kind }) => kind))).toEqual(
    new Set(['accepted', 'delivered', 'bounced', 'suppression-added']),
  )
})

test('what is accepted by a box and only claims to be about a recipient suppresses nobody', async () => {
  const { relay, key } = await relayWithKnownKey(UNLIMITED)
  const all = await deliverAll(relay, 40)
  const forgers = forgersWith(key)
  const pick = (below: number): number => below >> 1
  const boxes = ['fbl@bounce.b.test', 'postmaster@bounce.b.test', 'abuse@bounce.c.test', 'anybody@box.b.test']
  const mails = all.flatMap((victim, n): Mail[] => {
    const to = boxes[n % boxes.length]!
    // All but the last: a good token is good, whatever stands behind its @.
    const token = forgers[n % (forgers.length - 1)]!(victim, pick)
    const original = `Return-Path: <${token}>\r\nX-Studs-Token: ${token.split('@')[0]}\r\nTo: ${victim.recipient}`
    return [
      { to, raw: hardBounce(victim.recipient, original) },
      { to, raw: complaint({ original: `${original}\r\nSubject: Hello\r\n\r\nHello.` }) },
    ]
  })
  const replies = await sendAll(relay.bouncePort, mails)
  expect(replies.filter((reply) => !reply.startsWith('250 '))).toEqual([])
  await relay.record('reported', { count: mails.length })
  expect(suppressed(relay)).toEqual([])
  expect(relay.records.filter(({ kind }) => kind === 'bounced' || kind === 'complained')).toEqual([])
})

test('a return path of one tenant at the domain of another says nothing of the other', async () => {
  const { relay } = await relayWithKnownKey(UNLIMITED)
  // Both tenants mail the same address.
  const messages: string[] = []
  for (const [at, tenant] of ['b', 'c'].entries())
    messages.push(await relay.send('ok@both.test', { from: `app@${tenant}.test` }, `127.0.0.${at + 2}`))
  await relay.record('delivered', { count: 2 })
  const ofB = relay.relay.sandbox!.inbox.list().find(({ sender }) => sender.endsWith('@bounce.b.test'))!.sender
  await sendAll(relay.bouncePort, [
    { to: ofB.replace('bounce.b.test', 'bounce.c.test'), raw: hardBounce('ok@both.test') },
  ])
  expect(suppressed(relay).filter((entry) => !entry.startsWith('b '))).toEqual([])
  expect(relay.relay.journal.ofMessage(messages[1]!).map(({ kind }) => kind)).toEqual(['accepted', 'delivered'])
})

test('whoever guesses is sent away after a few', async () => {
  const { relay } = await relayWithKnownKey('')
  const client = await SandboxClient.to(relay.bouncePort)
  await client.reply()
  await client.sayAll('EHLO mx.example.test', 'MAIL FROM:<>')
  const replies: string[] = []
  for (let n = 0; n < 30 && !/^(?:421|closed|ECONNRESET|EPIPE)/.test(replies.at(-1) ?? ''); n++)
    replies.push(await client.say(`RCPT TO:<b-${'0'.repeat(38)}${String(n).padStart(2, '0')}@bounce.b.test>`))
  client.close()
  expect(replies.filter((reply) => reply.startsWith('550 5.1.1')).length).toBeLessThanOrEqual(10)
  expect(replies.at(-1)).toMatch(/^421 4\.7\.0/)
})

test('one recipient is not reported a thousand times', async () => {
  const { relay } = await relayWithKnownKey('reports_per_recipient = 3')
  const [victim] = await deliverAll(relay, 2)
  const mails = Array.from({ length: 20 }, () => ({ to: victim!.returnPath, raw: hardBounce(victim!.recipient) }))
  const replies = await sendAll(relay.bouncePort, mails)
  const accepted = replies.filter((reply) => reply.startsWith('250 ')).length
  // Several may be on their way when the limit is reached.
  expect(accepted).toBeGreaterThanOrEqual(3)
  expect(accepted).toBeLessThanOrEqual(3 + CONNECTIONS)
  expect(replies.filter((reply) => /^550 5\.7\.1 /.test(reply))).toHaveLength(mails.length - accepted)
})
