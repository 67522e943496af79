import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Settings } from '../../src/config/schema.ts'
import { Courier } from '../../src/delivery/courier.ts'
import type { Attempt, ChunkReader } from '../../src/delivery/delivery.ts'
import type { Destination } from '../../src/delivery/destination.ts'
import type { EmailAddress } from '../../src/mail/address.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import { type Clock, MINUTE, systemClock } from '../../src/util/clock.ts'
import { attemptTo } from '../support/attempt.ts'
import { deliverySettings } from '../support/delivery-settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'

let open = new AsyncDisposableStack()
const errors: unknown[] = []

afterEach(async () => {
  await open.disposeAsync()
  open = new AsyncDisposableStack()
  expect(errors.splice(0)).toEqual([])
})

async function mxOn(...addresses: readonly string[]): Promise<ScriptedMx[]> {
  const all = await ScriptedMx.startAll(addresses)
  for (const mx of all) open.use(mx)
  return all
}

async function oneMx(script?: ScriptedMx['script']): Promise<ScriptedMx> {
  const [mx] = await mxOn('127.0.0.1')
  if (script !== undefined) mx!.script = script
  return mx!
}

function courier(
  settings: Partial<Settings['delivery']> = {},
  { readChunk = async () => undefined, clock = systemClock }: { readChunk?: ChunkReader; clock?: Clock } = {},
): Courier {
  const made = new Courier({
    settings: deliverySettings(settings),
    clock,
    readChunk,
    random: Math.random,
    onError: (error) => errors.push(error),
  })
  open.defer(() => made.close(0))
  return made
}

/** Hosts `a`, `b`, … in this order of preference. */
function to(port: number, addresses: readonly string[] = ['127.0.0.1'], more: Partial<Destination> = {}): Destination {
  const hosts = addresses.map((address, at) => ({
    name: `${'abcdefg'[at]}.mx.example`,
    preference: at,
    addresses: [address],
  }))
  return {
    site: 'mx.example',
    hosts,
    port,
    implicitTls: false,
    tls: 'opportunistic',
    verify: false,
    connections: 10,
    ...more,
  }
}

const CONTENT = Buffer.from('Subject: hello\r\n\r\n.a line with a dot\r\n')
const attempt = (more: Partial<Attempt> = {}): Attempt =>
  attemptTo('user@example.com', {
    sender: 'sender@example.org',
    sizeBytes: CONTENT.length,
    prefix: 'Received: by us\r\n',
    ...((more.chunks ?? 1) === 1 && { content: CONTENT }),
    ...more,
  })

const source = { name: 'one', ehlo: 'relay.example.org' }
const carry = (by: Courier, destination: Destination, more: Partial<Attempt> = {}): Promise<Outcome> =>
  by.carry({ attempt: attempt(more), destination, source })

describe('a host that decides', () => {
  test('takes the mail: what was sent, and the way it went', async () => {
    const mx = await oneMx()
    const outcome = await carry(courier(), to(mx.port))
    expect(outcome).toEqual({
      kind: 'delivered',
      reply: { code: 250, enhanced: '2.0.0', lines: ['2.0.0 Queued'] },
      way: {
        site: 'mx.example',
        source: 'one',
        mx: 'a.mx.example',
        mxAddress: '127.0.0.1',
        localAddress: '127.0.0.1',
        durationMs: expect.any(Number),
      },
    })
    expect(mx.mails).toEqual([
      {
        sender: 'sender@example.org',
        recipient: 'user@example.com',
        connection: 1,
        content: `Received: by us\r\n${CONTENT}`,
      },
    ])
  })

  test.each([
    ['MAIL sender@example.org', '550 5.7.1 no', 'failed', 'MAIL'],
    ['RCPT user@example.com', '550 5.1.1 no such user', 'failed', 'RCPT'],
    ['RCPT user@example.com', '450 4.2.1 later', 'deferred', 'RCPT'],
    ['DATA', '554 5.5.0 no', 'failed', 'DATA'],
    ['DATA', '451 4.3.0 later', 'deferred', 'DATA'],
    ['dot', '554 5.7.1 spam', 'failed', 'dot'],
    ['dot', '451 4.7.1 later', 'deferred', 'dot'],
    ['dot', '421 4.3.2 going down', 'deferred', 'dot'],
  ] as const)('answers %s with %s: %s, and nobody else is asked', async (command, reply, kind, answered) => {
    const [first, second] = await mxOn('127.0.0.1', '127.0.0.2')
    first!.script = (said) => (said.command === command ? reply : undefined)
    const outcome = await carry(courier(), to(first!.port, ['127.0.0.1', '127.0.0.2']))
    expect(outcome).toMatchObject({
      kind,
      cause: { kind: 'reply', command: answered, reply: { code: Number(reply.slice(0, 3)) } },
    })
    expect(second!.connections).toBe(0)
  })

  test('the waiting time that a 4xx names is handed on', async () => {
    const mx = await oneMx(({ command }) =>
      command.startsWith('RCPT') ? '450 4.7.1 Greylisted, try again in 7 minutes' : undefined,
    )
    expect(await carry(courier(), to(mx.port))).toMatchObject({ kind: 'deferred', retryAfterMs: 7 * MINUTE })
  })

  test('cannot take UTF-8 or 8-bit content: failed, said by us', async () => {
    const mx = await oneMx(({ command }) => (command === 'EHLO' ? '250 mx.example' : undefined))
    const by = courier()
    expect(await carry(by, to(mx.port), { body: '8bitmime' })).toMatchObject({
      kind: 'failed',
      cause: { kind: 'local', code: '5.6.3' },
    })
    expect(await carry(by, to(mx.port), { smtpUtf8: true })).toMatchObject({
      kind: 'failed',
      cause: { kind: 'local', code: '5.6.7' },
    })
  })
})

describe('a host that decides nothing', () => {
  test.each([
    ['refuses everybody with 554', { banner: '554 5.7.1 no' }],
    ['refuses everybody with 421', { banner: '421 4.3.2 busy' }],
    ['hangs up at once', { banner: 'hang up' }],
    ['refuses EHLO and HELO', { EHLO: '550 no', HELO: '550 no' }],
    ['has no time for this sender', { 'MAIL sender@example.org': '451 4.3.2 later' }],
    ['goes away at RCPT', { 'RCPT user@example.com': '421 4.3.2 bye' }],
    ['hangs up at RCPT', { 'RCPT user@example.com': 'hang up' }],
    ['hangs up at DATA', { DATA: 'hang up' }],
    ['answers DATA with nonsense', { DATA: '250 fine' }],
  ] as const)('%s: the next one gets the mail', async (_, acts: Record<string, string>) => {
    const [first, second] = await mxOn('127.0.0.1', '127.0.0.2')
    first!.script = ({ command }) => acts[command]
    const outcome = await carry(courier(), to(first!.port, ['127.0.0.1', '127.0.0.2']))
    expect(outcome).toMatchObject({ kind: 'delivered', way: { mx: 'b.mx.example', mxAddress: '127.0.0.2' } })
    expect(second!.mails).toHaveLength(1)
    expect(first!.connections).toBe(1)
  })

  test('when all refuse everybody, also with 5xx, the mail is deferred with their words', async () => {
    const all = await mxOn('127.0.0.1', '127.0.0.2')
    for (const mx of all)
      mx.script = ({ command }) => (command === 'banner' ? '554 5.7.1 blocked, see example.com' : undefined)
    expect(await carry(courier(), to(all[0]!.port, ['127.0.0.1', '127.0.0.2']))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'reply', command: 'banner', reply: { code: 554, lines: ['5.7.1 blocked, see example.com'] } },
      way: { mx: 'b.mx.example' },
    })
  })

  test('a reply says more than a connection that failed after it', async () => {
    const [first] = await mxOn('127.0.0.1')
    first!.script = ({ command }) => (command === 'banner' ? '450 4.3.2 busy' : undefined)
    const outcome = await carry(courier(), to(first!.port, ['127.0.0.1', '127.0.0.2']))
    expect(outcome).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'reply', command: 'banner' },
      way: { mxAddress: '127.0.0.1' },
    })
  })

  test('five addresses are tried, no more', async () => {
    const addresses = Array.from({ length: 7 }, (_, n) => `127.0.0.${n + 1}`)
    const all = await mxOn(...addresses)
    for (const mx of all) mx.script = ({ command }) => (command === 'banner' ? '421 4.3.2 busy' : undefined)
    expect(await carry(courier(), to(all[0]!.port, addresses))).toMatchObject({ kind: 'deferred' })
    expect(all.map((mx) => mx.connections)).toEqual([1, 1, 1, 1, 1, 0, 0])
  })

  test('one that is not there is asked last the next time', async () => {
    const [second] = await mxOn('127.0.0.2')
    const by = courier({ messagesPerConnection: 1 })
    const destination = to(second!.port, ['127.0.0.1', '127.0.0.2'])
    expect(await carry(by, destination)).toMatchObject({ kind: 'delivered', way: { mxAddress: '127.0.0.2' } })
    const first = open.use(await ScriptedMx.start({ address: '127.0.0.1', port: second!.port }))
    expect(await carry(by, destination)).toMatchObject({ kind: 'delivered', way: { mxAddress: '127.0.0.2' } })
    expect(first.connections).toBe(0)
  })

  test('no host at all: deferred', async () => {
    const mx = await oneMx()
    await mx[Symbol.asyncDispose]()
    open = new AsyncDisposableStack()
    const by = courier()
    expect(await carry(by, to(1))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'connect' },
      way: { mxAddress: '127.0.0.1' },
    })
  })

  test('no address of a family the source has: deferred', async () => {
    const outcome = await courier().carry({
      attempt: attempt(),
      destination: to(1, ['::1']),
      source: { ...source, ipv4: '127.0.0.1' },
    })
    expect(outcome).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'connect', detail: expect.stringContaining('family') },
    })
  })

  test('a silent one is left when the time of the attempt is up', async () => {
    const mx = await oneMx(({ command }) => (command === 'banner' ? 'silence' : undefined))
    const outcome = await carry(courier({ attemptTimeout: 50 }), to(mx.port))
    expect(outcome.kind).toBe('deferred')
    expect(outcome).not.toMatchObject({ cause: { kind: 'ambiguous' } })
  })
})

describe('after the dot', () => {
  test('a lost reply is ambiguous: deferred, and nobody else gets the mail', async () => {
    const [first, second] = await mxOn('127.0.0.1', '127.0.0.2')
    first!.script = ({ command }) => (command === 'dot' ? 'hang up' : undefined)
    const outcome = await carry(courier(), to(first!.port, ['127.0.0.1', '127.0.0.2']))
    expect(outcome).toMatchObject({ kind: 'deferred', cause: { kind: 'ambiguous' }, way: { mxAddress: '127.0.0.1' } })
    expect(second!.connections).toBe(0)
  })

  test('also when it is we who do not wait any longer', async () => {
    const mx = await oneMx(({ command }) => (command === 'dot' ? 'silence' : undefined))
    const outcome = await carry(courier({ dotTimeout: 50 }), to(mx.port))
    expect(outcome).toMatchObject({ kind: 'deferred', cause: { kind: 'ambiguous' } })
  })
})

describe('kept connections', () => {
  test('carry one message after the other', async () => {
    const mx = await oneMx()
    const by = courier({ messagesPerConnection: 3 })
    for (let n = 0; n < 7; n++) expect((await carry(by, to(mx.port))).kind).toBe('delivered')
    expect(mx.mails.map(({ connection }) => connection)).toEqual([1, 1, 1, 2, 2, 2, 3])
    expect(mx.commands.filter((command) => command === 'QUIT')).toHaveLength(2)
  })

  test('and go on after a refusal', async () => {
    const mx = await oneMx(({ command }) => (command === 'RCPT bad@example.com' ? '550 5.1.1 no' : undefined))
    const by = courier()
    expect(await carry(by, to(mx.port), { recipient: 'bad@example.com' as EmailAddress })).toMatchObject({
      kind: 'failed',
    })
    expect(await carry(by, to(mx.port))).toMatchObject({ kind: 'delivered' })
    expect(mx.connections).toBe(1)
  })

  test('one that turns out dead costs nothing: a fresh one is opened', async () => {
    const mx = await oneMx()
    const by = courier()
    expect((await carry(by, to(mx.port))).kind).toBe('delivered')
    mx.script = ({ command, connection }) =>
      connection === 1 && command.startsWith('MAIL') ? '421 4.4.2 idle too long' : undefined
    expect(await carry(by, to(mx.port))).toMatchObject({ kind: 'delivered' })
    expect(mx.mails.map(({ connection }) => connection)).toEqual([1, 2])
  })

  test('one whose host puts every sender off is tried no further than a fresh one', async () => {
    const mx = await oneMx()
    const by = courier()
    await Promise.all([1, 2, 3].map(() => carry(by, to(mx.port))))
    mx.script = ({ command }) =>
      command.startsWith('MAIL') ? '451 4.7.1 slow down, try again in 3 minutes' : undefined
    const before = mx.commands.length
    expect(await carry(by, to(mx.port))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'reply', command: 'MAIL', reply: { code: 451 } },
      retryAfterMs: 3 * MINUTE,
    })
    expect(mx.commands.slice(before).filter((command) => command === 'MAIL')).toHaveLength(2)
  })

  test('say QUIT when delivery closes', async () => {
    const mx = await oneMx()
    const by = courier()
    await carry(by, to(mx.port))
    await by.close(1000)
    expect(mx.commands.at(-1)).toBe('QUIT')
  })

  test('end when nobody needs them', async () => {
    const mx = await oneMx()
    expect((await carry(courier({ idleTimeout: 30 }), to(mx.port))).kind).toBe('delivered')
    if (mx.open > 0) await once(mx, 'closed')
    expect(mx.commands.at(-1)).toBe('QUIT')
  })

  test('never more at one time than the path allows', async () => {
    const mx = await oneMx()
    const by = courier()
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, () => carry(by, to(mx.port, undefined, { connections: 3 }))),
    )
    expect(outcomes.every((outcome) => outcome.kind === 'delivered')).toBe(true)
    expect(mx.mostOpen).toBe(3)
    expect(await by.paths()).toEqual([
      { source: 'one', site: 'mx.example', connections: 3, idle: 3, active: 0, queued: 0 },
    ])
  })

  test('are not shared between users of a next hop', async () => {
    const mx = await oneMx(({ command }) =>
      command === 'AUTH' ? '235 ok' : command === 'EHLO' ? '250-mx.example\r\n250 AUTH PLAIN' : undefined,
    )
    const by = courier()
    for (const user of ['one', 'two', 'one']) await carry(by, to(mx.port, undefined, { auth: { user, password: 'p' } }))
    expect(mx.mails.map(({ connection }) => connection)).toEqual([1, 2, 1])
  })
})

describe('TLS', () => {
  const broken: ScriptedMx['script'] = ({ command }) => {
    if (command === 'EHLO') return '250-mx.example\r\n250 STARTTLS'
    return command === 'STARTTLS' ? '220 go ahead' : undefined
  }

  test('opportunistic: broken TLS is left out at once, and remembered', async () => {
    const mx = await oneMx(broken)
    const by = courier({ messagesPerConnection: 1 })
    const first = await carry(by, to(mx.port))
    expect(first).toMatchObject({ kind: 'delivered' })
    expect(first.kind === 'delivered' && first.way.tls).toBeUndefined()
    expect(mx.connections).toBe(2)
    expect(await carry(by, to(mx.port))).toMatchObject({ kind: 'delivered' })
    expect(mx.connections).toBe(3)
    expect(mx.commands.filter((command) => command === 'STARTTLS')).toHaveLength(1)
  })

  test('for broken_tls_memory, and no longer', async () => {
    const mx = await oneMx(broken)
    const clock = new FakeClock()
    const by = courier({ brokenTlsMemory: 10 * MINUTE }, { clock })
    const asked = async (): Promise<number> => {
      expect(await carry(by, to(mx.port))).toMatchObject({ kind: 'delivered' })
      return mx.commands.filter((command) => command === 'STARTTLS').length
    }
    expect(await asked()).toBe(1)
    await clock.advance(9 * MINUTE)
    expect(await asked()).toBe(1)
    await clock.advance(2 * MINUTE)
    expect(await asked()).toBe(2)
  })

  test('required: broken TLS defers, nothing goes in plaintext', async () => {
    const mx = await oneMx(broken)
    expect(await carry(courier(), to(mx.port, undefined, { tls: 'required', verify: true }))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'tls' },
    })
    expect(mx.commands).not.toContain('MAIL')
  })

  test('required: a host without STARTTLS defers', async () => {
    const mx = await oneMx()
    expect(await carry(courier(), to(mx.port, undefined, { tls: 'required' }))).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'tls' },
    })
    expect(mx.mails).toEqual([])
  })
})

describe('our own troubles', () => {
  test('a body that is gone defers', async () => {
    const mx = await oneMx()
    const outcome = await carry(courier(), to(mx.port), { chunks: 2 })
    expect(outcome).toMatchObject({ kind: 'deferred', cause: { kind: 'local', code: '4.3.0' } })
    expect(mx.mails).toEqual([])
  })

  test('a body that cannot be read defers and is told', async () => {
    const mx = await oneMx()
    const by = courier(
      {},
      {
        readChunk: async () => {
          throw new Error('disk on fire')
        },
      },
    )
    const outcome = await carry(by, to(mx.port), { chunks: 2 })
    expect(outcome).toMatchObject({
      kind: 'deferred',
      cause: { kind: 'local', code: '4.3.0', detail: 'internal error: disk on fire' },
    })
    expect(errors.splice(0)).toMatchObject([{ message: 'disk on fire' }])
    expect(mx.mails).toEqual([])
  })

  test('chunks are read one by one', async () => {
    const mx = await oneMx()
    const chunks = ['Subject: x\r\n\r\n', '.one\r\n', 'two\r\n']
    const by = courier({}, { readChunk: async (_, index) => Buffer.from(chunks[index]!) })
    expect(await carry(by, to(mx.port), { chunks: 3 })).toMatchObject({
      kind: 'delivered',
    })
    expect(mx.mails[0]!.content).toBe(`Received: by us\r\n${chunks.join('')}`)
  })

  test('closing: attempts that hang are cut and go back, those past the dot are ambiguous', async () => {
    const mx = await oneMx(({ command }) =>
      command === 'RCPT slow@example.com' || command === 'dot' ? 'silence' : undefined,
    )
    const by = courier()
    const slow = carry(by, to(mx.port), { recipient: 'slow@example.com' as EmailAddress })
    const dotted = carry(by, to(mx.port))
    while (!mx.commands.includes('dot') || !mx.commands.includes('RCPT')) await new Promise(setImmediate)
    await by.close(10)
    expect(await slow).toMatchObject({ kind: 'returned' })
    expect(await dotted).toMatchObject({ kind: 'deferred', cause: { kind: 'ambiguous' } })
    expect(await carry(by, to(mx.port))).toMatchObject({ kind: 'returned' })
  })

  test('closing while a connection is being opened', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const by = courier()
    const connected = once(server, 'connection')
    const outcome = carry(by, to((server.address() as AddressInfo).port))
    await connected
    await by.close(0)
    expect(await outcome).toMatchObject({ kind: 'returned' })
    server.close()
  })
})

describe('a fault of our own', () => {
  const gone = { ...source, ipv4: '192.0.2.9' }

  test('is told as such: an address that this machine does not have', async () => {
    const mx = await oneMx()
    const outcome = await courier().carry({ attempt: attempt(), destination: to(mx.port), source: gone })
    expect(outcome).toMatchObject({ kind: 'deferred', cause: { kind: 'connect', ours: true } })
  })

  test('is told as such: no address of the family', async () => {
    const outcome = await courier().carry({ attempt: attempt(), destination: to(25, ['::1']), source: gone })
    expect(outcome).toMatchObject({ kind: 'deferred', cause: { kind: 'connect', ours: true } })
  })

  test('is not told where a host refused the connection', async () => {
    const mx = await oneMx()
    const { port } = mx
    await mx[Symbol.asyncDispose]()
    const outcome = await carry(courier(), to(port))
    expect(outcome).toMatchObject({ kind: 'deferred', cause: { kind: 'connect' } })
    expect(outcome).not.toHaveProperty('cause.ours')
  })
})
