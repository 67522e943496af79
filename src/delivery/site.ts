// The name of a site: domains whose MX records name the same hosts are one receiver and share limits and connections.
// Invariant: different host sets never share a name. Connections are reused within a site, so a name that two sets
// could share would let the owner of one domain receive mail for another.

import { createHash } from 'node:crypto'

const MAX_LENGTH = 200

/** `(alt1.aspmx|aspmx).l.google.com` for hosts with a common end; the host itself when there is one. Order is ignored. */
export function siteName(hosts: readonly string[]): string {
  const names = [...new Set(hosts)].sort()
  const [only] = names
  if (names.length === 1 && only !== undefined) return short(only)
  const split = names.map((name) => name.split('.'))
  const common = commonEnd(split)
  const heads = split.map((labels) => labels.slice(0, labels.length - common.length).join('.'))
  return short([`(${heads.join('|')})`, ...common].join('.'))
}

/** The labels that all names end with; at least one label of every name stays in front of them. */
function commonEnd(names: readonly (readonly string[])[]): readonly string[] {
  const [first = []] = names
  const longest = Math.min(...names.map((labels) => labels.length)) - 1
  let count = 0
  while (count < longest && names.every((labels) => labels.at(-1 - count) === first.at(-1 - count))) count++
  return count === 0 ? [] : first.slice(-count)
}

function short(name: string): string {
  if (name.length <= MAX_LENGTH) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return `${name.slice(0, MAX_LENGTH - 33)}#${hash}`
}
