// Which provider a host or a set of MX hosts belongs to: by the longest end of its name that anybody knows. The families of
// the classifier (src/bounce/rules/providers.toml) are the one list of them; a shaping file may add narrower ones.

export interface ProviderHost {
  readonly name: string
  /** MX preference: lower ones are tried first. */
  readonly preference: number
}

export type ProviderTable = ReadonlyMap<string, string>

export function providerOf(table: ProviderTable, host: string): string | undefined {
  for (let rest = host.toLowerCase(); ; rest = rest.slice(rest.indexOf('.') + 1)) {
    const provider = table.get(rest)
    if (provider !== undefined || !rest.includes('.')) return provider
  }
}

/** Where the mail goes as long as all is well: the best hosts decide, and when they disagree it is nobody's. */
export function providerOfHosts(table: ProviderTable, hosts: readonly ProviderHost[]): string | undefined {
  const best = Math.min(...hosts.map(({ preference }) => preference))
  const providers = new Set(
    hosts.filter(({ preference }) => preference === best).map(({ name }) => providerOf(table, name)),
  )
  return providers.size === 1 ? [...providers][0] : undefined
}
