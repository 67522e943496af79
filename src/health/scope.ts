// Whose health it is: everything, a tenant, a provider, a source, or a path (one source to one site). Sender domains have
// no counters; alerts may be about them.

export const SCOPE_KINDS = ['relay', 'tenant', 'provider', 'source', 'path'] as const
export type ScopeKind = (typeof SCOPE_KINDS)[number]

export interface Scope {
  readonly kind: ScopeKind
  readonly name: string
}

/** The one scope of its kind. */
export const RELAY: Scope = { kind: 'relay', name: 'relay' }
/** Those that were too little to be kept apart, taken together. */
export const OTHERS = '*'

/** `source->site`. No source has `>` in its name. */
export function pathName(source: string, site: string): string {
  return `${source}->${site}`
}

export function readPathName(name: string): { readonly source: string; readonly site: string } {
  const at = name.indexOf('->')
  return at < 0 ? { source: OTHERS, site: OTHERS } : { source: name.slice(0, at), site: name.slice(at + 2) }
}
