// Whether a sending address stands on a blocklist (RFC 5782). Asked only when wanted: the lists see who asks, and some
// refuse the big public name servers.

import { reversedLabels } from './address.ts'
import { about, type Diagnosis } from './diagnosis.ts'
import type { Lookup } from './lookup.ts'
import type { SenderSource } from './sender.ts'

/** What --dnsbl asks when nothing is configured: lists that large receivers use. */
export const WELL_KNOWN_LISTS = [
  'zen.spamhaus.org',
  'bl.spamcop.net',
  'b.barracudacentral.org',
  'psbl.surriel.com',
] as const

export async function checkBlocklists(asked: {
  readonly sources: readonly SenderSource[]
  readonly zones: readonly string[]
  readonly lookup: Lookup
}): Promise<Diagnosis[]> {
  const { sources, zones, lookup } = asked
  const pairs = sources.flatMap(({ name, addresses }) => addresses.map((address) => ({ name, address })))
  const found = await Promise.all(
    pairs.flatMap((source) => zones.map((zone) => checkListing({ ...source, zone, lookup }))),
  )
  return found
}

interface Listing {
  readonly name: string
  readonly address: string
  readonly zone: string
  readonly lookup: Lookup
}

async function checkListing({ name, address, zone, lookup }: Listing): Promise<Diagnosis> {
  const told = about('dnsbl', `${name} ${address}`)
  const query = `${reversedLabels(address)}.${zone}`
  const answer = await lookup.a(query)
  if (answer.kind === 'failed')
    return told.unknown({
      severity: 'note',
      message: `${zone} could not be asked: ${answer.detail}`,
      cure: 'ask again',
    })
  if (answer.kind !== 'ok') return told.ok(`not on ${zone}`)
  const codes = answer.items.join(', ')
  // 127.255.255.x: the list refuses to say; anything outside of 127.0.0.0/8: it is not the list that answers.
  const isListed = answer.items.some((code) => code.startsWith('127.') && !code.startsWith('127.255.255.'))
  if (!isListed) {
    const message = `${zone} does not answer this name server (${codes})`
    return told.unknown({ severity: 'note', message, cure: 'ask by a name server of your own' })
  }
  const reasons = await lookup.txt(query)
  const reason = reasons.kind === 'ok' ? reasons.items[0] : undefined
  return told.different({
    message: `listed on ${zone}${reason === undefined ? '' : `: ${reason}`}`,
    found: codes,
    cure: 'find out what was sent, stop it, then ask the list to take the address off',
  })
}
