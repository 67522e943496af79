// `studs demo`: a relay and a pretend internet in one process, 200 messages submitted over real SMTP, a table of what
// becomes of them, and a check that journal, inbox and suppressions say what they must. Exits 1 when they do not.

import type { Command } from 'commander'
import { headerOf } from '../sandbox/inbox.ts'
import { type Clock, MINUTE, SECOND } from '../util/clock.ts'
import { positiveInteger } from './argument.ts'
import { type Judgement, Ledger } from './demo-ledger.ts'
import { LEAST_MESSAGES, type Plan, type PlannedMessage, planOf, sceneOf } from './demo-plan.ts'
import { liveScreen, noScreen, plainScreen, type Screen } from './demo-screen.ts'
import { createSender, type Sender } from './demo-sender.ts'
import { CREDENTIAL, openStage, type Stage, type StartRelay } from './demo-stage.ts'
import { type Frame, summaryLines, suppressionLines } from './demo-view.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput, type Page } from './output.ts'
import type { GlobalOptions } from './session.ts'
import { jsonLine, printableDeep, wrap } from './terminal.ts'
import { timeline } from './timeline.ts'

export type DemoIo = Io & { readonly startRelay: StartRelay }

interface DemoOptions extends GlobalOptions {
  readonly once?: boolean
  readonly messages: number
}

/** What the steps of one demo share. */
interface Demo {
  readonly io: DemoIo
  readonly page: Page
  readonly isJson: boolean
  readonly plan: Plan
  readonly ledger: Ledger
  readonly stage: Stage
}

const DRAW_EVERY_MS = 100
// No message lives for more than 9 s: what has not ended by then never will.
const GIVE_UP_AFTER_MS = MINUTE
const LEARNING_MS = 10 * SECOND
const WIDEST = 120

export function addDemoCommand(program: Command, io: DemoIo): void {
  program
    .command('demo')
    .description('Watch a relay deliver 200 messages into a pretend internet, and check what became of them')
    .option('--once', 'end after the summary (always so without a terminal)')
    .option('--messages <count>', `how many, at least ${LEAST_MESSAGES}`, positiveInteger, 200)
    .action(async (_options: object, command: Command) => {
      await runDemo(io, command.optsWithGlobals<DemoOptions>())
    })
}

async function runDemo(io: DemoIo, options: DemoOptions): Promise<void> {
  if (options.messages < LEAST_MESSAGES)
    throw new CliError(EXIT.usage, `The demo needs at least ${LEAST_MESSAGES} messages.`)
  const isJson = options.json === true
  const page = { ...createOutput(io, options).page, width: Math.min(io.width, WIDEST), isFile: false }
  const plan = planOf(options.messages)
  const stage = await openStage(io)
  let isGood = false
  try {
    const demo: Demo = { io, page, isJson, plan, ledger: new Ledger(plan), stage }
    isGood = await play(demo)
    if (isGood && io.isTty && !isJson && options.once !== true) await stayOpen(demo)
  } finally {
    await stage.close({ keepFolder: !isGood && !io.signal.aborted })
  }
  if (isGood) return
  if (io.signal.aborted) throw new CliError(EXIT.failed, 'The demo was interrupted.')
  throw new CliError(
    EXIT.failed,
    `The demo did not go as it must. Its configuration, store and log are kept: ${stage.configFile}`,
  )
}

/** Sends, shows and checks; true when everything is as the plan says. */
async function play(demo: Demo): Promise<boolean> {
  const { io, page, isJson, ledger, stage, plan } = demo
  print(demo, opening(demo))
  const stopFollowing = stage.relay.journal.follow((record) => ledger.record(record))
  const stopWatching = stage.inbox.on('message', (message) => {
    ledger.arrived({ messageId: headerOf(message, 'message-id') ?? '', recipients: message.recipients })
  })
  for (const address of plan.suppressed) {
    await stage.operations.suppress(address, {
      reason: 'unsubscribe',
      note: 'unsubscribed before the demo began',
      who: 'demo',
    })
  }
  const refusals = await sendAndWatch(demo, isJson ? noScreen : io.isTty ? liveScreen(io, page) : plainScreen(io, page))
  stopFollowing()
  stopWatching()
  if (io.signal.aborted) return false
  const judged = ledger.judge()
  const judgement = { ...judged, problems: [...refusals, ...judged.problems, ...forgeryProblems(demo)] }
  if (isJson) printJson(demo, judgement)
  else await printSummary(demo, judgement)
  return judgement.problems.length === 0
}

/** Until every recipient's story has ended; gives back the submissions that failed, in words. */
async function sendAndWatch({ io, ledger, plan, stage }: Demo, screen: Screen): Promise<readonly string[]> {
  const { clock, signal } = io
  const startedAt = clock.monotonic()
  const frame = (): Frame => ({
    tallies: ledger.tallies(),
    progress: ledger.progress(),
    elapsedMs: clock.monotonic() - startedAt,
  })
  const sender = createSender({ submission: stage.submission, clock, signal })
  const sending = sendAll(sender, { plan, ledger, clock, signal })
  let refusals: readonly string[] | undefined
  void sending.then((found) => {
    refusals = found
  })
  const isOver = (): boolean =>
    refusals !== undefined &&
    ledger.progress().ended >= ledger.progress().accepted &&
    stage.reports.counts.waiting === 0
  while (!signal.aborted && !isOver()) {
    if (clock.monotonic() - startedAt > GIVE_UP_AFTER_MS) break
    screen.show(frame())
    await clock.sleep(DRAW_EVERY_MS, signal)
  }
  sender.close()
  screen.finish(frame())
  return sending
}

/** A report with a made-up signature must not get past RCPT, every other one must. */
function forgeryProblems({ ledger, stage }: Demo): string[] {
  const { refused, lost } = stage.reports.counts
  return [
    ...(refused === ledger.forged
      ? []
      : [`${ledger.forged} reports were forged, and ${refused} were refused by the bounce listener.`]),
    ...(lost === 0 ? [] : [`${lost} reports of the sandbox never reached the bounce listener.`]),
  ]
}

interface Sending {
  readonly plan: Plan
  readonly ledger: Ledger
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** The plan's messages and, as soon as its recipient is suppressed, the last one. */
async function sendAll(sender: Sender, { plan, ledger, clock, signal }: Sending): Promise<readonly string[]> {
  const refusals = await sender.sendAll(plan.messages)
  const giveUpAt = clock.monotonic() + LEARNING_MS
  const isLearned = (): boolean => plan.last.recipients.every(({ address }) => ledger.isSuppressed(address))
  while (!isLearned() && !signal.aborted && clock.monotonic() < giveUpAt) await clock.sleep(DRAW_EVERY_MS, signal)
  return [...refusals, ...(await sender.sendAll([plan.last]))]
}

function opening({ plan, stage, page: { paint, width } }: Demo): string[] {
  const { address, port } = stage.submission
  return [
    paint('bold', `Studs demo: ${plan.messages.length + 1} messages through a relay into a pretend internet`),
    ...wrap(
      `Submitted to ${address}:${port} by nodemailer, with STARTTLS and AUTH. No mail leaves this machine.`,
      width,
    ).map((line) => paint('dim', line)),
    '',
  ]
}

async function printSummary(demo: Demo, judgement: Judgement): Promise<void> {
  const { page, stage, plan } = demo
  print(demo, ['', ...summaryLines(judgement, page)])
  const { items } = await stage.operations.suppressions({ limit: 1000 })
  print(demo, ['', ...suppressionLines(items, page)])
  // The one with several recipients: delivered, greylisted and refused in one story.
  await printStory(demo, { title: 'The story of one message', planned: plan.messages.at(-1) })
  const late = plan.messages.find(({ recipients }) => recipients[0]?.scene === 'late')
  await printStory(demo, { title: 'And of one that came back', planned: late })
}

interface Story {
  readonly title: string
  readonly planned: PlannedMessage | undefined
}

async function printStory(demo: Demo, { title, planned }: Story): Promise<void> {
  const { stage, ledger, page } = demo
  const id = planned && ledger.idOf(planned)
  if (id === undefined) return
  const [message, events] = await Promise.all([stage.operations.message(id), stage.operations.messageEvents(id)])
  if (message === undefined) return
  print(demo, ['', page.paint('bold', title), ...timeline(printableDeep({ message, events: events ?? [] }), page)])
}

function printJson({ io, ledger }: Demo, judgement: Judgement): void {
  for (const { scene, lastReply, cameBack, ...counts } of ledger.tallies()) {
    const { label, expected } = sceneOf(scene)
    io.out(`${jsonLine({ recipient: label, expected, ...counts, came_back: cameBack, last_reply: lastReply })}\n`)
  }
  const { cameBack, ...judged } = judgement
  io.out(`${jsonLine({ ...judged, came_back: cameBack })}\n`)
}

async function stayOpen(demo: Demo): Promise<void> {
  const { io, stage, page } = demo
  const { address, port } = stage.submission
  const { user, password } = CREDENTIAL
  const studs = `studs --config ${stage.configFile}`
  print(demo, [
    '',
    page.paint('bold', 'The relay keeps running until Ctrl-C. Try:'),
    `  swaks --server ${address}:${port} --tls --auth-user ${user} --auth-password ${password} \\`,
    '        --from me@shop.test --to late-ndr@gmail.test',
    `  ${studs} message --to late-ndr@gmail.test`,
    `  ${studs} bounce list`,
    `  ${studs} suppress list`,
    `  ${studs} top`,
    '  studs sandbox behaviours',
    page.paint('dim', `  API socket: ${stage.relay.socket}`),
    page.paint('dim', `  Log:        ${stage.logFile}`),
  ])
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve()
    else io.signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function print({ io, isJson }: Demo, lines: readonly string[]): void {
  if (!isJson) io.out(`${lines.join('\n')}\n`)
}
