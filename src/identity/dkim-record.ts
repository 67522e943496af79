// A published DKIM key against the one that is expected (RFC 6376 §3.6.1): the same key in other words is the same, and for
// each way of getting it wrong there is a sentence. Pure.

import { parseTags } from './tags.ts'

export type KeyComparison =
  | { readonly kind: 'same'; readonly isTesting: boolean }
  | { readonly kind: 'different'; readonly message: string; readonly cure: string }

const PUBLISH = 'publish the expected record in place of it'
// Shorter than this it is no key that was cut, but something else.
const LEAST_PART = 40

/** `published`: all TXT records of the name, at least one. */
export function compareKey(published: readonly string[], expected: string): KeyComparison {
  const candidates = published.filter((text) => /(?:^|;)\s*p\s*=/.test(text))
  if (candidates.length > 1) {
    return different(
      `there are ${candidates.length} keys under one selector: receivers may take either (RFC 6376 §3.6.2.2)`,
      'remove all but the expected one',
    )
  }
  const [text = published[0] ?? ''] = candidates
  const tags = parseTags(text)
  if (tags === undefined || !tags.has('p')) return different('this is no DKIM key', PUBLISH)
  return compareTags(tags, expected)
}

function compareTags(tags: ReadonlyMap<string, string>, expected: string): KeyComparison {
  const wanted = parseTags(expected)
  const [wantedType = 'rsa', wantedKey = ''] = [wanted?.get('k'), wanted?.get('p')]
  const version = tags.get('v')
  if (version !== undefined && (version !== 'DKIM1' || [...tags.keys()][0] !== 'v'))
    return different('v=DKIM1 must be the first tag: receivers ignore this record', PUBLISH)
  const key = withoutSpace(tags.get('p') ?? '')
  if (key === '') return different('p= is empty: the key is revoked, and its signatures fail', PUBLISH)
  const type = (tags.get('k') ?? 'rsa').toLowerCase()
  if (type !== wantedType) return different(`k=${type}, but the key is of type ${wantedType}`, PUBLISH)
  if (key !== wantedKey) return differentKey(key, wantedKey)
  if (!allows(tags.get('h'), 'sha256')) return different('h= does not allow SHA-256, with which we sign', 'take h= out')
  if (!allows(tags.get('s'), 'email')) return different('s= does not allow the key for mail', 'take s= out')
  return { kind: 'same', isTesting: (tags.get('t') ?? '').split(':').some((flag) => flag.trim() === 'y') }
}

function differentKey(key: string, wanted: string): KeyComparison {
  if (key.length >= LEAST_PART && wanted.startsWith(key)) {
    return different(
      `the key is cut off after ${key.length} of ${wanted.length} characters: the form took only part of it`,
      'give the text as several strings of at most 255 characters, as `studs dkim txt` shows it',
    )
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return different('p= is no base64: the text was damaged on its way', PUBLISH)
  return different('it is the key of another private key: signatures fail', PUBLISH)
}

/** Whether a list with colons, if there is one, has the item or an asterisk. */
function allows(list: string | undefined, item: string): boolean {
  if (list === undefined) return true
  return list.split(':').some((each) => [item, '*'].includes(each.trim().toLowerCase()))
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '')
}

function different(message: string, cure: string): KeyComparison {
  return { kind: 'different', message, cure }
}
