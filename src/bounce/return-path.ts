// The return path: the signed MAIL FROM that each recipient gets on the wire, so that whatever comes back names its
// recipient by itself and cannot be forged. Pure; keys come from the store's meta table, time from the caller.
// Token: 25 bytes = exactly 40 characters of base32, so that every character is covered by the signature:
//   1 version (high nibble) and key id (low nibble) · 8 message id · 4 recipient n · 2 expiry day · 10 HMAC-SHA256, cut

import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { EpochMs } from '../util/clock.ts'
import { DAY } from '../util/clock.ts'
import { ID_BYTES, readId, writeId } from '../util/id.ts'

/** One signing key of this installation; several may be valid while one replaces another. */
export interface ReturnPathKey {
  /** 0 … 15, said in the token. */
  readonly id: number
  readonly secret: Buffer
}

export type ReturnPath =
  | { readonly kind: 'ok'; readonly id: string; readonly n: number; readonly expiresDay: number }
  /** Genuine, but its days are over. */
  | { readonly kind: 'expired'; readonly id: string; readonly n: number; readonly expiresDay: number }
  | { readonly kind: 'bad' }

const VERSION = 1
const N_AT = 1 + ID_BYTES
const DAY_AT = N_AT + 4
const MAC_AT = DAY_AT + 2
// 80 bits: nobody guesses one by asking a listener, and the local part stays at 42 of its 64 octets (RFC 5321 §4.5.3.1.1).
const MAC_BYTES = 10
const TOKEN_BYTES = MAC_AT + MAC_BYTES
const PREFIX = 'b-'
const LOCAL_PATTERN = /^b-[0-9a-v]{40}$/
const ALPHABET = '0123456789abcdefghijklmnopqrstuv'
// What the signature covers begins with this, so that a token of another kind made with the same key is none of ours.
const SIGNED_FOR = Buffer.from('studs return path\0')

/** Days since 1970-01-01 UTC: the unit of expiry. */
export function dayOf(at: EpochMs): number {
  return Math.floor(at / DAY)
}

/** Whether a local part has the shape of a return path; says nothing of its signature. */
export function looksLikeReturnPath(local: string): boolean {
  return LOCAL_PATTERN.test(local.toLowerCase())
}

/** The signed return path of recipient (id, n), good up to and including `expiresDay`. */
export function makeReturnPath(from: {
  readonly key: ReturnPathKey
  readonly id: string
  readonly n: number
  readonly expiresDay: number
  readonly domain: string
}): string {
  const token = Buffer.allocUnsafe(TOKEN_BYTES)
  token.writeUInt8((VERSION << 4) | checkedKeyId(from.key.id), 0)
  writeId(token, from.id, 1)
  token.writeUInt32BE(from.n, N_AT)
  token.writeUInt16BE(from.expiresDay, DAY_AT)
  signature(from.key, token).copy(token, MAC_AT, 0, MAC_BYTES)
  return `${PREFIX}${toBase32(token)}@${from.domain}`
}

/**
 * Reads the local part of an address that mail came back to. Case does not matter: some receivers fold it.
 * `nowDay` is dayOf(now); a token is judged expired only after its signature held, so nothing is learned from a forged one.
 */
export function readReturnPath(local: string, keys: readonly ReturnPathKey[], nowDay: number): ReturnPath {
  const folded = local.toLowerCase()
  if (!LOCAL_PATTERN.test(folded)) return { kind: 'bad' }
  const token = fromBase32(folded.slice(PREFIX.length))
  const head = token.readUInt8(0)
  if (head >>> 4 !== VERSION || !isSignedByAny(keys, head & 15, token)) return { kind: 'bad' }
  const expiresDay = token.readUInt16BE(DAY_AT)
  const kind = nowDay > expiresDay ? 'expired' : 'ok'
  return { kind, id: readId(token, 1), n: token.readUInt32BE(N_AT), expiresDay }
}

function isSignedByAny(keys: readonly ReturnPathKey[], keyId: number, token: Buffer): boolean {
  const given = token.subarray(MAC_AT)
  let held = false
  // Every key with this id is tried, whether or not one held already: time tells nothing.
  for (const key of keys) {
    if (key.id === keyId && timingSafeEqual(signature(key, token).subarray(0, MAC_BYTES), given)) held = true
  }
  return held
}

// A KeyObject signs in 2 µs, a secret that has to be made into one each time in 15.
const prepared = new WeakMap<Buffer, KeyObject>()

function signature({ secret }: ReturnPathKey, token: Buffer): Buffer {
  let key = prepared.get(secret)
  if (key === undefined) {
    key = createSecretKey(secret)
    prepared.set(secret, key)
  }
  return createHmac('sha256', key).update(SIGNED_FOR).update(token.subarray(0, MAC_AT)).digest()
}

function checkedKeyId(id: number): number {
  if (!Number.isInteger(id) || id < 0 || id > 15) throw new RangeError(`return path key id ${id} is not 0 … 15`)
  return id
}

/** RFC 4648 "extended hex" in lower case, as ids are written. 5 bytes make 8 characters, so there is never a rest. */
function toBase32(bytes: Buffer): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >>> bits) & 31]
    }
    held &= 31
  }
  return text
}

function fromBase32(text: string): Buffer {
  const bytes = Buffer.allocUnsafe((text.length * 5) / 8)
  let held = 0
  let bits = 0
  let at = 0
  for (const character of text) {
    held = (held << 5) | Number.parseInt(character, 32)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >>> bits) & 255
    held &= 255
  }
  return bytes
}
