// What is configured for domains, found by the most specific pattern: the domain itself, then the longest `*.suffix`, then
// `*`. The first of two equal patterns counts.

export type DomainTable<Value> = (domain: string) => Value | undefined

export function domainTable<Value>(entries: Iterable<readonly [pattern: string, value: Value]>): DomainTable<Value> {
  const values = new Map<string, Value>()
  for (const [pattern, value] of entries) {
    const key = pattern.toLowerCase()
    if (!values.has(key)) values.set(key, value)
  }
  return (domain) => {
    if (values.size === 0) return undefined
    const exact = values.get(domain)
    if (exact !== undefined) return exact
    for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
      const wild = values.get(`*${domain.slice(dot)}`)
      if (wild !== undefined) return wild
    }
    return values.get('*')
  }
}
