// `studs health`: how mail fares by tenant, provider, source and path, and which alerts hold.

import type { Command } from 'commander'
import { Option } from 'commander'
import { SCOPE_KINDS, type ScopeKind } from '../health/scope.ts'
import type { Operations } from '../http/operations.ts'
import { positiveInteger } from './argument.ts'
import { alertHistory, alertLines, type HealthFrame, healthLines, WINDOWS, type Window } from './health-view.ts'
import type { Io } from './io.ts'
import { watchScreen } from './screen.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { printableDeep } from './terminal.ts'

interface HealthOptions extends Readonly<Partial<Record<Exclude<ScopeKind, 'relay'>, string | true>>> {
  readonly window: Window
  readonly limit?: number
  readonly watch?: boolean
  readonly interval: number
}

interface Wanted {
  readonly kind: ScopeKind
  readonly name?: string
  readonly limit: number
}

const TITLES: Readonly<Record<ScopeKind, string>> = {
  relay: 'RELAY',
  tenant: 'TENANT',
  provider: 'PROVIDER',
  source: 'SOURCE',
  path: 'PATH',
}
/** Of each kind when all kinds are shown. */
const FEW = 8
const MANY = 50
const HISTORY = 50

export function addHealthCommands(program: Command, io: Io, { version }: Tools): void {
  const health = program
    .command('health')
    .description('Show how mail fares: delivered, deferred, bounced, complained, and alerts')
    .option('--tenant [name]', 'by tenant, or one of them')
    .option('--provider [name]', 'by provider, or one of them')
    .option('--source [name]', 'by source, or one of them')
    .option('--path [name]', 'by path (source->site), or one of them')
    .addOption(new Option('--window <time>', 'what the numbers are of').choices(WINDOWS).default('1h'))
    .option('--limit <count>', 'rows of each kind', positiveInteger)
    .option('--watch', 'draw it again until q')
    .option('--interval <seconds>', 'seconds between two frames', positiveInteger, 2)
    .action((options: HealthOptions, command: Command) =>
      withRelay({ command, io, version }, (session) => show(session, options)),
    )
  health
    .command('alerts')
    .description('List the alerts that hold')
    .option('--history', 'what alerts there were, newest first')
    .action(({ history }: { history?: boolean }, command: Command) =>
      withRelay({ command, io, version }, (session) => (history === true ? showHistory(session) : showAlerts(session))),
    )
}

async function show(session: Session, options: HealthOptions): Promise<void> {
  const { io, operations, output } = session
  const wanted = wantedOf(options)
  if (session.options.json === true) {
    const rows = await Promise.all(wanted.map((each) => rowsOf(operations, each)))
    output.items(rows.flat(), () => [])
    return
  }
  const read = (): Promise<HealthFrame> => frameOf(operations, wanted, options.window)
  if (options.watch !== true || !io.isTty || !session.isRunning) {
    output.item(await read(), (frame, page) => healthLines(frame, page))
    return
  }
  await watchScreen<HealthFrame>({
    io,
    output,
    intervalSeconds: options.interval,
    read,
    render: (frame, page, height) => healthLines(printableDeep(frame), page, height),
  })
}

function wantedOf(options: HealthOptions): Wanted[] {
  const named = SCOPE_KINDS.flatMap((kind): Wanted[] => {
    const name = kind === 'relay' ? undefined : options[kind]
    if (name === undefined) return []
    return [{ kind, limit: options.limit ?? MANY, ...(name !== true && { name: name.replace(' → ', '->') }) }]
  })
  return named.length > 0 ? named : SCOPE_KINDS.map((kind) => ({ kind, limit: options.limit ?? FEW }))
}

function rowsOf(operations: Operations, { kind, name, limit }: Wanted): ReturnType<Operations['health']> {
  return operations.health({ scope: kind, limit, ...(name !== undefined && { name }) })
}

async function frameOf(operations: Operations, wanted: readonly Wanted[], window: Window): Promise<HealthFrame> {
  const [alerts, ...rows] = await Promise.all([operations.alerts(), ...wanted.map((each) => rowsOf(operations, each))])
  const all = wanted.length === SCOPE_KINDS.length
  const about = alerts.filter(({ scope }) =>
    wanted.some(({ kind, name }) => scope.kind === kind && (name === undefined || scope.name === name)),
  )
  const sections = wanted.map(({ kind }, at) => ({ title: TITLES[kind], rows: rows[at] ?? [] }))
  return { window, alerts: all ? alerts : about, sections }
}

async function showAlerts({ operations, output }: Session): Promise<void> {
  output.items(await operations.alerts(), (alerts, page) =>
    alerts.length === 0 ? ['No alert holds.'] : alerts.flatMap((alert) => alertLines(alert, page)),
  )
}

async function showHistory({ operations, output }: Session): Promise<void> {
  output.items(await operations.alertHistory(HISTORY), (records, page) =>
    records.length === 0 ? ['There was no alert.'] : alertHistory(records, page),
  )
}
