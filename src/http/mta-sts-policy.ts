// The MTA-STS policies of our own return-path domains (RFC 8461 §3.2), served beside the unsubscribe links by the name that is
// asked for. Whether others can trust it is the business of the certificate that the TLS proxy shows for that name.

import type { DomainSettings } from '../config/schema.ts'
import { stsPolicy } from '../identity/record.ts'

/** RFC 8461 §3.2. */
export const POLICY_PATH = '/.well-known/mta-sts.txt'

/** What stands at POLICY_PATH of `host`; undefined where it is not the policy host of one of these domains. */
export function policyAt(
  host: string,
  { domains, mxHost }: { readonly domains: readonly DomainSettings[]; readonly mxHost: string },
): string | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
  const domain = domains.find(({ returnPath, mtaSts }) => mtaSts !== undefined && name === `mta-sts.${returnPath}`)
  return domain?.mtaSts === undefined ? undefined : stsPolicy(mxHost, domain.mtaSts)
}
