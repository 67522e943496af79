// Keys on their way into files: made, written so that only their owner reads them, never over one that is there; and which
// selector the next one gets.

import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Algorithm, generateKey } from '../sign/key.ts'

export interface NewKey {
  readonly domain: string
  readonly selector: string
  readonly algorithm: 'rsa' | 'ed25519'
  /** Of an RSA key. */
  readonly bits: number
  readonly file: string
}

export interface MadeKey extends NewKey {
  /** Text of the TXT record. */
  readonly record: string
}

export class KeyFileExists extends Error {
  override readonly name = 'KeyFileExists'
  readonly code = 'key-file-exists'
}

export function keyFileName(dataDirectory: string, { domain, selector }: Pick<NewKey, 'domain' | 'selector'>): string {
  return join(dataDirectory, 'dkim', `${domain}.${selector}.pem`)
}

/** The keys of a domain that lie where `keyFileName` puts them. Selectors with a dot could belong to another domain. */
export function keyFilesOf(dataDirectory: string, domain: string): { selector: string; file: string }[] {
  const folder = join(dataDirectory, 'dkim')
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    const selector = name.slice(domain.length + 1, -'.pem'.length)
    const file = join(folder, name)
    return name === `${domain}.${selector}.pem` && !selector.includes('.') && selector !== ''
      ? [{ selector, file }]
      : []
  })
}

/** Throws KeyFileExists rather than replace a key that mail may be signed with. */
export async function makeKey(wanted: NewKey): Promise<MadeKey> {
  const algorithm: Algorithm = wanted.algorithm === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256'
  const { privatePem, dnsRecord } = await generateKey({ algorithm, bits: wanted.bits })
  await mkdir(dirname(wanted.file), { recursive: true, mode: 0o700 })
  try {
    await writeFile(wanted.file, privatePem, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new KeyFileExists(`there is a key at ${wanted.file} already`, { cause: error })
  }
  return { ...wanted, record: dnsRecord }
}

/** s1 → s2, 2026a → 2026a2; the first that is not taken. */
export function nextSelector(current: string | undefined, isTaken: (selector: string) => boolean): string {
  const [, stem = 's', number = '0'] = /^(.*?)(\d{0,9})$/.exec(current ?? 's0') ?? []
  for (let next = Number(number === '' ? '1' : number) + 1; ; next++) {
    // Leading zeros stay: mail01 is followed by mail02.
    const selector = `${stem}${String(next).padStart(number.length, '0')}`
    if (!isTaken(selector)) return selector
  }
}
