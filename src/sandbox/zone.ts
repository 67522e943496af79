// What the pretend DNS holds: every domain exists and has an MX, domains with a special label answer otherwise. Pure:
// a question gives an answer. Families of providers share their MX hosts, so that several sites exist.

import { isIP } from 'node:net'
import type { Answer, Question } from 'dns-packet'
import { hostBehaviourFor } from './behaviours.ts'
import type { Family } from './replies.ts'

export type ZoneAnswer =
  | { readonly kind: 'records'; readonly records: readonly Answer[] }
  | { readonly kind: 'nodata' | 'nxdomain' | 'servfail' | 'silence' }

export interface Zone {
  /** Where the MX hosts listen. */
  readonly address: string
  /** Own addresses of the hosts that behave by domain, by name of the behaviour. */
  readonly hosts: ReadonlyMap<string, string>
}

/** Domains that DNS answers in a special way, by their label before the last (`nullmx.test`, `shop.nullmx.test`). */
export const SPECIAL_DOMAINS = {
  nxdomain: 'The domain does not exist.',
  nullmx: 'Null MX: the domain takes no mail (RFC 7505).',
  nomx: 'No MX record; the address record is the implicit MX.',
  nohost: 'The domain exists, with neither MX nor address.',
  servfail: 'The name servers fail.',
  timeout: 'The name servers never answer.',
  private: 'The MX host has an address that nobody may send to (192.0.2.25, RFC 5737).',
} as const
type Special = keyof typeof SPECIAL_DOMAINS

const FAMILY_OF_LABEL: ReadonlyMap<string, Exclude<Family, 'postfix'>> = new Map([
  ['google', 'google'],
  ['gmail', 'google'],
  ['googlemail', 'google'],
  ['microsoft', 'microsoft'],
  ['outlook', 'microsoft'],
  ['hotmail', 'microsoft'],
  ['live', 'microsoft'],
  ['office365', 'microsoft'],
  ['yahoo', 'yahoo'],
  ['aol', 'yahoo'],
  ['ymail', 'yahoo'],
  ['exim', 'exim'],
])
const TTL_S = 60
// Not one of 10.0.0.0/8: even a relay that would go there must not leave the pretend internet.
const UNROUTED_ADDRESS = '192.0.2.25'

/** The family a domain or host belongs to: by any label (`gmail.test`, `shop.google.test`); all others speak like Postfix. */
export function familyOf(domain: string): Family {
  for (const label of domain.toLowerCase().split('.')) {
    const family = FAMILY_OF_LABEL.get(label)
    if (family !== undefined) return family
  }
  return 'postfix'
}

/** The MX hosts of a domain, by preference. */
export function mxHostsOf(domain: string): readonly string[] {
  const family = hostBehaviourFor(domain) === undefined ? familyOf(domain) : 'postfix'
  return family === 'postfix' ? [`mx.${domain}`] : [`mx1.${family}.sandbox.test`, `mx2.${family}.sandbox.test`]
}

function specialOf(name: string): Special | undefined {
  const label = name.split('.').at(-2) ?? ''
  return Object.hasOwn(SPECIAL_DOMAINS, label) ? (label as Special) : undefined
}

export function answerOf(question: Question, zone: Zone): ZoneAnswer {
  const name = question.name.toLowerCase().replace(/\.$/, '')
  const special = specialOf(name)
  if (special === 'timeout') return { kind: 'silence' }
  if (special === 'servfail') return { kind: 'servfail' }
  // Names such as _dmarc.x.test or _25._tcp.mx.x.test do not exist: no policy stands in the way of a trial.
  if (special === 'nxdomain' || name.startsWith('_')) return { kind: 'nxdomain' }
  switch (question.type) {
    case 'MX':
      return mxAnswer({ asked: question.name, name, special })
    case 'A':
    case 'AAAA':
      return addressAnswer({ question, name, special, zone })
    default:
      return { kind: 'nodata' }
  }
}

function mxAnswer({ asked, name, special }: { asked: string; name: string; special: Special | undefined }): ZoneAnswer {
  if (special === 'nomx' || special === 'nohost') return { kind: 'nodata' }
  const hosts = special === 'nullmx' ? ['.'] : mxHostsOf(name)
  const records = hosts.map((exchange, index): Answer => {
    const preference = special === 'nullmx' ? 0 : 10 * (index + 1)
    return { type: 'MX', name: asked, ttl: TTL_S, data: { preference, exchange } }
  })
  return { kind: 'records', records }
}

interface AddressQuestion {
  readonly question: Question
  readonly name: string
  readonly special: Special | undefined
  readonly zone: Zone
}

function addressAnswer({ question, name, special, zone }: AddressQuestion): ZoneAnswer {
  if (special === 'nohost') return { kind: 'nodata' }
  const behaviour = hostBehaviourFor(name)
  const address = special === 'private' ? UNROUTED_ADDRESS : (zone.hosts.get(behaviour?.name ?? '') ?? zone.address)
  const type = isIP(address) === 6 ? 'AAAA' : 'A'
  if (question.type !== type) return { kind: 'nodata' }
  return { kind: 'records', records: [{ type, name: question.name, ttl: TTL_S, data: address }] }
}
