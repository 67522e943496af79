// Which addresses mail may be sent to. DNS is written by strangers: without this an MX record could point Studs at its
// own host, its neighbours or a cloud's metadata service. Pure: given an address, says allowed or why not. It is asked
// about the very address that is connected to, so a name that changes between look and use gains nothing.

import { BlockList, isIP } from 'node:net'

export type AddressVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'prohibited'; readonly reason: string }
  /** Our own listener: connecting would bring the mail back to us. */
  | { readonly kind: 'loop' }

export interface Listening {
  readonly address: string
  readonly port: number
}

export interface AddressPolicy {
  judge(address: string, target: { readonly port: number; readonly allowPrivate: boolean }): AddressVerdict
}

// IANA special-purpose registries (RFC 6890 and updates), by why nobody's MX can live there.
const PROHIBITED: readonly (readonly [reason: string, ...networks: string[]])[] = [
  ['this network', '0.0.0.0/8', '::/128'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['shared by a carrier', '100.64.0.0/10'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['protocol assignments', '192.0.0.0/24', '192.88.99.0/24', '2001::/23', '5f00::/16'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  ['benchmarking', '198.18.0.0/15'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['reserved', '240.0.0.0/4', '::/96', '64:ff9b:1::/48', '100::/64'],
  // An IPv4 connection in disguise: it would leave from another source address than the one chosen for it.
  ['IPv4-mapped', '::ffff:0:0/96'],
]
// Apart by family: a BlockList matches IPv4 addresses against IPv4-mapped networks too.
const LISTS = PROHIBITED.map(([reason, ...networks]) => ({
  reason,
  ipv4: blockList(networks.filter((network) => !network.includes(':'))),
  ipv6: blockList(networks.filter((network) => network.includes(':'))),
}))
const GLOBAL_UNICAST = blockList(['2000::/3', '64:ff9b::/96'])
// NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address, which is what the packets reach in the end.
const EMBEDDED = [
  { list: blockList(['64:ff9b::/96']), offset: 12 },
  { list: blockList(['2002::/16']), offset: 2 },
]

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}

/** Why nobody's mail host can have this address; undefined for a public one. */
export function prohibition(address: string): string | undefined {
  const family = isIP(address)
  if (family === 0) return 'not an address'
  if (address.includes('%')) return 'link-local'
  const found = LISTS.find((lists) =>
    family === 6 ? lists.ipv6.check(address, 'ipv6') : lists.ipv4.check(address, 'ipv4'),
  )
  if (found !== undefined) return found.reason
  if (family === 4) return undefined
  if (!GLOBAL_UNICAST.check(address, 'ipv6')) return 'reserved'
  const embedded = EMBEDDED.find(({ list }) => list.check(address, 'ipv6'))
  return embedded === undefined ? undefined : prohibition(embeddedIPv4(address, embedded.offset))
}

function embeddedIPv4(address: string, offset: number): string {
  return [...bytesOf(address).subarray(offset, offset + 4)].join('.')
}

/** The 16 bytes of an IPv6 address that isIP accepted. */
function bytesOf(address: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16)
  const text = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  const [head = '', tail] = text.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = groups(tail ?? '')
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Uint8Array.from(all.flatMap((group) => [group >>> 8, group & 255]))
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * `interfaces`: the addresses of this machine; `listening`: where its own SMTP listeners are; `allowed`: special networks
 * that may be mailed although others may not (the sandbox's).
 */
export function createAddressPolicy(options: {
  readonly interfaces: readonly string[]
  readonly listening: readonly Listening[]
  readonly allowed?: readonly string[]
}): AddressPolicy {
  const exceptions = blockList(options.allowed ?? [])
  const isException = (address: string): boolean => exceptions.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  const own = new Set([...options.interfaces, ...options.listening.map(({ address }) => address)].map(plain))
  const isOwn = (address: string): boolean => own.has(address) || prohibition(address) === 'loopback'
  const isListener = (address: string, port: number): boolean =>
    options.listening.some((at) => at.port === port && (plain(at.address) === address || WILDCARDS.has(at.address)))
  return {
    judge(given, { port, allowPrivate: allowAll }) {
      const address = plain(given)
      const allowPrivate = allowAll || isException(address)
      const reason = prohibition(given)
      // A stranger's record for 127.0.0.1 means no more us than him; only where loopback may be mailed it can be a loop.
      const isUs = isOwn(address) && (reason !== 'loopback' || allowPrivate)
      if (isUs && isListener(address, port)) return { kind: 'loop' }
      if (allowPrivate) return { kind: 'allowed' }
      if (reason !== undefined) return { kind: 'prohibited', reason }
      return isOwn(address) ? { kind: 'prohibited', reason: 'our own' } : { kind: 'allowed' }
    },
  }
}

/** One spelling per address: mapped ones as IPv4, IPv6 in the shortest form. */
function plain(address: string): string {
  if (isIP(address) !== 6 || address.includes('%')) return address
  const bytes = bytesOf(address)
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  return isMapped ? [...bytes.subarray(12)].join('.') : new URL(`http://[${address}]`).hostname.slice(1, -1)
}
