// Which keys sign for which domain. Built in one go from the settings: either every key is good or nothing changes, and
// then the error names every file that is not and what to do about it.

import { readFileSync, statSync } from 'node:fs'
import type { DomainSettings } from '../config/schema.ts'
import { type Domain, parseDomain } from '../mail/address.ts'
import { parseKey, type SigningKey } from './key.ts'

export interface DomainKey extends SigningKey {
  /** d= of the signatures: the configured domain, also for its subdomains. */
  readonly domain: Domain
  readonly selector: string
}

type KeySettings = DomainSettings['dkim'][number]

export interface SigningDomain extends Pick<DomainSettings, 'name' | 'subdomains'> {
  /** Without a state a key signs. */
  readonly dkim: readonly (Omit<KeySettings, 'state'> & Partial<Pick<KeySettings, 'state'>>)[]
}

export interface KeyFile {
  readonly pem: string
  /** Permission bits. */
  readonly mode: number
}
/** Throws when the file cannot be read. */
export type ReadKeyFile = (path: string) => KeyFile

export const readKeyFile: ReadKeyFile = (path) => ({
  pem: readFileSync(path, 'latin1'),
  mode: statSync(path).mode & 0o777,
})

/** Keys that cannot be used; nothing was changed. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
  readonly code = 'signing-key'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** What can stand in DNS in front of `._domainkey.` */
export const SELECTOR = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/i
const READABLE_BY_ALL = 0o004

export class Keyring {
  readonly warnings: readonly string[]
  readonly #entries: ReadonlyMap<string, { readonly subdomains: boolean; readonly keys: readonly DomainKey[] }>

  /** Throws SigningKeyError. */
  constructor(domains: readonly SigningDomain[], readFile: ReadKeyFile) {
    const problems: string[] = []
    const warnings: string[] = []
    const entries = new Map<string, { subdomains: boolean; keys: DomainKey[] }>()
    for (const settings of domains) {
      const domain = parseDomain(settings.name)
      if (domain === undefined || domain.startsWith('[')) {
        if (settings.dkim.length > 0)
          problems.push(`domain "${settings.name}": not a domain name that can sign; write it as in DNS`)
        continue
      }
      const keys = loadKeys({ domain, settings, readFile, problems, warnings })
      entries.set(domain, { subdomains: settings.subdomains, keys })
    }
    if (problems.length > 0) throw new SigningKeyError(problems)
    this.#entries = entries
    this.warnings = warnings
  }

  /** The keys of the nearest configured domain that covers `domain`; a nearer one without keys means unsigned. */
  keysFor(domain: Domain): readonly DomainKey[] {
    const exact = this.#entries.get(domain)
    if (exact !== undefined) return exact.keys
    for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) {
      const parent = this.#entries.get(domain.slice(dot + 1))
      if (parent?.subdomains === true) return parent.keys
    }
    return []
  }
}

interface Loading {
  readonly domain: Domain
  readonly settings: SigningDomain
  readonly readFile: ReadKeyFile
  readonly problems: string[]
  readonly warnings: string[]
}

function loadKeys({ domain, settings, readFile, problems, warnings }: Loading): DomainKey[] {
  const keys: DomainKey[] = []
  const selectors = new Set<string>()
  for (const { selector, keyFile, state = 'sign' } of settings.dkim) {
    const where = `domain "${settings.name}", DKIM key file ${keyFile}`
    if (!SELECTOR.test(selector)) {
      problems.push(`${where}: selector "${selector}" cannot stand in DNS; use letters, digits and "-"`)
      continue
    }
    if (selectors.has(selector)) {
      problems.push(`${where}: selector "${selector}" is there twice; every key needs a selector of its own`)
      continue
    }
    selectors.add(selector)
    // Its file may be gone already. One that is to sign soon is read, so that the switch cannot fail.
    if (state === 'retired') continue
    const loaded = loadKey(keyFile, readFile)
    if ('problem' in loaded) problems.push(`${where}: ${loaded.problem}`)
    else if (state === 'sign') keys.push({ ...loaded.key, domain, selector })
    if ('mode' in loaded && (loaded.mode & READABLE_BY_ALL) !== 0) {
      warnings.push(`${where}: everybody on this machine can read it; run \`chmod 600 ${keyFile}\``)
    }
  }
  return keys
}

/** Without the call and the path: the sentence around it has the path. */
export function reasonOf(error: unknown): string {
  return (error as Error).message.replace(/, \w+ '.*'$/, '')
}

function loadKey(keyFile: string, readFile: ReadKeyFile): { key: SigningKey; mode: number } | { problem: string } {
  let file: KeyFile
  try {
    file = readFile(keyFile)
  } catch (error) {
    const cure = 'put the key there, make it with `studs dkim gen`, or correct key_file'
    return { problem: `cannot be read (${reasonOf(error)}); ${cure}` }
  }
  const key = parseKey(file.pem)
  return 'problem' in key ? key : { key, mode: file.mode }
}
