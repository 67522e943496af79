// What recipient domains demand by MTA-STS (RFC 8461): found in DNS, fetched over HTTPS, remembered for as long as the
// policy says, also over a restart. In prose:
//
// - A policy that is not over yet stays in force whatever happens to its TXT record or its host (§5.1): only another valid
//   policy of the same domain replaces it. Whoever can block DNS or HTTPS cannot switch it off.
// - A changed id in the TXT record fetches at once; an unchanged one once a day or half of max_age, beside the mail.
// - A domain without a known policy whose policy cannot be had is treated as one without a policy, until it can.

import { resolvePolicy, validateMx } from 'mailauth/lib/mta-sts.js'
import { type Clock, DAY, type EpochMs, HOUR, MINUTE } from '../util/clock.ts'
import type { TlsTrouble } from './destination.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { PolicyFetcher, PolicyText } from './mta-sts-fetch.ts'
import type { Answer } from './resolver.ts'

/** A policy with what has to be remembered about it. */
export interface StsPolicy extends PolicyText {
  /** Of the TXT record it was fetched for. */
  readonly id: string
  readonly fetchedAt: EpochMs
  readonly expiresAt: EpochMs
}

/** Where policies outlive a restart. Neither call may throw; what could not be saved is fetched again. */
export interface PolicyMemory {
  load(domain: string): StsPolicy | undefined
  save(domain: string, policy: StsPolicy): void
}

export interface StsFinding {
  /** In force now, whatever its mode; absent where there is none. */
  readonly policy?: StsPolicy
  /** Why a policy that exists could not be had. */
  readonly trouble?: TlsTrouble
  readonly ttlMs: number
}

export interface MtaSts {
  find(domain: string): Promise<StsFinding>
}

export interface MtaStsOptions {
  readonly txt: (name: string) => Promise<Answer<string>>
  readonly fetch: PolicyFetcher
  readonly memory: PolicyMemory
  readonly clock: Clock
}

const MAX_DOMAINS = 50_000
/** How long a look at DNS holds: where it found a policy, nothing, or trouble. */
const FOUND_MS = HOUR
const ABSENT_MS = 15 * MINUTE
const TROUBLE_MS = 5 * MINUTE

export function createMtaSts(options: MtaStsOptions): MtaSts {
  const { clock, memory } = options
  const recent = new ExpiringMap<Promise<StsFinding>>(clock, MAX_DOMAINS)
  const refreshing = new Set<string>()

  /** What is in force without asking anybody. */
  function inForce(domain: string): StsPolicy | undefined {
    const policy = memory.load(domain)
    return policy !== undefined && policy.expiresAt > clock.now() ? policy : undefined
  }

  async function fetchPolicy(domain: string, id: string): Promise<StsFinding> {
    const fetched = await options.fetch(domain)
    if (fetched.kind === 'failed') {
      const { detail, failure } = fetched
      return { ...withPolicy(inForce(domain)), trouble: { detail, failure }, ttlMs: TROUBLE_MS }
    }
    const fetchedAt = clock.now()
    const policy = { ...fetched.policy, id, fetchedAt, expiresAt: fetchedAt + fetched.policy.maxAgeMs }
    memory.save(domain, policy)
    return { policy, ttlMs: FOUND_MS }
  }

  /** Beside the mail: what is in force stays so, whether this works or not. */
  async function refresh(domain: string, id: string): Promise<void> {
    if (refreshing.has(domain)) return
    refreshing.add(domain)
    const found = await fetchPolicy(domain, id)
    recent.set(domain, Promise.resolve(found), lifeOf(found))
    refreshing.delete(domain)
  }

  async function look(domain: string): Promise<StsFinding> {
    const kept = inForce(domain)
    const published = await publishedId(domain, options.txt)
    if (published.kind === 'none') return { ...withPolicy(kept), ttlMs: ABSENT_MS }
    if (published.kind === 'failed') return { ...withPolicy(kept), trouble: published.trouble, ttlMs: TROUBLE_MS }
    const { id } = published
    if (kept?.id !== id) return fetchPolicy(domain, id)
    if (clock.now() - kept.fetchedAt > Math.min(DAY, kept.maxAgeMs / 2)) void refresh(domain, id)
    return { policy: kept, ttlMs: FOUND_MS }
  }

  /** Not beyond the end of the policy. */
  function lifeOf({ policy, ttlMs }: StsFinding): number {
    return policy === undefined ? ttlMs : Math.max(0, Math.min(ttlMs, policy.expiresAt - clock.now()))
  }

  return {
    find(domain) {
      const known = recent.get(domain)
      if (known !== undefined) return known
      const asked = look(domain).then((found) => ({ ...found, ttlMs: lifeOf(found) }))
      recent.set(domain, asked, FOUND_MS)
      asked.then(
        ({ ttlMs }) => recent.set(domain, asked, ttlMs),
        () => recent.delete(domain),
      )
      return asked
    },
  }
}

/** Whether the policy names the host (RFC 8461 §4.1: a wildcard stands for one label). */
export function isNamedBy({ mode, mx }: PolicyText, host: string): boolean {
  return validateMx(host, { mode, mx: [...mx] }).valid
}

type Published =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly trouble: TlsTrouble }

/** The id in the TXT record `_mta-sts.<domain>` (RFC 8461 §3.1); several records, or one that is no record, are none. */
async function publishedId(domain: string, txt: MtaStsOptions['txt']): Promise<Published> {
  const answer = await txt(`_mta-sts.${domain}`)
  if (answer.kind === 'failed') {
    const detail = `TXT of _mta-sts.${domain}: ${answer.detail}`
    return { kind: 'failed', trouble: { detail, failure: 'sts-policy-fetch-error' } }
  }
  if (answer.kind !== 'ok') return { kind: 'none' }
  const rows = answer.items.map((item) => [item])
  // The library throws where there are several records, which is as good as none (RFC 8461 §3.1).
  const id = await resolvePolicy(domain, { strict: true, resolver: async () => rows }).catch(() => false as const)
  return id === false ? { kind: 'none' } : { kind: 'id', id }
}

function withPolicy(policy: StsPolicy | undefined): { readonly policy?: StsPolicy } {
  return policy === undefined ? {} : { policy }
}

/** Memory that ends with the process. */
export function forgetfulMemory(): PolicyMemory {
  const policies = new Map<string, StsPolicy>()
  return {
    load: (domain) => policies.get(domain),
    save: (domain, policy) => void policies.set(domain, policy),
  }
}
