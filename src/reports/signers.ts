// Whose DKIM signature holds on a mail: what a feedback loop proves itself with (RFC 6376). Asks DNS; a mail of which
// nothing can be proved, for whatever reason, proves nothing.

import { Resolver } from 'node:dns/promises'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { SECOND } from '../util/clock.ts'

const TIMEOUT_MS = 5 * SECOND

/** The domains (d=) whose signature holds and covers the whole mail, in lower case. `servers`: none = the system's. */
export function createSignersOf(servers: () => readonly string[]): (raw: Buffer) => Promise<readonly string[]> {
  return async (raw) => {
    const dns = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
    if (servers().length > 0) dns.setServers(servers())
    try {
      const { results } = await dkimVerify(raw, {
        resolver: async (name, type) => (type === 'TXT' ? dns.resolveTxt(name) : []),
      })
      return (
        results
          // With l= anybody can put a report behind what was signed (RFC 6376 §8.2).
          .filter(({ status, canonBodyLengthLimited }) => status.result === 'pass' && canonBodyLengthLimited !== true)
          .flatMap(({ signingDomain }) => signingDomain?.toLowerCase() ?? [])
      )
    } catch {
      return [] // Neither a broken mail nor a broken resolver proves anything.
    }
  }
}
