// Rollback: takes back what a mistake has taught, many addresses at once. Only what Studs learned by itself, pending and
// half-open entries too; never what a person asked for, never what was put in by hand or by import. Looks first; acts
// in bounded pieces, with a record for each address, so that mail goes on between them. A crash in the middle leaves whole pieces.

import type { EpochMs } from '../util/clock.ts'
import type { SuppressionList } from './list.ts'
import { isLearned, type Scope, type Suppression } from './suppression.ts'
import { siteOf } from './surges.ts'

/** What was learned thus; every field that is there must fit. */
export interface UndoFilter {
  /** `mailbox-unknown@2`, or without a version all of them. */
  readonly rule?: string
  /** Site, its domain, a host of it, its provider, or the domain of addresses whose site is not known. */
  readonly site?: string
  readonly category?: string
  readonly since?: EpochMs
  readonly until?: EpochMs
  readonly scope?: Scope
}

export interface UndoReport {
  /** How many fit, or with `isReal` how many were taken back. */
  readonly count: number
  /** The most frequent first. */
  readonly rules: readonly UndoCount[]
  readonly sites: readonly UndoCount[]
  readonly scopes: readonly UndoCount[]
  /** The first of them. */
  readonly first: readonly Suppression[]
}

export interface UndoCount {
  readonly name: string
  readonly count: number
}

export interface UndoOptions extends UndoFilter {
  readonly list: SuppressionList
  readonly who: string
  readonly why: string
  /** False: nothing is changed, only looked at. */
  readonly isReal: boolean
  /** So that the name of a provider selects its sites. */
  readonly providerOf?: ProviderOf
}

type ProviderOf = (mx: string) => string | undefined

const PIECE = 500
const SHOWN = 20
/** Names counted apart; an undo by time alone may meet every site there is. */
const MOST_NAMES = 10_000

export async function undoSuppressions(options: UndoOptions): Promise<UndoReport> {
  const { list, scope, since, isReal } = options
  const counts = {
    rules: new Map<string, number>(),
    sites: new Map<string, number>(),
    scopes: new Map<string, number>(),
  }
  const first: Suppression[] = []
  let count = 0
  let cursor: string | undefined
  do {
    const page = list.list({
      limit: PIECE,
      ...(scope === undefined ? {} : { scope }),
      ...(since === undefined ? {} : { since }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    const fitting = page.entries.filter((entry) => isMeant(entry, options, options.providerOf))
    for (const entry of fitting) {
      add(counts.rules, entry.evidence?.rule ?? 'unknown')
      add(counts.sites, siteOf(entry))
      add(counts.scopes, entry.scope)
    }
    first.push(...fitting.slice(0, SHOWN - first.length))
    count += fitting.length
    if (isReal) await takeBack(fitting, options)
    cursor = page.cursor
    // Let mail through between two pages.
    await new Promise((resolve) => setImmediate(resolve))
  } while (cursor !== undefined)
  return { count, rules: top(counts.rules), sites: top(counts.sites), scopes: top(counts.scopes), first }
}

export function isMeant(entry: Suppression, filter: UndoFilter, providerOf?: ProviderOf): boolean {
  const { rule, site, category, since, until, scope } = filter
  if (!isLearned(entry)) return false
  if (scope !== undefined && entry.scope !== scope) return false
  if (since !== undefined && entry.createdAt < since) return false
  if (until !== undefined && entry.createdAt >= until) return false
  if (site !== undefined && !isAt(entry, site.toLowerCase(), providerOf)) return false
  if (category !== undefined && entry.evidence?.category !== category) return false
  return rule === undefined || isRule(entry.evidence?.rule ?? '', rule)
}

function isAt(entry: Suppression, place: string, providerOf: ProviderOf = () => undefined): boolean {
  const site = siteOf(entry)
  const mx = entry.evidence?.mx?.toLowerCase()
  if (site === place || site.endsWith(`.${place}`) || mx === place) return true
  return mx !== undefined && providerOf(mx) === place
}

function isRule(name: string, wanted: string): boolean {
  return name === wanted || (!wanted.includes('@') && name.split('@', 1)[0] === wanted)
}

/** One transaction for each scope of a piece; a record for each address, which `suppress why` shows later. */
async function takeBack(entries: readonly Suppression[], { list, who, why }: UndoOptions): Promise<void> {
  for (const [scope, own] of Map.groupBy(entries, (entry) => entry.scope)) {
    await list.apply({ kind: 'delete', scope, entries: own, who, why: `taken back: ${why}`, eachRecorded: true })
  }
}

function add(counts: Map<string, number>, name: string): void {
  if (counts.size < MOST_NAMES || counts.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
}

function top(counts: ReadonlyMap<string, number>): UndoCount[] {
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, SHOWN)
}
