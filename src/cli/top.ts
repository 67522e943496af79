// `studs top`: the relay at a glance, drawn again every second until q or Ctrl-C. Without a terminal, or with --once, one frame.

import type { Command } from 'commander'
import type { Operations } from '../http/operations.ts'
import { SECOND } from '../util/clock.ts'
import { positiveInteger } from './argument.ts'
import type { Io } from './io.ts'
import type { Output } from './output.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { printableDeep } from './terminal.ts'
import { type Frame, topFrame } from './top-frame.ts'

// The alternate screen keeps what stood on the terminal; each frame overwrites the last one line by line, so that
// nothing flickers.
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE_END = '\u001b[K'
const USUAL_HEIGHT = 24
const CLEAR_BELOW = '\u001b[J'

// Counting by domain walks the whole schedule: not in every frame.
const DOMAINS_EVERY = 10

interface TopOptions {
  readonly once?: boolean
  readonly interval: number
}

export function addTopCommand(program: Command, io: Io, { version }: Tools): void {
  program
    .command('top')
    .description('Watch rates, queue, destinations and failures')
    .option('--once', 'print one frame and end')
    .option('--interval <seconds>', 'seconds between two frames', positiveInteger, 1)
    .action((options: TopOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => watch(session, options)),
    )
}

async function watch(session: Session, { once, interval }: TopOptions): Promise<void> {
  const { io, operations, output } = session
  if (once === true || !io.isTty || session.options.json === true || !session.isRunning) {
    output.item(await readFrame(operations), (frame, page) => topFrame(frame, page))
    return
  }
  const left = new AbortController()
  const signal = AbortSignal.any([io.signal, left.signal])
  const listening = leaveOnKey(io, left)
  io.out(ENTER)
  try {
    let frame = await readFrame(operations)
    for (let shown = 1; !signal.aborted; shown++) {
      io.out(painted(frame, output, io))
      await io.clock.sleep(interval * SECOND, signal)
      if (!signal.aborted) frame = await readFrame(operations, shown % DOMAINS_EVERY === 0 ? undefined : frame.domains)
    }
  } catch (error) {
    // Ctrl-C is how one leaves, also in the middle of a question.
    if (!signal.aborted) throw error
  } finally {
    left.abort()
    await listening
    io.out(LEAVE)
  }
}

async function leaveOnKey({ keys, signal }: Io, left: AbortController): Promise<void> {
  if (keys === undefined) return
  for await (const typed of keys(AbortSignal.any([signal, left.signal]))) if (/q/i.test(typed)) left.abort()
}

async function readFrame(operations: Operations, knownDomains?: Frame['domains']): Promise<Frame> {
  const [status, stats, destinations, domains] = await Promise.all([
    operations.status(),
    operations.stats(),
    operations.destinations(),
    knownDomains ?? operations.queueSummary('domain'),
  ])
  return { status, stats, destinations, domains }
}

function painted(frame: Frame, { page }: Output, io: Io): string {
  const lines = topFrame(
    printableDeep(frame),
    { ...page, width: io.width, now: io.clock.now() },
    io.height ?? USUAL_HEIGHT,
  )
  return `${HOME}${lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')}${CLEAR_BELOW}`
}
