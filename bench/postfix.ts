// The yardstick: Debian's Postfix as its package configures it, in folders of its own and on loopback only.
// What differs from Debian's defaults stands in `settings` and `services`, each with its reason.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, freePort, isRoot, type Lab, Missing, need, until } from './lab.ts'
import type { Environment } from './slow-disk.ts'
import { greets } from './studs.ts'
import type { System, Upstream } from './system.ts'

/** Its default. */
const IMPORTED = 'MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME'
const DIST = '/usr/share/postfix'

/** main.cf beyond the defaults. */
function settings(
  paths: { queue: string; data: string; log: string },
  sink: Upstream,
  environment: Environment,
): string {
  const more = Object.entries(environment).map(([name, value]) => ` ${name}=${value}`)
  return `compatibility_level = 3.6
# Folders of our own.
queue_directory = ${paths.queue}
data_directory = ${paths.data}
# There is no syslog here; Studs and Haraka write files too.
maillog_file = ${paths.log}
maillog_file_prefixes = ${paths.log}
# Relays everything to the sink, for loopback only; no local mail.
myhostname = bench.test
mydestination =
alias_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [${sink.host}]:${sink.port}
# 20 is the default of Postfix too: as many connections as the others get.
default_destination_concurrency_limit = 20
${more.length === 0 ? '' : `import_environment = ${IMPORTED}${more.join('')}`}
`
}

/** Debian's master.cf with the port of our own and no chroot, which needs files that the package's scripts copy. */
function services(port: number): string {
  const lines = readFileSync(join(DIST, 'master.cf.dist'), 'latin1').split('\n')
  return lines
    .map((line) => line.replace(/^smtp(\s+inet)/, `127.0.0.1:${port}$1`))
    .map((line) => line.replace(/^(\S+\s+(?:inet|unix|unix-dgram|fifo)\s+\S+\s+\S+\s+)y/, '$1n'))
    .join('\n')
}

export async function startPostfix(
  lab: Lab,
  sink: Upstream,
  name = 'Postfix',
  environment: Environment = {},
): Promise<System> {
  await need('postfix', 'Debian: postfix')
  if (!isRoot()) throw new Missing('Postfix starts only as root')
  const base = lab.folder(name)
  const paths = { queue: join(base, 'queue'), data: join(base, 'lib'), log: join(base, 'mail.log') }
  const config = join(base, 'etc')
  for (const path of [paths.queue, paths.data, config]) mkdirSync(path)
  await command('chown', 'postfix', paths.data)
  const port = await freePort()
  writeFileSync(join(config, 'main.cf'), settings(paths, sink, environment))
  writeFileSync(join(config, 'master.cf'), services(port))
  await command('postfix', '-c', config, 'start')
  let running = true
  const stop = async (): Promise<void> => {
    if (running) await command('postfix', '-c', config, 'abort')
    running = false
  }
  lab.defer(stop)
  await until('Postfix greets', () => greets(port), { withinMs: 20_000, everyMs: 50 })
  return { name, host: '127.0.0.1', port, isRunning: () => running, stop }
}
