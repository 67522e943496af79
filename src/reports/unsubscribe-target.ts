// Whose mail a signed unsubscribe address or link was in: read from the token and the store, nothing written. The one
// look-up behind the bounce listener, the one-click endpoint and its page.

import { dayOf, type ReturnPathKey, readReturnPath } from '../bounce/return-path.ts'
import type { EmailAddress } from '../mail/address.ts'
import type { Recipient } from '../mail/message.ts'
import { findSubscriber } from '../queue/unsubscribe.ts'
import { decodeOptional } from '../store/codec.ts'
import { partKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'

export interface UnsubscribeParts {
  readonly store: Store
  readonly keys: readonly ReturnPathKey[]
  readonly clock: Pick<Clock, 'now'>
}

export interface UnsubscribeTarget {
  readonly tenant: string
  readonly message: string
  readonly n: number
  readonly recipient: EmailAddress
}

/** `token`: `u-…` in any case. Undefined when it is forged, expired, of another purpose, or nobody remembers whose it was. */
export function unsubscribeTarget(
  { store, keys, clock }: UnsubscribeParts,
  token: string,
): UnsubscribeTarget | undefined {
  const read = readReturnPath(token, keys, dayOf(clock.now()), 'unsubscribe')
  if (read.kind !== 'ok') return undefined
  const { id: message, n } = read
  const row = findSubscriber(store, message, n)
  if (row !== undefined) return { tenant: row.tenant, message, n, recipient: row.address }
  // A store restored without the row still knows its newer messages.
  const recipient = decodeOptional<Recipient>(store.get('recipient', partKey(message, n)))
  return recipient && { tenant: recipient.tenant, message, n, recipient: recipient.address }
}
