// A certificate authority for one test: issues certificates for names, also wrong ones. Made by openssl, now.

import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clockAt, noFaketime } from './faketime.ts'
import type { Certificate } from './scripted-server.ts'

interface Kind {
  /** Valid for a while in 2020 only. */
  readonly expired?: boolean
  /** An authority of its own, which may have so many others below it. */
  readonly authority?: { readonly pathLength?: number }
  /** Instead of that for servers. */
  readonly usage?: string
  /** Names its issuer, but not the issuer's key. */
  readonly anonymousIssuer?: boolean
}

export class Authority {
  readonly key: string
  /** Its own certificate alone. */
  readonly cert: string
  /** What a server has to send besides its own certificate. */
  readonly chain: string

  private constructor({ key, cert }: Certificate, above = '') {
    this.key = key
    this.cert = cert
    this.chain = cert + above
  }

  static make(name = 'Root'): Authority {
    return inDirectory((at) => {
      run('req', '-x509', ...NEW_KEY, '-days', '3', '-subj', `/CN=${name}`, '-keyout', at('key'), '-out', at('cert'))
      return new Authority({ key: at.read('key'), cert: at.read('cert') })
    })
  }

  /** Signs with the key of any certificate, whether that may issue others or not. */
  static of(certificate: Certificate): Authority {
    return new Authority(certificate)
  }

  below(name: string, kind: NonNullable<Kind['authority']> = {}): Authority {
    return new Authority(this.#issue([name], { authority: kind }), this.chain)
  }

  /** `cert` is followed by the chain, as servers send it. */
  issue(names: readonly string[], kind: Kind = {}): Certificate {
    const { key, cert } = this.#issue(names, kind)
    return { key, cert: cert + this.chain }
  }

  #issue(names: readonly string[], { expired, authority, usage = 'serverAuth', anonymousIssuer }: Kind): Certificate {
    return inDirectory((at) => {
      at.write('issuer-key', this.key)
      at.write('issuer', this.cert)
      const length = authority?.pathLength === undefined ? '' : `,pathlen:${authority.pathLength}`
      const names_ = names.map((name) => `DNS:${name}`).join(',')
      const extensions =
        authority === undefined
          ? `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=${usage}\nsubjectAltName=${names_}`
          : `basicConstraints=critical,CA:TRUE${length}\nkeyUsage=keyCertSign`
      at.write('extensions', anonymousIssuer ? `${extensions}\nauthorityKeyIdentifier=none` : extensions)
      run('req', ...NEW_KEY, '-subj', `/CN=${names[0]}`, '-keyout', at('key'), '-out', at('request'))
      const issuer = ['-CA', at('issuer'), '-CAkey', at('issuer-key'), '-CAcreateserial']
      const words = ['x509', '-req', '-in', at('request'), ...issuer, '-days', '3', '-extfile', at('extensions')]
      if (expired) runIn2020(...words, '-out', at('cert'))
      else run(...words, '-out', at('cert'))
      return { key: at.read('key'), cert: at.read('cert') }
    })
  }
}

/** The data of a TLSA record for the first certificate of a PEM text. */
export function tlsaData(pem: string, selector: 0 | 1, matching: 0 | 1 | 2): string {
  const certificate = new X509Certificate(pem)
  const selected = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
  if (matching === 0) return selected.toString('hex')
  return createHash(matching === 1 ? 'sha256' : 'sha512')
    .update(selected)
    .digest('hex')
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
const QUIET = { stdio: 'pipe' } as const

function run(...words: readonly string[]): void {
  execFileSync('openssl', words, QUIET)
}

function runIn2020(...words: readonly string[]): void {
  // Without the library the certificate would be valid, and nobody would be told.
  if (noFaketime !== undefined) throw new Error(`no expired certificate: ${noFaketime}`)
  execFileSync('openssl', words, { ...QUIET, env: { ...process.env, ...clockAt('2020-01-01 00:00:00') } })
}

type At = ((name: string) => string) & { read(name: string): string; write(name: string, text: string): void }

function inDirectory<T>(act: (at: At) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'studs-authority-'))
  const place = (name: string): string => join(directory, name)
  const read = (name: string): string => readFileSync(place(name), 'utf8')
  const write = (name: string, text: string): void => writeFileSync(place(name), text)
  try {
    return act(Object.assign(place, { read, write }))
  } finally {
    rmSync(directory, { recursive: true })
  }
}
