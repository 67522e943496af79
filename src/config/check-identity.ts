// Who mail says it is from: keys that sign, signatures and return paths that are aligned with the sender domain (what DMARC
// asks for), Feedback-IDs that can be believed. Pure; what DNS makes of it only `studs dns check` can tell.

import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import { isPrivate } from './network.ts'
import type { DomainSettings, Settings } from './schema.ts'

export function* checkIdentity(settings: Settings): Iterable<Finding> {
  for (const [index, domain] of settings.domain.entries()) yield* checkDomain(domain, `domain.${index}`)
  yield* checkForeignAuthors(settings)
  yield* checkFeedback(settings)
  yield* checkPublicAddresses(settings)
}

function* checkDomain({ name, returnPath, dkim }: DomainSettings, path: string): Iterable<Finding> {
  const signs = dkim.some(({ state }) => state === 'sign')
  if (dkim.length > 0 && !signs) {
    const message = `no key of ${name} signs: its mail goes out without a DKIM signature`
    yield doubtful(`${path}.dkim`, { message, cure: 'set state = "sign" for a key whose record is published' })
  }
  if (returnPath === undefined || areRelated(name, returnPath)) return
  const message = signs
    ? `the return path ${returnPath} is not aligned with ${name}: mail passes DMARC by its DKIM signature alone`
    : `neither DKIM nor the return path ${returnPath} is aligned with ${name}: its mail fails DMARC`
  yield doubtful(`${path}.return_path`, { message, cure: `take a return path below ${name}` })
}

/**
 * Whether relaxed alignment (RFC 9989 §3.2) may hold: one below the other, or siblings below a common parent. Of siblings
 * below a public suffix such as co.uk only DNS can tell.
 */
function areRelated(one: string, other: string): boolean {
  if (one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`)) return true
  const parent = (name: string): string => name.split('.').slice(-2).join('.')
  return parent(one) === parent(other)
}

// A tenant with any_sender may write a From of another domain: what signs then is the domain of the envelope sender.
function* checkForeignAuthors({ delivery, tenant, domain }: Settings): Iterable<Finding> {
  if (delivery.mode === 'sandbox') return
  for (const [index, { name, anySender }] of tenant.entries()) {
    if (!anySender || !domain.some((own) => own.tenant === name)) continue
    const message = `tenant "${name}" may send as any domain: mail from one that is not configured has no DKIM signature aligned with it, and fails DMARC where there is a policy`
    yield doubtful(`tenant.${index}.any_sender`, { message, cure: 'remove any_sender and add a [[domain]] for each' })
  }
}

function* checkFeedback({ credential, domain }: Settings): Iterable<Finding> {
  for (const [index, { tenant, feedbackId, disabled }] of credential.entries()) {
    if (!feedbackId || disabled) continue
    const signs = domain.some((own) => own.tenant === tenant && own.dkim.some(({ state }) => state === 'sign'))
    if (signs) continue
    const message = `no sender domain of tenant "${tenant}" is signed, so no Feedback-ID is added`
    yield doubtful(`credential.${index}.feedback_id`, { message, cure: 'add a [[domain.dkim]]' })
  }
}

function* checkPublicAddresses({ source }: Settings): Iterable<Finding> {
  for (const [index, { publicIpv4, publicIpv6 }] of source.entries()) {
    for (const [key, address] of [
      ['public_ipv4', publicIpv4],
      ['public_ipv6', publicIpv6],
    ] as const) {
      if (address === undefined || !isPrivate(address)) continue
      yield wrong(`source.${index}.${key}`, {
        message: `nobody on the internet sees the address ${address}`,
        cure: 'write the address that NAT shows to others, or remove the option',
      })
    }
  }
}
