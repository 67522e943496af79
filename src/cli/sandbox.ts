// `studs sandbox`: the pretend internet alone, for trying a relay (or any mail sender) without sending mail; and the list
// of what its recipients and domains do.

import type { Command } from 'commander'
import { BEHAVIOURS, type Behaviour } from '../sandbox/behaviours.ts'
import { headersOf, type InboxMessage } from '../sandbox/inbox.ts'
import { replyOf } from '../sandbox/replies.ts'
import type { Endpoint, SentReport } from '../sandbox/reporter.ts'
import { createSandbox, type SandboxAddress } from '../sandbox/sandbox.ts'
import { SPECIAL_DOMAINS } from '../sandbox/zone.ts'
import { endpoint } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput, type Output, type Page } from './output.ts'
import { addInboxCommand } from './sandbox-inbox.ts'
import { type GlobalOptions, settingsFor, type Tools } from './session.ts'
import { padEnd, truncate, widthOf, wrap } from './terminal.ts'
import { clockText, sizeText } from './time.ts'

export function addSandboxCommands(program: Command, io: Io, tools: Tools): void {
  const sandbox = program
    .command('sandbox')
    .description('Run a pretend internet: DNS, MX hosts and an inbox. No mail leaves it')
    .option(
      '--report-to <host:port>',
      'bounce listener that gets what recipients such as late-ndr@ send back',
      endpoint,
    )
    .action(async (_options: object, command: Command) => {
      await run(command, io)
    })
  sandbox
    .command('behaviours')
    .description('List the recipients and domains of the pretend internet and what they do')
    .action((_options: object, command: Command) => {
      const rows = behaviourRows()
      createOutput(io, command.optsWithGlobals<GlobalOptions>()).items(rows, behaviourList)
    })
  addInboxCommand(sandbox, io, tools)
}

async function run(command: Command, io: Io): Promise<void> {
  const { sandbox: settings } = settingsFor(command, io)
  const options = command.optsWithGlobals<GlobalOptions & { readonly reportTo?: Endpoint }>()
  const output = createOutput(io, options)
  const isJson = options.json === true
  const { reportTo } = options
  const sandbox = createSandbox({
    settings,
    clock: io.clock,
    ...(reportTo === undefined ? {} : { reportTo: () => reportTo }),
  })
  const at = await sandbox.start().catch((error: Error) => {
    throw new CliError(EXIT.failed, `The sandbox cannot listen: ${error.message}.`, { cause: error })
  })
  try {
    output.item(addressView(at), ({ smtp, dns }) => welcome({ smtp, dns, at, reportTo }, output))
    sandbox.inbox.on('message', (message) => output.item(messageView(message, isJson), messageLines))
    sandbox.reports.on('report', (report) => output.item(reportView(report, io.clock.now()), reportLines))
    await aborted(io.signal)
    const { sent } = sandbox.reports.counts
    output.note(`${sandbox.inbox.count} delivered${sent === 0 ? '' : `, ${sent} reports sent back`}.`)
  } finally {
    await sandbox.stop()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

interface AddressView {
  readonly smtp: string
  readonly dns: string
}

function addressView({ address, smtpPort, dnsPort }: SandboxAddress): AddressView & { readonly event: 'listening' } {
  const host = address.includes(':') ? `[${address}]` : address
  return { event: 'listening', smtp: `${host}:${smtpPort}`, dns: `${host}:${dnsPort}` }
}

interface Welcome extends AddressView {
  readonly at: SandboxAddress
  readonly reportTo: Endpoint | undefined
}

function welcome({ smtp, dns, at, reportTo }: Welcome, { page: { paint } }: Output): string[] {
  const missing =
    at.missing.length === 0
      ? []
      : ['', `  Not on this system, for want of loopback addresses: ${at.missing.join(', ')}`]
  return [
    paint('bold', 'A pretend internet'),
    `  MX hosts     ${smtp}`,
    `  name server  ${dns} (UDP and TCP)`,
    '',
    '  To point a relay at it, write into its studs.toml:',
    '',
    '    [delivery]',
    '    mode = "internet"',
    `    resolvers = ["${dns}"]`,
    `    port = ${at.smtpPort}`,
    '    allow_private = true',
    '',
    ...(reportTo === undefined
      ? ['  Recipients that answer by mail (late-ndr@, fbl@) are silent: see --report-to.']
      : [`  What recipients send back goes to ${reportTo.address}:${reportTo.port}.`]),
    '',
    '  Recipients decide what happens (ok@gmail.test, user-unknown@example.test):',
    '  see `studs sandbox behaviours`. Delivered mail is listed here. Ctrl-C ends it.',
    ...missing,
    '',
  ]
}

/** A delivered message as --json prints it; people get to see it without its bytes. */
function messageView(message: InboxMessage, hasRaw: boolean) {
  const headers = Object.fromEntries(headersOf(message).map(([name, value]) => [name.toLowerCase(), value]))
  const { id, receivedAt, helo, tls, sender, recipients, sizeBytes, raw, truncated } = message
  return {
    event: 'delivered' as const,
    id,
    received_at: new Date(receivedAt).toISOString(),
    helo,
    tls,
    sender,
    recipients,
    size_bytes: sizeBytes,
    headers,
    ...(hasRaw ? { raw: raw.toString('utf8'), truncated } : {}),
  }
}

function messageLines(message: ReturnType<typeof messageView>, { paint, width }: Page): string[] {
  const tls = message.tls?.split(' ')[0] ?? 'no TLS'
  const envelope = `${message.sender === '' ? '<>' : message.sender} → ${message.recipients.join(', ')}`
  const lead = `${clockText(message.received_at)}  ${paint('dim', padEnd(`#${message.id}`, 5))}`
  const rest = `${envelope}  ${message.headers.subject ?? ''}`.trimEnd()
  const tail = `${sizeText(message.size_bytes)}, ${tls}`
  return [`${lead}  ${truncate(rest, Math.max(20, width - widthOf(lead) - widthOf(tail) - 4))}  ${paint('dim', tail)}`]
}

/** A mail that a recipient sent back, as --json prints it. */
function reportView({ name, recipient, outcome, words }: SentReport, at: number) {
  return { event: 'report' as const, at: new Date(at).toISOString(), name, recipient, outcome, words }
}

function reportLines({ at, name, recipient, outcome, words }: ReturnType<typeof reportView>, page: Page): string[] {
  const { paint, width } = page
  const colour = outcome === 'sent' ? 'dim' : 'yellow'
  const lead = `${clockText(at)}  ${paint('dim', padEnd('←', 5))}`
  return [
    `${lead}  ${paint(colour, truncate(`${name} to ${recipient}: ${words}`, Math.max(20, width - widthOf(lead) - 2)))}`,
  ]
}

export interface BehaviourRow {
  readonly name: string
  readonly by: 'recipient' | 'domain'
  /** Command at which it happens, or `DNS`. */
  readonly at: string
  /** `550 5.1.1`; absent where it is no reply. */
  readonly reply?: string
  readonly what: string
}

/** The repertoire as rows: recipients, domains that behave, domains that DNS answers in a special way. */
export function behaviourRows(): readonly BehaviourRow[] {
  const special = Object.entries(SPECIAL_DOMAINS).map(
    ([name, what]) => ({ name: `${name}.test`, by: 'domain', at: 'DNS', what }) as const,
  )
  return [...BEHAVIOURS.map(behaviourRow), ...special]
}

function behaviourRow(behaviour: Behaviour): BehaviourRow {
  const { name, by, at, what, reply } = behaviour
  const said = reply === undefined || reply === 'asked' ? undefined : replyOf(reply, 'postfix')
  return {
    name: by === 'recipient' ? `${name}@` : `${name}.test`,
    by,
    at: at === 'body' ? 'DATA' : at === 'dot' ? 'final dot' : at,
    ...(said === undefined ? {} : { reply: `${said.code} ${said.enhanced ?? ''}`.trimEnd() }),
    what,
  }
}

function behaviourList(rows: readonly BehaviourRow[], { paint, width }: Page): string[] {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length))
  const lead = nameWidth + 4
  const section = (title: string, by: BehaviourRow['by']): string[] => [
    paint('bold', title),
    ...rows
      .filter((row) => row.by === by)
      .flatMap((row) => {
        const [first = '', ...others] = wrap(
          `${row.what}${row.reply === undefined ? '' : ` (${row.reply})`}`,
          width - lead,
        )
        return [
          `  ${paint('cyan', padEnd(row.name, nameWidth))}  ${first}`,
          ...others.map((line) => `${' '.repeat(lead)}${line}`),
        ]
      }),
  ]
  return [
    ...section('Recipients, at any domain (+tag is ignored)', 'recipient'),
    '',
    ...section('Domains, and all below them', 'domain'),
    '',
    'Every other recipient is delivered, every other domain exists.',
  ]
}
