// Whose mail a signed unsubscribe address was in. The row outlives its message, because people unsubscribe from old mail;
// it lives exactly as long as the token does.

import type { EmailAddress } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import { decodeOptional, encode } from '../store/codec.ts'
import { partKey } from '../store/keys.ts'
import type { Store, Write } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'

export interface Subscriber {
  readonly tenant: string
  readonly address: EmailAddress
  readonly expiresAt: EpochMs
}

/** For the transaction that accepts the message: nothing, where it carries no unsubscribe address of ours. */
export function subscriberWrites(message: Message, recipients: readonly Recipient[]): Write[] {
  const { unsubscribeUntil: expiresAt } = message
  if (expiresAt === undefined) return []
  return recipients.map(({ id, n, tenant, address }) => {
    const row: Subscriber = { tenant, address, expiresAt }
    return { table: 'unsubscribe', key: partKey(id, n), value: encode(row) }
  })
}

export function findSubscriber(store: Store, id: string, n: number): Subscriber | undefined {
  return decodeOptional<Subscriber>(store.get('unsubscribe', partKey(id, n)))
}
