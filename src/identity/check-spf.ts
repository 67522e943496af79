// SPF as receivers see it: one record, which can be read within the limits and lets every address of ours pass.

import { about, type Diagnosis } from './diagnosis.ts'
import { absence, type Lookup } from './lookup.ts'
import { type SpfNeed, spfNeeds } from './record.ts'
import type { Sender } from './sender.ts'
import { isNearlySpf, isSpf, spfTerms, withAddresses } from './spf.ts'
import { MAX_LOOKUPS, MAX_VOID_LOOKUPS, type SpfCost, spfCost } from './spf-count.ts'
import { type SpfVerdict, spfVerdict } from './spf-verdict.ts'

export async function checkSpf(sender: Sender, lookup: Lookup): Promise<Diagnosis[]> {
  const needs = spfNeeds(sender)
  if (sender.sources.every(({ addresses }) => addresses.length === 0)) {
    return [
      about('spf', sender.returnPath ?? sender.domain).unknown({
        message: 'no public address is known that mail of this domain leaves from',
        cure: 'set ipv4 and ipv6 of the sources, or public_ipv4 and public_ipv6 where NAT stands between',
      }),
    ]
  }
  return (await Promise.all(needs.map((need) => checkName(need, lookup)))).flat()
}

const severityOf = ({ need }: SpfNeed) => (need === 'required' ? 'error' : 'warning')

async function checkName(need: SpfNeed, lookup: Lookup): Promise<Diagnosis[]> {
  const { name, value } = need
  const spf = about('spf', name)
  const severity = severityOf(need)
  const answer = await lookup.txt(name)
  if (answer.kind === 'failed')
    return [
      spf.unknown({ severity, message: answer.detail, cure: 'look at the name servers of the domain, and ask again' }),
    ]
  const texts = answer.kind === 'ok' ? answer.items : []
  const [record, second] = texts.filter(isSpf)
  if (record === undefined) {
    const near = texts.find(isNearlySpf)
    const cure = `publish it as a TXT record of ${name}`
    if (near !== undefined)
      return [
        spf.different({
          severity,
          message: 'receivers do not take this for an SPF record',
          expected: value,
          found: near,
          cure,
        }),
      ]
    const message = texts.length > 0 ? 'there is no SPF record' : await absence(lookup, name)
    return [spf.missing({ severity, message, expected: value, cure })]
  }
  if (second !== undefined) {
    return [
      spf.different({
        severity,
        message: 'there are several SPF records: receivers take none of them (RFC 7208 §4.5)',
        expected: value,
        found: texts.filter(isSpf).join(' | '),
        cure: 'make one of them',
      }),
    ]
  }
  return checkRecord({ record, need, lookup })
}

async function checkRecord(given: { record: string; need: SpfNeed; lookup: Lookup }): Promise<Diagnosis[]> {
  const { record, need, lookup } = given
  const { name, addresses } = need
  const cost = await spfCost(record, { domain: name, lookup })
  const verdicts = await Promise.all(
    addresses.map(async (address) => ({
      address,
      verdict: await spfVerdict({ address, domain: name, helo: name, lookup }),
    })),
  )
  const refused = verdicts.filter(({ verdict }) => verdict.result !== 'pass')
  const findings = [...checkCost({ need, record, cost }), ...checkGenerosity(need, record)]
  if (refused.length > 0) findings.unshift(notPassing({ need, record, refused }))
  if (findings.length > 0) return findings
  const who = addresses.length === 1 ? `${addresses[0]} passes` : `all ${addresses.length} addresses pass`
  return [about('spf', name).ok(`${who}, ${cost.lookups} of ${MAX_LOOKUPS} look-ups`, record)]
}

interface Refused {
  readonly address: string
  readonly verdict: SpfVerdict
}

function notPassing({
  need,
  record,
  refused,
}: {
  need: SpfNeed
  record: string
  refused: readonly Refused[]
}): Diagnosis {
  const spf = about('spf', need.name)
  const severity = severityOf(need)
  const broken = refused.find(({ verdict }) => verdict.result === 'permerror')
  if (broken !== undefined) {
    const message = `receivers cannot read the record: ${broken.verdict.detail}`
    return spf.different({ severity, message, expected: need.value, found: record, cure: 'mend it; see RFC 7208' })
  }
  const unsure = refused.find(({ verdict }) => verdict.result === 'temperror')
  if (unsure !== undefined) {
    const message = `a name in the record could not be asked: ${unsure.verdict.detail}`
    return spf.unknown({ severity, message, found: record, cure: 'look at the name servers of what it includes' })
  }
  const addresses = refused.map(({ address }) => address)
  return spf.different({
    severity,
    message: `${addresses.join(', ')} ${addresses.length === 1 ? 'does' : 'do'} not pass (${refused[0]?.verdict.result})`,
    expected: withAddresses(record, addresses),
    found: record,
    cure: 'publish the expected record in place of it',
  })
}

function checkCost({ need, record, cost }: { need: SpfNeed; record: string; cost: SpfCost }): Diagnosis[] {
  const spf = about('spf', need.name)
  const severity = severityOf(need)
  if (cost.lookups > MAX_LOOKUPS) {
    const message = `the record takes ${cost.lookups} look-ups; receivers stop after ${MAX_LOOKUPS} (RFC 7208 §4.6.4)`
    return [
      spf.different({
        severity,
        message,
        found: record,
        cure: 'replace includes and names by the addresses they stand for',
      }),
    ]
  }
  if (cost.voidLookups > MAX_VOID_LOOKUPS) {
    const message = `${cost.voidLookups} look-ups of the record find nothing (${cost.voidNames.join(', ')}); receivers stop after ${MAX_VOID_LOOKUPS}`
    return [spf.different({ severity, message, found: record, cure: 'take those names out' })]
  }
  if (cost.failed.length > 0) {
    const message = `what the record includes could not all be asked: ${cost.failed.join(', ')}`
    return [
      spf.unknown({ severity: 'warning', message, found: record, cure: 'look at the name servers of these names' }),
    ]
  }
  return []
}

function checkGenerosity({ name }: SpfNeed, record: string): Diagnosis[] {
  const all = spfTerms(record).find((term) => term.name === 'all' && !term.isModifier)
  if (all?.qualifier !== '' && all?.qualifier !== '+') return []
  return [
    about('spf', name).different({
      severity: 'warning',
      message: `"${all.qualifier}all" lets everybody send as this domain`,
      found: record,
      cure: 'end the record with ~all or -all',
    }),
  ]
}
