// What an address or network is to the cross checks: this machine, a private net, or so much of the internet that
// trusting it means trusting everybody. Pure arithmetic, no look-ups.

import { BlockList, isIP } from 'node:net'
import type { Cidr } from './units.ts'

const LOOPBACK = networks('127.0.0.0/8', '::1/128')
const PRIVATE = networks(
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '0.0.0.0/8',
  '::/128',
  'fc00::/7',
  'fe80::/10',
)
// Larger networks than these belong to many owners: the biggest single allocations are a /8 and a /20 to /32.
const WIDEST_PREFIX = { 4: 8, 6: 32 } as const
// IPv6 networks that stand for the whole of IPv4: mapped (a dual-stack socket shows IPv4 clients so), NAT64, Teredo, 6to4.
const WHOLE_IPV4 = [
  { start: '::ffff:0:0', prefix: 96 },
  { start: '64:ff9b::', prefix: 96 },
  { start: '2001::', prefix: 32 },
  { start: '2002::', prefix: 16 },
]

export function isLoopback(address: string): boolean {
  return within(LOOPBACK, address)
}

/** Loopback, private, carrier-grade, link-local or unspecified: nothing the internet can reach or should be sent to. */
export function isPrivate(address: string): boolean {
  return isLoopback(address) || within(PRIVATE, address)
}

export function isWildcard(address: string): boolean {
  return isIP(address) !== 0 && /^[0:.]+$/.test(address)
}

export function isLoopbackNetwork(network: Cidr): boolean {
  return isLoopback(network.address) && effective(network).prefix >= 8
}

/** Whether trusting `network` comes near to trusting everybody. */
export function isPublicAtLarge(network: Cidr): boolean {
  const { prefix, family, address } = effective(network)
  if (family === 4) return prefix < WIDEST_PREFIX[4]
  if (WHOLE_IPV4.some((whole) => prefix < whole.prefix + WIDEST_PREFIX[4] && meet({ address, prefix }, whole)))
    return true
  return prefix < WIDEST_PREFIX[6] && !(prefix >= 7 && within(PRIVATE, address))
}

/** Whether both listen on the same address, or one on all of them. Two IPv4/IPv6 wildcards collide too: "::" is dual-stack. */
export function overlaps(one: string, other: string): boolean {
  if (one === other) return true
  const covers = (wide: string, narrow: string): boolean => isWildcard(wide) && (isIP(wide) === 6 || isIP(narrow) === 4)
  return covers(one, other) || covers(other, one)
}

/** Whether one of two IPv6 networks lies within the other. */
function meet(one: Pick<Cidr, 'address' | 'prefix'>, other: { start: string; prefix: number }): boolean {
  const list = new BlockList()
  list.addSubnet(other.start, Math.min(one.prefix, other.prefix), 'ipv6')
  return list.check(one.address, 'ipv6')
}

/** An IPv4-mapped network as the IPv4 network it is: ::ffff:10.0.0.0/104 is 10.0.0.0/8. */
function effective(network: Cidr): Cidr {
  if (network.family === 4 || network.prefix < 96) return network
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(network.address)?.[1] ?? dottedOf(network.address)
  return dotted === undefined ? network : { address: dotted, prefix: network.prefix - 96, family: 4 }
}

function dottedOf(address: string): string | undefined {
  const match = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/i.exec(new URL(`http://[${address}]`).hostname)
  if (match === null) return undefined
  const [high, low] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)]
  return [high >>> 8, high & 255, low >>> 8, low & 255].join('.')
}

function within(list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

function networks(...texts: string[]): BlockList {
  const list = new BlockList()
  for (const text of texts) {
    const [address = '', prefix] = text.split('/')
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
