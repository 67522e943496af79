// `studs sandbox inbox`: what the sandbox of a running relay took, newest first, or one message whole.

import type { Command } from 'commander'
import type { InboxMail } from '../http/inbox-operations.ts'
import { positiveInteger } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import type { Page } from './output.ts'
import { type Tools, withRelay } from './session.ts'
import { table } from './table.ts'
import { printable } from './terminal.ts'
import { clockText, sizeText } from './time.ts'

interface InboxOptions {
  readonly to?: string
  readonly limit: number
}

type Listed = Omit<InboxMail, 'raw'>

export function addInboxCommand(sandbox: Command, io: Io, { version }: Tools): void {
  sandbox
    .command('inbox')
    .description('Show what the sandbox of the running relay took, or one message whole')
    .argument('[id]', 'number of a message', positiveInteger)
    .option('--to <address>', 'only what went to this address')
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .action((id: number | undefined, { to, limit }: InboxOptions, command: Command) =>
      withRelay({ command, io, version, running: true }, async ({ operations, output, options }) => {
        if (id === undefined)
          return output.items(await operations.inbox({ limit, ...(to === undefined ? {} : { to }) }), listedLines)
        const mail = await operations.inboxMail(id)
        if (mail === undefined) throw new CliError(EXIT.notFound, `The inbox of the sandbox has no message ${id}.`)
        if (options.json === true) output.item(mail, () => [])
        // Line by line, so that its line ends stay line ends.
        else io.out(`${mail.raw.split(/\r?\n/).map(printable).join('\n')}\n`)
      }),
    )
}

function listedLines(mails: readonly Listed[], page: Page): string[] {
  if (mails.length === 0) return ['Nothing.']
  return table(
    mails,
    [
      { title: 'ID', align: 'right', value: ({ id }) => String(id) },
      { title: 'TIME (UTC)', value: ({ received_at }) => clockText(received_at).slice(0, 8) },
      { title: 'TO', value: ({ recipients }) => recipients.join(', '), least: 20, long: 'wrap' },
      { title: 'ENVELOPE SENDER', value: ({ sender }) => sender, least: 16, long: 'wrap' },
      { title: 'SIZE', align: 'right', value: ({ size_bytes }) => sizeText(size_bytes) },
    ],
    page,
  )
}
