// IP addresses as DNS has them: names of the reverse zone, what can stand in public DNS, and whether two texts are one
// address. Pure.

import { BlockList, isIP } from 'node:net'
import { isPrivate } from '../config/network.ts'

/** `10.113.0.203.in-addr.arpa`, or the nibbles of an IPv6 address below ip6.arpa (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: string): string {
  return isIP(address) === 6
    ? `${reversedNibbles(address)}.ip6.arpa`
    : `${address.split('.').toReversed().join('.')}.in-addr.arpa`
}

/** As it stands in front of the zone of a blocklist (RFC 5782 §2.1, §2.4). */
export function reversedLabels(address: string): string {
  return isIP(address) === 6 ? reversedNibbles(address) : address.split('.').toReversed().join('.')
}

function reversedNibbles(address: string): string {
  return [...expanded(address)].toReversed().join('.')
}

/** The 32 hexadecimal digits of an IPv6 address. */
function expanded(address: string): string {
  // The URL parser writes the shortest form, without dotted decimals.
  const shortest = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = shortest.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':').map((group) => group.padStart(4, '0')))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0000')
  return [...before, ...zeros, ...after].join('')
}

export function isSameAddress(one: string, other: string): boolean {
  if (one === other) return true
  const family = isIP(one)
  if (family === 0 || family !== isIP(other)) return false
  const list = new BlockList()
  list.addAddress(one, family === 6 ? 'ipv6' : 'ipv4')
  return list.check(other, family === 6 ? 'ipv6' : 'ipv4')
}

export function includesAddress(addresses: readonly string[], wanted: string): boolean {
  return addresses.some((address) => isSameAddress(address, wanted))
}

/** Whether receivers on the internet can see it. */
export function isPublic(address: string): boolean {
  return isIP(address) !== 0 && !isPrivate(address)
}
