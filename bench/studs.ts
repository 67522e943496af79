// Studs as a system under measurement: the real process with its own configuration, log and store.

import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Child, freePort, isRunning, type Lab, until } from './lab.ts'
import type { Environment } from './slow-disk.ts'
import type { System, Upstream } from './system.ts'

/** How Studs is run. */
export interface Node {
  /** File that node runs: src/main.ts or dist/main.js. */
  readonly main: string
  /** Options of node itself, like --cpu-prof. */
  readonly nodeOptions: readonly string[]
}

export interface StudsOptions {
  readonly node: Node
  readonly name: string
  /** Where everything goes; by MX without it. */
  readonly sink?: Upstream
  /** More keys of [delivery]. */
  readonly delivery?: string
  readonly workers?: number
  readonly logLevel?: 'info' | 'error'
  /** More of the configuration, as TOML. */
  readonly more?: string
  readonly directory?: string
  readonly environment?: Environment
}

export interface Studs extends System {
  readonly pid: number
  readonly config: string
  readonly log: () => string
}

const GREETING_MS = 2000

/** Differences from the defaults: routed to the sink, unencrypted on loopback, and no brakes on connecting to one receiver. */
function configuration(options: StudsOptions, port: number, directory: string): string {
  const { sink, workers = 1, logLevel = 'info', delivery = '', more = '' } = options
  return `
[data]
directory = "${directory}"
[log]
level = "${logLevel}"
format = "json"
[delivery]
mode = "internet"
workers = ${workers}
connection_rate = "1000000/min"
${delivery}
${sink === undefined ? '' : routeTo(sink)}
[[listener]]
name = "trusted"
port = ${port}
tls = "none"
auth = "optional"
[submission]
max_connections_per_ip = 1000
${more.includes('[[bounce_listener]]') ? '' : '[[bounce_listener]]\nname = "bounces"\nport = 0'}
${more}`
}

const routeTo = ({ host, port }: Upstream): string => `[[route]]
domain = "*"
to = "smtp://${host}:${port}"
allow_private = true
connections = 20`

export async function startStuds(lab: Lab, options: StudsOptions): Promise<Studs> {
  const port = await freePort()
  const file = join(lab.folder(options.name), 'studs.toml')
  writeFileSync(file, configuration(options, port, options.directory ?? join(lab.folder(options.name), 'data')))
  const args = [...options.node.nodeOptions, options.node.main, 'serve', '-c', file]
  const child = lab.start(options.name, process.execPath, args, options.environment)
  await untilReady(child, port, options.name)
  return {
    name: options.name,
    host: '127.0.0.1',
    port,
    pid: child.pid,
    config: file,
    log: child.output,
    isRunning: () => isRunning(child),
    stop: child.stop,
  }
}

async function untilReady(child: Child, port: number, name: string): Promise<void> {
  await until(
    `${name} accepts connections`,
    async () => {
      if (!isRunning(child)) throw new Error(`${name} ended at once:\n${child.output().slice(-2000)}`)
      return greets(port)
    },
    { withinMs: 120_000, everyMs: 50 },
  )
}

/** Whether an SMTP server greets there. */
export function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', (data) => {
      socket.end('QUIT\r\n')
      resolve(data.toString('latin1').startsWith('220'))
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.setTimeout(GREETING_MS, () => socket.destroy())
  })
}
