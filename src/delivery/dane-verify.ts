// Whether the certificates that a server showed are the ones its TLSA records stand for (RFC 7671 §5, RFC 7672 §3).
// DANE-EE(3): the certificate itself or its key; neither name nor dates matter. DANE-TA(2): a chain of valid signatures
// from the certificate up to the authority named, a name that fits, and dates that hold. Pure but for the date it is given.

import { createHash, X509Certificate } from 'node:crypto'
import { checkServerIdentity, type DetailedPeerCertificate } from 'node:tls'
import type { TlsFailure } from '../mail/outcome.ts'
import type { EpochMs } from '../util/clock.ts'
import type { DaneDemand, Tlsa } from './tls-demand.ts'
import { DANE_EE, DANE_TA } from './tlsa.ts'

export interface Mismatch {
  readonly detail: string
  readonly failure: TlsFailure
}

const MAX_CHAIN = 10
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_USAGE = '2.5.29.37.0'
/** id-ce-nameConstraints and id-ce-basicConstraints as they stand in a certificate. */
const NAME_CONSTRAINTS = Buffer.from('0603551d1e', 'hex')
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex')

/** Undefined when the server is the right one. */
export function daneMismatch(
  shown: DetailedPeerCertificate | undefined,
  { records, names }: DaneDemand,
  now: EpochMs,
): Mismatch | undefined {
  const [leaf, ...issuers] = chainOf(shown)
  if (leaf === undefined || shown === undefined)
    return { detail: 'the server showed no certificate', failure: 'validation-failure' }
  if (records.some((record) => record.usage === DANE_EE && matches(record, leaf))) return undefined
  const authorities = records.filter(({ usage }) => usage === DANE_TA)
  const noMatch: Mismatch = {
    detail: 'the certificate is none that the TLSA records name',
    failure: 'validation-failure',
  }
  if (authorities.length === 0) return noMatch
  const problem = chainProblem({ leaf, issuers: [...issuers, ...fullAuthorities(authorities)], authorities, now })
  if (problem !== undefined) return problem === 'no authority' ? noMatch : problem
  if (names.some((name) => checkServerIdentity(name, shown) === undefined)) return undefined
  const detail = `the certificate is for none of ${names.join(', ')}`
  return { detail, failure: 'certificate-host-mismatch' }
}

/** From the server's own certificate upwards; each was issued by the next, says its name. */
function chainOf(shown: DetailedPeerCertificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let each = shown; each?.raw !== undefined && chain.length < MAX_CHAIN; each = each.issuerCertificate) {
    chain.push(new X509Certificate(each.raw))
    if (each.issuerCertificate === each) break
  }
  return chain
}

function matches({ selector, matching, data }: Tlsa, certificate: X509Certificate): boolean {
  const selected = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
  const found =
    matching === 0
      ? selected
      : createHash(matching === 1 ? 'sha256' : 'sha512')
          .update(selected)
          .digest()
  return found.toString('hex') === data
}

/** A record with the whole certificate stands in for one that the server did not send (RFC 7671 §5.2.2). */
function fullAuthorities(records: readonly Tlsa[]): X509Certificate[] {
  return records.flatMap(({ selector, matching, data }) => {
    if (selector !== 0 || matching !== 0) return []
    try {
      return [new X509Certificate(Buffer.from(data, 'hex'))]
    } catch {
      // Whatever it is, it is no certificate, and will match none.
      return []
    }
  })
}

interface Chain {
  readonly leaf: X509Certificate
  readonly issuers: readonly X509Certificate[]
  readonly authorities: readonly Tlsa[]
  readonly now: EpochMs
}

/** Climbs from the leaf to an authority that a record names; undefined when it gets there. */
function chainProblem({ leaf, issuers, authorities, now }: Chain): Mismatch | 'no authority' | undefined {
  const notTrusted = (detail: string): Mismatch => ({ detail, failure: 'certificate-not-trusted' })
  if (!isCurrent(leaf, now)) return expired(leaf)
  const usages = leaf.keyUsage
  if (usages !== undefined && !usages.includes(SERVER_AUTH) && !usages.includes(ANY_USAGE))
    return notTrusted('the certificate is not for servers')
  let below = leaf
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const issuer = issuers.find((each) => below.checkIssued(each) && below.verify(each.publicKey))
    if (issuer === undefined) return 'no authority'
    if (!issuer.ca) return notTrusted('a certificate of the chain was issued by one that may not issue any')
    if (!isCurrent(issuer, now)) return expired(issuer)
    const limit = pathLength(issuer)
    if (limit !== undefined && depth > limit)
      return notTrusted('the chain is longer than one of its authorities allows')
    // Not understood here, so it must not be overlooked (RFC 5280 §4.2: critical extensions).
    if (issuer.raw.includes(NAME_CONSTRAINTS)) return notTrusted('an authority of the chain has name constraints')
    if (authorities.some((record) => matches(record, issuer))) return undefined
    if (issuer.fingerprint256 === below.fingerprint256) return 'no authority'
    below = issuer
  }
  return 'no authority'
}

function isCurrent({ validFromDate, validToDate }: X509Certificate, now: EpochMs): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime()
}

function expired({ validTo }: X509Certificate): Mismatch {
  return { detail: `a certificate of the chain is not valid now (until ${validTo})`, failure: 'certificate-expired' }
}

/** pathLenConstraint of basicConstraints (RFC 5280 §4.2.1.9): how many further authorities may stand below this one. */
function pathLength({ raw }: X509Certificate): number | undefined {
  const at = raw.indexOf(BASIC_CONSTRAINTS)
  if (at === -1) return undefined
  // OID, perhaps `critical TRUE`, OCTET STRING, SEQUENCE { cA BOOLEAN, pathLen INTEGER }.
  let offset = at + BASIC_CONSTRAINTS.length
  if (raw[offset] === 0x01) offset += 3
  const end = offset + 4 + (raw[offset + 3] ?? 0)
  offset += 4
  if (raw[offset] === 0x01) offset += 3
  if (offset >= end) return undefined
  return raw[offset] === 0x02 && raw[offset + 1] === 1 ? raw[offset + 2] : 0
}
