// The name servers: whether they answer, whether they tell the truth about names that do not exist, and whether they
// validate DNSSEC. Delivery depends on all of it.

import { randomBytes } from 'node:crypto'
import { isLoopback } from '../config/network.ts'
import type { Clock } from '../util/clock.ts'
import { about, type Diagnosis } from './diagnosis.ts'
import type { Lookup } from './lookup.ts'
import { asksForProof } from './validation.ts'

export interface ResolverParts {
  readonly lookup: Lookup
  /** The name servers in use, `address` or `address:port`. */
  readonly servers: readonly string[]
  /** A domain that exists. */
  readonly domain: string
  readonly timeoutMs: number
  readonly clock: Clock
}

export async function checkResolver(parts: ResolverParts): Promise<Diagnosis[]> {
  const [answers, truth, ...validation] = await Promise.all([
    checkAnswers(parts),
    checkTruth(parts),
    ...parts.servers.map((server) => checkValidation(server, parts)),
  ])
  // What does not answer cannot be judged further.
  return answers.state === 'ok' ? [answers, truth, ...validation] : [answers]
}

const SLOW_MS = 1000

async function checkAnswers({ lookup, domain, servers, clock }: ResolverParts): Promise<Diagnosis> {
  const told = about('resolver', servers.join(', '))
  const begun = clock.monotonic()
  const answer = await lookup.mx(domain)
  const took = Math.round(clock.monotonic() - begun)
  const cure = 'name others in delivery.resolvers, or run one on this machine (unbound)'
  if (answer.kind === 'failed') return told.unknown({ message: `MX of ${domain}: ${answer.detail}`, cure })
  if (answer.kind === 'nxdomain')
    return told.different({
      message: `it says that ${domain} does not exist`,
      cure: `${cure}; or correct doctor.port_25_domain`,
    })
  if (took > SLOW_MS) return told.different({ severity: 'warning', message: `an answer took ${took} ms`, cure })
  return told.ok(`answers, in ${took} ms`)
}

/** Some providers answer every name, with the address of a page of theirs: mail to typing errors would go there. */
async function checkTruth({ lookup, domain, servers }: ResolverParts): Promise<Diagnosis> {
  const told = about('resolver', servers.join(', '))
  const name = `studs-${randomBytes(8).toString('hex')}.${domain}`
  const answer = await lookup.a(name)
  if (answer.kind === 'nxdomain') return told.ok('says of a name that does not exist that it does not')
  if (answer.kind === 'failed')
    return told.unknown({
      severity: 'warning',
      message: `a name that does not exist: ${answer.detail}`,
      cure: 'ask again',
    })
  const cure = 'name others in delivery.resolvers: addresses that do not exist would never bounce'
  const found = answer.kind === 'ok' ? answer.items.join(', ') : 'no data'
  return told.different({ message: 'it answers for a name that does not exist', expected: 'NXDOMAIN', found, cure })
}

async function checkValidation(server: string, { timeoutMs, clock }: ResolverParts): Promise<Diagnosis> {
  const told = about('resolver', server)
  const validation = await asksForProof({ server, timeoutMs, clock })
  const cure = 'a validating one on this machine (unbound) makes DANE possible'
  if (validation === 'validates') {
    if (isLoopback(server.replace(/:\d+$|[[\]]/g, ''))) return told.ok('validates DNSSEC')
    const message = 'validates DNSSEC, but elsewhere: what it says can be changed on its way here'
    return told.different({ severity: 'note', message, cure })
  }
  if (validation === 'does-not') return told.different({ severity: 'note', message: 'does not validate DNSSEC', cure })
  return told.unknown({ severity: 'warning', message: `does not answer for the root: ${validation.failed}`, cure })
}
