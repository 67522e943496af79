// The TXT record by which a domain asks for reports (RFC 8460 §3). Pure.

import { type Address, parseAddress } from '../mail/address.ts'

export type ReportTarget =
  | { readonly kind: 'mail'; readonly to: Address }
  | { readonly kind: 'https'; readonly url: URL }

const MAX_TARGETS = 5

/** Where reports about a domain go, by the TXT records of `_smtp._tls.<domain>`; none where there is no such wish. */
export function reportTargets(records: readonly string[]): readonly ReportTarget[] {
  const wishes = records.filter((record) => /^v=TLSRPTv1[ \t]*(?:;|$)/.test(record))
  const [wish] = wishes
  // Several are as good as none.
  if (wish === undefined || wishes.length > 1) return []
  const rua = wish
    .split(';')
    .map((field) => field.trim())
    .find((field) => field.startsWith('rua='))
  const uris = (rua?.slice('rua='.length) ?? '').split(',').map((uri) => uri.trim())
  return uris.flatMap(targetOf).slice(0, MAX_TARGETS)
}

function targetOf(uri: string): readonly ReportTarget[] {
  if (/^mailto:/i.test(uri)) {
    const to = parseAddress(decoded(uri.slice('mailto:'.length).split('?')[0] ?? ''))
    return to === undefined || /[\r\n]/.test(to.text) ? [] : [{ kind: 'mail', to }]
  }
  if (!/^https:\/\//i.test(uri) || !URL.canParse(uri)) return []
  const url = new URL(uri)
  return url.username === '' && url.password === '' ? [{ kind: 'https', url }] : []
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray "%": taken as it stands.
    return text
  }
}
