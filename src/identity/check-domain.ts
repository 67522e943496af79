// Everything that DNS should say about one sender domain, in one go. Data in, data out: the command line prints it, and
// whatever watches a domain may compare it with the last one.

import type { BounceListenerSettings } from '../config/schema.ts'
import { checkDkim } from './check-dkim.ts'
import { checkDmarc } from './check-dmarc.ts'
import { checkReturnPath } from './check-return-path.ts'
import { checkSpf } from './check-spf.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { Lookup } from './lookup.ts'
import type { Sender } from './sender.ts'

export interface DomainParts {
  readonly sender: Sender
  readonly lookup: Lookup
  readonly listeners: readonly BounceListenerSettings[]
  readonly machineAddresses: readonly string[]
}

/** Without its sources, which several domains may share. Never rejects for what DNS says. */
export async function checkDomain(parts: DomainParts): Promise<Diagnosis[]> {
  const { sender, lookup } = parts
  const checks = await Promise.all([
    checkSpf(sender, lookup),
    checkDkim(sender, lookup),
    checkDmarc(sender, lookup),
    checkReturnPath(parts),
  ])
  return checks.flat()
}
