// Password hashes of credentials: `scrypt:<N>:<r>:<p>:<salt>:<hash>`, salt and hash in base64 (RFC 7914). The work is done
// in libuv's pool, never on the event loop; comparisons take the same time whatever they compare.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

interface ParsedHash extends Cost {
  readonly salt: Buffer
  readonly hash: Buffer
}

// About 50 ms and 16 MiB on a core of today.
const DEFAULT_COST: Cost = { N: 16_384, r: 8, p: 1 }
const HASH_BYTES = 32
const SALT_BYTES = 16
// A typo in the config must not take gigabytes.
const MAX_N = 2 ** 20
const MAX_MEMORY = 2 ** 30

const HASH = /^scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2}):([A-Za-z0-9+/]+={0,2}):([A-Za-z0-9+/]+={0,2})$/

export async function hashPassword(password: string, cost: Cost = DEFAULT_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, { ...cost, salt, length: HASH_BYTES })
  return `scrypt:${cost.N}:${cost.r}:${cost.p}:${salt.toString('base64')}:${hash.toString('base64')}`
}

/** Whether a hash can be verified against at all; for checking the config. */
export function isPasswordHash(text: string): boolean {
  return parseHash(text) !== undefined
}

/** The hash that takes the most work to verify against. */
export function dearestOf(hashes: readonly string[]): string | undefined {
  let dearest: { readonly hash: string; readonly work: number } | undefined
  for (const hash of hashes) {
    const { N = 0, r = 0, p = 0 } = parseHash(hash) ?? {}
    const work = N * r * p
    if (work > (dearest?.work ?? 0)) dearest = { hash, work }
  }
  return dearest?.hash
}

/** False for a wrong password and for a hash that cannot be read. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const parsed = parseHash(hash)
  if (parsed === undefined) return false
  const derived = await derive(password, { ...parsed, length: parsed.hash.length })
  return timingSafeEqual(derived, parsed.hash)
}

function parseHash(text: string): ParsedHash | undefined {
  const [, N, r, p, salt = '', hash = ''] = HASH.exec(text) ?? []
  const parsed = {
    N: Number(N),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
  const isPowerOfTwo = parsed.N >= 2 && parsed.N <= MAX_N && Math.log2(parsed.N) % 1 === 0
  const fits = 128 * parsed.N * parsed.r <= MAX_MEMORY && parsed.r > 0 && parsed.p > 0
  return isPowerOfTwo && fits && parsed.hash.length >= 16 && parsed.hash.length <= 64 ? parsed : undefined
}

function derive(password: string, { N, r, p, salt, length }: Cost & { salt: Buffer; length: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Twice what RFC 7914 needs: OpenSSL counts its own buffers too.
    scrypt(password.normalize('NFC'), salt, length, { N, r, p, maxmem: 256 * N * r * p + 2 ** 20 }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}
