// The rules of MAIL and RCPT, in the order in which they are asked. MAIL: whose mail is it, may that tenant send as this
// domain, is the message too big, is there room. RCPT: how many, does the domain take mail, is the address suppressed.

import type { ListenerSettings, TenantSettings } from '../config/schema.ts'
import type { Domain, EmailAddress } from '../mail/address.ts'
import type { Cause } from '../mail/outcome.ts'
import type { Acceptor } from '../queue/submission.ts'
import type { Suppression } from '../suppression/suppression.ts'
import type { Envelope } from './envelope.ts'
import type { MailCommand, RcptCommand } from './path.ts'
import { REPLY, type Reply, recipientSuppressed, senderNotAllowed } from './replies.ts'
import type { Tenancy } from './tenancy.ts'

/** What the rules ask the rest of Studs; answered at once, without I/O. */
export interface EnvelopePolicy {
  isSuppressed(tenant: string, address: EmailAddress): Suppression | undefined
  knownNullMx(domain: Domain): Cause | undefined
  /** The store has no room. */
  isPaused(): boolean
}

export interface MailCircumstances {
  readonly tenancy: Tenancy
  readonly policy: EnvelopePolicy
  readonly acceptor: Pick<Acceptor, 'mayQueue'>
  readonly maxSize: number
  /** The authenticated credential. */
  readonly user: string | undefined
  readonly auth: ListenerSettings['auth']
  /** The tenant whose trusted network the client is in. */
  readonly trusted: TenantSettings | undefined
  /** The client speaks TLS. */
  readonly isSecure: boolean
  /** Monotonic. */
  readonly startedAt: number
}

export function openEnvelope(at: MailCircumstances, mail: MailCommand): Envelope | Reply {
  const owner = ownerOf(at)
  if ('code' in owner) return owner
  const { tenant, credential } = owner
  const { sender, sizeBytes, smtpUtf8, dsn, requireTls } = mail
  if (requireTls && !at.isSecure) return REPLY.requireTlsNeedsTls
  if (sender !== undefined && !at.tenancy.maySendAs(tenant, sender.domain))
    return senderNotAllowed(tenant.name, sender.domain)
  if (sizeBytes > at.maxSize) return REPLY.tooBig
  if (!at.acceptor.mayQueue(tenant.name, 1)) return REPLY.quota
  if (at.policy.isPaused()) return REPLY.paused
  return {
    tenant,
    credential,
    sender: sender?.text ?? '',
    smtpUtf8,
    dsn,
    requireTls,
    recipients: new Map(),
    startedAt: at.startedAt,
  }
}

type Owner = Pick<Envelope, 'tenant' | 'credential'>

/** A credential speaks for its tenant; without one a trusted network does, where the listener allows it. */
function ownerOf({ tenancy, user, auth, trusted }: MailCircumstances): Owner | Reply {
  if (user !== undefined) {
    const credential = tenancy.credential(user)
    const tenant = credential === undefined ? undefined : tenancy.tenant(credential.tenant)
    // Taken away or disabled since the client logged in.
    if (credential === undefined || tenant === undefined || credential.disabled) return REPLY.authRequired
    return { tenant, credential }
  }
  if (auth === 'required') return REPLY.authRequired
  if (trusted !== undefined) return { tenant: trusted, credential: undefined }
  return auth === 'optional' ? REPLY.authRequired : REPLY.notTrusted
}

export interface RcptCircumstances {
  readonly envelope: Envelope
  readonly policy: EnvelopePolicy
  readonly acceptor: Pick<Acceptor, 'mayQueue'>
  readonly maxRecipients: number
}

/** Adds the recipient to the envelope, or says why not. The same address twice is one recipient. */
export function takeRecipient(at: RcptCircumstances, { recipient, dsn }: RcptCommand): Reply | undefined {
  const { envelope, policy, acceptor, maxRecipients } = at
  const { recipients, tenant } = envelope
  if (policy.knownNullMx(recipient.domain) !== undefined) return REPLY.nullMx
  const isNew = !recipients.has(recipient.text)
  if (isNew && recipients.size >= maxRecipients) return REPLY.tooManyRecipients
  if (isNew && !acceptor.mayQueue(tenant.name, recipients.size + 1)) return REPLY.quota
  const suppressed = policy.isSuppressed(tenant.name, recipient.text)
  if (suppressed !== undefined && suppressionMode(envelope) === 'reject') {
    return recipientSuppressed(suppressed.reason, suppressed.createdAt)
  }
  recipients.set(recipient.text, {
    address: recipient.text,
    domain: recipient.domain,
    ...(dsn === undefined ? {} : { dsn }),
    ...(suppressed === undefined ? {} : { suppressed }),
  })
  return undefined
}

const suppressionMode = ({ credential, tenant }: Envelope) => credential?.suppressionMode ?? tenant.suppressionMode

/** Mode auto: the app hears of it when there is nobody left to send to. */
export function allSuppressed(envelope: Envelope): Reply | undefined {
  if (suppressionMode(envelope) !== 'auto') return undefined
  for (const { suppressed } of envelope.recipients.values()) if (suppressed === undefined) return undefined
  return REPLY.allSuppressed
}
