// What the checks ask of DNS, and what it can answer. "Does not exist" and "exists without such a record" are facts,
// a failure says nothing about the zone. Several checks ask the same: within one run every question is put once.

export type Answer<Item> =
  | { readonly kind: 'ok'; readonly items: readonly Item[] }
  | { readonly kind: 'nodata' | 'nxdomain' }
  | { readonly kind: 'failed'; readonly detail: string; readonly isTimeout: boolean }

export interface MailExchange {
  /** '' is the root, the mark of a null MX (RFC 7505). */
  readonly exchange: string
  readonly preference: number
}

/** Names are given without a trailing dot and come back so, in lower case; aliases (CNAME) are followed. Nothing rejects. */
export interface Lookup {
  /** Each record as one text, its strings joined. */
  txt(name: string): Promise<Answer<string>>
  mx(name: string): Promise<Answer<MailExchange>>
  a(name: string): Promise<Answer<string>>
  aaaa(name: string): Promise<Answer<string>>
  cname(name: string): Promise<Answer<string>>
  /** Names of an address. */
  ptr(address: string): Promise<Answer<string>>
}

/** The same look-up with a memory. */
export function remembering(lookup: Lookup): Lookup {
  const remembered = <Item>(ask: (name: string) => Promise<Answer<Item>>) => {
    const answers = new Map<string, Promise<Answer<Item>>>()
    return (name: string): Promise<Answer<Item>> => {
      const known = answers.get(name) ?? ask(name)
      answers.set(name, known)
      return known
    }
  }
  return {
    txt: remembered((name) => lookup.txt(name)),
    mx: remembered((name) => lookup.mx(name)),
    a: remembered((name) => lookup.a(name)),
    aaaa: remembered((name) => lookup.aaaa(name)),
    cname: remembered((name) => lookup.cname(name)),
    ptr: remembered((address) => lookup.ptr(address)),
  }
}

/** Addresses of both families; a failure of one family only counts when the other has none. */
export async function addressesOf(lookup: Lookup, name: string): Promise<Answer<string>> {
  const [four, six] = await Promise.all([lookup.a(name), lookup.aaaa(name)])
  const items = [four, six].flatMap((answer) => (answer.kind === 'ok' ? answer.items : []))
  if (items.length > 0) return { kind: 'ok', items }
  return [four, six].find(({ kind }) => kind === 'failed') ?? four
}

/** Why there are no records, as the end of a sentence about `name`. */
export async function absence(lookup: Lookup, name: string): Promise<string> {
  const alias = await lookup.cname(name)
  const target = alias.kind === 'ok' ? alias.items[0] : undefined
  return target === undefined ? 'there is no such record' : `it is an alias of ${target}, which has no such record`
}
