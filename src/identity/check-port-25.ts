// Whether mail can leave: a connection from each source to the first MX of a domain that always has one. Many providers
// close port 25 until asked.

import { isIP } from 'node:net'
import { type Clock, SECOND } from '../util/clock.ts'
import { about, type Diagnosis } from './diagnosis.ts'
import { type Greeting, knock } from './greeting.ts'
import type { Lookup } from './lookup.ts'
import type { SenderSource } from './sender.ts'

const TIMEOUT_MS = 15 * SECOND

export interface Port25Parts {
  readonly sources: readonly SenderSource[]
  readonly domain: string
  readonly port: number
  readonly lookup: Lookup
  readonly clock: Pick<Clock, 'after'>
  readonly mode: 'sandbox' | 'internet'
}

export async function checkPort25(parts: Port25Parts): Promise<Diagnosis[]> {
  const { domain, port, lookup, mode } = parts
  const told = about('port-25', `port ${port}`)
  if (mode === 'sandbox') return [told.skipped('no mail leaves the sandbox, so the way out was not tried')]
  const mx = await lookup.mx(domain)
  const [host] = mx.kind === 'ok' ? mx.items.toSorted((a, b) => a.preference - b.preference) : []
  if (host === undefined || host.exchange === '')
    return [told.unknown({ message: `there is no MX of ${domain} to try it with`, cure: 'set doctor.port_25_domain' })]
  const [four, six] = await Promise.all([lookup.a(host.exchange), lookup.aaaa(host.exchange)])
  const addresses = [four, six].flatMap((answer) => (answer.kind === 'ok' ? answer.items.slice(0, 1) : []))
  if (addresses.length === 0)
    return [
      told.unknown({ message: `${host.exchange} has no address to try it with`, cure: 'set doctor.port_25_domain' }),
    ]
  const tries = parts.sources.flatMap((source) =>
    waysOf(source, addresses).map((way) => tryWay({ ...way, host: host.exchange, parts })),
  )
  return Promise.all(tries)
}

interface Way {
  readonly source: SenderSource
  readonly localAddress?: string
  readonly address: string
}

/** One for each family that the source sends from; without an address of its own the system chooses, IPv4 first. */
function waysOf(source: SenderSource, addresses: readonly string[]): Way[] {
  if (source.local.length === 0) return addresses.slice(0, 1).map((address) => ({ source, address }))
  return source.local.flatMap((localAddress) => {
    const address = addresses.find((each) => isIP(each) === isIP(localAddress))
    return address === undefined ? [] : [{ source, localAddress, address }]
  })
}

async function tryWay(way: Way & { readonly host: string; readonly parts: Port25Parts }): Promise<Diagnosis> {
  const { source, localAddress, address, host, parts } = way
  const told = about('port-25', localAddress === undefined ? source.name : `${source.name} ${localAddress}`)
  const greeting = await knock({ address, port: parts.port, localAddress, timeoutMs: TIMEOUT_MS, clock: parts.clock })
  const to = `${host} (${address})`
  const cure = 'ask your provider to open outbound port 25, and look at the firewall of this machine'
  if (greeting.kind === 'greeted' && greeting.line.startsWith('220')) return told.ok(`${host} greets it`, greeting.line)
  if (greeting.kind === 'greeted') {
    const message = `${to} refuses it in its greeting: the address may be blocked there`
    return told.different({
      severity: 'warning',
      message,
      found: greeting.line,
      cure: 'studs doctor --dnsbl asks blocklists',
    })
  }
  return told.different({ message: `no way to ${to}: ${reasonOf(greeting)}`, cure })
}

function reasonOf(greeting: Exclude<Greeting, { kind: 'greeted' }>): string {
  return greeting.kind === 'silent'
    ? 'connected, but nobody greets: something in between holds the connection'
    : greeting.detail
}
