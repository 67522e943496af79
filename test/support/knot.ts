// A Knot DNS of the test's own: configuration, zones and control socket in a temporary directory, on a free loopback port.
// Zones are given as lines with full names and changed while it runs. Nothing of the machine's own name server is touched.

import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import { freePort, LineLog } from './line-log.ts'

const KNOTD = '/usr/sbin/knotd'
const KNOTC = '/usr/sbin/knotc'
// It lives as long as our end of a pipe is open: it ends with the test also when that is killed.
const HOLD = `
setsid ${KNOTD} -c "$1" 2>&1 < /dev/null &
cat > /dev/null
kill -s TERM -- -$!
wait
`
const run = promisify(execFile)

/** Why there can be no Knot here; undefined where there can. */
export const noKnot: string | undefined = existsSync(KNOTD) ? undefined : 'Knot DNS (knot) is not installed'

export class Knot implements AsyncDisposable {
  readonly port: number
  readonly log = new LineLog()
  readonly #directory: string
  readonly #zones: readonly string[]
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  #serial = 0

  private constructor(directory: string, zones: readonly string[], port: number) {
    this.#directory = directory
    this.#zones = zones
    this.port = port
    this.#write([])
    writeFileSync(join(directory, 'knot.conf'), configOf(directory, zones, port))
    this.#child = spawn('/bin/sh', ['-c', HOLD, 'sh', join(directory, 'knot.conf')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.log.begin()
    createInterface(this.#child.stdout).on('line', (line) => this.log.add(line))
    this.#child.once('exit', () => this.log.end())
  }

  /** `zones`: their names. They hold nothing until load(). */
  static async start(zones: readonly string[]): Promise<Knot> {
    const directory = mkdtempSync(join(tmpdir(), 'studs-knot-'))
    const knot = new Knot(directory, zones, await freePort())
    await knot.log.line(/server started/)
    return knot
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Replaces what the zones hold; each line goes into the zone that its name ends with. Resolves when that is served. */
  async load(lines: readonly string[]): Promise<void> {
    this.#write(lines)
    await run(KNOTC, ['-b', '-s', join(this.#directory, 'knot.sock'), 'zone-reload'])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #write(lines: readonly string[]): void {
    this.#serial++
    for (const zone of this.#zones) {
      const own = lines.filter((line) => {
        const name = line.split(' ')[0] ?? ''
        return name === `${zone}.` || name.endsWith(`.${zone}.`)
      })
      const head = [
        `${zone}. 60 IN SOA ns.invalid. hostmaster.invalid. ${this.#serial} 60 60 60 60`,
        `${zone}. 60 IN NS ns.invalid.`,
      ]
      writeFileSync(join(this.#directory, `${zone}.zone`), `${[...head, ...own].join('\n')}\n`)
    }
  }
}

function configOf(directory: string, zones: readonly string[], port: number): string {
  mkdirSync(join(directory, 'db'))
  const entries = zones.map(
    (zone) =>
      `  - domain: ${zone}\n    file: ${join(directory, `${zone}.zone`)}\n    zonefile-sync: -1\n    journal-content: none\n`,
  )
  return `server:
  rundir: ${directory}
  listen: 127.0.0.1@${port}
control:
  listen: ${join(directory, 'knot.sock')}
database:
  storage: ${join(directory, 'db')}
log:
  - target: stdout
    any: info
zone:
${entries.join('')}`
}
