// Builds what decides about TLS from the settings: rules, DANE, MTA-STS. Says once, in the log, why DANE is off where it is.

import { isPrivate } from '../config/network.ts'
import type { Settings } from '../config/schema.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../util/clock.ts'
import type { AddressPolicy } from './address-policy.ts'
import { createAuthenticResolver, nameServers } from './authentic-resolver.ts'
import { Authorities } from './client-tls.ts'
import { createDane, type Dane } from './dane.ts'
import { createMtaSts, type PolicyMemory } from './mta-sts.ts'
import { createPolicyFetcher } from './mta-sts-fetch.ts'
import type { Resolver } from './resolver.ts'
import { createTlsRules } from './tls-rules.ts'
import { createTransportSecurity, type TransportSecurity } from './transport-security.ts'

export interface SecurityParts {
  readonly settings: Settings
  readonly resolver: Resolver
  readonly addressPolicy: AddressPolicy
  readonly policies: PolicyMemory
  readonly policyPort?: number
  readonly clock: Clock
  /** Aborts when delivery closes. */
  readonly stop: AbortSignal
  readonly logger: Logger
}

export function securityOf(parts: SecurityParts): TransportSecurity {
  const { settings, resolver, addressPolicy, policies, policyPort, clock, stop } = parts
  const { allowPrivate, ipv6, ca } = settings.delivery
  const fetch = createPolicyFetcher({
    resolver,
    addressPolicy,
    allowPrivate,
    ipv6,
    ...(ca !== undefined && { ca: new Authorities(ca).certificates }),
    ...(policyPort !== undefined && { port: policyPort }),
    clock,
    stop,
  })
  return createTransportSecurity({
    rules: createTlsRules(settings),
    dane: daneOf(parts),
    mtaSts: createMtaSts({ txt: (name) => resolver.txt(name), fetch, memory: policies, clock }),
  })
}

function daneOf({ settings, clock, logger }: SecurityParts): Dane | undefined {
  const { dane, resolvers, port, dnsTimeout } = settings.delivery
  if (dane === 'off') return undefined
  const servers = nameServers(resolvers)
  const far = servers.find(({ address }) => !isPrivate(address))
  if (dane === 'auto' && (far !== undefined || servers.length === 0)) {
    const text =
      far === undefined
        ? 'DANE is off: there is no name server'
        : `DANE is off: the name server ${far.address} is far away, and what it vouches for could be forged on the way. Run a validating one on this machine, or set delivery.dane = "on"`
    logger.warn({ event: 'dane-off', nameServer: far?.address }, text)
    return undefined
  }
  const asked = servers.map(({ address }) => address).join(', ')
  return createDane({
    resolver: createAuthenticResolver({ servers, timeoutMs: dnsTimeout, clock }),
    port,
    clock,
    onValidation: (validates) =>
      validates
        ? logger.info({ event: 'dane-on' }, `DANE is on: ${asked} validates DNSSEC`)
        : logger.warn(
            { event: 'dane-off' },
            `DANE is off: ${asked} does not validate DNSSEC. Run a validating name server such as unbound, or set delivery.dane = "off"`,
          ),
  })
}
