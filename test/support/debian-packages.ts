// Runs before the tests: installs from Debian what they need besides npm packages, where that is possible (root on a
// Debian). Elsewhere it says which tests will be left out, and they say so themselves when they skip.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

interface Need {
  readonly package: string
  readonly file: string
  readonly for: string
}

const NEEDS: readonly Need[] = [
  { package: 'postfix', file: '/usr/sbin/smtp-sink', for: 'Postfix as a real next hop; load with smtp-source' },
  { package: 'swaks', file: '/usr/bin/swaks', for: 'submission as a person would try it' },
  { package: 'libnet-ssleay-perl', file: '/usr/share/doc/libnet-ssleay-perl/copyright', for: 'swaks with STARTTLS' },
  {
    package: 'libsasl2-modules',
    file: '/usr/share/doc/libsasl2-modules/copyright',
    for: 'Postfix as a client that logs in',
  },
  { package: 'dovecot-imapd', file: '/usr/lib/dovecot/imap', for: 'mailboxes on a real IMAP server' },
  { package: 'knot', file: '/usr/sbin/knotd', for: 'DNS of sender domains, and zones that are really signed' },
  { package: 'opendkim-tools', file: '/usr/sbin/opendkim-testmsg', for: 'DKIM signatures verified by OpenDKIM' },
  { package: 'unbound', file: '/usr/sbin/unbound', for: 'a name server that really validates' },
  { package: 'python3', file: '/usr/bin/python3', for: 'smtplib as a client' },
  { package: 'faketime', file: '/usr/bin/faketime', for: 'clocks that jump' },
  { package: 'gcc', file: '/usr/bin/gcc', for: 'faults of the disk (a shim around fdatasync)' },
  { package: 'libc6-dev', file: '/usr/include/stdio.h', for: 'the same' },
]

const isThere = ({ file }: Need): boolean => existsSync(file)

const missing = NEEDS.filter((need) => !isThere(need))
const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
if (missing.length > 0 && canInstall) install(missing.map((need) => need.package))
for (const need of missing) {
  if (!isThere(need)) console.error(`not installed: ${need.package}; left out: ${need.for}`)
}

function install(packages: readonly string[]): void {
  console.error(`installing from Debian: ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    execFileSync('apt-get', ['update', '-q'], { stdio: 'ignore', env })
    execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { stdio: 'ignore', env })
  } catch (error) {
    console.error(`apt-get failed: ${(error as Error).message}`)
  }
}
