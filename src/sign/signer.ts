// Signs outgoing mail with DKIM (RFC 6376, RFC 8463): relaxed/relaxed, one signature for every key of the sender domain.
// Only the body hash is computed on the event loop, as the body streams by; the signing itself runs in libuv's pool.
// docs/decisions/0003-dkim-signing.md says why this is not a library's signer.

import { createHash, sign } from 'node:crypto'
import type { Domain } from '../mail/address.ts'
import { type Clock, SECOND } from '../util/clock.ts'
import { RelaxedBodyHash } from './body-hash.ts'
import { type SignedFields, signedField, signedFields, signingInput, unsignedField } from './header.ts'
import { type DomainKey, Keyring, type ReadKeyFile, readKeyFile, type SigningDomain } from './keyring.ts'

export interface Signer {
  /** undefined when no key signs for this domain */
  start(domain: Domain): SigningSession | undefined
}

export interface SigningSession {
  /** Takes the next bytes of the body (CRLF-normalised, without the header block and its empty line) as it streams by. */
  body(bytes: Buffer): void
  /**
   * `headers`: the final header block as it goes out, latin1 string, CRLF-terminated lines, without the empty line.
   * Resolves with DKIM-Signature header lines, each CRLF-terminated and folded; '' when there is no From to sign.
   */
  finish(headers: string): Promise<string>
}

export interface ConfiguredSigner extends Signer {
  /** What is not wrong but should be mended: key files that everybody can read. */
  readonly warnings: readonly string[]
  /** Reads all keys again. Throws SigningKeyError and keeps the old ones when one of them cannot be used. */
  reconfigure(domains: readonly SigningDomain[]): void
}

export interface SignerParts {
  readonly domains: readonly SigningDomain[]
  readonly clock: Pick<Clock, 'now'>
  readonly readFile?: ReadKeyFile
}

/** Throws SigningKeyError, which names every key that cannot be used. */
export function createSigner({ domains, clock, readFile = readKeyFile }: SignerParts): ConfiguredSigner {
  let keyring = new Keyring(domains, readFile)
  return {
    get warnings() {
      return keyring.warnings
    },
    reconfigure: (newDomains) => {
      keyring = new Keyring(newDomains, readFile)
    },
    start: (domain) => {
      const keys = keyring.keysFor(domain)
      return keys.length === 0 ? undefined : startSession(keys, clock)
    },
  }
}

function startSession(keys: readonly DomainKey[], clock: Pick<Clock, 'now'>): SigningSession {
  const hash = new RelaxedBodyHash()
  return {
    body: (bytes) => hash.update(bytes),
    finish: async (headers) => {
      const bodyHash = hash.digest()
      const fields = signedFields(headers)
      if (fields === undefined) return ''
      const time = Math.floor(clock.now() / SECOND)
      const signatures = await Promise.all(keys.map((key) => signWith({ key, fields, bodyHash, time })))
      return signatures.join('')
    },
  }
}

interface SignatureParts {
  readonly key: DomainKey
  readonly fields: SignedFields
  readonly bodyHash: string
  readonly time: number
}

async function signWith({ key, fields, bodyHash, time }: SignatureParts): Promise<string> {
  const { algorithm, domain, selector } = key
  const unsigned = unsignedField({ algorithm, domain, selector, time, names: fields.names, bodyHash })
  return signedField(unsigned, await signOffLoop(key, signingInput(fields, unsigned)))
}

function signOffLoop({ algorithm, privateKey }: DomainKey, input: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, signature: Buffer): void => (error === null ? resolve(signature) : reject(error))
    if (algorithm === 'rsa-sha256') sign('sha256', input, privateKey, done)
    // RFC 8463 §3: Ed25519 signs the SHA-256 of the input, not the input.
    else sign(null, createHash('sha256').update(input).digest(), privateKey, done)
  })
}
