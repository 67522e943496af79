// Another chance on the real store: half-open entries, trials, what confirms and what clears them.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verdictOfSuppression } from '../src/suppression/verdict.ts'
import { DAY, HOUR, MINUTE } from '../src/util/clock.ts'
import { formatId } from '../src/util/id.ts'
import { address, FULL, Learning, SETTINGS, said, UNKNOWN_USER } from './support/learning.ts'

const JANE = 'jane@example.net'
const removal = { scope: 'a', target: JANE, who: 'cli:ops', why: 'she asked us' }

let learning: Learning
beforeEach(() => {
  learning = new Learning({ tenants: ['a', 'b', 'c', 'd'].map((name) => ({ name })) })
})
afterEach(() => learning.close())

const admit = (message: string, tenant = 'a') => learning.gate.admission(tenant, address(JANE), message)
const free = { kind: 'free' }

async function reactivated(): Promise<void> {
  await learning.fail(JANE)
  expect(await learning.list.remove(removal)).toBe('half-open')
}

describe('what Studs learned', () => {
  test('becomes half-open, keeps its story, and who and why are in the journal', async () => {
    await reactivated()
    expect(learning.isFree(JANE)).toBe(true)
    expect(learning.entry(JANE)).toMatchObject({
      reason: 'hard_bounce',
      reactivated: { at: learning.clock.now(), who: 'cli:ops', why: 'she asked us' },
      evidence: { cause: UNKNOWN_USER },
    })
    expect(learning.journal.latest({ limit: 1 })).toMatchObject([
      { kind: 'suppression-removed', recipient: JANE, who: 'cli:ops', why: 'she asked us' },
    ])
    expect(await learning.list.remove(removal)).toBe('half-open')
    expect(learning.journal.latest({ limit: 9, kinds: ['suppression-removed'] })).toHaveLength(1)
  })

  test('is forgotten when asked for; so is what is pending', async () => {
    await learning.fail(JANE)
    expect(await learning.list.remove({ ...removal, forget: true })).toBe('removed')
    expect(learning.entry(JANE)).toBeUndefined()
    const entry = { scope: 'a', target: JANE, reason: 'hard_bounce', createdAt: 1, who: 'studs' } as const
    await learning.store.write(learning.list.put({ ...entry, pendingUntil: learning.clock.now() + DAY }))
    expect(await learning.list.remove(removal)).toBe('removed')
    await learning.store.write(learning.list.put(entry))
    expect(await learning.list.remove(removal)).toBe('half-open')
    expect(await learning.list.remove({ ...removal, forget: true })).toBe('removed')
  })

  test.each(['manual', 'imported', 'policy', 'inactivity'] as const)('%s by hand is just removed', async (reason) => {
    await learning.list.add({ scope: 'a', target: JANE, reason, createdAt: 1, who: 'cli:ops' })
    expect(await learning.list.remove(removal)).toBe('removed')
    expect(learning.entry(JANE)).toBeUndefined()
  })

  test('can be suppressed by hand again', async () => {
    await reactivated()
    const entry = {
      scope: 'a',
      target: JANE,
      reason: 'manual',
      createdAt: learning.clock.now(),
      who: 'cli:ops',
    } as const
    expect(await learning.list.add(entry)).toBe('added')
    expect(admit('m1')).toMatchObject({ kind: 'suppressed', entry: { reason: 'manual' } })
  })
})

describe('a trial', () => {
  beforeEach(reactivated)

  test('is one message at a time; asking at RCPT claims nothing', async () => {
    expect(learning.isFree(JANE)).toBe(true)
    expect(admit('m1')).toEqual(free)
    expect(admit('m2')).toEqual({ kind: 'wait', until: learning.clock.now() + MINUTE })
    expect(admit('m1')).toEqual(free)
    expect(learning.gate.trial(learning.entry(JANE)!)).toBe('m1')
  })

  test('that fails for now lets the next one try', async () => {
    admit('m1')
    await learning.fail(JANE, { message: 'm1', cause: said(451, '4.7.1 greylisted'), ending: 'deferred' })
    expect(admit('m2')).toEqual(free)
    expect(admit('m1').kind).toBe('wait')
  })

  test('that gets through clears the history', async () => {
    admit('m1')
    await learning.deliver(JANE, { message: 'm1' })
    expect(learning.entry(JANE)).toBeUndefined()
    for (const message of ['m2', 'm3']) expect(admit(message)).toEqual(free)
  })

  test('that is refused suppresses again at once, and counts', async () => {
    admit('m1')
    await learning.clock.advance(DAY)
    const { suppression } = await learning.fail(JANE, { message: 'm1' })
    expect(suppression).toMatchObject({
      createdAt: learning.clock.now(),
      again: { times: 2, reactivated: { who: 'cli:ops', why: 'she asked us' } },
    })
    expect(admit('m2')).toMatchObject({ kind: 'suppressed' })
    await learning.list.remove({ ...removal, why: 'once more' })
    const third = await learning.fail(JANE)
    expect(third.suppression).toMatchObject({ again: { times: 3, reactivated: { why: 'once more' } } })
  })

  test('what it was before is not forgotten over a surge', async () => {
    await learning.fail(JANE)
    for (let n = 0; n < 12; n++) await learning.fail(`user${n}@example.net`)
    expect(learning.entry(JANE)).toMatchObject({ again: { times: 2 } })
    expect(learning.entry(JANE)?.pendingUntil).toBeDefined()
    await learning.clock.advance(5 * HOUR)
    expect((await learning.fail(JANE)).suppression).toMatchObject({ again: { times: 2 } })
    expect(learning.isFree(JANE)).toBe(false)
  })

  test('that never ends holds nobody up for ever', async () => {
    admit('m1')
    await learning.clock.advance(HOUR - 1)
    expect(admit('m2').kind).toBe('wait')
    await learning.clock.advance(1)
    expect(admit('m2')).toEqual(free)
  })

  test('another message that ends does not end it', async () => {
    admit('m1')
    await learning.deliver('joe@example.net', { message: 'm1' })
    expect(admit('m2').kind).toBe('wait')
  })

  test('a restart forgets who was on trial, not that there is one', async () => {
    admit('m1')
    await learning.restart()
    expect(admit('m2')).toEqual(free)
    expect(admit('m1').kind).toBe('wait')
  })

  test('belongs to its tenant', () => {
    admit('m1')
    expect(admit('m2', 'b')).toEqual(free)
    expect(admit('m3', 'b')).toEqual(free)
  })

  test('a block of ours says nothing of the address', async () => {
    await learning.fail(JANE, { cause: said(554, '5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org') })
    expect(learning.entry(JANE)).toMatchObject({ reactivated: { who: 'cli:ops' } })
  })
})

describe('an address learned from reports', () => {
  const bounced = { ending: 'bounced' } as const
  const idAt = (at: number): string => formatId(Math.floor(at / 1024), ((at % 1024) << 22) >>> 0)

  test('is taken at its 250 only when nothing comes back', async () => {
    await learning.fail(JANE, bounced)
    await learning.list.remove(removal)
    admit('m1')
    await learning.deliver(JANE, { message: 'm1' })
    expect(learning.entry(JANE)).toMatchObject({ accepted: { message: 'm1' } })
    expect([admit('m2'), admit('m3')]).toEqual([free, free])
    const { suppression } = await learning.fail(JANE, { ...bounced, message: 'm1' })
    expect(suppression).toMatchObject({ again: { times: 2 } })
  })

  test('is cleared by a delivery after the bounce window', async () => {
    await learning.fail(JANE, bounced)
    await learning.list.remove(removal)
    await learning.deliver(JANE)
    await learning.clock.advance(7 * DAY)
    await learning.deliver(JANE)
    expect(learning.entry(JANE)).toBeUndefined()
  })

  test('is not suppressed again for mail from before', async () => {
    await learning.fail(JANE, bounced)
    await learning.list.remove(removal)
    const now = learning.clock.now()
    expect((await learning.fail(JANE, { ...bounced, message: idAt(now - HOUR) })).suppression).toBeUndefined()
    expect((await learning.fail(JANE, { ...bounced, message: idAt(now + HOUR) })).suppression).toBeDefined()
  })

  test('a bounce of the very message that cleared it suppresses like any other', async () => {
    await reactivated()
    await learning.deliver(JANE, { message: 'm1' })
    expect(learning.entry(JANE)).toBeUndefined()
    expect((await learning.fail(JANE, { ...bounced, message: 'm1' })).suppression).toMatchObject({
      reason: 'hard_bounce',
    })
  })
})

describe('soft failures', () => {
  beforeEach(async () => {
    for (let strike = 0; strike < 3; strike++) {
      await learning.fail(JANE, { cause: FULL })
      await learning.clock.advance(25 * HOUR)
    }
    expect(learning.entry(JANE)).toMatchObject({ reason: 'soft_bounce_limit' })
    await learning.list.remove(removal)
  })

  test('one on trial suppresses again', async () => {
    const { suppression } = await learning.fail(JANE, { cause: FULL })
    expect(suppression).toMatchObject({ reason: 'soft_bounce_limit', again: { times: 2 } })
    expect(learning.isFree(JANE)).toBe(false)
  })

  test('after a delivery it takes three again', async () => {
    await learning.deliver(JANE)
    await learning.fail(JANE, { cause: FULL })
    expect(learning.isFree(JANE)).toBe(true)
    expect(learning.strikes.read('a', JANE)).toMatchObject({ count: 1 })
  })
})

describe('for everybody', () => {
  const everybody = { ...removal, scope: '*' }
  beforeEach(async () => {
    for (const tenant of ['a', 'b', 'c']) await learning.fail(JANE, { tenant })
    expect(learning.entry(JANE, '*')).toMatchObject({ expiresAt: learning.clock.now() + SETTINGS.globalDecay })
  })

  test('a half-open entry tries one message over all tenants', async () => {
    await learning.list.remove(everybody)
    await learning.list.remove({ ...removal, forget: true })
    expect(admit('m1', 'd')).toEqual(free)
    expect(admit('m2', 'a').kind).toBe('wait')
    expect(admit('m3', 'b').kind).toBe('suppressed')
    await learning.deliver(JANE, { tenant: 'd', message: 'm1' })
    expect(learning.entry(JANE, '*')).toBeUndefined()
  })

  test('one refusal puts it in force again, for twice as long each time', async () => {
    await learning.list.remove(everybody)
    await learning.clock.advance(DAY)
    await learning.fail(JANE, { tenant: 'd' })
    const shared = learning.entry(JANE, '*')!
    expect(shared).toMatchObject({ again: { times: 2 }, expiresAt: learning.clock.now() + 2 * SETTINGS.globalDecay })
    expect(JSON.stringify(shared)).not.toMatch(/"(message|source|report)"/)
    await learning.clock.advance(2 * SETTINGS.globalDecay)
    expect(learning.isFree('x@example.net', 'd')).toBe(true)
    await learning.list.remove({ ...removal, scope: 'd', forget: true })
    await learning.fail(JANE, { tenant: 'd' })
    expect(learning.entry(JANE, '*')).toMatchObject({
      again: { times: 3 },
      expiresAt: learning.clock.now() + 4 * SETTINGS.globalDecay,
    })
  })

  test('is recorded, and the record names nobody', () => {
    const records = learning.journal.since(undefined, { limit: 99, kinds: ['suppression-added'] })
    expect(records.at(-1)).toMatchObject({ tenant: '*', scope: '*', recipient: JANE, who: 'studs' })
    expect(records.at(-1)?.message).toBeUndefined()
  })
})

describe('who teaches all tenants', () => {
  test('not an import, however well it is documented', async () => {
    for (const scope of ['b', 'c']) {
      const evidence = { rule: 'imported', category: 'bad-mailbox', code: 10, cause: UNKNOWN_USER }
      const entry = {
        scope,
        target: JANE,
        reason: 'hard_bounce',
        createdAt: 1,
        who: 'import:list.csv',
        evidence,
      } as const
      await learning.store.write(learning.list.put(entry))
    }
    await learning.fail(JANE)
    expect(learning.entry(JANE, '*')).toBeUndefined()
  })

  test('not a tenant that does not share, whenever it learned', async () => {
    await learning.close()
    learning = new Learning({ tenants: [{ name: 'a', useGlobal: false }, { name: 'b' }, { name: 'c' }, { name: 'd' }] })
    for (const tenant of ['a', 'b', 'c']) await learning.fail(JANE, { tenant })
    expect(learning.entry(JANE, '*')).toBeUndefined()
    await learning.fail(JANE, { tenant: 'd' })
    expect(learning.entry(JANE, '*')).toBeDefined()
    expect(learning.isFree('other@example.net', 'a')).toBe(true)
  })

  test('an abandoned mailbox counts', async () => {
    const abandoned = said(550, '5.2.1 The email account that you tried to reach is inactive')
    for (const tenant of ['a', 'b', 'c']) await learning.fail(JANE, { tenant, cause: abandoned })
    expect(learning.entry(JANE, '*')).toMatchObject({ evidence: { category: 'inactive-mailbox' } })
  })
})

describe('a policy of the tenant', () => {
  test('refuses role addresses, exactly those, without an entry', async () => {
    await learning.close()
    learning = new Learning({ tenants: [{ name: 'a', roleAddresses: 'refuse' }, { name: 'b' }] })
    const find = (to: string, tenant = 'a') => learning.gate.find(tenant, address(to))
    expect(find('Abuse@example.net')).toMatchObject({ reason: 'policy', scope: 'a', target: 'abuse@example.net' })
    expect(learning.gate.admission('a', address('noreply@example.net'), 'm1')).toMatchObject({ kind: 'suppressed' })
    for (const to of ['abuse+x@example.net', 'abusers@example.net', 'x@abuse.example.net'])
      expect(find(to), to).toBeUndefined()
    expect(find('abuse@example.net', 'b')).toBeUndefined()
    expect(learning.store.count('suppression')).toBe(0)
  })

  test('has its own codes', () => {
    const of = (reason: Parameters<typeof verdictOfSuppression>[0]['reason']) => verdictOfSuppression({ reason })
    expect(of('policy')).toMatchObject({ category: 'policy-enforced', code: 123 })
    expect(of('inactivity')).toMatchObject({ category: 'inactive-subscriber', code: 122 })
    for (const reason of ['hard_bounce', 'complaint', 'manual'] as const) expect(of(reason)).toBeUndefined()
  })
})
