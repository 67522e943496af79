// Addresses and ports that Studs itself listens on: real IP addresses, no two on one port, the pretend internet on
// loopback only.

import { isIP } from 'node:net'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import { isLoopback, overlaps } from './network.ts'
import type { Settings } from './schema.ts'

// sun_path of a Unix socket holds 108 bytes with the closing NUL.
const LONGEST_SOCKET = 107

interface Place {
  readonly path: string
  readonly address: string
  readonly port: number
  readonly whose: string
}

export function* checkListeners(settings: Settings): Iterable<Finding> {
  if (settings.listener.length === 0)
    yield doubtful('listener', { message: 'there is no listener: nobody can submit mail by SMTP' })
  yield* checkAddresses('listener', settings.listener)
  yield* checkAddresses('bounce_listener', settings.bounceListener)
  yield* checkMetrics(settings.metrics)
  if (!isLoopback(settings.sandbox.address)) {
    const message = `the pretend internet may only be on a loopback address, not "${settings.sandbox.address}"`
    yield wrong('sandbox.address', { message, cure: 'write "127.0.0.1"' })
  }
  yield* checkPorts(places(settings))
  if (Buffer.byteLength(settings.api.socket) > LONGEST_SOCKET) {
    const message = `${settings.api.socket} is longer than the ${LONGEST_SOCKET} bytes that a Unix socket may have`
    yield wrong('api.socket', {
      message,
      cure: 'give an absolute path that is shorter, such as "/run/studs/studs.sock"',
    })
  }
}

function* checkAddresses(section: string, listeners: readonly { readonly address: string }[]): Iterable<Finding> {
  for (const [index, { address }] of listeners.entries()) yield* checkAddress(`${section}.${index}.address`, address)
}

function* checkAddress(path: string, address: string): Iterable<Finding> {
  if (isIP(address) !== 0) return
  const cure =
    address === 'localhost'
      ? 'write "127.0.0.1" or "::1"'
      : 'write an address of this machine, "127.0.0.1", or "0.0.0.0" for all'
  yield wrong(path, { message: `"${address}" is not an IP address`, cure })
}

function* checkMetrics({ address, port }: Settings['metrics']): Iterable<Finding> {
  yield* checkAddress('metrics.address', address)
  if (port === undefined || isIP(address) === 0 || isLoopback(address)) return
  const message = `whoever reaches ${address} may read the numbers: names of tenants, sources and domains among them`
  yield doubtful('metrics.address', { message, cure: 'write "127.0.0.1", or keep others away by a firewall' })
}

function places({ listener, bounceListener, unsubscribe, metrics, sandbox, delivery }: Settings): Place[] {
  const placesOf = (section: string, listeners: readonly { address: string; port: number; name: string }[]): Place[] =>
    listeners.map(({ address, port, name }, index) => ({
      path: `${section}.${index}.port`,
      address,
      port,
      whose: `${section === 'listener' ? 'listener' : 'bounce listener'} "${name}"`,
    }))
  const own = [...placesOf('listener', listener), ...placesOf('bounce_listener', bounceListener)]
  if (unsubscribe.port !== undefined) {
    const { address, port } = unsubscribe
    own.push({ path: 'unsubscribe.port', address, port, whose: 'the unsubscribe endpoint' })
  }
  if (metrics.port !== undefined) {
    const { address, port } = metrics
    own.push({ path: 'metrics.port', address, port, whose: 'the metrics' })
  }
  if (delivery.mode !== 'sandbox') return own
  const { address, smtpPort, dnsPort } = sandbox
  return [
    ...own,
    { path: 'sandbox.smtp_port', address, port: smtpPort, whose: "the sandbox's SMTP" },
    { path: 'sandbox.dns_port', address, port: dnsPort, whose: "the sandbox's DNS" },
  ]
}

function* checkPorts(all: readonly Place[]): Iterable<Finding> {
  for (const [index, place] of all.entries()) {
    const other = all
      .slice(0, index)
      .find(({ address, port }) => port === place.port && overlaps(address, place.address))
    if (place.port === 0 || other === undefined) continue
    yield wrong(place.path, {
      message: `port ${place.port} on ${place.address} is already taken by ${other.whose}`,
      cure: 'choose another port',
    })
  }
}
