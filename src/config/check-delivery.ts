// How mail leaves: name servers that can be understood, and, once it leaves for the real internet, what a sender needs to
// be taken seriously there. The latter are warnings: a trial is allowed to be unserious.

import { isIP } from 'node:net'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import { isLoopback } from './network.ts'
import type { Settings } from './schema.ts'

export function* checkDelivery(settings: Settings): Iterable<Finding> {
  if (settings.delivery.port === 0)
    yield wrong('delivery.port', { message: 'there is no port 0 to connect to', cure: 'remove the option' })
  for (const [index, resolver] of settings.delivery.resolvers.entries()) {
    if (isNameServer(resolver)) continue
    yield wrong(`delivery.resolvers.${index}`, {
      message: `"${resolver}" is not a name server`,
      cure: 'write "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"',
    })
  }
  yield* checkUnusedSources(settings)
  if (settings.delivery.mode === 'sandbox')
    yield* checkSandbox(settings, 'set delivery.mode = "internet" when the trial is over')
  else if (asksSandboxOnly(settings)) yield* checkSandbox(settings, 'remove delivery.resolvers when the trial is over')
  else yield* checkInternet(settings)
}

/** Names are asked of a sandbox that runs by itself (`studs sandbox`): no mail leaves it, whatever the port. */
function asksSandboxOnly({ delivery, sandbox, route }: Settings): boolean {
  const nameServer = `${sandbox.address}:${sandbox.dnsPort}`
  return route.length === 0 && delivery.resolvers.length > 0 && delivery.resolvers.every((each) => each === nameServer)
}

function isNameServer(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const [address, port] = match === null ? [text, 53] : [match[1] ?? match[2] ?? '', Number(match[3] ?? 53)]
  return isIP(address) !== 0 && port > 0 && port <= 65_535
}

function* checkUnusedSources({ source, pool }: Settings): Iterable<Finding> {
  const used = new Set(pool.flatMap(({ sources }) => sources.map((member) => member.source)))
  for (const [index, { name }] of source.entries()) {
    if (!used.has(name))
      yield doubtful(`source.${index}.name`, { message: `source "${name}" is in no pool: no mail leaves from it` })
  }
}

function* checkSandbox({ listener }: Settings, cure: string): Iterable<Finding> {
  const open = listener.findIndex(({ address }) => !isLoopback(address))
  if (open === -1) return
  const message = 'apps on other machines can submit mail, but all of it stays in the sandbox'
  yield doubtful('delivery.mode', { message, cure })
}

function* checkInternet(settings: Settings): Iterable<Finding> {
  yield* checkIdentity(settings)
  yield* checkSenderDomains(settings)
  if (settings.delivery.port !== 25) {
    const message = `MX hosts listen on port 25, not ${settings.delivery.port}`
    yield doubtful('delivery.port', { message, cure: 'remove the option, or use a [[route]] for a host of your own' })
  }
  if (settings.delivery.allowPrivate) {
    const message = 'strangers can point their MX at this machine and its neighbours'
    yield doubtful('delivery.allow_private', {
      message,
      cure: 'remove the option and use a [[route]] with allow_private',
    })
  }
}

function* checkIdentity({ node, source }: Settings): Iterable<Finding> {
  for (const [index, { name, ehlo, ipv4, ipv6 }] of source.entries()) {
    if (ehlo === undefined && node.hostname === undefined) {
      const message = `source "${name}" has no name of its own for EHLO: the host name of the machine is said, which receivers will check against DNS`
      yield doubtful(`source.${index}.ehlo`, {
        message,
        cure: 'set node.hostname, or ehlo of the source, to the PTR name of its address',
      })
    }
    for (const address of [ipv4, ipv6]) {
      if (address === undefined || !isLoopback(address)) continue
      yield doubtful(`source.${index}.name`, {
        message: `source "${name}" sends from ${address}, which reaches nobody but this machine`,
      })
    }
  }
}

function* checkSenderDomains({ domain }: Settings): Iterable<Finding> {
  if (domain.length === 0) {
    const message =
      'there is no sender domain: mail goes out without a DKIM signature, and bounces that come late are not captured'
    yield doubtful('domain', { message, cure: 'add a [[domain]] with dkim and return_path' })
  }
  for (const [index, { name, dkim, returnPath }] of domain.entries()) {
    if (dkim.length === 0)
      yield doubtful(`domain.${index}.name`, {
        message: `mail of ${name} goes out without a DKIM signature`,
        cure: 'add a [[domain.dkim]]',
      })
    if (returnPath !== undefined) continue
    const message = `bounces of ${name} that come after delivery are not captured`
    yield doubtful(`domain.${index}.name`, { message, cure: 'set return_path to a domain whose MX points here' })
  }
}
