// SPF records as text (RFC 7208): made, told apart, taken into terms, completed with what is missing. Pure; spf-count.ts
// walks what they include, spf-verdict.ts asks whether they let an address pass.

import { isIP } from 'node:net'

export interface SpfTerm {
  /** '' where none is written, which means '+'. */
  readonly qualifier: '' | '+' | '-' | '~' | '?'
  /** Mechanism or modifier, in lower case. */
  readonly name: string
  /** Behind ':' or '='; without a length of prefix. */
  readonly target: string
  readonly isModifier: boolean
}

export function spfFor(addresses: readonly string[], all: '-all' | '~all'): string {
  return ['v=spf1', ...addresses.map(mechanismFor), all].join(' ')
}

function mechanismFor(address: string): string {
  return `ip${isIP(address)}:${address}`
}

export function isSpf(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text)
}

/** Meant to be one, but receivers take it for something else. */
export function isNearlySpf(text: string): boolean {
  return !isSpf(text) && /^[\s"']*v\s*=\s*spf/i.test(text)
}

const DIRECTIVE = /^([+\-~?]?)([A-Za-z][A-Za-z0-9]*)(?::([^/\s]*))?((?:\/\d{1,3})?(?:\/\/\d{1,3})?|\/\S*)$/
const MODIFIER = /^([A-Za-z][A-Za-z0-9_.-]*)=(\S*)$/

/** Terms that nobody can read are left out; the verdict names them. */
export function spfTerms(record: string): SpfTerm[] {
  return record
    .split(' ')
    .slice(1)
    .flatMap((text): SpfTerm[] => {
      const modifier = MODIFIER.exec(text)
      if (modifier !== null)
        return [{ qualifier: '', name: (modifier[1] ?? '').toLowerCase(), target: modifier[2] ?? '', isModifier: true }]
      const [, qualifier = '', name = '', target = ''] = DIRECTIVE.exec(text) ?? []
      if (name === '') return []
      return [{ qualifier: qualifier as SpfTerm['qualifier'], name: name.toLowerCase(), target, isModifier: false }]
    })
}

/** The record with the addresses added, in front of what ends it. */
export function withAddresses(record: string, addresses: readonly string[]): string {
  const [version = 'v=spf1', ...terms] = record.split(' ').filter((term) => term !== '')
  const end = terms.findIndex((term) => /^[+\-~?]?all$|^redirect=/i.test(term))
  const at = end === -1 ? terms.length : end
  return [version, ...terms.slice(0, at), ...addresses.map(mechanismFor), ...terms.slice(at)].join(' ')
}
