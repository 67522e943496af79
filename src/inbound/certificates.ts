// The certificate of the listeners: read at start (a self-signed one is made when neither file is there), looked at again
// every few seconds, taken over when the files changed into a pair that fits. A pair that does not fit, as it is for a
// moment while somebody replaces the two files, changes nothing.

import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Settings } from '../config/schema.ts'
import { type Clock, DAY, SECOND, type Timer } from '../util/clock.ts'
import type { CertificateEvents } from './events.ts'
import { type CertificatePair, makeSelfSigned } from './self-signed.ts'

export interface Certificates {
  readonly current: CertificatePair
  /** Called after `current` changed. */
  onChange(listener: () => void): void
  /** Looks at the files now instead of at the next check. Never rejects. */
  check(): Promise<void>
  close(): void
}

export interface CertificateParts {
  /** `directory` as the process can open it. */
  readonly settings: Pick<Settings['tls'], 'directory' | 'certificate' | 'key'>
  readonly hostname: string
  readonly clock: Clock
  readonly events: CertificateEvents
}

const CHECK_MS = 10 * SECOND
const TRIAL_DAYS = 5 * 365

export class CertificateError extends Error {
  override readonly name = 'CertificateError'
  readonly code = 'certificate'
}

/** Throws CertificateError when only one of the files is there or they do not fit. */
export async function openCertificates(parts: CertificateParts): Promise<Certificates> {
  const files = {
    cert: join(parts.settings.directory, parts.settings.certificate),
    key: join(parts.settings.directory, parts.settings.key),
  }
  if ((await signatureOf(files.cert)) === undefined && (await signatureOf(files.key)) === undefined)
    await makeTrialPair(parts, files)
  const watched = new WatchedCertificates(parts, files)
  await watched.load()
  watched.scheduleCheck()
  return watched
}

interface Files {
  readonly cert: string
  readonly key: string
}

class WatchedCertificates implements Certificates {
  readonly #parts: CertificateParts
  readonly #files: Files
  readonly #listeners: (() => void)[] = []
  #current: CertificatePair | undefined
  /** What the files looked like when they were last read. */
  #seen = ''
  #timer: Timer | undefined

  constructor(parts: CertificateParts, files: Files) {
    this.#parts = parts
    this.#files = files
  }

  get current(): CertificatePair {
    if (this.#current === undefined) throw new CertificateError('no certificate has been loaded')
    return this.#current
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async load(): Promise<void> {
    this.#seen = await this.#look()
    this.#current = await readPair(this.#files)
    const { subject, validTo } = new X509Certificate(this.#current.cert)
    const expiresAt = Date.parse(validTo)
    this.#parts.events.certificateLoaded({ file: this.#files.cert, subject, expiresAt })
  }

  async check(): Promise<void> {
    try {
      if ((await this.#look()) === this.#seen) return
      await this.load()
      for (const listener of this.#listeners) listener()
    } catch (error) {
      this.#parts.events.certificateRefused({ file: this.#files.cert, error })
    }
  }

  scheduleCheck(): void {
    this.#timer = this.#parts.clock.after(CHECK_MS, () => {
      void this.check().finally(() => {
        if (this.#timer !== undefined) this.scheduleCheck()
      })
    })
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  async #look(): Promise<string> {
    return `${await signatureOf(this.#files.cert)} ${await signatureOf(this.#files.key)}`
  }
}

/**
 * Changes whenever the file does, also when it is replaced by one of the same size and date. One that cannot be looked at
 * looks like that until it can: reading it then says why, once.
 */
async function signatureOf(file: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file)
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? undefined : `unreadable: ${code}`
  }
}

async function readPair(files: Files): Promise<CertificatePair> {
  try {
    const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')])
    // Throws when one cannot be parsed or the key is not the certificate's.
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CertificateError(`certificate ${files.cert} with key ${files.key} cannot be used: ${reason}`, {
      cause: error,
    })
  }
}

async function makeTrialPair({ settings, hostname, clock, events }: CertificateParts, files: Files): Promise<void> {
  const names = [...new Set([hostname, 'localhost', '127.0.0.1', '::1'])]
  const now = clock.now()
  const pair = makeSelfSigned(names, { from: now - DAY, to: now + TRIAL_DAYS * DAY })
  await mkdir(settings.directory, { recursive: true, mode: 0o700 })
  // wx: never over a file that appeared meanwhile.
  await writeFile(files.key, pair.key, { mode: 0o600, flag: 'wx' })
  await writeFile(files.cert, pair.cert, { mode: 0o600, flag: 'wx' })
  events.certificateMade({ file: files.cert, names })
}
