// Who a sending address is: its PTR name, which leads back to it, and the name said in EHLO, which is the same (what
// receivers call FCrDNS and HELO match).

import { isSameAddress, reverseName } from './address.ts'
import { about, type Diagnosis } from './diagnosis.ts'
import { type Answer, addressesOf, type Lookup } from './lookup.ts'
import { isName } from './record.ts'
import type { SenderSource } from './sender.ts'

export async function checkSource(source: SenderSource, lookup: Lookup): Promise<Diagnosis[]> {
  const { name, ehlo, addresses, local } = source
  if (!isName(ehlo)) {
    const cure = 'set ehlo of the source, or node.hostname, to the PTR name of its address'
    return [
      about('source', name).different({ message: `it says "${ehlo}" in EHLO, which is no name`, found: ehlo, cure }),
    ]
  }
  if (addresses.length === 0) {
    return [
      about('source', name).unknown({
        message: local.length === 0 ? 'its public address is not known' : `no receiver can see ${local.join(' or ')}`,
        cure:
          local.length === 0
            ? 'set ipv4 and ipv6 of the source, or public_ipv4 and public_ipv6 where NAT stands between'
            : 'set public_ipv4 or public_ipv6 of the source to what others see',
      }),
    ]
  }
  const checks = await Promise.all(addresses.map((address) => checkAddress({ source, address, lookup })))
  return checks.flat()
}

interface Checked {
  readonly source: SenderSource
  readonly address: string
  readonly lookup: Lookup
}

async function checkAddress({ source, address, lookup }: Checked): Promise<Diagnosis[]> {
  const { name, ehlo } = source
  const told = about('source', `${name} ${address}`)
  const pointer = await lookup.ptr(address)
  if (pointer.kind === 'failed')
    return [told.unknown({ message: `PTR: ${pointer.detail}`, cure: 'look at the name servers of its reverse zone' })]
  const forward = await forwardTrouble({ source, address, lookup })
  if (pointer.kind !== 'ok') {
    const message = 'it has no PTR record; many receivers refuse mail from such an address'
    const cure = `ask whoever gave you the address to set PTR of ${reverseName(address)}`
    return [told.missing({ message, expected: ehlo, cure }), ...forward]
  }
  if (forward.length > 0) return forward
  const found = pointer.items.join(', ')
  if (!pointer.items.includes(ehlo)) return [await otherName({ source, address, lookup }, pointer.items)]
  if (pointer.items.length > 1) {
    const message = 'it has several PTR names; some receivers look at the first only, which may be any'
    return [told.different({ severity: 'note', message, expected: ehlo, found, cure: `leave only ${ehlo}` })]
  }
  return [told.ok('PTR, EHLO name and address lead to each other', found)]
}

/** The EHLO name must lead to the address, whatever its PTR says (RFC 5321 §2.3.5). */
async function forwardTrouble({ source: { name, ehlo }, address, lookup }: Checked): Promise<Diagnosis[]> {
  const told = about('source', `${name} ${address}`)
  const answer = await addressesOf(lookup, ehlo)
  if (answer.kind === 'failed')
    return [told.unknown({ message: `address of ${ehlo}: ${answer.detail}`, cure: 'look at its name servers' })]
  const type = address.includes(':') ? 'AAAA' : 'A'
  const cure = `publish ${type} ${address} for ${ehlo}`
  if (answer.kind !== 'ok')
    return [told.missing({ message: `its EHLO name ${ehlo} has no address`, expected: address, cure })]
  if (leadsTo(answer, address)) return []
  const found = answer.items.join(', ')
  return [told.different({ message: `its EHLO name ${ehlo} does not lead to it`, expected: address, found, cure })]
}

async function otherName(
  { source: { name, ehlo }, address, lookup }: Checked,
  names: readonly string[],
): Promise<Diagnosis> {
  const told = about('source', `${name} ${address}`)
  const confirmed = await Promise.all(names.map((each) => addressesOf(lookup, each)))
  const isConfirmed = confirmed.some((answer) => leadsTo(answer, address))
  const found = names.join(', ')
  const cure = `let PTR of ${reverseName(address)} be ${ehlo}${isConfirmed ? `, or ehlo of the source be ${names[0]}` : ''}`
  const message = isConfirmed
    ? 'its PTR name is not the EHLO name; strict receivers want them to be one'
    : 'its PTR name is not the EHLO name, and does not lead back to it'
  return told.different({ severity: isConfirmed ? 'warning' : 'error', message, expected: ehlo, found, cure })
}

function leadsTo(answer: Answer<string>, address: string): boolean {
  return answer.kind === 'ok' && answer.items.some((each) => isSameAddress(each, address))
}
