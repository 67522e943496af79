import { describe, expect, test } from 'vitest'
import type { Connection } from '../../src/delivery/kept-connections.ts'
import { Path, type PathLimits, Paths, type Slot } from '../../src/delivery/paths.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import { MINUTE, SECOND } from '../../src/util/clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

const DELIVERED: Outcome = {
  kind: 'delivered',
  reply: { code: 250, lines: ['ok'] },
  way: { site: 's', source: 'one', durationMs: 1 },
}
const LIMITS: PathLimits = {
  connections: 2,
  messagesPerConnection: 100,
  connectionRate: { count: 100, per: MINUTE },
  idleTimeoutMs: 5 * SECOND,
}

/** A connection to nobody, which tells what was done to it. */
class Line implements Connection {
  usable = true
  ended: 'quit' | 'destroyed' | undefined
  readonly #closers: (() => void)[] = []
  readonly #answersQuit: boolean
  constructor(answersQuit = true) {
    this.#answersQuit = answersQuit
  }
  quit(): void {
    this.ended ??= 'quit'
    this.usable = false
    if (this.#answersQuit) setImmediate(() => this.hangUp())
  }
  destroy(): void {
    this.ended ??= 'destroyed'
    this.usable = false
  }
  onClose(callback: () => void): void {
    this.#closers.push(callback)
  }
  hangUp(): void {
    this.usable = false
    for (const closer of this.#closers) closer()
  }
}

/** A task that ends when told to. */
function held(): { task: (slot: Slot<Line>) => Promise<Outcome>; begun: Promise<Slot<Line>>; end: () => void } {
  const begun = Promise.withResolvers<Slot<Line>>()
  const done = Promise.withResolvers<Outcome>()
  return {
    begun: begun.promise,
    end: () => done.resolve(DELIVERED),
    task: (slot) => {
      begun.resolve(slot)
      return done.promise
    },
  }
}

/** Sends one message the way deliver.ts does, and says over which line. */
async function send(path: Path<Line>, kind = 'k'): Promise<Line | 'none'> {
  let used: Line | 'none' = 'none'
  await path.run(async (slot) => {
    const grant = await slot.connection(kind, false)
    if (grant.kind === 'none') return { kind: 'returned', reason: 'no', retryAfterMs: grant.retryAfterMs }
    used = grant.kind === 'kept' ? grant.connection : new Line()
    slot.keep(kind, used)
    return DELIVERED
  })
  return used
}

describe('slots', () => {
  test('no more attempts at one time than connections', async () => {
    const path = new Path<Line>(new FakeClock(), LIMITS)
    const tasks = [held(), held(), held()]
    const outcomes = tasks.map(({ task }) => path.run(task))
    await Promise.all([tasks[0]!.begun, tasks[1]!.begun])
    expect(path.status).toEqual({ connections: 2, idle: 0, active: 2, queued: 1 })
    tasks[0]!.end()
    await tasks[2]!.begun
    expect(path.status).toMatchObject({ active: 2, queued: 0 })
    for (const { end } of tasks) end()
    expect(await Promise.all(outcomes)).toEqual([DELIVERED, DELIVERED, DELIVERED])
  })

  test('what gets no slot within 30 s goes back, untried', async () => {
    const clock = new FakeClock()
    const path = new Path<Line>(clock, LIMITS)
    const tasks = [held(), held(), held()]
    const outcomes = tasks.map(({ task }) => path.run(task))
    let begun = false
    tasks[2]!.begun.then(() => {
      begun = true
    })
    await clock.advance(29 * SECOND)
    expect(path.status.queued).toBe(1)
    await clock.advance(SECOND)
    expect(await outcomes[2]).toMatchObject({ kind: 'returned', retryAfterMs: 5 * SECOND })
    tasks[0]!.end()
    await outcomes[0]
    expect(begun).toBe(false)
    tasks[1]!.end()
    await outcomes[1]
    expect(clock.pending).toBe(0)
  })
})

describe('connections', () => {
  test('are used again, up to their number of messages', async () => {
    const path = new Path<Line>(new FakeClock(), { ...LIMITS, messagesPerConnection: 3 })
    const lines = [await send(path), await send(path), await send(path), await send(path)]
    expect(new Set(lines.slice(0, 3)).size).toBe(1)
    expect(lines[0]).toMatchObject({ ended: 'quit' })
    expect(lines[3]).not.toBe(lines[0])
  })

  test('idle ones end after their time', async () => {
    const clock = new FakeClock()
    const path = new Path<Line>(clock, LIMITS)
    const line = await send(path)
    await clock.advance(4999)
    expect(path.status.idle).toBe(1)
    await clock.advance(1)
    expect(line).toMatchObject({ ended: 'quit' })
    expect(path.status.idle).toBe(0)
    expect(clock.pending).toBe(0)
  })

  test('use starts their time anew', async () => {
    const clock = new FakeClock()
    const path = new Path<Line>(clock, LIMITS)
    const line = await send(path)
    await clock.advance(4 * SECOND)
    expect(await send(path)).toBe(line)
    await clock.advance(4 * SECOND)
    expect(line).toMatchObject({ ended: undefined })
    await clock.advance(SECOND)
    expect(line).toMatchObject({ ended: 'quit' })
  })

  test('one that the server closed is not used', async () => {
    const path = new Path<Line>(new FakeClock(), LIMITS)
    const line = (await send(path)) as Line
    line.hangUp()
    expect(path.status.idle).toBe(0)
    expect(await send(path)).not.toBe(line)
  })

  test('one that cannot be used any more is not given out, also before its end was told', async () => {
    const path = new Path<Line>(new FakeClock(), LIMITS)
    const line = (await send(path)) as Line
    line.usable = false
    expect(await send(path)).not.toBe(line)
    expect(line.ended).toBe('destroyed')
  })

  test('are shared only among the same kind; others make way', async () => {
    const path = new Path<Line>(new FakeClock(), { ...LIMITS, connections: 1 })
    const one = await send(path, 'tls')
    const other = await send(path, 'plain')
    expect(other).not.toBe(one)
    expect(one).toMatchObject({ ended: 'quit' })
    expect(path.status).toMatchObject({ idle: 1 })
  })

  test('new ones keep to the rate; a wait that is too long goes back', async () => {
    const clock = new FakeClock()
    const path = new Path<Line>(clock, {
      ...LIMITS,
      messagesPerConnection: 1,
      connectionRate: { count: 2, per: MINUTE },
    })
    expect([await send(path), await send(path)]).not.toContain('none')
    expect(await send(path)).toBe('none')
    await clock.advance(40 * SECOND)
    const later = send(path)
    await clock.advance(20 * SECOND)
    expect(await later).toBeInstanceOf(Line)
  })

  test('a fresh one is a fresh one, whatever is kept', async () => {
    const path = new Path<Line>(new FakeClock(), LIMITS)
    await send(path)
    await path.run(async (slot) => {
      expect(await slot.connection('k', true)).toEqual({ kind: 'connect' })
      expect(await slot.connection('k', false)).toMatchObject({ kind: 'kept' })
      return DELIVERED
    })
  })

  test('who waits for the rate gets a connection that comes free', async () => {
    const clock = new FakeClock()
    const path = new Path<Line>(clock, { ...LIMITS, connectionRate: { count: 1, per: 20 * SECOND } })
    const first = held()
    const running = path.run(first.task)
    const slot = await first.begun
    const line = new Line()
    expect(await slot.connection('k', false)).toEqual({ kind: 'connect' })
    const waiting = send(path)
    await clock.advance(SECOND)
    slot.keep('k', line)
    expect(await waiting).toBe(line)
    first.end()
    await running
  })
})

describe('all paths', () => {
  const key = { source: 'one', site: 's' }
  const sendBy = (paths: Paths<Line>, limits: PathLimits) => {
    const lines: Line[] = []
    return paths
      .run(key, limits, async (slot) => {
        const grant = await slot.connection('k', false)
        lines.push(grant.kind === 'kept' ? grant.connection : new Line())
        slot.keep('k', lines[0]!)
        return DELIVERED
      })
      .then(() => lines[0]!)
  }

  test('each source and site has its own', async () => {
    const paths = new Paths<Line>(new FakeClock())
    for (const site of ['a', 'b'])
      for (const source of ['one', 'two']) await paths.run({ source, site }, LIMITS, async () => DELIVERED)
    expect(paths.status().map(({ source, site }) => `${source} ${site}`)).toEqual(['one a', 'two a', 'one b', 'two b'])
    await paths.close()
  })

  test('quiet ones are forgotten, but not before their rates would be', async () => {
    const clock = new FakeClock()
    const paths = new Paths<Line>(clock)
    await sendBy(paths, LIMITS)
    await clock.advance(59 * SECOND)
    expect(paths.status()).toHaveLength(1)
    await clock.advance(31 * SECOND)
    expect(paths.status()).toHaveLength(0)
    expect(clock.pending).toBe(0)
  })

  test('changed limits hold from the next attempt on', async () => {
    const paths = new Paths<Line>(new FakeClock())
    const line = await sendBy(paths, LIMITS)
    expect(await sendBy(paths, { ...LIMITS, connections: 7 })).toBe(line)
    expect(paths.status()).toMatchObject([{ connections: 7 }])
    expect(await sendBy(paths, { ...LIMITS, messagesPerConnection: 7 })).not.toBe(line)
    expect(line.ended).toBe('quit')
    await paths.close()
  })

  test('a path that changed limits replace has opened what the one before it has opened', async () => {
    const paths = new Paths<Line>(new FakeClock())
    const grants: string[] = []
    const connect = (limits: PathLimits) =>
      paths.run(key, limits, async (slot) => {
        grants.push((await slot.connection('k', true)).kind)
        return DELIVERED
      })
    const rate = { count: 2, per: MINUTE }
    await connect({ ...LIMITS, connectionRate: rate })
    await connect({ ...LIMITS, connectionRate: rate, idleTimeoutMs: 1 })
    await connect({ ...LIMITS, connectionRate: rate, idleTimeoutMs: 2 })
    await connect({ ...LIMITS, connectionRate: { ...rate, count: 3 } })
    expect(grants).toEqual(['connect', 'connect', 'none', 'connect'])
    await paths.close()
  })

  test('closing gives back what stands in line and waits for what runs', async () => {
    const paths = new Paths<Line>(new FakeClock())
    const tasks = [held(), held(), held()]
    const outcomes = tasks.map(({ task }) => paths.run(key, LIMITS, task))
    await tasks[1]!.begun
    let isClosed = false
    const closing = paths.close().then(() => {
      isClosed = true
    })
    expect(await outcomes[2]).toMatchObject({ kind: 'returned', reason: 'shutting down' })
    expect(isClosed).toBe(false)
    for (const { end } of tasks) end()
    await closing
    expect(await Promise.all(outcomes.slice(0, 2))).toEqual([DELIVERED, DELIVERED])
    expect(await paths.run(key, LIMITS, async () => DELIVERED)).toMatchObject({ kind: 'returned' })
  })
})

describe('connections that paths share', () => {
  const shared = [{ name: 'provider big', connections: 2 }]
  const big: PathLimits = { ...LIMITS, connections: 5, shared }

  /** Sends over a path of its own and keeps the line until told. */
  function begin(
    paths: Paths<Line>,
    site: string,
  ): { outcome: Promise<Outcome>; line: Promise<Line | 'none'>; end: () => void } {
    const line = Promise.withResolvers<Line | 'none'>()
    const done = Promise.withResolvers<void>()
    const outcome = paths.run({ source: 'one', site }, big, async (slot) => {
      const grant = await slot.connection('k', false)
      if (grant.kind === 'none') {
        line.resolve('none')
        return { kind: 'returned', reason: grant.reason, retryAfterMs: grant.retryAfterMs }
      }
      const used = grant.kind === 'kept' ? grant.connection : new Line(false)
      line.resolve(used)
      await done.promise
      slot.keep('k', used)
      return DELIVERED
    })
    return { outcome, line: line.promise, end: done.resolve }
  }
  const settled = async (promise: Promise<unknown>): Promise<boolean> => {
    let is = false
    promise.then(() => {
      is = true
    })
    await new Promise(setImmediate)
    return is
  }

  test('all sites of the provider together never have more; who waits is given the next', async () => {
    const paths = new Paths<Line>(new FakeClock())
    const [a, b, c] = [begin(paths, 'a'), begin(paths, 'b'), begin(paths, 'c')]
    const first = await a.line
    await b.line
    expect(await settled(c.line)).toBe(false)
    a.end()
    await a.outcome
    // The idle line of site a was ended for it, but it is not closed yet: still two are open.
    expect(first).toMatchObject({ ended: 'quit' })
    expect(await settled(c.line)).toBe(false)
    ;(first as Line).hangUp()
    expect(await settled(c.line)).toBe(true)
    for (const each of [b, c]) each.end()
    expect(await Promise.all([b.outcome, c.outcome])).toEqual([DELIVERED, DELIVERED])
    await paths.close()
  })

  test('an idle connection elsewhere makes way', async () => {
    const paths = new Paths<Line>(new FakeClock())
    const [a, b] = [begin(paths, 'a'), begin(paths, 'b')]
    const [lineOfA] = await Promise.all([a.line, b.line])
    a.end()
    await a.outcome
    expect(lineOfA).toMatchObject({ ended: undefined })
    const c = begin(paths, 'c')
    expect(await settled(c.line)).toBe(false)
    expect(lineOfA).toMatchObject({ ended: 'quit' })
    ;(lineOfA as Line).hangUp()
    expect(await settled(c.line)).toBe(true)
    for (const each of [b, c]) each.end()
    await Promise.all([b.outcome, c.outcome])
    await paths.close()
  })

  test('who gets none in 30 s goes back, untried, and the permit of nobody is lost', async () => {
    const clock = new FakeClock()
    const paths = new Paths<Line>(clock)
    const [a, b, c] = [begin(paths, 'a'), begin(paths, 'b'), begin(paths, 'c')]
    await Promise.all([a.line, b.line])
    await clock.advance(30 * SECOND)
    expect(await c.outcome).toMatchObject({ kind: 'returned', reason: 'all connections that are allowed are in use' })
    a.end()
    ;((await a.line) as Line).hangUp()
    const d = begin(paths, 'd')
    expect(await settled(d.line)).toBe(true)
    for (const each of [b, d]) each.end()
    await Promise.all([a.outcome, b.outcome, d.outcome])
    await paths.close()
  })

  test('a busy path makes way after ten messages, not after a hundred', async () => {
    const paths = new Paths<Line>(new FakeClock())
    const one: PathLimits = { ...big, shared: [{ name: 'provider small', connections: 1 }] }
    const lines: Line[] = []
    const message = () =>
      paths.run({ source: 'one', site: 'busy' }, one, async (slot) => {
        const grant = await slot.connection('k', false)
        if (grant.kind === 'none') return { kind: 'returned', reason: grant.reason, retryAfterMs: 1 }
        const line = grant.kind === 'kept' ? grant.connection : new Line()
        lines.push(line)
        await new Promise(setImmediate)
        slot.keep('k', line)
        if (line.ended !== undefined) line.hangUp()
        return DELIVERED
      })
    const busy = Array.from({ length: 30 }, message)
    let after = 0
    const other = paths.run({ source: 'one', site: 'quiet' }, one, async (slot) => {
      const grant = await slot.connection('k', false)
      after = lines.length
      if (grant.kind === 'none') return { kind: 'returned', reason: grant.reason, retryAfterMs: 1 }
      const line = new Line()
      slot.keep('k', line)
      line.hangUp()
      return DELIVERED
    })
    await other
    expect(after).toBeLessThanOrEqual(11)
    await Promise.all(busy)
    expect(lines.length).toBe(30)
    await paths.close()
  })

  test('a failed connect gives its permit back with the attempt', async () => {
    const paths = new Paths<Line>(new FakeClock())
    const fail = (site: string) =>
      paths.run({ source: 'one', site }, big, async (slot) => {
        await slot.connection('k', false)
        await slot.connection('k', false) // the next host: the same permit
        return { kind: 'returned', reason: 'x', retryAfterMs: 1 }
      })
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(fail))
    const again = [begin(paths, 'f'), begin(paths, 'g')]
    expect(await Promise.all(again.map(({ line }) => settled(line)))).toEqual([true, true])
    for (const each of again) each.end()
    await Promise.all(again.map(({ outcome }) => outcome))
    await paths.close()
  })
})
