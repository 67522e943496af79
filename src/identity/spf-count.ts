// How many look-ups an SPF record costs a receiver that has to read all of it (RFC 7208 §4.6.4): at most ten terms that ask
// DNS, at most two of them answered with nothing, or the result is permerror. Counted over the whole record, since which
// part a receiver needs depends on the address that it sees.

import type { Answer, Lookup } from './lookup.ts'
import { addressesOf } from './lookup.ts'
import { isSpf, type SpfTerm, spfTerms } from './spf.ts'

export const MAX_LOOKUPS = 10
export const MAX_VOID_LOOKUPS = 2

export interface SpfCost {
  /** Stops soon above the limit. */
  readonly lookups: number
  readonly voidLookups: number
  /** Names that gave nothing. */
  readonly voidNames: readonly string[]
  /** Names whose answer could not be had: the count is a least one. */
  readonly failed: readonly string[]
}

// An include of itself would go on for ever; beyond this nobody cares how many there are.
const ENOUGH = 3 * MAX_LOOKUPS

interface Count {
  lookups: number
  voidNames: string[]
  failed: string[]
}

export async function spfCost(
  record: string,
  { domain, lookup }: { domain: string; lookup: Lookup },
): Promise<SpfCost> {
  const count: Count = { lookups: 0, voidNames: [], failed: [] }
  await walk(record, { domain, lookup, count })
  return { ...count, voidLookups: count.voidNames.length }
}

interface Walk {
  readonly domain: string
  readonly lookup: Lookup
  readonly count: Count
}

async function walk(record: string, at: Walk): Promise<void> {
  const terms = spfTerms(record)
  const hasAll = terms.some(({ name, isModifier }) => name === 'all' && !isModifier)
  for (const term of terms) {
    if (at.count.lookups >= ENOUGH) return
    // RFC 7208 §6.1: redirect is ignored beside an "all".
    if (!isAsking(term) || (term.name === 'redirect' && hasAll)) continue
    at.count.lookups++
    // Macros hold what only a receiver knows: they count, but cannot be asked.
    if (!term.target.includes('%')) await ask(term, at)
  }
}

function isAsking({ name, isModifier }: SpfTerm): boolean {
  return isModifier ? name === 'redirect' : ['include', 'a', 'mx', 'ptr', 'exists'].includes(name)
}

async function ask({ name, target }: SpfTerm, at: Walk): Promise<void> {
  const host = (target === '' ? at.domain : target).toLowerCase().replace(/\.$/, '')
  switch (name) {
    case 'include':
    case 'redirect': {
      const answer = note(await at.lookup.txt(host), host, at.count)
      const included = answer.kind === 'ok' ? answer.items.find(isSpf) : undefined
      if (included !== undefined) await walk(included, { ...at, domain: host })
      return
    }
    case 'mx':
      note(await at.lookup.mx(host), host, at.count)
      return
    case 'a':
    case 'exists':
      note(await addressesOf(at.lookup, host), host, at.count)
      return
  }
}

function note<Item>(answer: Answer<Item>, name: string, count: Count): Answer<Item> {
  if (answer.kind === 'failed') count.failed.push(name)
  else if (answer.kind !== 'ok') count.voidNames.push(name)
  return answer
}
