// Who may bring mail, and how: listeners, limits, certificates, tenants, credentials, networks.

import { z } from 'zod'
import { cidr, duration, rate, size } from '../units.ts'
import { name, port, preset, suppressionMode, text } from './words.ts'

export const listener = z.strictObject({
  name: name().describe('Name in records, the log and the commands.'),
  address: text()
    .prefault('127.0.0.1')
    .describe(
      'Local address to listen on. A public one needs auth = "required" or trusted networks: Studs refuses to be an open relay.',
    ),
  port: port().describe('TCP port; 0 takes a free one.'),
  tls: z
    .enum(['starttls', 'implicit', 'none'])
    .prefault('starttls')
    .describe(
      'starttls = offered (587), implicit = from the first byte (465), none = plaintext only (trusted networks).',
    ),
  auth: z
    .enum(['required', 'optional', 'none'])
    .prefault('required')
    .describe('AUTH is offered only under TLS. optional = trusted networks may send without it.'),
})

export const submission = z.strictObject({
  max_size: size()
    .prefault('25MiB')
    .describe('Largest message; announced by SIZE, enforced while it arrives (552 5.3.4).'),
  max_recipients: z.number().int().min(1).prefault(1000).describe('Recipients per message; the next gets 452 4.5.3.'),
  max_connections: z
    .number()
    .int()
    .min(1)
    .prefault(1000)
    .describe('Connections over all listeners; the next gets 421 4.3.2.'),
  max_connections_per_ip: z
    .number()
    .int()
    .min(1)
    .prefault(50)
    .describe('Connections per client address (IPv6: per /64); the next gets 421 4.7.0.'),
  max_errors: z.number().int().min(1).prefault(20).describe('Refused commands per session before 421 4.7.0.'),
  max_junk_commands: z
    .number()
    .int()
    .min(1)
    .prefault(100)
    .describe('NOOP, RSET, VRFY, HELP and EHLO per session without a message before 421 4.7.0.'),
  max_received: z
    .number()
    .int()
    .min(1)
    .prefault(50)
    .describe('Received headers above which a message is taken for a loop (554 5.4.6).'),
  idle_timeout: duration().prefault('5m').describe('Silence of a client before it gets 421 4.4.2.'),
  transaction_timeout: duration()
    .prefault('10m')
    .describe('From MAIL to the final dot; a client that takes longer gets 421 4.4.2.'),
  auth_timeout: duration()
    .prefault('30s')
    .describe('From connecting to a successful AUTH where it is required; a client that takes longer gets 421 4.4.2.'),
  min_data_rate: size()
    .prefault('500B')
    .describe(
      'Bytes per second that a client must keep up in DATA after the first 10 s; 421 4.4.2 below it. "0" = no minimum.',
    ),
  max_messages_per_connection: z
    .number()
    .int()
    .min(1)
    .prefault(10_000)
    .describe('Messages per connection before 421 4.3.2.'),
})

export const tls = z.strictObject({
  directory: text()
    .prefault('certs')
    .describe(
      'Folder of the certificate and key, relative as data.directory is. With neither file there, a self-signed one for trial is made at first start.',
    ),
  certificate: text()
    .prefault('relay.crt')
    .describe('PEM chain, own certificate first; reloaded when the file changes.'),
  key: text().prefault('relay.key').describe('PEM private key; reloaded together with the certificate.'),
  min_version: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .prefault('TLSv1.2')
    .describe('Oldest TLS version that submission accepts.'),
})

export const tenant = z.strictObject({
  name: name().describe('Name of the tenant; part of every record. There is always "default".'),
  preset: preset()
    .prefault('standard')
    .describe('How long mail is tried: standard 72 h, transactional 8 h, patient 5 d.'),
  lifetime: duration().optional().describe('Overrides the life of the preset.'),
  pool: name().optional().describe('Pool of sources its mail leaves from; default: the pool "default".'),
  pools: z.array(name()).prefault([]).describe('Further pools that its messages may name in X-Studs-Pool.'),
  suppression_mode: suppressionMode()
    .prefault('accept')
    .describe(
      'What the app sees for a suppressed recipient: accept = 250 and not relayed, reject = 550 5.7.1 at RCPT, auto = 550 5.7.1 after the dot when all are suppressed.',
    ),
  use_global: z
    .boolean()
    .prefault(true)
    .describe('Whether addresses that several tenants learned to be dead are suppressed here too.'),
  any_sender: z
    .boolean()
    .prefault(false)
    .describe(
      'Accept every sender domain, not only the ones given to this tenant. Mail from other domains is not signed.',
    ),
  role_addresses: z
    .enum(['allow', 'refuse'])
    .prefault('allow')
    .describe(
      'refuse = recipients such as abuse@ and noreply@ (suppression.roles) count as suppressed, reason "policy": lists of customers rarely mean them.',
    ),
  max_queued: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('Waiting recipients this tenant may have; more get 452 4.3.1. Default: no limit.'),
  message_rate: rate()
    .optional()
    .describe('Messages this tenant may send, over all destinations; further ones wait. Default: no limit.'),
})

export const tagLimit = z.strictObject({
  tag: text().describe('Tag of messages (X-Studs-Tag), such as a campaign.'),
  tenant: name().optional().describe('Only messages of this tenant. Default: of all, each tenant by itself.'),
  message_rate: rate().describe('Messages with this tag, over all destinations; further ones wait.'),
})

export const credential = z.strictObject({
  name: text().describe('User name for AUTH.'),
  tenant: name().prefault('default').describe('Tenant whose mail it sends.'),
  password: z
    .string()
    .regex(
      /^scrypt:\d{1,7}:\d{1,2}:\d{1,2}:[A-Za-z0-9+/]+={0,2}:[A-Za-z0-9+/]+={0,2}$/,
      'expected a hash made by `studs credential hash`',
    )
    .optional()
    .describe('Hash made by `studs credential hash`. Secret.'),
  password_file: text().optional().describe('File with that hash.'),
  suppression_mode: suppressionMode().optional().describe("Overrides the tenant's."),
  dsn: z
    .enum(['requested', 'failures', 'never'])
    .prefault('requested')
    .describe('Delivery reports to the envelope sender: as NOTIFY asks, failures also without being asked, or never.'),
  list_unsubscribe: z
    .boolean()
    .prefault(false)
    .describe(
      'Add List-Unsubscribe (RFC 2369) and List-Unsubscribe-Post (RFC 8058) to messages with one recipient that have none. For newsletters; needs return_path in [[domain]].',
    ),
  feedback_id: z
    .boolean()
    .prefault(false)
    .describe(
      'Add a Feedback-ID, tag:tenant:mail:sender, to signed messages that have none: Google shows complaints by its parts.',
    ),
  disabled: z.boolean().prefault(false).describe('Refuse AUTH with 535 5.7.8.'),
})

export const network = z.strictObject({
  cidr: cidr().describe('Clients in this network may send without AUTH.'),
  tenant: name().prefault('default').describe('Tenant their mail belongs to.'),
})
