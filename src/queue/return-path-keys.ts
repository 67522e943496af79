// The keys that sign return paths: made at first start, kept in the store's meta table (so a backup has them), several
// during a rotation. The newest signs.

import { randomBytes } from 'node:crypto'
import type { ReturnPathKey } from '../bounce/return-path.ts'
import { decode, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

const KEYS = textKey('return-path-keys')
const SECRET_BYTES = 32

interface StoredKey {
  readonly id: number
  readonly secret: string
}

/** The keys that were made so far, the signing one first; none before the first start. */
export function storedReturnPathKeys(store: Store): readonly ReturnPathKey[] {
  const stored = store.get('meta', KEYS)
  const keys = stored === undefined ? [] : decode<StoredKey[]>(stored)
  return keys.map(({ id, secret }) => ({ id, secret: Buffer.from(secret, 'base64') }))
}

/** All valid keys, the signing one first; durable when it resolves. */
export async function returnPathKeys(store: Store): Promise<readonly [ReturnPathKey, ...ReturnPathKey[]]> {
  const [first, ...others] = storedReturnPathKeys(store)
  if (first !== undefined) return [first, ...others]
  const secret = randomBytes(SECRET_BYTES)
  await store.write([{ table: 'meta', key: KEYS, value: encode([{ id: 0, secret: secret.toString('base64') }]) }])
  return [{ id: 0, secret }]
}
