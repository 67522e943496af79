// The demo: its plan and its books as pure functions, with every way in which the books can disagree; then the whole
// thing, over real sockets and a real store.

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { addDemoCommand, type DemoIo } from '../src/cli/demo.ts'
import { Ledger } from '../src/cli/demo-ledger.ts'
import { type Expected, LEAST_MESSAGES, type Plan, planOf, SCENE_KEYS, sceneOf } from '../src/cli/demo-plan.ts'
import { CliError } from '../src/cli/io.ts'
import type { JournalRecord } from '../src/journal/record.ts'
import { startRelay } from '../src/relay.ts'
import { systemClock } from '../src/util/clock.ts'

const allOf = (plan: Plan) => [...plan.messages, plan.last]

describe('the plan', () => {
  test.each([LEAST_MESSAGES, 41, 199, 200, 1000])(
    '%i messages, every scene among them, no address twice but the one meant to be',
    (count) => {
      const plan = planOf(count)
      expect(allOf(plan)).toHaveLength(count)
      const recipients = allOf(plan).flatMap((message) => message.recipients)
      expect(new Set(recipients.map(({ scene }) => scene))).toEqual(new Set(SCENE_KEYS))
      expect(new Set(recipients.map(({ address }) => address)).size).toBe(recipients.length - 1)
      expect(new Set(allOf(plan).map(({ messageId }) => messageId)).size).toBe(count)
      expect(
        recipients.filter(({ address }) => address === plan.last.recipients[0]?.address).map(({ scene }) => scene),
      ).toEqual(['unknown', 'again'])
      expect(plan.suppressed.length).toBe(recipients.filter(({ scene }) => scene === 'beforehand').length)
    },
  )

  test('most mail is good mail', () => {
    const expected = allOf(planOf(200)).flatMap(({ recipients }) =>
      recipients.map(({ scene }) => sceneOf(scene).expected),
    )
    expect(expected.filter((what) => what === 'delivered').length).toBeGreaterThan(120)
  })
})

/** One thing that happens to one recipient of the plan. */
type Happening = JournalRecord | { readonly kind: 'arrival'; readonly messageId: string; readonly address: string }

const ENDING_OF: Record<Expected, 'delivered' | 'failed' | 'suppressed'> = {
  delivered: 'delivered',
  undelivered: 'failed',
  suppressed: 'suppressed',
}

/** Everything goes as planned. */
function goodCourse(plan: Plan): Happening[] {
  return allOf(plan).flatMap((message, index): Happening[] =>
    message.recipients.flatMap(({ scene, address }, n): Happening[] => {
      const about = { at: 0, tenant: 'default', message: `m${index}`, n, recipient: address }
      const { expected, learns, comesBack } = sceneOf(scene)
      const course: Happening[] = [{ ...about, kind: 'accepted', messageId: message.messageId }]
      if (scene === 'greylist') course.push({ ...about, kind: 'deferred' })
      course.push({ ...about, kind: ENDING_OF[expected] })
      if (expected === 'delivered') course.push({ kind: 'arrival', messageId: message.messageId, address })
      if (comesBack !== undefined) course.push({ ...about, kind: comesBack })
      if (learns === 'always' && scene !== 'again') course.push({ ...about, kind: 'suppression-added' })
      return course
    }),
  )
}

function bookkeeper(plan: Plan, course: readonly Happening[]): Ledger {
  const ledger = new Ledger(plan)
  for (const one of course) {
    if (one.kind === 'arrival') ledger.arrived({ messageId: one.messageId, recipients: [one.address] })
    else ledger.record(one)
  }
  return ledger
}

describe('the books', () => {
  const plan = planOf(LEAST_MESSAGES)
  const good = goodCourse(plan)
  const addressOf = (scene: string): string =>
    allOf(plan)
      .flatMap(({ recipients }) => recipients)
      .find((one) => one.scene === scene)?.address ?? ''
  const is =
    (kind: string, scene: string) =>
    (one: Happening): boolean =>
      one.kind === kind && (one.kind === 'arrival' ? one.address : one.recipient) === addressOf(scene)
  const without = (kind: string, scene: string): Happening[] => good.filter((one) => !is(kind, scene)(one))
  const twice = (kind: string, scene: string): Happening[] =>
    good.flatMap((one) => (is(kind, scene)(one) ? [one, one] : [one]))
  const instead = (
    kind: 'delivered' | 'failed' | 'expired' | 'suppressed' | 'cancelled',
    of: string,
    scene: string,
  ): Happening[] => good.map((one) => (one.kind !== 'arrival' && is(of, scene)(one) ? { ...one, kind } : one))
  const extra = (kind: 'suppression-added' | 'bounced', scene: string): Happening[] => {
    const accepted = good.find(is('accepted', scene)) as JournalRecord
    return [...good, { ...accepted, kind }]
  }
  const strayed = (messageId: string, scene: string): Happening[] => [
    ...good,
    { kind: 'arrival', messageId, address: addressOf(scene) },
  ]

  test('all is well', () => {
    const judgement = bookkeeper(plan, good).judge()
    expect(judgement).toMatchObject({ messages: LEAST_MESSAGES, accounted: LEAST_MESSAGES, problems: [] })
    expect(judgement.cameBack.planned).toBeGreaterThan(3)
    expect(judgement.cameBack.journal).toBe(judgement.cameBack.planned)
    for (const { expected, planned, journal, inbox } of judgement.checks) {
      expect(journal).toBe(planned)
      expect(inbox).toBe(expected === 'delivered' ? planned : 0)
    }
  })

  test('an expired message is as undelivered as a failed one', () => {
    expect(bookkeeper(plan, instead('expired', 'failed', 'broken')).judge().problems).toEqual([])
  })

  const wrong: [what: string, course: Happening[], problem: RegExp][] = [
    ['a record is missing: never accepted', without('accepted', 'blocked'), /was accepted never/],
    ['accepted twice', twice('accepted', 'google'), /was accepted twice/],
    ['never ended', without('delivered', 'greylist'), /must be delivered, and is still waiting/],
    [
      'failed, and should have been delivered',
      instead('failed', 'delivered', 'yahoo'),
      /must be delivered; the journal says failed/,
    ],
    [
      'delivered, and should have failed',
      instead('delivered', 'failed', 'blocked'),
      /must be undelivered; the journal says delivered/,
    ],
    ['cancelled', instead('cancelled', 'failed', 'full'), /the journal says cancelled/],
    ['not suppressed', instead('failed', 'suppressed', 'beforehand'), /must be suppressed; the journal says failed/],
    ['never came back', without('bounced', 'late'), /must come back as bounced, and nothing has come/],
    ['came back twice', twice('complained', 'complaint'), /came back twice/],
    [
      'came back as something else',
      good.map((one) => (is('reported', 'vacation')(one) ? { ...one, kind: 'bounced' } : one) as Happening),
      /came back as bounced; it must be reported/,
    ],
    ['came back, and must not', extra('bounced', 'google'), /came back as bounced; it must not come back/],
    ['bounced, and not suppressed', without('suppression-added', 'late'), /should be suppressed, and is not/],
    [
      'a forger suppressed somebody',
      extra('suppression-added', 'forged'),
      /suppressed for a fault that is not its own/,
    ],
    ['ended twice', twice('delivered', 'small'), /ended twice: delivered, delivered/],
    [
      'delivered says the journal, the inbox has nothing',
      without('arrival', 'microsoft'),
      /must be in the inbox once, and is never/,
    ],
    ['in the inbox twice', twice('arrival', 'slow'), /must be in the inbox once, and is twice/],
    [
      'refused, yet in the inbox',
      strayed(allOf(plan).find(({ recipients }) => recipients[0]?.scene === 'blocked')!.messageId, 'blocked'),
      /must be in the inbox never, and is once/,
    ],
    [
      'an unknown user that is not suppressed',
      without('suppression-added', 'unknown'),
      /should be suppressed, and is not/,
    ],
    [
      'suppressed for our own fault',
      extra('suppression-added', 'blocked'),
      /suppressed for a fault that is not its own/,
    ],
    ['a message nobody sent', strayed('<other@x.test>', 'google'), /has what was not sent: <other@x\.test>/],
  ]
  test.each(wrong)('%s', (_, course, problem) => {
    const judgement = bookkeeper(plan, course).judge()
    expect(
      judgement.problems.some((one) => problem.test(one)),
      judgement.problems.join(' '),
    ).toBe(true)
    expect(judgement.problems.length).toBeLessThanOrEqual(2)
  })

  test('the table counts what happened', () => {
    const ledger = bookkeeper(plan, good.slice(0, good.length / 2))
    const { ended, accepted, all } = ledger.progress()
    const tallies = ledger.tallies()
    const sum = (key: 'planned' | 'accepted' | 'delivered' | 'failed' | 'suppressed' | 'waiting'): number =>
      tallies.reduce((total, row) => total + row[key], 0)
    expect(sum('planned')).toBe(all)
    expect(sum('accepted')).toBe(accepted)
    const returning = tallies.filter(({ scene }) => sceneOf(scene).comesBack !== undefined)
    const awaited = returning.reduce((total, { delivered, cameBack }) => total + delivered - cameBack, 0)
    expect(sum('delivered') + sum('failed') + sum('suppressed') - awaited).toBe(ended)
    expect(sum('waiting')).toBe(accepted - ended - awaited)
    expect(accepted).toBeLessThan(all)
  })
})

interface Run {
  readonly out: string
  readonly error: unknown
}

async function runDemo(words: readonly string[], io: Partial<DemoIo> = {}): Promise<Run> {
  let out = ''
  const program = new Command('studs').option('--json').exitOverride()
  addDemoCommand(program, {
    out: (text) => {
      out += text
    },
    err: () => {},
    outBytes: () => {},
    readAll: async () => '',
    input: async function* () {},
    isInputTty: false,
    isTty: false,
    width: 80,
    color: false,
    clock: systemClock,
    signal: new AbortController().signal,
    env: {},
    startRelay,
    ...io,
  })
  const error = await program.parseAsync(['demo', ...words], { from: 'user' }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return { out, error }
}

describe('the whole', () => {
  test('plain, without a terminal: ends by itself, everything accounted for', { timeout: 90_000 }, async () => {
    const { out, error } = await runDemo(['--messages', '75'])
    expect(error, out).toBeUndefined()
    expect(out).toContain('75 of 75 messages accounted for.')
    expect(out).toContain('of 77 recipients done')
    expect(out).toMatch(
      /hard_bounce +(?:user-unknown|late-ndr)\+\d+@gmail\.test\n +550 5\.1\.1 The email account that you tried to reach/,
    )
    expect(out).toMatch(/^ {2}came back +(\d+) +\1 +· +agrees$/m)
    expect(out).toMatch(/^fbl@ .* complained: /m)
    expect(out).toMatch(/complaint +fbl\+\d+@yahoo\.test\n/)
    expect(out).toContain('The story of one message')
    expect(out).toMatch(/And of one that came back\n.*late-ndr\+\d+@gmail\.test {2}bounced/s)
    expect(out).not.toContain('\u001b')
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('a journal that lost the records of a recipient is found out, and the folder is kept to look at', {
    timeout: 90_000,
  }, async () => {
    const forgetful: DemoIo['startRelay'] = async (options) => {
      const relay = await startRelay(options)
      const remembers = (record: JournalRecord): boolean => record.recipient !== 'ok+team@gmail.test'
      return {
        ...relay,
        journal: { follow: (listener) => relay.journal.follow((record) => remembers(record) && listener(record)) },
      }
    }
    const { out, error } = await runDemo(['--messages', '40', '--json'], { startRelay: forgetful })
    const judgement = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '')
    expect(judgement).toMatchObject({ messages: 40, accounted: 39 })
    expect(judgement.problems).toEqual(['Demo message 39 to ok+team@gmail.test was accepted never.'])
    expect(error).toBeInstanceOf(CliError)
    const folder = dirname(/kept: (.*)$/.exec((error as CliError).message)?.[1] ?? '')
    expect(readFileSync(`${folder}/studs.log`, 'utf8')).toContain('"event":')
    rmSync(folder, { recursive: true })
  })

  test('Ctrl-C ends it early, and nothing is left', { timeout: 30_000 }, async () => {
    const stop = new AbortController()
    let out = ''
    let socket = ''
    const watched: DemoIo['startRelay'] = async (options) => {
      const relay = await startRelay(options)
      socket = relay.socket
      relay.journal.follow(({ kind }) => kind === 'delivered' && stop.abort())
      return relay
    }
    const { error } = await runDemo([], {
      isTty: true,
      signal: stop.signal,
      startRelay: watched,
      out: (text) => {
        out += text
      },
    })
    expect((error as CliError).message).toBe('The demo was interrupted.')
    expect(out).toContain('\u001b[?25l')
    expect(out.endsWith('\u001b[?25h')).toBe(true)
    expect(existsSync(dirname(socket))).toBe(false)
  })

  test('too few messages is a usage error', async () => {
    const { error } = await runDemo(['--messages', '10'])
    expect(error).toMatchObject({ exitCode: 2 })
  })
})
