// Addresses as reports and headers write them: bare, bracketed, with comments and names, broken. Found, never made up.
// Not parsed into EmailAddress: what a report names is not trusted, and a wrong address must still be shown as it stands.

/** Longer fields name nobody in particular. */
const MAX_FIELD = 20_000
const MAX_ADDRESSES = 100
const MAX_ADDRESS = 320
/** A quoted local part or plain characters, then a domain or literal. The local part is bounded: linear on hostile input. */
const ADDRESS =
  /(?:"(?:[^"\\\s]|\\.|[ ]){1,64}"|[^\s<>()[\],;:"@\\]{1,200})@(?:\[[0-9a-fA-F:.]{3,45}\]|[^\s<>()[\],;:"'@\\]{1,255})/g

/** Every address in the value of a From, To or similar field, in order, each once. */
export function mailboxesIn(value: string): readonly string[] {
  const found: string[] = []
  for (const entry of entriesOf(value.slice(0, MAX_FIELD))) {
    const address = addressOf(entry)
    if (address !== '' && !found.includes(address)) found.push(address)
    if (found.length >= MAX_ADDRESSES) break
  }
  return found
}

/** The first address of a field; '' where there is none. */
export function mailboxIn(value: string | undefined): string {
  return value === undefined ? '' : (mailboxesIn(value)[0] ?? '')
}

/** Cut at the commas that separate entries: not those in quotes, brackets or comments. */
function entriesOf(value: string): readonly string[] {
  const entries: string[] = []
  let start = 0
  let isQuoted = false
  let depth = 0
  for (let at = 0; at < value.length; at++) {
    const character = value[at]
    if (character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (character === '(') depth++
    else if (character === ')') depth = Math.max(0, depth - 1)
    else if ((character === ',' || character === ';') && depth === 0) {
      entries.push(value.slice(start, at))
      start = at + 1
    }
  }
  // An unbalanced quote or comment swallows the rest: then every comma separates.
  if (isQuoted || depth > 0) return value.split(/[,;]/)
  entries.push(value.slice(start))
  return entries
}

function addressOf(entry: string): string {
  const bracketed = /<([^<>]{1,400})>[^<>]*$/.exec(entry)?.[1]
  if (bracketed !== undefined) {
    const inner = cleanAddress(bracketed)
    if (inner.includes('@')) return inner
  }
  const all = withoutComments(entry).match(ADDRESS)
  return all === null ? '' : cleanAddress(all.at(-1) ?? '')
}

function withoutComments(text: string): string {
  return text.includes('(') ? text.replace(/\([^()]*\)/g, ' ') : text
}

/** An address as a report names it, freed of brackets, quotes around the whole, `mailto:`, routes and end punctuation. */
export function cleanAddress(text: string): string {
  let address = text.trim()
  for (let layers = 0; layers < 4; layers++) {
    const inner = /^<([^<>]*)>?$|^\[?mailto:([^\]]*)\]?$|^'([^']*)'$|^"([^"]*@[^"]*)"$/i.exec(address)
    const next = inner?.[1] ?? inner?.[2] ?? inner?.[3] ?? inner?.[4]
    if (next === undefined) break
    address = next.trim()
  }
  // A source route (RFC 5321 §4.1.2): @one,@two:user@three.
  if (address.startsWith('@')) address = address.includes(':') ? address.slice(address.indexOf(':') + 1) : ''
  address = address.replace(/(?<![.,;:>])[.,;:>]+$/, '')
  return address.length > MAX_ADDRESS ? '' : address
}

/** Every address that stands in running text. */
export function addressesInText(text: string): readonly string[] {
  const found = text.slice(0, MAX_FIELD).match(ADDRESS) ?? []
  return [...new Set(found.map((address) => cleanAddress(address.replace(/^mailto:/i, ''))))].filter(isAddress)
}

/** Something before and behind one @, and a domain of plausible characters. */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@')
  return at > 0 && at < text.length - 1 && text.length <= MAX_ADDRESS && !/\s/.test(text.slice(at))
}

export function sameAddress(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase()
}
