// `studs doctor`: looks at everything that deliverability hangs on, and says of each finding what to do.

import type { Command } from 'commander'
import { WELL_KNOWN_LISTS } from '../identity/check-dnsbl.ts'
import { examine } from '../identity/doctor.ts'
import { nameServers, onThisMachine } from '../identity/machine.ts'
import { failOnErrors, showSections } from './diagnosis-view.ts'
import { lookupFor } from './dns.ts'
import type { Io } from './io.ts'
import { createOutput } from './output.ts'
import { type GlobalOptions, settingsFor } from './session.ts'

export function addDoctorCommand(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('Examine machine, name servers, sources and sender domains; exit code 1 if mail suffers')
    .option('--dnsbl', 'also ask blocklists for the sources: those of [doctor], or a few well-known ones')
    .action(async ({ dnsbl }: { dnsbl?: boolean }, command: Command) => {
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
    })
}
