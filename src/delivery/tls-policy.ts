// How TLS is tried with a host. Opportunistic TLS protects against listeners and must not cost delivery (RFC 7435): a
// host whose STARTTLS fails is tried without for a while. Where TLS is required nothing is remembered: it stays required.

import type { Clock } from '../util/clock.ts'
import { ExpiringMap } from './expiring-map.ts'

export type TlsMode = 'opportunistic' | 'required' | 'none'

const MAX_HOSTS = 50_000

export interface TlsPolicy {
  modeFor(address: string, wanted: TlsMode): TlsMode
  /** Remembers the host as broken; true when it makes sense to try again without TLS at once. */
  failed(address: string, used: TlsMode): boolean
}

export function createTlsPolicy(clock: Clock, memoryMs: number): TlsPolicy {
  const broken = new ExpiringMap<true>(clock, MAX_HOSTS)
  return {
    modeFor: (address, wanted) => (wanted === 'opportunistic' && broken.has(address) ? 'none' : wanted),
    failed(address, used) {
      if (used !== 'opportunistic') return false
      broken.set(address, true, memoryMs)
      return true
    },
  }
}
