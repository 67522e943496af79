// What one client counts as where addresses are limited: an IPv4 address, or an IPv6 /64. A /64 is what a single machine
// is given, with more addresses in it than any table could hold. For limits only: logs and trusted networks take the
// whole address.

import { isIP } from 'node:net'

const GROUPS = 8
const MAPPED = '0:0:0:0:0:ffff'

export function blockOf(address: string): string {
  if (isIP(address) !== 6) return address
  const groups = groupsOf(address)
  if (groups.slice(0, 6).join(':') === MAPPED) return dotted(groups.slice(6))
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** The eight groups in hexadecimal, without leading zeros. */
function groupsOf(address: string): string[] {
  const [whole = ''] = address.split('%')
  // RFC 4291 §2.2: the last 32 bits may be written as IPv4.
  const plain = whole.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.slice(0, 4).map(Number) as [number, number, number, number]
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [left = [], right = []] = plain.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const zeros = new Array<string>(GROUPS - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16).toString(16))
}

const dotted = (groups: readonly string[]): string =>
  groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.')
