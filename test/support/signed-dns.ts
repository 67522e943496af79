// A signed zone on a real name server (Knot DNS) and a real validating resolver in front of it (Unbound), both from Debian, on
// loopback: the whole DNS of one test. The zone is the root itself, so nothing else is ever asked.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { runs } from './installed.ts'
import { freePorts, LineLog } from './line-log.ts'

export const hasSignedDns = runs('/usr/sbin/knotd', '--version') && runs('/usr/sbin/unbound', '-V')

export class SignedDns implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'studs-dns-'))
  readonly #running: ChildProcess[] = []
  #address = ''

  /**
   * `records` are lines of a zone file with full names. Under `bogus` nothing validates; under `unsigned` nothing is vouched for.
   */
  static async start(given: {
    readonly records: readonly string[]
    readonly bogus?: readonly string[]
    readonly unsigned?: readonly string[]
  }): Promise<SignedDns> {
    const dns = new SignedDns()
    const [knotPort = 0, unboundPort = 0] = await freePorts(2)
    const anchors = await dns.#startKnot(knotPort, given.records)
    const wrong = (given.bogus ?? []).map((name) => `${name}. DS 1 13 2 ${'00'.repeat(32)}`)
    await dns.#startUnbound({ knotPort, unboundPort, anchors: [...anchors, ...wrong], unsigned: given.unsigned ?? [] })
    dns.#address = `127.0.0.1:${unboundPort}`
    return dns
  }

  /** Of the resolver, as settings.delivery.resolvers wants it. */
  get address(): string {
    return this.#address
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) {
      if (child.exitCode !== null) continue
      child.kill()
      await once(child, 'exit')
    }
    rmSync(this.#directory, { recursive: true })
  }

  async #startKnot(port: number, records: readonly string[]): Promise<string[]> {
    const soa = ['. 300 SOA ns.root. admin.root. 1 3600 600 86400 60', '. 300 NS ns.root.', 'ns.root. 300 A 127.0.0.1']
    this.#write('root.zone', `${[...soa, ...records].join('\n')}\n`)
    const config = this.#write(
      'knot.conf',
      `server:
  rundir: ${this.#directory}
  listen: 127.0.0.1@${port}
database:
  storage: ${this.#directory}
log:
  - target: stdout
    any: info
policy:
  - id: manual
    manual: on
    algorithm: ecdsap256sha256
zone:
  - domain: .
    storage: ${this.#directory}
    file: root.zone
    zonefile-sync: -1
    dnssec-signing: on
    dnssec-policy: manual
`,
    )
    execFileSync('keymgr', ['-c', config, '.', 'generate', 'ksk=yes', 'zsk=yes', 'algorithm=ecdsap256sha256'])
    const anchors = execFileSync('keymgr', ['-c', config, '.', 'ds'], { encoding: 'utf8' }).trim().split('\n')
    await this.#run('/usr/sbin/knotd', ['-c', config], /server started/)
    return anchors
  }

  async #startUnbound(given: {
    readonly knotPort: number
    readonly unboundPort: number
    readonly anchors: readonly string[]
    readonly unsigned: readonly string[]
  }): Promise<void> {
    const config = this.#write(
      'unbound.conf',
      `server:
  interface: 127.0.0.1
  port: ${given.unboundPort}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${this.#directory}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "validator iterator"
${given.anchors.map((anchor) => `  trust-anchor: "${anchor}"`).join('\n')}
${given.unsigned.map((name) => `  domain-insecure: "${name}"`).join('\n')}
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: 127.0.0.1@${given.knotPort}
`,
    )
    await this.#run('/usr/sbin/unbound', ['-c', config], /start of service/)
  }

  async #run(program: string, words: readonly string[], isReady: RegExp): Promise<void> {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#running.push(child)
    const log = new LineLog()
    log.begin()
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => log.add(line))
    child.on('exit', () => log.end())
    await log.line(isReady)
  }

  #write(name: string, text: string): string {
    const file = join(this.#directory, name)
    writeFileSync(file, text)
    return file
  }
}
