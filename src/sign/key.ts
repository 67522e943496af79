// Signing keys: read from PEM, checked, made, and shown as the TXT record that publishes them. A key that is here can
// sign; whatever is wrong with a file is said in one sentence with its cure.

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

export type Algorithm = 'rsa-sha256' | 'ed25519-sha256'

export interface SigningKey {
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
}

// RFC 8301 §3.2 allows 1024 for signing; large receivers treat less than 2048 as unsigned.
export const MIN_RSA_BITS = 2048
const ED25519_PUBLIC_BYTES = 32

/** The key, or what is wrong with the text and how to mend it. */
export function parseKey(pem: string): SigningKey | { readonly problem: string } {
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(pem)
  } catch (error) {
    const isEncrypted = /ENCRYPTED/.test(pem)
    return {
      problem: isEncrypted
        ? 'is protected by a passphrase; take it off with `openssl pkey -in KEY -out PLAINKEY`'
        : `is not a private key in PEM form (${(error as Error).message}); give the file that begins with "-----BEGIN PRIVATE KEY-----"`,
    }
  }
  if (privateKey.asymmetricKeyType === 'ed25519') return { algorithm: 'ed25519-sha256', privateKey }
  if (privateKey.asymmetricKeyType !== 'rsa') {
    return {
      problem: `is a key of type ${privateKey.asymmetricKeyType}; DKIM knows RSA and Ed25519 only: make a new one`,
    }
  }
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < MIN_RSA_BITS) {
    return {
      problem: `is an RSA key of ${bits} bits; make one of ${MIN_RSA_BITS} with \`openssl genrsa -out KEY ${MIN_RSA_BITS}\``,
    }
  }
  return { algorithm: 'rsa-sha256', privateKey }
}

/** Value of the TXT record at `<selector>._domainkey.<domain>`; longer than 255 octets for RSA, so a zone file splits it. */
export function dnsRecord({ algorithm, privateKey }: SigningKey): string {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  // RFC 8463 §4: the bare 32 bytes, not the structure around them.
  if (algorithm === 'ed25519-sha256')
    return `v=DKIM1; k=ed25519; p=${der.subarray(-ED25519_PUBLIC_BYTES).toString('base64')}`
  return `v=DKIM1; k=rsa; p=${der.toString('base64')}`
}

/** Length of an RSA key; undefined for Ed25519, which has but one. */
export function bitsOf({ privateKey }: SigningKey): number | undefined {
  return privateKey.asymmetricKeyDetails?.modulusLength
}

export interface GeneratedKey {
  readonly privatePem: string
  readonly dnsRecord: string
}

const generatePair = promisify(generateKeyPair)

/** Made off the event loop; an RSA key takes tenths of a second. `bits`: of an RSA key. */
export async function generateKey({
  algorithm,
  bits = MIN_RSA_BITS,
}: {
  algorithm: Algorithm
  bits?: number
}): Promise<GeneratedKey> {
  const { privateKey } =
    algorithm === 'ed25519-sha256' ? await generatePair('ed25519') : await generatePair('rsa', { modulusLength: bits })
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { privatePem, dnsRecord: dnsRecord({ algorithm, privateKey }) }
}
