// A self-signed certificate for trials, so that STARTTLS works before there is a real one. node:crypto makes keys and
// signatures but no X.509, so the few DER structures of RFC 5280 that are needed are written here.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import type { EpochMs } from '../util/clock.ts'

export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

// DER tags (X.690 §8).
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
}

const OID = {
  ecdsaWithSha256: Buffer.from('2a8648ce3d040302', 'hex'),
  commonName: Buffer.from('550403', 'hex'),
  subjectAltName: Buffer.from('551d11', 'hex'),
  basicConstraints: Buffer.from('551d13', 'hex'),
  extendedKeyUsage: Buffer.from('551d25', 'hex'),
  serverAuth: Buffer.from('2b06010505070301', 'hex'),
}

/** `names`: host names and addresses; the first is the common name. */
export function makeSelfSigned(names: readonly string[], validity: { from: EpochMs; to: EpochMs }): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const algorithm = sequence(der(TAG.oid, OID.ecdsaWithSha256))
  const name = distinguishedName(names[0] ?? 'localhost')
  const body = sequence(
    der(0xa0, der(TAG.integer, Buffer.from([2]))), // version 3
    der(TAG.integer, serialNumber()),
    algorithm,
    name,
    sequence(time(validity.from), time(validity.to)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions(names)),
  )
  const certificate = sequence(body, algorithm, bitString(sign('sha256', body, privateKey)))
  return { cert: pem('CERTIFICATE', certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function extensions(names: readonly string[]): Buffer {
  const alternatives = names.map((name) =>
    isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name)),
  )
  return sequence(
    extension(OID.subjectAltName, sequence(...alternatives)),
    extension(OID.basicConstraints, sequence()),
    extension(OID.extendedKeyUsage, sequence(der(TAG.oid, OID.serverAuth))),
  )
}

const extension = (id: Buffer, value: Buffer): Buffer => sequence(der(TAG.oid, id), der(TAG.octets, value))

const distinguishedName = (commonName: string): Buffer =>
  // RFC 5280 appendix A: a common name has at most 64 characters.
  sequence(der(TAG.set, sequence(der(TAG.oid, OID.commonName), der(TAG.utf8, Buffer.from(commonName.slice(0, 64))))))

const sequence = (...parts: Buffer[]): Buffer => der(TAG.sequence, Buffer.concat(parts))
const bitString = (bytes: Buffer): Buffer => der(TAG.bits, Buffer.concat([Buffer.from([0]), bytes]))

function der(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content])
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff])
}

/** Positive and without a leading zero: the first bit clear, the second set. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime after. */
function time(at: EpochMs): Buffer {
  const date = new Date(at)
  const digits = `${date
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[-:T]/g, '')}Z`
  return date.getUTCFullYear() < 2050
    ? der(TAG.utcTime, Buffer.from(digits.slice(2)))
    : der(TAG.time, Buffer.from(digits))
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] =>
    text
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16))
  const [first, last] = [groups(head), groups(tail ?? '')]
  const words = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]))
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
