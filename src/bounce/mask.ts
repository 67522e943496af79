// What varies between two replies that mean the same (addresses, hosts' numbers, ids) put out of the way. The masked
// text is what rules are matched against and what the cache is keyed by, so a cached verdict is always the right one.

/** Longer than any reply that people read; what lies beyond decides nothing. */
const MAX_CHARACTERS = 2000

const QUOTED_ADDRESS = /"[^"@]{1,64}"@[\w.-]+/g
const ADDRESS = /[^\s<>@"'(),;:[\]]{1,64}@[\w.-]*[\w-]/g
const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g
const IPV6 = /(?<![\w:])(?:[\da-f]{1,4}:){2,7}(?::|[\da-f]{1,4})?(?:[\da-f.]+)?(?![\w:])/gi
const QUERY = /(https?:\/\/[^\s?]+)\?\S+/gi
// Enhanced codes, limits in MB and the short codes of receivers stay; what is counted or dated goes.
const NUMBER = /(?<![\w.])\d{5,}(?![\w.]*\w)/g

const SPACES = /\s{2,}|[^\S ]/g
const NON_ASCII = /[^\x00-\x7f]/
// Only those of Latin letters: taken from й or が, what is left is another letter.
const ACCENTS = /([a-z])[\u0300-\u036f]+/gi
const NO_ACCENT: ReadonlyMap<string, string> = new Map([
  ['ß', 'ss'],
  ['ł', 'l'],
  ['Ł', 'L'],
  ['ø', 'o'],
  ['Ø', 'O'],
  ['æ', 'ae'],
  ['ı', 'i'],
  ['đ', 'd'],
  ['\u2018', "'"],
  ['\u2019', "'"],
])

/** Latin letters without their accents: half of the servers leave them out, and rules need not say both. */
export function folded(text: string): string {
  if (!NON_ASCII.test(text)) return text
  return text
    .replace(/[ßłŁøØæıđ\u2018\u2019]/g, (letter) => NO_ACCENT.get(letter) ?? letter)
    .normalize('NFD')
    .replace(ACCENTS, '$1')
    .normalize('NFC')
}

/**
 * The codes of the further lines of a reply that somebody wrote on one (`550-5.1.1 No such 550 5.1.1 user`), or of one
 * whose lines repeat the enhanced code: they stand in the midst of phrases.
 */
function withoutRepeatedCodes(text: string): string {
  const [start, code, enhanced] = /^([245]\d\d)[ -](?:([245]\.\d{1,3}\.\d{1,3}) )?/.exec(text) ?? []
  if (start === undefined || code === undefined) return text
  let rest = text.slice(start.length)
  // Before a quotation mark it is what another server said: quoted.ts looks for it.
  if (rest.includes(`${code}-`) && !rest.includes(`${code}-'`))
    rest = rest.replaceAll(` ${code}-`, ' ').replaceAll(` ${code} `, ' ')
  if (enhanced === undefined) return `${code} ${rest}`
  if (rest.includes(enhanced)) rest = rest.replaceAll(`${enhanced} `, '')
  return `${code} ${enhanced} ${rest}`
}

/** `text` on one line with the varying parts replaced; matching is case-insensitive, so case stays for people. */
export function masked(text: string): string {
  let line = withoutRepeatedCodes(folded(text.slice(0, MAX_CHARACTERS)).replaceAll('`', "'").replace(SPACES, ' '))
  // Every reply comes by here, cached or not: what cannot be there is not looked for.
  if (line.includes('@')) line = line.replace(QUOTED_ADDRESS, '{addr}').replace(ADDRESS, '{addr}')
  if (line.includes('?')) line = line.replace(QUERY, '$1')
  if (/\d\.\d+\.\d+\./.test(line)) line = line.replace(IPV4, '{ip}')
  if (/[\da-f]:[\da-f]{0,4}:/i.test(line)) line = line.replace(IPV6, '{ip}')
  line = withoutIds(line)
  return (/\d{5}/.test(line) ? line.replace(NUMBER, '{n}') : line).trim()
}

const ID_LENGTH = 10
const LETTER = 1
const DIGIT = 2
const JOINT = 4
const KIND = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  if (/[a-z]/i.test(char)) return LETTER
  if (/\d/.test(char)) return DIGIT
  return /[_-]/.test(char) ? JOINT : 0
})

/**
 * An id: ten characters or more, letters and digits mixed, no part of a host name or path. Words have no digits amidst
 * them. By hand, because as an expression it took more time than everything else together.
 */
function withoutIds(line: string): string {
  let result = ''
  let kept = 0
  let start = 0
  let kinds = 0
  for (let at = 0; at <= line.length; at++) {
    const kind = at === line.length ? 0 : (KIND[line.charCodeAt(at)] ?? 0)
    if (kind !== 0) {
      kinds |= kind
      continue
    }
    if (at - start >= ID_LENGTH && (kinds & LETTER) !== 0 && (kinds & DIGIT) !== 0 && isFree(line, start, at)) {
      result += `${line.slice(kept, start)}{id}`
      kept = at
    }
    start = at + 1
    kinds = 0
  }
  return kept === 0 ? line : result + line.slice(kept)
}

function isFree(line: string, start: number, end: number): boolean {
  const before = line[start - 1]
  return before !== '.' && before !== '/' && line[end] !== '/'
}

/** As masked, and host and domain names too: what may be shown to somebody whose mail it was not. */
export function anonymised(text: string): string {
  return masked(text).replace(/(?:[a-z\d_-]+\.)+[a-z][a-z\d-]+/gi, '{name}')
}
