// The way back of bounces: the first MX of the return-path domain must lead to an address at which the bounce listener
// can be reached. Also the policies of that domain about TLS, which nobody needs to have.

import { isIP } from 'node:net'
import { isWildcard } from '../config/network.ts'
import type { BounceListenerSettings } from '../config/schema.ts'
import { includesAddress } from './address.ts'
import { about, type Diagnosis } from './diagnosis.ts'
import { absence, addressesOf, type Lookup, type MailExchange } from './lookup.ts'
import { recordsOf } from './record.ts'
import type { Sender } from './sender.ts'
import { parseTags } from './tags.ts'

export interface ReturnPathParts {
  readonly sender: Sender
  readonly lookup: Lookup
  readonly listeners: readonly BounceListenerSettings[]
  readonly machineAddresses: readonly string[]
}

export async function checkReturnPath(parts: ReturnPathParts): Promise<Diagnosis[]> {
  const { sender, lookup } = parts
  const { returnPath, domain, mxHost } = sender
  if (returnPath === undefined) {
    return [
      about('return-path', domain).missing({
        severity: 'warning',
        message:
          "there is no return-path domain: the app's own envelope sender goes out, and bounces that come later are not captured",
        cure: 'set return_path of the [[domain]]',
      }),
    ]
  }
  const policies = Promise.all([checkSts(sender, lookup), checkTlsReports(sender, lookup)])
  const path = about('return-path', returnPath)
  const expected = `10 ${mxHost}`
  const answer = await lookup.mx(returnPath)
  const others = (await policies).flat()
  if (answer.kind === 'failed')
    return [
      path.unknown({ message: answer.detail, cure: 'look at the name servers of the domain, and ask again' }),
      ...others,
    ]
  if (answer.kind !== 'ok') {
    const message = `no MX: ${await absence(lookup, returnPath)}; bounces do not come back`
    return [path.missing({ message, expected, cure: `publish it as the MX record of ${returnPath}` }), ...others]
  }
  const exchanges = answer.items.toSorted((a, b) => a.preference - b.preference)
  return [await checkExchanges({ ...parts, returnPath, exchanges }), ...others]
}

interface Exchanges extends ReturnPathParts {
  readonly returnPath: string
  /** Best preference first. */
  readonly exchanges: readonly MailExchange[]
}

async function checkExchanges(given: Exchanges): Promise<Diagnosis> {
  const { sender, lookup, exchanges, returnPath } = given
  const path = about('return-path', returnPath)
  const expected = `10 ${sender.mxHost}`
  const found = exchanges.map(({ preference, exchange }) => `${preference} ${exchange}`).join(' | ')
  const cure = `let the MX of ${returnPath} be ${sender.mxHost}, and nothing else`
  const [first] = exchanges
  if (first === undefined || first.exchange === '') {
    const message = 'a null MX says that the domain takes no mail (RFC 7505): bounces do not come back'
    return path.different({ message, expected, found, cure })
  }
  const best = exchanges.filter(({ preference }) => preference === first.preference)
  for (const { exchange } of best) {
    const trouble = await troubleWith(exchange, given)
    if (trouble !== undefined) return path.different({ expected, found, ...trouble })
  }
  const foreign = await firstForeign(exchanges.slice(best.length), given)
  if (foreign !== undefined) {
    const message = `bounces that ${foreign} takes while this relay cannot be reached are not captured`
    return path.different({ severity: 'warning', message, expected, found, cure })
  }
  const alias = await lookup.cname(first.exchange)
  if (alias.kind === 'ok') {
    const message = `${first.exchange} is an alias; an MX must name a host itself (RFC 2181 §10.3)`
    return path.different({ severity: 'warning', message, expected, found, cure: `name ${alias.items[0]} in the MX` })
  }
  const absent = await absentAddress(first.exchange, given)
  if (absent !== undefined) return path.different({ expected, found, ...absent })
  return path.ok('bounces come back to this relay', found)
}

/** An address that the host itself should have and has not: bounces come by the others, from whoever can reach them. */
async function absentAddress(
  exchange: string,
  { sender, lookup }: Exchanges,
): Promise<Pick<Diagnosis, 'severity' | 'message' | 'cure'> | undefined> {
  if (exchange !== sender.mxHost.toLowerCase()) return undefined
  for (const address of sender.mxAddresses) {
    const isFour = isIP(address) === 4
    const answer = await (isFour ? lookup.a(exchange) : lookup.aaaa(exchange))
    // No answer says nothing; and the other family has been found already.
    if (answer.kind === 'failed' || (answer.kind === 'ok' && includesAddress(answer.items, address))) continue
    const isCutOff = isFour && answer.kind !== 'ok'
    return {
      severity: isCutOff ? 'warning' : 'note',
      message: isCutOff
        ? `${exchange} has no IPv4 address: most servers cannot bring a bounce back`
        : `${exchange} is not ${address}, where this relay is too`,
      cure: `publish ${isFour ? 'A' : 'AAAA'} ${address} for ${exchange}`,
    }
  }
  return undefined
}

/** Undefined when the host leads here. */
async function troubleWith(
  exchange: string,
  { sender, lookup, listeners, machineAddresses }: Exchanges,
): Promise<{ message: string; cure: string } | undefined> {
  const answer = await addressesOf(lookup, exchange)
  if (answer.kind === 'failed')
    return {
      message: `the addresses of ${exchange} could not be asked: ${answer.detail}`,
      cure: 'look at its name servers',
    }
  if (answer.kind !== 'ok')
    return { message: `${exchange} has no address`, cure: `publish A ${sender.mxAddresses.join(', ')} for it` }
  const ours = listeningAddresses({ sender, listeners, machineAddresses })
  const strangers = answer.items.filter((address) => !includesAddress(ours, address))
  if (strangers.length === 0) return undefined
  const reachable = ours.length === 0 ? 'nowhere that others can reach' : `on ${ours.join(', ')}`
  return {
    message: `${exchange} is ${strangers.join(', ')}, but the bounce listener listens ${reachable}`,
    cure: `let ${exchange} be one of these addresses; behind NAT name the outer one: public_ipv4 of a source`,
  }
}

async function firstForeign(exchanges: readonly MailExchange[], given: Exchanges): Promise<string | undefined> {
  for (const { exchange } of exchanges) {
    if ((await troubleWith(exchange, given)) !== undefined) return exchange
  }
  return undefined
}

/** Where others reach a bounce listener: its own address, or for one that listens on all of them whatever leads here. */
function listeningAddresses(given: {
  readonly sender: Sender
  readonly listeners: readonly BounceListenerSettings[]
  readonly machineAddresses: readonly string[]
}): string[] {
  const { sender, listeners, machineAddresses } = given
  const all = [...machineAddresses, ...sender.sources.flatMap(({ addresses }) => addresses)]
  return [...new Set(listeners.flatMap(({ address }) => reachedBy(address, all, given)))]
}

function reachedBy(
  address: string,
  all: readonly string[],
  { sender }: { readonly sender: Sender },
): readonly string[] {
  if (isWildcard(address)) return all
  // A source that binds to the same private address is seen outside as what NAT makes of it.
  const outside = sender.sources
    .filter(({ local }) => includesAddress(local, address))
    .flatMap(({ addresses }) => addresses)
  return [address, ...outside]
}

async function checkSts(sender: Sender, lookup: Lookup): Promise<Diagnosis> {
  const name = `_mta-sts.${sender.returnPath}`
  const host = `mta-sts.${sender.returnPath}`
  const sts = about('mta-sts', name)
  const policy = await policyRecord({ sender, lookup, topic: 'mta-sts', version: 'STSv1' })
  if (policy.kind === 'diagnosis') return asServed(policy.diagnosis, sender)
  const { text, tags } = policy
  if (!/^[A-Za-z0-9]{1,32}$/.test(tags.get('id') ?? '')) {
    const message = 'id= must be 1 to 32 letters and digits (RFC 8461 §3.1)'
    return sts.different({ severity: 'warning', message, found: text, cure: 'correct it, or remove the record' })
  }
  const expected = recordsOf(sender).find(({ topic }) => topic === 'mta-sts')?.value ?? ''
  if (sender.mtaSts !== undefined && tags.get('id') !== parseTags(expected)?.get('id')) {
    const message = 'the id is not that of the policy this relay serves: others keep the one they know'
    return sts.different({ severity: 'warning', message, expected, found: text, cure: 'publish the expected record' })
  }
  if ((await addressesOf(lookup, host)).kind !== 'ok') {
    const message = `${host} has no address: others cannot fetch the policy`
    return sts.different({ severity: 'warning', message, found: text, cure: 'publish one, or remove the record' })
  }
  return sts.ok('published', text)
}

/** Without the record nobody asks for a policy: where one is served, that is no matter of taste. */
function asServed(diagnosis: Diagnosis, { mtaSts }: Sender): Diagnosis {
  const isServed = mtaSts === 'testing' || mtaSts === 'enforce'
  if (!isServed || diagnosis.state !== 'missing' || diagnosis.found !== undefined) return diagnosis
  const message = `not published: nobody asks for the policy (mta_sts = "${mtaSts}") that this relay serves`
  return { ...diagnosis, severity: 'warning', message, cure: 'publish the record, or take mta_sts out' }
}

async function checkTlsReports(sender: Sender, lookup: Lookup): Promise<Diagnosis> {
  const reports = about('tls-rpt', `_smtp._tls.${sender.returnPath}`)
  const policy = await policyRecord({ sender, lookup, topic: 'tls-rpt', version: 'TLSRPTv1' })
  if (policy.kind === 'diagnosis') return policy.diagnosis
  const { text, tags } = policy
  const targets = (tags.get('rua') ?? '').split(',').map((target) => target.trim())
  if (targets.every((target) => /^(?:mailto:[^@\s]+@[^@\s]+|https:\/\/\S+)$/.test(target)))
    return reports.ok('published', text)
  const message = 'rua= must name mailto: or https: addresses (RFC 8460 §3)'
  return reports.different({ severity: 'warning', message, found: text, cure: 'correct it, or remove the record' })
}

type Policy =
  | { readonly kind: 'diagnosis'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'policy'; readonly text: string; readonly tags: ReadonlyMap<string, string> }

/** The single record of its version; without one nothing is wrong. */
async function policyRecord(asked: {
  sender: Sender
  lookup: Lookup
  topic: 'mta-sts' | 'tls-rpt'
  version: string
}): Promise<Policy> {
  const { sender, lookup, topic, version } = asked
  const record = recordsOf(sender).find((each) => each.topic === topic)
  const policy = about(topic, record?.name ?? '')
  const expected = record?.value ?? ''
  const answer = await lookup.txt(record?.name ?? '')
  const diagnosis = (made: Diagnosis): Policy => ({ kind: 'diagnosis', diagnosis: made })
  if (answer.kind === 'failed')
    return diagnosis(
      policy.unknown({ severity: 'warning', message: answer.detail, cure: 'look at the name servers of the domain' }),
    )
  const texts = answer.kind === 'ok' ? answer.items.filter((text) => text.trimStart().startsWith(`v=${version}`)) : []
  const [text, second] = texts
  if (text === undefined) {
    const message =
      answer.kind === 'ok' ? 'the record is not of this kind' : 'not published, which is fine: it is optional'
    const found =
      answer.kind === 'ok'
        ? { found: answer.items.join(' | '), severity: 'warning' as const }
        : { severity: 'note' as const }
    return diagnosis(policy.missing({ message, expected, ...found }))
  }
  const tags = parseTags(text)
  if (second !== undefined || tags === undefined) {
    const message =
      second === undefined
        ? 'others cannot read this record'
        : 'there are several such records: others take none of them'
    return diagnosis(
      policy.different({
        severity: 'warning',
        message,
        expected,
        found: texts.join(' | '),
        cure: 'leave one good record',
      }),
    )
  }
  return { kind: 'policy', text, tags }
}
