// Haraka: the other relay for Node. Installed into the temporary folder when the benchmark runs, never a dependency of
// the project. Its outbound queue syncs every mail to disk before it says 250.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, freePort, isRunning, type Lab, Missing, until } from './lab.ts'
import { greets } from './studs.ts'
import type { System, Upstream } from './system.ts'

const VERSION = '3.3.4'
// Not every registry has the newest of these two (MIME decoding, not on the way of a relayed mail).
const OVERRIDES = { 'encoding-japanese': '2.2.0', libqp: '2.1.1' }

/** Installs once per run. */
export async function installHaraka(lab: Lab): Promise<string> {
  const folder = lab.folder('haraka-package')
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, overrides: OVERRIDES }))
  await command(
    'npm',
    'install',
    '--prefix',
    folder,
    '--omit=dev',
    '--omit=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    `Haraka@${VERSION}`,
  ).catch((error: Error) => {
    const reason = /npm error (?:code )?(.*)/.exec(error.message)?.[1] ?? 'npm failed'
    throw new Missing(`Haraka ${VERSION} does not install (${reason})`)
  })
  return join(folder, 'node_modules/Haraka/bin/haraka')
}

/** Accepts and relays everything to the sink, as the route of Studs and the relayhost of Postfix do; asks no DNS. */
function plugin(sink: Upstream): string {
  return `
exports.hook_rcpt = (next, connection) => { connection.relaying = true; next(OK) }
exports.hook_lookup_rdns = (next) => next(OK, 'localhost')
exports.hook_get_mx = (next) => next(OK, { priority: 0, exchange: '${sink.host}', port: ${sink.port} })
`
}

export async function startHaraka(lab: Lab, { binary, sink }: { binary: string; sink: Upstream }): Promise<System> {
  const base = lab.folder('Haraka')
  const port = await freePort()
  for (const part of ['config', 'plugins', 'queue']) mkdirSync(join(base, part))
  const put = (file: string, text: string): void => writeFileSync(join(base, file), text)
  put('config/smtp.ini', `listen=127.0.0.1:${port}\n`)
  put('config/plugins', 'bench\n')
  put('plugins/bench.js', plugin(sink))
  // As many connections at one time as the others get.
  put('config/outbound.ini', 'concurrency_max=20\nenable_tls=false\nlocal_mx_ok=true\n')
  put('config/log.ini', 'level=notice\n')
  put('config/me', 'bench.test\n')
  // Without this file of its own package it cannot greet.
  copyFileSync(join(binary, '../../config/connection.ini'), join(base, 'config/connection.ini'))
  const child = lab.start('Haraka', process.execPath, [binary, '-c', base])
  await until(
    'Haraka greets',
    async () => {
      if (!isRunning(child)) throw new Missing(`Haraka does not start: ${child.output().slice(-500)}`)
      return greets(port)
    },
    { withinMs: 20_000, everyMs: 50 },
  )
  return { name: 'Haraka', host: '127.0.0.1', port, isRunning: () => isRunning(child), stop: child.stop }
}
