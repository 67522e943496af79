// The List-Unsubscribe fields that acceptance adds for a newsletter that has none (RFC 2369 §3.2, RFC 8058). Both forms
// carry a token signed for this one recipient, so that nobody can unsubscribe somebody else. Pure.

import { dayOf, makeToken, type ReturnPathKey } from '../bounce/return-path.ts'
import { DAY, type EpochMs } from '../util/clock.ts'

/** What the operator offers. */
export interface UnsubscribeTerms {
  readonly key: ReturnPathKey
  /** Public base of the one-click endpoint; without it there is only the mailto form. */
  readonly url?: string | undefined
  /** How long a token works. */
  readonly keepMs: number
}

export interface UnsubscribeOffer {
  /** Header lines, each with its CRLF. */
  readonly lines: string
  /** The token works until then. */
  readonly until: EpochMs
}

/** What 16 bits of the token can say: the year 2149. */
const LAST_DAY = 0xffff

/** For the only recipient of message `id`. `isSigned`: a DKIM signature will cover the fields. */
export function unsubscribeOffer(
  terms: UnsubscribeTerms,
  to: { readonly id: string; readonly domain: string; readonly now: EpochMs; readonly isSigned: boolean },
): UnsubscribeOffer {
  const expiresDay = Math.min(dayOf(to.now + terms.keepMs), LAST_DAY)
  const token = makeToken({ purpose: 'unsubscribe', key: terms.key, id: to.id, n: 0, expiresDay })
  const url = terms.url === undefined ? undefined : `${terms.url.replace(/\/+$/, '')}/${token}`
  const link = url === undefined ? '' : `,\r\n\t<${url}>`
  // RFC 8058 §3.1 and §4: one click is for HTTPS only, and must not be offered in fields that anybody could have added.
  const isOneClick = url?.startsWith('https:') === true && to.isSigned
  const post = isOneClick ? 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n' : ''
  return {
    lines: `List-Unsubscribe: <mailto:${token}@${to.domain}>${link}\r\n${post}`,
    until: (expiresDay + 1) * DAY,
  }
}
