// TLS towards receivers: domains that can match, demands that mean something together, authorities that are certificates.

import { X509Certificate } from 'node:crypto'
import { parseAddress, parseDomain } from '../mail/address.ts'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import type { Settings } from './schema.ts'

export function* checkTls({ tlsPolicy, tlsReport, delivery }: Settings): Iterable<Finding> {
  const seen = new Set<string>()
  for (const [index, { domain, tls, minVersion }] of tlsPolicy.entries()) {
    const path = `tls_policy.${index}`
    const name = domain.replace(/^\*\./, '')
    if (domain !== '*' && parseDomain(name) !== name) {
      yield wrong(`${path}.domain`, {
        message: `"${domain}" is not a domain`,
        cure: 'write "example.com", "*.example.com" or "*", as in DNS (xn--…)',
      })
    }
    if (seen.has(domain))
      yield wrong(`${path}.domain`, { message: `there are two policies for "${domain}"`, cure: 'keep one of them' })
    seen.add(domain)
    const isDemanded = (tls ?? delivery.tls) === 'required' || tls === 'verify'
    if (minVersion !== undefined && !isDemanded) {
      const message =
        'min_version counts only where TLS is demanded: where plaintext is the alternative, old TLS is better'
      yield doubtful(`${path}.min_version`, { message, cure: 'set tls = "required" or "verify"' })
    }
  }
  if (tlsReport.enabled && tlsReport.from === undefined)
    yield wrong('tls_report.enabled', { message: 'reports need a sender', cure: 'set tls_report.from' })
  if (tlsReport.from !== undefined && parseAddress(tlsReport.from) === undefined)
    yield wrong('tls_report.from', { message: `"${tlsReport.from}" is not an address`, cure: 'write name@example.com' })
  if (delivery.ca !== undefined && !areCertificates(delivery.ca))
    yield wrong('delivery.ca', { message: 'this is no PEM certificate', cure: 'write "-----BEGIN CERTIFICATE-----…"' })
}

function areCertificates(pem: string): boolean {
  const parts = pem.split(/(?=-----BEGIN )/).filter((part) => part.trim() !== '')
  try {
    for (const part of parts) new X509Certificate(part)
    return parts.length > 0
  } catch {
    // One of them is something else.
    return false
  }
}
