// What varies between two replies that mean the same (addresses, hosts' numbers, ids) put out of the way. The masked
// text is what rules are matched against and what the cache is keyed by, so a cached verdict is always the right one.

/** Longer than any reply that people read; what lies beyond decides nothing. */
const MAX_CHARACTERS = 2000

const QUOTED_ADDRESS = /"[^"@]{1,64}"@[\w.-]+/g
const ADDRESS = /[^\s<>@"'`(),;:[\]]{1,64}@[\w.-]*[\w-]/g
const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g
const IPV6 = /(?<![\w:])(?:[\da-f]{1,4}:){2,7}(?::|[\da-f]{1,4})?(?:[\da-f.]+)?(?![\w:])/gi
// An id: ten characters or more, letters and digits mixed. Words and host names have no digits amidst them.
const ID = /(?<![\w./-])(?=[a-z\d_-]*\d)(?=[a-z\d_-]*[a-z])[a-z\d_-]{10,}(?![\w/])/gi
const QUERY = /(https?:\/\/[^\s?]+)\?\S+/gi
// Enhanced codes, limits in MB and the short codes of receivers stay; what is counted or dated goes.
const NUMBER = /(?<![\w.])\d{5,}(?![\w.]*\w)/g

/** `text` on one line with the varying parts replaced; matching is case-insensitive, so case stays for people. */
export function masked(text: string): string {
  return text
    .slice(0, MAX_CHARACTERS)
    .replace(/[\u2018\u2019`]/g, "'")
    .replace(/\s+/g, ' ')
    .replace(QUOTED_ADDRESS, '{addr}')
    .replace(ADDRESS, '{addr}')
    .replace(QUERY, '$1')
    .replace(IPV4, '{ip}')
    .replace(IPV6, '{ip}')
    .replace(ID, '{id}')
    .replace(NUMBER, '{n}')
    .trim()
}

/** As masked, and host and domain names too: what may be shown to somebody whose mail it was not. */
export function anonymised(text: string): string {
  return masked(text).replace(/(?:[a-z\d_-]+\.)+[a-z][a-z\d-]+/gi, '{name}')
}
