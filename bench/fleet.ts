// The systems side by side, each with a sink of its own, started when a part first asks for them. One that cannot run
// here is left out with a sentence.

import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDelay } from './delay.ts'
import { type Distance, makeDistance } from './distance.ts'
import { installHaraka, startHaraka } from './haraka.ts'
import { type Lab, Missing } from './lab.ts'
import { startPostfix } from './postfix.ts'
import { type Sink, startSink } from './sink.ts'
import { slowDisk } from './slow-disk.ts'
import { type Node, startStuds } from './studs.ts'
import type { System, Upstream } from './system.ts'
import type { Contender } from './throughput.ts'

export const SYSTEMS = {
  studs: 'Studs',
  'studs-0': 'Studs, workers = 0',
  'studs-quiet': 'Studs, log off',
  'studs-dkim': 'Studs, DKIM RSA-2048',
  'studs-far': 'Studs',
  'studs-1ms': 'Studs, flush + 1 ms',
  'studs-4ms': 'Studs, flush + 4 ms',
  postfix: 'Postfix',
  'postfix-1ms': 'Postfix, flush + 1 ms',
  'postfix-4ms': 'Postfix, flush + 4 ms',
  'postfix-far': 'Postfix',
  haraka: 'Haraka',
} as const
export type SystemName = keyof typeof SYSTEMS

const DELAY_MS = 20

const flushMs = (name: SystemName): number => Number(/-(\d+)ms$/.exec(name)?.[1])

export class Fleet {
  readonly #lab: Lab
  readonly #node: Node
  readonly #started = new Map<SystemName, Promise<Contender | undefined>>()
  #distance: Promise<Distance | undefined> | undefined
  /** What could not be had here, and what was done instead. */
  readonly missing: string[] = []

  constructor(lab: Lab, node: Node) {
    this.#lab = lab
    this.#node = node
  }

  /** Those of them that run here. */
  async get(names: readonly SystemName[]): Promise<Contender[]> {
    const found: Contender[] = []
    for (const name of names) {
      const contender = await (this.#started.get(name) ?? this.#remember(name))
      if (contender !== undefined) found.push(contender)
    }
    return found
  }

  async stop(): Promise<void> {
    for (const starting of this.#started.values()) {
      const contender = await starting
      await contender?.system.stop()
      await contender?.sink.stop()
    }
    this.#started.clear()
  }

  #remember(name: SystemName): Promise<Contender | undefined> {
    const starting = this.#start(name).catch((error: unknown) => {
      if (!(error instanceof Missing)) throw error
      this.missing.push(`${SYSTEMS[name]} is left out: ${error.message}`)
      return undefined
    })
    this.#started.set(name, starting)
    return starting
  }

  async #start(name: SystemName): Promise<Contender> {
    const { sink, upstream } = await this.#sinkFor(name)
    const system = await this.#systemFor(name, upstream)
    return { system: { ...system, name: SYSTEMS[name] }, sink }
  }

  async #sinkFor(name: SystemName): Promise<{ sink: Sink; upstream: Upstream }> {
    const distance = name.endsWith('-far') ? await this.#makeDistance() : undefined
    const sink = await startSink(this.#lab, name, distance)
    const isNear = name.endsWith('-far') && distance === undefined
    return { sink, upstream: isNear ? await startDelay(this.#lab, sink, DELAY_MS) : sink }
  }

  #makeDistance(): Promise<Distance | undefined> {
    this.#distance ??= makeDistance(this.#lab, DELAY_MS).catch((error: unknown) => {
      if (!(error instanceof Missing)) throw error
      this.missing.push(`a proxy makes the distance instead of netem: ${error.message}`)
      return undefined
    })
    return this.#distance
  }

  async #systemFor(name: SystemName, sink: Upstream): Promise<System> {
    const common = { node: this.#node, name, sink }
    switch (name) {
      case 'studs':
      case 'studs-far':
        return startStuds(this.#lab, common)
      case 'studs-0':
        return startStuds(this.#lab, { ...common, workers: 0 })
      case 'studs-quiet':
        return startStuds(this.#lab, { ...common, logLevel: 'error' })
      case 'studs-dkim':
        return startStuds(this.#lab, { ...common, more: this.#signing() })
      case 'studs-1ms':
      case 'studs-4ms':
        return startStuds(this.#lab, { ...common, environment: await slowDisk(this.#lab, flushMs(name)) })
      case 'postfix-1ms':
      case 'postfix-4ms':
        return startPostfix(this.#lab, sink, name, await slowDisk(this.#lab, flushMs(name)))
      case 'postfix':
      case 'postfix-far':
        return startPostfix(this.#lab, sink, name)
      case 'haraka':
        return startHaraka(this.#lab, { binary: await installHaraka(this.#lab), sink })
    }
  }

  #signing(): string {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const file = join(this.#lab.directory, 'dkim.pem')
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    return `[[domain]]\nname = "sender.test"\n[[domain.dkim]]\nselector = "bench"\nkey_file = "${file}"\n`
  }
}
