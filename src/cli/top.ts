// `studs top`: the relay at a glance, drawn again every second until q or Ctrl-C. Without a terminal, or with --once, one frame.

import type { Command } from 'commander'
import type { Operations } from '../http/operations.ts'
import { positiveInteger } from './argument.ts'
import type { Io } from './io.ts'
import { watchScreen } from './screen.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { printableDeep } from './terminal.ts'
import { type Frame, topFrame } from './top-frame.ts'

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
  await watchScreen<Frame>({
    io,
    output,
    intervalSeconds: interval,
    read: (shown, last) => readFrame(operations, shown % DOMAINS_EVERY === 0 ? undefined : last?.domains),
    render: (frame, page, height) => topFrame(printableDeep(frame), page, height),
  })
}

async function readFrame(operations: Operations, knownDomains?: Frame['domains']): Promise<Frame> {
  const [status, stats, destinations, domains, suspensions] = await Promise.all([
    operations.status(),
    operations.stats(),
    operations.destinations(),
    knownDomains ?? operations.queueSummary('domain'),
    operations.suspensions(),
  ])
  return { status, stats, destinations, domains, suspensions }
}
