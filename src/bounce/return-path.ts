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

/** A bounce comes back to `b-…`, a wish to get no more mail to `u-…`; neither token is good for the other. */
export type Purpose = 'bounce' | 'unsubscribe'

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
const PREFIXES: Readonly<Record<Purpose, string>> = { bounce: 'b-', unsubscribe: 'u-' }
const PREFIX_LENGTH = 2
const LOCAL_PATTERNS: Readonly<Record<Purpose, RegExp>> = {
  bounce: /^b-[0-9a-v]{40}$/,
  unsubscribe: /^u-[0-9a-v]{40}$/,
}
const ALPHABET = '0123456789abcdefghijklmnopqrstuv'
// What the signature covers begins with this, so that a token of another kind made with the same key is none of ours.
const SIGNED_FOR: Readonly<Record<Purpose, Buffer>> = {
  bounce: Buffer.from('studs return path\0'),
  unsubscribe: Buffer.from('studs unsubscribe\0'),
}

/** Days since 1970-01-01 UTC: the unit of expiry. */
export function dayOf(at: EpochMs): number {
  return Math.floor(at / DAY)
}

/** Whether a local part has the shape of a return path; says nothing of its signature. */
export function looksLikeReturnPath(local: string, purpose: Purpose = 'bounce'): boolean {
  return LOCAL_PATTERNS[purpose].test(local.toLowerCase())
}

interface TokenContent {
  readonly key: ReturnPathKey
  readonly id: string
  readonly n: number
  readonly expiresDay: number
  readonly purpose?: Purpose
}

/** The signed return path of recipient (id, n), good up to and including `expiresDay`. */
export function makeReturnPath({ domain, ...content }: TokenContent & { readonly domain: string }): string {
  return `${makeToken(content)}@${domain}`
}

/** Its local part: the token by itself, as it also stands in headers and links. */
export function makeToken(from: TokenContent): string {
  const purpose = from.purpose ?? 'bounce'
  const token = Buffer.allocUnsafe(TOKEN_BYTES)
  token.writeUInt8((VERSION << 4) | checkedKeyId(from.key.id), 0)
  writeId(token, from.id, 1)
  token.writeUInt32BE(from.n, N_AT)
  token.writeUInt16BE(from.expiresDay, DAY_AT)
  signature(from.key, token, purpose).copy(token, MAC_AT, 0, MAC_BYTES)
  return `${PREFIXES[purpose]}${toBase32(token)}`
}

/**
 * Reads the local part of an address that mail came back to. Case does not matter: some receivers fold it.
 * `nowDay` is dayOf(now); a token is judged expired only after its signature held, so nothing is learned from a forged one.
 */
export function readReturnPath(
  local: string,
  keys: readonly ReturnPathKey[],
  nowDay: number,
  purpose: Purpose = 'bounce',
): ReturnPath {
  const folded = local.toLowerCase()
  if (!LOCAL_PATTERNS[purpose].test(folded)) return { kind: 'bad' }
  const token = fromBase32(folded.slice(PREFIX_LENGTH))
  const head = token.readUInt8(0)
  if (head >>> 4 !== VERSION || !isSignedByAny({ keys, keyId: head & 15, token, purpose })) return { kind: 'bad' }
  const expiresDay = token.readUInt16BE(DAY_AT)
  const kind = nowDay > expiresDay ? 'expired' : 'ok'
  return { kind, id: readId(token, 1), n: token.readUInt32BE(N_AT), expiresDay }
}

function isSignedByAny(given: {
  readonly keys: readonly ReturnPathKey[]
  readonly keyId: number
  readonly token: Buffer
  readonly purpose: Purpose
}): boolean {
  const { keys, keyId, token, purpose } = given
  const mac = token.subarray(MAC_AT)
  let held = false
  // Every key with this id is tried, whether or not one held already: time tells nothing.
  for (const key of keys) {
    if (key.id === keyId && timingSafeEqual(signature(key, token, purpose).subarray(0, MAC_BYTES), mac)) held = true
  }
  return held
}

// A KeyObject signs in 2 µs, a secret that has to be made into one each time in 15.
const prepared = new WeakMap<Buffer, KeyObject>()

function signature({ secret }: ReturnPathKey, token: Buffer, purpose: Purpose): Buffer {
  let key = prepared.get(secret)
  if (key === undefined) {
    key = createSecretKey(secret)
    prepared.set(secret, key)
  }
  return createHmac('sha256', key).update(SIGNED_FOR[purpose]).update(token.subarray(0, MAC_AT)).digest()
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
