// What to publish for a sender domain, as records: name, type, value and why. Pure. The checks in the neighbour files look
// for the same things; a zone made of these records passes them.

import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { reverseName } from './address.ts'
import type { Sender } from './sender.ts'
import { spfFor } from './spf.ts'

export type Topic = 'spf' | 'dkim' | 'dmarc' | 'return-path' | 'mta-sts' | 'tls-rpt' | 'source'

export interface DnsRecord {
  readonly topic: Topic
  /** Without the trailing dot. */
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'MX' | 'PTR' | 'TXT'
  /** TXT: the text in one piece; MX: `10 host`; else the address or name. */
  readonly value: string
  /** optional: printed, but nothing is wrong without it. */
  readonly need: 'required' | 'recommended' | 'optional'
  readonly why: string
}

export function recordsOf(sender: Sender): DnsRecord[] {
  const records = [
    ...spfRecords(sender),
    ...dkimRecords(sender),
    dmarcRecord(sender),
    ...returnPathRecords(sender),
    ...sourceRecords(sender),
    ...policyRecords(sender),
  ]
  return records.filter(
    ({ name, type, value }, at) =>
      records.findIndex((other) => other.name === name && other.type === type && other.value === value) === at,
  )
}

export interface SpfNeed {
  readonly name: string
  readonly addresses: readonly string[]
  readonly need: 'required' | 'recommended'
  readonly value: string
  readonly why: string
}

/** Every name whose SPF receivers may ask when mail of this domain comes. */
export function spfNeeds({ domain, returnPath, sources }: Sender): SpfNeed[] {
  const addresses = [...new Set(sources.flatMap((source) => source.addresses))]
  const needs = new Map<string, SpfNeed>()
  const add = (need: Omit<SpfNeed, 'value'>, all: '-all' | '~all'): void => {
    if (need.addresses.length > 0 && !needs.has(need.name))
      needs.set(need.name, { ...need, value: spfFor(need.addresses, all) })
  }
  if (returnPath !== undefined && returnPath !== domain) {
    const why = 'the sending addresses may use the return path'
    add({ name: returnPath, addresses, need: 'required', why }, '-all')
  }
  const why =
    returnPath === undefined
      ? 'it is the envelope sender of your mail'
      : 'some receivers look at the domain of From; where there is a record already, add the addresses to it'
  const isEnvelope = returnPath === undefined || returnPath === domain
  add({ name: domain, addresses, need: isEnvelope ? 'required' : 'recommended', why }, '~all')
  for (const ehlo of new Set(sources.map((source) => source.ehlo).filter(isName))) {
    const own = sources.filter((source) => source.ehlo === ehlo).flatMap((source) => source.addresses)
    // RFC 7208 §2.4: mail with an empty sender, such as delivery reports, is checked by the name in EHLO.
    add(
      {
        name: ehlo,
        addresses: [...new Set(own)],
        need: 'recommended',
        why: 'reports to senders are checked by the EHLO name',
      },
      '-all',
    )
  }
  return [...needs.values()]
}

function spfRecords(sender: Sender): DnsRecord[] {
  return spfNeeds(sender).map(({ name, value, need, why }) => ({ topic: 'spf', name, type: 'TXT', value, need, why }))
}

const KEY_WHY: Readonly<Record<Sender['keys'][number]['state'], string>> = {
  sign: 'this key signs',
  publish: 'this key is to sign next',
  retired: 'mail that this key signed may still be under way',
}

export function dkimName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`
}

function dkimRecords({ domain, keys }: Sender): DnsRecord[] {
  return keys.flatMap(({ selector, state, key }): DnsRecord[] =>
    key === undefined
      ? []
      : [
          {
            topic: 'dkim',
            name: dkimName(selector, domain),
            type: 'TXT',
            value: key.record,
            need: state === 'sign' ? 'required' : 'recommended',
            why: KEY_WHY[state],
          },
        ],
  )
}

function dmarcRecord({ domain }: Sender): DnsRecord {
  return {
    topic: 'dmarc',
    name: `_dmarc.${domain}`,
    type: 'TXT',
    value: `v=DMARC1; p=none; rua=mailto:dmarc@${domain}`,
    need: 'recommended',
    why: 'a start: put in a mailbox that you read, and a stricter policy once the reports look right',
  }
}

function returnPathRecords({ returnPath, mxHost, mxAddresses }: Sender): DnsRecord[] {
  if (returnPath === undefined) return []
  const why = 'bounces come back to this relay'
  return [
    { topic: 'return-path', name: returnPath, type: 'MX', value: `10 ${mxHost}`, need: 'required', why },
    ...mxAddresses.map((address) =>
      addressRecord({ topic: 'return-path', name: mxHost, address, why: 'where the MX leads' }),
    ),
  ]
}

function sourceRecords({ sources }: Sender): DnsRecord[] {
  return sources
    .filter(({ ehlo }) => isName(ehlo))
    .flatMap(({ name, ehlo, addresses }) =>
      addresses.flatMap((address): DnsRecord[] => [
        addressRecord({
          topic: 'source',
          name: ehlo,
          address,
          why: `the EHLO name of source "${name}" leads back to it`,
        }),
        {
          topic: 'source',
          name: reverseName(address),
          type: 'PTR',
          value: ehlo,
          need: 'required',
          why: `who ${address} is; set by whoever gave you the address`,
        },
      ]),
    )
}

function addressRecord(given: { topic: Topic; name: string; address: string; why: string }): DnsRecord {
  const { topic, name, address, why } = given
  return { topic, name, type: isIP(address) === 6 ? 'AAAA' : 'A', value: address, need: 'required', why }
}

/** What must stand at https://mta-sts.<return path>/.well-known/mta-sts.txt (RFC 8461 §3.2). */
export function stsPolicy(mxHost: string, mode: 'testing' | 'enforce' | 'none' = 'testing'): string {
  return `version: STSv1\r\nmode: ${mode}\r\nmx: ${mxHost}\r\nmax_age: 604800\r\n`
}

function policyRecords({ domain, returnPath, mxHost, mtaSts }: Sender): DnsRecord[] {
  if (returnPath === undefined) return []
  const id = createHash('sha256').update(stsPolicy(mxHost, mtaSts)).digest('hex').slice(0, 16)
  return [
    {
      topic: 'mta-sts',
      name: `_mta-sts.${returnPath}`,
      type: 'TXT',
      value: `v=STSv1; id=${id}`,
      need: mtaSts === undefined ? 'optional' : 'recommended',
      why: `only with a policy at https://mta-sts.${returnPath}/.well-known/mta-sts.txt and a certificate that names ${mxHost}`,
    },
    {
      topic: 'tls-rpt',
      name: `_smtp._tls.${returnPath}`,
      type: 'TXT',
      value: `v=TLSRPTv1; rua=mailto:tls-reports@${domain}`,
      need: 'optional',
      why: 'others tell you when TLS to the bounce listener fails; put in a mailbox that you read',
    },
  ]
}

/** EHLO may also say an address literal, which has no place in DNS. */
export function isName(ehlo: string): boolean {
  return !ehlo.startsWith('[') && isIP(ehlo) === 0
}
