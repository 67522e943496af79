// Every option of Studs: name, type, unit, default, consequence. The reference (docs/configuration.md), the commented
// config/studs.toml, `studs config describe`, the check and the environment overrides all come from here.
// Keys are snake_case in the file and camelCase in the code (config/load.ts converts them).

import { z } from 'zod'
import { bounce, bounceBox, bounceListener, mailbox, suppression, unsubscribe } from './sections/bounces.ts'
import { delivery, pace, route, tlsPolicy, tlsReport } from './sections/delivery.ts'
import { alert, doctor, health } from './sections/health.ts'
import { domain, pool, source } from './sections/senders.ts'
import { credential, listener, network, submission, tagLimit, tenant, tls } from './sections/submission.ts'
import { api, data, log, metrics, node, queue, sandbox } from './sections/system.ts'

export const schema = z.strictObject({
  node: node.prefault({}).describe('This node.'),
  data: data.prefault({}).describe('Where things are kept.'),
  log: log.prefault({}).describe('The log on standard output.'),
  api: api.prefault({}).describe('The local API.'),
  metrics: metrics.prefault({}).describe('Numbers for Prometheus.'),
  tls: tls.prefault({}).describe('Certificate of the listeners.'),
  listener: z
    .array(listener)
    .prefault([
      { name: 'submission', port: 2587, tls: 'starttls', auth: 'required' },
      { name: 'submissions', port: 2465, tls: 'implicit', auth: 'required' },
      { name: 'trusted', port: 2525, tls: 'starttls', auth: 'optional' },
    ])
    .describe('Where apps submit mail. One table each.'),
  network: z
    .array(network)
    .prefault([{ cidr: '127.0.0.0/8' }, { cidr: '::1' }])
    .describe('Trusted networks: may send without AUTH where a listener\'s auth is not "required".'),
  submission: submission.prefault({}).describe('Limits of submission.'),
  bounce_listener: z
    .array(bounceListener)
    .prefault([{ name: 'bounces', port: 2528 }])
    .describe('Where reports come back: bounces, complaints, unsubscribe requests. One table each.'),
  bounce: bounce.prefault({}).describe('Reports that come back.'),
  bounce_box: z
    .array(bounceBox)
    .prefault([])
    .describe(
      'Addresses besides signed return paths. postmaster@ and abuse@ of the return-path domains are always taken.',
    ),
  mailbox: z
    .array(mailbox)
    .prefault([])
    .describe('IMAP mailboxes into which reports fall, such as those of From and Reply-To addresses.'),
  unsubscribe: unsubscribe.prefault({}).describe('Unsubscribe links.'),
  tenant: z
    .array(tenant)
    .prefault([{ name: 'default', any_sender: true }])
    .describe('Customers of the relay.'),
  tag_limit: z.array(tagLimit).prefault([]).describe('Rates of messages by their tag.'),
  credential: z.array(credential).prefault([]).describe('Who may AUTH.'),
  domain: z.array(domain).prefault([]).describe('Sender domains.'),
  queue: queue.prefault({}).describe('Retry and retention.'),
  delivery: delivery.prefault({}).describe('How mail leaves.'),
  route: z.array(route).prefault([]).describe('Static routes; the most specific domain wins.'),
  tls_policy: z
    .array(tlsPolicy)
    .prefault([])
    .describe('TLS towards single domains; the most specific domain wins. Routes have their own. See docs/tls.md.'),
  tls_report: tlsReport.prefault({}).describe('Reports to receivers about TLS.'),
  source: z
    .array(source)
    .prefault([{ name: 'default' }])
    .describe('Sending addresses.'),
  pool: z
    .array(pool)
    .prefault([{ name: 'default', sources: [{ source: 'default' }] }])
    .describe('Weighted sets of sources.'),
  pace: pace.prefault({}).describe('How paths are slowed down, and come back, by what receivers say.'),
  suppression: suppression.prefault({}).describe('From failures to suppressions.'),
  sandbox: sandbox.prefault({}).describe('The pretend internet.'),
  health: health.prefault({}).describe('Counts by tenant, provider, source and path.'),
  alert: alert.prefault({}).describe('When a person should look. See docs/health.md.'),
  doctor: doctor.prefault({}).describe('What `studs doctor` looks at, and when the relay does so by itself.'),
})

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type CamelKeys<T> = T extends readonly (infer Item)[]
  ? readonly CamelKeys<Item>[]
  : T extends object
    ? { readonly [Key in keyof T as Key extends string ? Camel<Key> : Key]: CamelKeys<T[Key]> }
    : T

/** The effective settings, with camelCase keys, numbers instead of units, defaults filled in. */
export type Settings = CamelKeys<z.output<typeof schema>>
export type ListenerSettings = Settings['listener'][number]
export type TenantSettings = Settings['tenant'][number]
export type CredentialSettings = Settings['credential'][number]
export type DomainSettings = Settings['domain'][number]
export type RouteSettings = Settings['route'][number]
export type TlsPolicySettings = Settings['tlsPolicy'][number]
export type BounceListenerSettings = Settings['bounceListener'][number]
export type BounceBoxSettings = Settings['bounceBox'][number]
export type MailboxSettings = Settings['mailbox'][number]
export type SourceSettings = Settings['source'][number]
export type WarmUpSettings = NonNullable<SourceSettings['warmUp']>
