// TLSA records as SMTP reads them (RFC 6698, 7671, 7672): which of several count. Pure.

import type { Tlsa } from './tls-demand.ts'

export const DANE_TA = 2
export const DANE_EE = 3
const FULL = 0
/** A zone with thousands of records must not cost us. */
const MAX_RECORDS = 64
/** Bytes of a digest by matching type: SHA-256, SHA-512. */
const DIGEST_BYTES: Readonly<Record<number, number>> = { 1: 32, 2: 64 }

/**
 * What a server can be authenticated by. Empty when none of the records can be used: PKIX usages (RFC 7672 §3.1.3),
 * unknown parameters, digests of the wrong length.
 */
export function usableTlsa(records: readonly Tlsa[]): readonly Tlsa[] {
  const usable = records.filter(isUsable)
  return usable.filter((record) => !isOutdone(record, usable)).slice(0, MAX_RECORDS)
}

function isUsable({ usage, selector, matching, data }: Tlsa): boolean {
  if (usage !== DANE_TA && usage !== DANE_EE) return false
  if (selector !== 0 && selector !== 1) return false
  return matching === FULL ? data.length > 0 : data.length / 2 === DIGEST_BYTES[matching]
}

/** Digest agility (RFC 7671 §9): of two digests of the same kind of thing, only the stronger one counts. */
function isOutdone(record: Tlsa, all: readonly Tlsa[]): boolean {
  return (
    record.matching === 1 &&
    all.some(
      ({ usage, selector, matching }) => matching === 2 && usage === record.usage && selector === record.selector,
    )
  )
}
