// `studs doctor`: looks at everything that deliverability hangs on, and says of each finding what to do.

import type { Command } from 'commander'
import { WELL_KNOWN_LISTS } from '../identity/check-dnsbl.ts'
import { examine } from '../identity/doctor.ts'
import { nameServers, onThisMachine } from '../identity/machine.ts'
import { failOnErrors, showSections } from './diagnosis-view.ts'
import { lookupFor } from './dns.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput } from './output.ts'
import { type GlobalOptions, settingsFor, type Tools, withRelay } from './session.ts'
import { dateTimeText, durationText } from './time.ts'

interface DoctorOptions {
  readonly dnsbl?: boolean
  readonly last?: boolean
}

export function addDoctorCommand(program: Command, io: Io, { version }: Tools): void {
  program
    .command('doctor')
    .description('Examine machine, name servers, sources and sender domains; exit code 1 if mail suffers')
    .option('--dnsbl', 'also ask blocklists for the sources: those of [doctor], or a few well-known ones')
    .option('--last', 'what the relay found when it last examined itself ([doctor] every)')
    .action((options: DoctorOptions, command: Command) =>
      options.last === true ? showLast({ command, io, version }) : examineNow(options, command, io),
    )
}

async function examineNow({ dnsbl }: DoctorOptions, command: Command, io: Io): Promise<void> {
  const settings = settingsFor(command, io)
  const configured = settings.doctor.dnsbl
  const sections = await examine({
    ...onThisMachine(settings),
    lookup: lookupFor(settings),
    servers: nameServers(settings),
    blocklists: configured.length === 0 && dnsbl === true ? WELL_KNOWN_LISTS : configured,
    clock: io.clock,
  })
  showSections(createOutput(io, command.optsWithGlobals<GlobalOptions>()), sections)
  failOnErrors(sections.flatMap(({ diagnoses }) => diagnoses))
}

function showLast(given: { readonly command: Command; readonly io: Io } & Tools): Promise<void> {
  return withRelay(given, async ({ operations, output }) => {
    const last = await operations.examination()
    if (last === undefined)
      throw new CliError(
        EXIT.notFound,
        'The relay has not examined itself yet; studs doctor does it now. By itself it does so every 6 hours, or as doctor.every says, and in the sandbox only where that is set.',
      )
    const { at, took_ms, sections } = last
    const age = durationText(output.page.now - Date.parse(at))
    output.note(`The relay examined itself ${age} ago (${dateTimeText(at)} UTC), which took ${durationText(took_ms)}.`)
    showSections(output, sections)
    failOnErrors(sections.flatMap(({ diagnoses }) => diagnoses))
  })
}
