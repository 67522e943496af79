// `studs status`, `healthcheck`, `reload`: how the relay does.

import type { Command } from 'commander'
import type { Status } from '../http/operations.ts'
import { SECOND } from '../util/clock.ts'
import { CliError, EXIT, type Io } from './io.ts'
import type { Page } from './output.ts'
import { queueText } from './queue-view.ts'
import { explainError, type Tools, withRelay } from './session.ts'
import { padEnd } from './terminal.ts'
import { counted, dateTimeText, durationText, sizeText } from './time.ts'

// Docker's own default is 30 s; an answer that takes longer than this is no healthy one.
const HEALTH_TIMEOUT_MS = 5 * SECOND

export function addStatusCommands(program: Command, io: Io, { version }: Tools): void {
  program
    .command('status')
    .description('Show how the relay does')
    .action((_options: object, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) =>
        output.item(await operations.status(), statusLines),
      ),
    )
  program
    .command('healthcheck')
    .description('Ask the relay whether it takes mail; the exit code is the answer')
    .action((_options: object, command: Command) => healthcheck({ command, io, version }))
  program
    .command('reload')
    .description('Let the relay read its configuration again')
    .action((_options: object, command: Command) =>
      withRelay({ command, io, version, running: true }, async ({ operations, output }) => {
        const result = await operations.reload()
        output.item(result, ({ changes }) => (changes.length === 0 ? ['Nothing changed.'] : changes))
      }),
    )
}

/** Only 0 and 1: Docker keeps the other exit codes of a health check for itself. */
async function healthcheck(given: { command: Command; io: Io } & Tools): Promise<void> {
  try {
    await withRelay({ ...given, running: true, timeoutMs: HEALTH_TIMEOUT_MS }, async ({ operations, output }) => {
      const readiness = await operations.readiness()
      output.item(readiness, ({ ready, problems }) => (ready ? ['ready'] : problems))
      if (!readiness.ready) throw new CliError(EXIT.failed, '')
    })
  } catch (error) {
    throw new CliError(EXIT.failed, explainError(error).message, { cause: error })
  }
}

function statusLines(
  { state, version, pid, started_at, uptime_ms, listeners, mailboxes, store, queue, counts }: Status,
  { paint }: Page,
): string[] {
  const since =
    started_at === undefined ? '' : ` since ${dateTimeText(started_at)} UTC (${durationText(uptime_ms ?? 0)})`
  const rows: [string, string][] = [
    ['Relay', state === 'stopped' ? 'stopped' : `${state}${since}, process ${pid}`],
    ['Version', version],
    ...listeners.map(({ name, address, port, tls }): [string, string] => [
      'Listener',
      `${name} on ${address}:${port}, ${tls}`,
    ]),
    ...mailboxes.map(({ name, state: now, error, taken }): [string, string] => [
      'Mailbox',
      `${name} ${now}, ${counted(taken, 'report')} taken${error === undefined ? '' : `: ${error}`}`,
    ]),
    [
      'Store',
      `${store.health}, ${sizeText(store.used_bytes)} of ${sizeText(store.map_bytes)}, last commit ${durationText(store.last_commit_ms)}`,
    ],
    ['Queue', `${queueText(queue)}`],
    [
      'Kept',
      `${counted(counts.messages, 'message')}, ${counted(counts.records, 'record')}, ${counted(counts.suppressions, 'suppression')}, ${counted(counts.reports, 'report')}`,
    ],
    ...(counts.open_reviews === 0
      ? []
      : [
          ['Review', `${counted(counts.open_reviews, 'report')} to look at: studs bounce review list`] satisfies [
            string,
            string,
          ],
        ]),
  ]
  const colour = state === 'running' ? 'green' : 'yellow'
  return rows.map(([name, value], at) => `${paint('dim', padEnd(name, 10))}${at === 0 ? paint(colour, value) : value}`)
}
