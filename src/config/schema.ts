// Every option of Studs: name, type, unit, default, consequence. The reference (docs/configuration.md), the commented
// config/studs.toml, `studs config describe`, the check and the environment overrides all come from here.
// Keys are snake_case in the file and camelCase in the code (config/load.ts converts them).

import { z } from 'zod'
import { cidr, duration, rate, size } from './units.ts'

const port = () => z.number().int().min(0).max(65_535)
const name = () =>
  z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected a name of lower-case letters, digits, ".", "_" and "-"')
const domainName = () =>
  z
    .string()
    .toLowerCase()
    .regex(/^[^\s@]+$/, 'expected a domain name')
const text = () => z.string().min(1)

const node = z.strictObject({
  hostname: text()
    .optional()
    .describe(
      'Name said in the greeting, in EHLO (unless a source has its own) and in Received. Should resolve to this host and back. Default: the host name of the machine.',
    ),
  id: z
    .number()
    .int()
    .min(0)
    .max(1023)
    .prefault(0)
    .describe(
      'Number of this node, part of every id and return path. Two nodes that share return-path domains need different ones.',
    ),
})

const data = z.strictObject({
  directory: text()
    .prefault('data')
    .describe(
      'Where the store, the API socket and generated keys live. Local disk only (no NFS, no overlay); created with mode 0700. Relative to the folder of the config file (to its parent if that folder is called "config").',
    ),
  map_size: size()
    .prefault('64GiB')
    .describe(
      'Address space reserved for the store. The file only grows as needed; beyond this it is mapped anew, which costs a moment. No quota: see min_free.',
    ),
  min_free: size()
    .prefault('256MiB')
    .describe(
      'Below this much free disk new mail is refused with 452 4.3.1 until there is room again. "0" turns the check off; a full disk is then noticed by the failing write.',
    ),
})

const log = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).prefault('info').describe('Least severity that is written.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .prefault('auto')
    .describe('One line an event: JSON, or coloured for people. auto = pretty on a terminal.'),
  addresses: z
    .enum(['full', 'domain', 'hash'])
    .prefault('full')
    .describe('How recipients appear in the log: whole, only their domain, or as a keyed hash.'),
})

const listener = z.strictObject({
  name: name().describe('Name in records and metrics.'),
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

const bounceListener = z.strictObject({
  name: name().describe('Name in records and metrics.'),
  address: text().prefault('127.0.0.1').describe('Local address to listen on.'),
  port: port().describe(
    'TCP port; the MX of the return-path domains must lead here, so 25 in the end. 0 takes a free one.',
  ),
  tls: z.enum(['starttls', 'none']).prefault('starttls').describe('Whether STARTTLS is offered.'),
})

const bounce = z.strictObject({
  max_size: size()
    .prefault('1MiB')
    .describe('What is kept of a report while it arrives; the rest is read and thrown away.'),
  keep_raw: duration().prefault('30d').describe('How long the mail that came back is kept. "0" = not at all.'),
  max_connections: z
    .number()
    .int()
    .min(1)
    .prefault(200)
    .describe('Connections over all bounce listeners; the next gets 421 4.3.2.'),
  max_connections_per_ip: z
    .number()
    .int()
    .min(1)
    .prefault(10)
    .describe('Connections per client address (IPv6: per /64); the next gets 421 4.7.0.'),
  rate_per_ip: rate()
    .prefault('600/min')
    .describe('Reports per client address (IPv6: per /64); further ones get 450 4.7.1 and come again.'),
  reports_per_recipient: z
    .number()
    .int()
    .min(1)
    .prefault(5)
    .describe('Reports in 24 h about one recipient of one message; further ones get 550 5.7.1.'),
  max_bad_recipients: z
    .number()
    .int()
    .min(1)
    .prefault(10)
    .describe('Refused recipients per session before 421 4.7.0: whoever guesses return paths.'),
  idle_timeout: duration().prefault('2m').describe('Silence of a client before it gets 421 4.4.2.'),
  transaction_timeout: duration()
    .prefault('5m')
    .describe('From MAIL to the final dot; a client that takes longer gets 421 4.4.2.'),
  rules: text()
    .optional()
    .describe(
      "File with the operator's own rules for replies, asked before the shipped ones; relative as data.directory is. Read again on reload.",
    ),
  feedback_domains: z
    .array(domainName())
    .prefault([])
    .describe(
      'DKIM domains of feedback loops (d= of their reports). A complaint without a token of ours counts only with a valid signature of one of them. Never a domain whose users can send mail with the same signature, such as that of a mailbox provider itself: they could complain for anybody.',
    ),
})

const bounceBox = z.strictObject({
  address: z
    .string()
    .regex(/^(\*|[^\s@]+)@[^\s@]+$/, 'expected an address, or *@domain for all others of a domain')
    .describe('Address that the bounce listener takes besides signed return paths; *@domain takes every other one.'),
  kind: z
    .enum(['feedback', 'unsubscribe', 'postmaster', 'catch-all'])
    .prefault('catch-all')
    .describe(
      'What comes there: complaints of a feedback loop, unsubscribe requests, mail to people (postmaster@, abuse@), or anything.',
    ),
})

const mailbox = z.strictObject({
  name: name().describe('Name in records and the log.'),
  host: text().describe('IMAP server.'),
  port: port().prefault(993).describe('Its port.'),
  tls: z
    .enum(['implicit', 'starttls', 'none'])
    .prefault('implicit')
    .describe(
      'implicit = from the first byte (993), starttls = demanded (143), none = plaintext, only where host is a loopback address.',
    ),
  user: text().describe('User name.'),
  password: text().optional().describe('Password. Secret.'),
  password_file: text().optional().describe('File with the password.'),
  folder: text().prefault('INBOX').describe('Folder into which reports fall.'),
  poll: duration()
    .prefault('5m')
    .describe(
      'Wait between looks where the server has no IDLE. After an error it is tried again after 5 s, then ever less often, up to this.',
    ),
  done: z
    .enum(['seen', 'delete', 'move'])
    .prefault('seen')
    .describe('What is done with a report once it is recorded. Other mail is left as it is.'),
  move_to: text().optional().describe('Folder for done = "move".'),
})

const unsubscribe = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\/[^\s?#]+$/, 'expected a URL: https://mail.example.com/u')
    .optional()
    .describe(
      'Public base URL of the one-click endpoint (RFC 8058), e.g. https://mail.example.com/u. A TLS proxy in front of unsubscribe.address leads here. Without it only the mailto form is offered.',
    ),
  address: text().prefault('127.0.0.1').describe('Local address of the one-click endpoint.'),
  port: port().optional().describe('Its port. Default: the endpoint is off.'),
  keep: duration()
    .prefault('365d')
    .describe('How long a signed unsubscribe address or link works after the mail was accepted.'),
})

const submission = z.strictObject({
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

const tls = z.strictObject({
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

const suppressionMode = () => z.enum(['accept', 'auto', 'reject'])
const preset = () => z.enum(['standard', 'transactional', 'patient'])

const tenant = z.strictObject({
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

const tagLimit = z.strictObject({
  tag: text().describe('Tag of messages (X-Studs-Tag), such as a campaign.'),
  tenant: name().optional().describe('Only messages of this tenant. Default: of all, each tenant by itself.'),
  message_rate: rate().describe('Messages with this tag, over all destinations; further ones wait.'),
})

const credential = z.strictObject({
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

const network = z.strictObject({
  cidr: cidr().describe('Clients in this network may send without AUTH.'),
  tenant: name().prefault('default').describe('Tenant their mail belongs to.'),
})

const dkimKey = z.strictObject({
  selector: text().describe('Selector under which the public key is published.'),
  key_file: text().describe('PEM private key, RSA ≥ 2048 or Ed25519; relative as data.directory is.'),
  state: z
    .enum(['sign', 'publish', 'retired'])
    .prefault('sign')
    .describe(
      'sign = adds a signature; publish = stands in DNS but does not sign yet; retired = signs no more, stays in DNS while mail it signed is under way. See docs/identity.md.',
    ),
})

const domain = z.strictObject({
  name: domainName().describe('Domain that may stand in MAIL FROM and From.'),
  tenant: name().prefault('default').describe('Tenant that may send as it.'),
  subdomains: z.boolean().prefault(false).describe('Allow its subdomains too.'),
  return_path: domainName()
    .optional()
    .describe(
      "Domain of the signed return paths; its MX must point here. Without it the app's own envelope sender goes out and only refusals during delivery are captured.",
    ),
  mta_sts: z
    .enum(['testing', 'enforce', 'none'])
    .optional()
    .describe(
      'Mode of the MTA-STS policy (RFC 8461) of return_path, which the endpoint at unsubscribe.port then serves to whoever asks for mta-sts.<return_path>; a TLS proxy with a certificate for that name leads there. Default: no policy is served.',
    ),
  dkim: z
    .array(dkimKey)
    .prefault([])
    .describe('Keys to sign with; every one adds a signature, unless its state says otherwise.'),
})

const queue = z.strictObject({
  retry: z
    .array(duration())
    .min(1)
    .prefault(['5m', '10m', '20m', '40m', '1h 20m', '2h 40m', '4h'])
    .describe('Waits between attempts; the last one repeats.'),
  jitter: z
    .number()
    .min(0)
    .max(0.5)
    .prefault(0.1)
    .describe('Random part of each wait, so that retries spread: 0.1 = ±10 %.'),
  lifetime: duration()
    .prefault('72h')
    .describe('Life of a message in the preset standard; then it expires as a soft bounce.'),
  max_in_flight: z.number().int().min(1).prefault(2000).describe('Recipients handed to delivery at one time.'),
  keep_body: duration().prefault('0').describe('How long the body of a finished message is kept.'),
  keep_journal: duration()
    .prefault('30d')
    .describe('How long finished messages and their records are kept. Must cover the days in which late bounces come.'),
  return_path_days: z.number().int().min(1).max(60).prefault(21).describe('Days a signed return path is accepted.'),
})

const delivery = z.strictObject({
  mode: z
    .enum(['sandbox', 'internet'])
    .prefault('sandbox')
    .describe('sandbox = every mail goes to the built-in pretend internet; internet = real MX hosts.'),
  workers: z
    .number()
    .int()
    .min(0)
    .max(16)
    .prefault(1)
    .describe('Threads that deliver; 0 = in the main thread. Paths are divided among them, so limits stay exact.'),
  resolvers: z
    .array(text())
    .prefault([])
    .describe('Name servers as "address" or "address:port". Default: those of the system.'),
  dns_timeout: duration()
    .prefault('5s')
    .describe('Wait for the answer to one DNS query, which is sent twice; then the mail is deferred.'),
  port: port().prefault(25).describe('Port of the MX hosts.'),
  allow_private: z
    .boolean()
    .prefault(false)
    .describe('Deliver to loopback, private and other special addresses that DNS names. Routes have their own switch.'),
  tls: z
    .enum(['opportunistic', 'required', 'none'])
    .prefault('opportunistic')
    .describe(
      'STARTTLS: used where offered without checking the name; demanded and checked; or never. [[tls_policy]] says otherwise for single domains; what a domain publishes (dane, mta_sts) is demanded besides.',
    ),
  dane: z
    .enum(['auto', 'on', 'off'])
    .prefault('auto')
    .describe(
      'TLSA records (RFC 7672) that a validating name server vouches for: TLS is demanded and the certificate held against them. auto = if the name servers are on this machine or a private network; on = also if farther away; off = never.',
    ),
  mta_sts: z.boolean().prefault(true).describe('Fetch and obey the MTA-STS policies (RFC 8461) of recipient domains.'),
  ca: text()
    .optional()
    .describe(
      'PEM certificates of authorities that are trusted besides the well-known ones, for next hops and policy hosts.',
    ),
  ca_file: text().optional().describe('File with them.'),
  broken_tls_memory: duration()
    .prefault('1h')
    .describe('How long a host whose TLS failed is tried without (opportunistic only).'),
  connections: z
    .number()
    .int()
    .min(1)
    .prefault(10)
    .describe('Connections at one time per path (source × site). More are faster, and sooner unwelcome.'),
  messages_per_connection: z
    .number()
    .int()
    .min(1)
    .prefault(100)
    .describe('Messages before a connection is closed and a new one made.'),
  connection_rate: rate().prefault('100/min').describe('New connections per path; further ones wait.'),
  message_rate: rate()
    .optional()
    .describe('Messages per path; further ones wait. Default: no limit. See docs/shaping.md for what a rate means.'),
  idle_timeout: duration().prefault('5s').describe('How long an idle connection is kept for the next message.'),
  shaping: text()
    .optional()
    .describe(
      'File with what holds for single providers, sites, domains and sources: limits, TLS, timeouts, retries; relative as data.directory is. Read again on reload. See docs/shaping.md.',
    ),
  presets: z
    .boolean()
    .prefault(true)
    .describe(
      'Use the shipped limits for big receivers (Google, Microsoft, Yahoo, …); they win over the options here. `studs resolve` shows which hold.',
    ),
  ipv6: z.boolean().prefault(true).describe('Try IPv6 addresses (first) where a source has one.'),
  max_hosts: z
    .number()
    .int()
    .min(1)
    .prefault(10)
    .describe('MX hosts tried per domain, best preference first; the others are ignored.'),
  connect_timeout: duration()
    .prefault('30s')
    .describe(
      'Wait for the TCP connection; then the next host is tried. RFC 5321 §4.5.3.2 for this and the following.',
    ),
  greeting_timeout: duration().prefault('5m').describe('Wait for the greeting; busy receivers are slow on purpose.'),
  command_timeout: duration()
    .prefault('5m')
    .describe('Wait for the reply to EHLO, STARTTLS, AUTH, MAIL, RCPT and RSET; then the mail is deferred.'),
  data_timeout: duration().prefault('2m').describe('Wait for the reply to DATA; then the mail is deferred.'),
  block_timeout: duration()
    .prefault('3m')
    .describe('Time without progress while the message is sent; then the mail is deferred.'),
  dot_timeout: duration()
    .prefault('10m')
    .describe(
      'Wait for the reply to the final dot. Shortening it makes duplicates: the receiver may have the mail already.',
    ),
  attempt_timeout: duration()
    .prefault('20m')
    .describe('A whole attempt, whatever it waits for; then the mail is deferred.'),
})

const route = z.strictObject({
  domain: domainName().describe('Recipient domain, "*.example.com" for its subdomains, or "*" for all others.'),
  to: z
    .string()
    .regex(/^smtps?:\/\/[^/\s]+$/, 'expected smtp://host:port')
    .describe(
      'Next hop: smtp://host:port (MX is not asked), smtps:// for TLS from the first byte. An address may be given in brackets.',
    ),
  user: text().optional().describe('User name for AUTH at the next hop (only under TLS, or to loopback).'),
  password: text().optional().describe('Its password. Secret.'),
  password_file: text().optional().describe('File with the password.'),
  tls: z.enum(['opportunistic', 'required', 'none']).prefault('opportunistic').describe('As in [delivery].'),
  verify: z.boolean().prefault(true).describe('With tls = "required": check the certificate against the host name.'),
  allow_private: z.boolean().prefault(false).describe('The next hop may have a loopback or private address.'),
  connections: z.number().int().min(1).optional().describe('Connections per source to this next hop.'),
})

const tlsPolicy = z.strictObject({
  domain: domainName().describe('Recipient domain, "*.example.com" for its subdomains, or "*" for all others.'),
  tls: z
    .enum(['opportunistic', 'required', 'verify', 'none'])
    .optional()
    .describe(
      'opportunistic = where offered; required = demanded, whatever the certificate; verify = demanded and checked; none = never, whatever the domain publishes. Default: as in [delivery].',
    ),
  min_version: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .optional()
    .describe('Oldest TLS version that will do, where TLS is demanded. Default: TLSv1.2.'),
  dane: z.boolean().prefault(true).describe('false = the TLSA records of this domain are not looked at.'),
  mta_sts: z.boolean().prefault(true).describe('false = the MTA-STS policy of this domain is not looked at.'),
})

const tlsReport = z.strictObject({
  enabled: z
    .boolean()
    .prefault(false)
    .describe(
      'Count how TLS with receivers goes, and once a day tell the domains that ask for it (RFC 8460). Needs from. See docs/tls.md.',
    ),
  from: z
    .string()
    .regex(/^[^\s@<>]+@[^\s@<>]+$/, 'expected an address')
    .optional()
    .describe('Sender of the reports and contact in them; its domain should be a [[domain]] with a DKIM key.'),
  organization: text().optional().describe('Who reports. Default: node.hostname.'),
})

const warmUp = z.strictObject({
  since: z
    .string()
    .regex(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, 'expected a date such as "2026-11-01"')
    .describe('First day (UTC); before it nothing leaves from the source.'),
  start: rate().prefault('20/h').describe('Messages to each provider on the first day; a rate by the hour or the day.'),
  growth: z.number().min(1).max(10).prefault(1.4).describe('How many times that of the day before.'),
  days: z.number().int().min(1).max(365).prefault(42).describe('Length of the plan; afterwards the source is warm.'),
  table: z.array(rate()).prefault([]).describe('A rate for each day, instead of start, growth and days.'),
  overflow: z
    .boolean()
    .prefault(true)
    .describe('What is beyond the plan leaves from warm sources of the pool; false = it waits.'),
  brake_deferrals: z
    .number()
    .min(0)
    .max(1)
    .prefault(0.1)
    .describe(
      'Share of attempts at a provider within 4 h that were put off or refused for what the source is or does, above which the plan does not grow; 1 = no such brake.',
    ),
  brake_complaints: z
    .number()
    .min(0)
    .max(1)
    .prefault(0.003)
    .describe('The same for complaints within 24 h, as a share of what was delivered.'),
})

const source = z.strictObject({
  name: name().describe('Name in records and metrics.'),
  ipv4: z.ipv4().optional().describe('Local IPv4 address to send from. Default: chosen by the system.'),
  ipv6: z.ipv6().optional().describe('Local IPv6 address to send from.'),
  public_ipv4: z
    .ipv4()
    .optional()
    .describe(
      'IPv4 address that receivers see, where NAT stands between: what `studs dns` and `studs doctor` work with. Default: ipv4.',
    ),
  public_ipv6: z.ipv6().optional().describe('The same for IPv6. Default: ipv6.'),
  ehlo: text().optional().describe('Name said in EHLO; should be the PTR name of the address. Default: node.hostname.'),
  warm_up: warmUp
    .optional()
    .describe('Plan of a new address: so much an hour to each provider, more every day. See docs/sources.md.'),
})

const pool = z.strictObject({
  name: name().describe('Name of the pool; "default" is used where none is named.'),
  sources: z
    .array(
      z.strictObject({
        source: name().describe('Name of a source.'),
        weight: z.number().int().min(0).prefault(1).describe('Share of the mail relative to the others; 0 = none.'),
      }),
    )
    .min(1)
    .describe('Sources and their weights.'),
  move: z
    .boolean()
    .prefault(true)
    .describe(
      'Whether mail leaves from another source of the pool while its own rests at a receiver, because a rule says so or you do.',
    ),
})

const suppression = z.strictObject({
  soft_strikes: z
    .number()
    .int()
    .min(1)
    .prefault(3)
    .describe('Messages that end in a soft failure before the address is suppressed.'),
  strike_spacing: duration()
    .prefault('24h')
    .describe('Least time between two counted strikes, so that one bad afternoon counts once.'),
  strike_memory: duration().prefault('180d').describe('Strikes older than this are forgotten.'),
  lower_case_local_part: z.boolean().prefault(true).describe('Treat Jane@ and jane@ as one address.'),
  global_tenants: z
    .number()
    .int()
    .min(2)
    .prefault(3)
    .describe('Tenants that must learn a hard bounce before it counts for all.'),
  global_decay: duration().prefault('180d').describe('Life of such a global entry.'),
  roles: z
    .array(z.string().toLowerCase().min(1))
    .prefault([
      'abuse',
      'postmaster',
      'hostmaster',
      'webmaster',
      'noreply',
      'no-reply',
      'mailer-daemon',
      'root',
      'spam',
    ])
    .describe('Local parts of role addresses, for tenants with role_addresses = "refuse".'),
  spike_minimum: z
    .number()
    .int()
    .min(1)
    .prefault(50)
    .describe(
      'Hard bounces of one tenant at one site within an hour below which nothing is called a spike. See docs/suppressions.md.',
    ),
  spike_factor: z
    .number()
    .min(1)
    .prefault(5)
    .describe('How many times the usual number of the same hour (median of 7 days) makes a spike.'),
  spike_share: z
    .number()
    .min(0)
    .max(1)
    .prefault(0.5)
    .describe('Least share of hard bounces among what the site answered in that hour: an outage refuses everybody.'),
  spike_hold: duration()
    .prefault('72h')
    .describe(
      'How long new suppressions from a spike are only pending: confirmed by a second failure after it, dropped by a delivery or when this time is over.',
    ),
})

const pace = z.strictObject({
  adaptive: z
    .boolean()
    .prefault(true)
    .describe(
      'Slow a path down by itself when its receiver puts mail off for its rate or repute, and back up step by step.',
    ),
  tolerance: z
    .number()
    .min(0)
    .max(0.5)
    .prefault(0.02)
    .describe('Share of attempts that a receiver may put off before the path is slowed down.'),
  decrease: z
    .number()
    .min(0.1)
    .max(0.95)
    .prefault(0.9)
    .describe('What is left of what the receiver took, at each step down.'),
  increase: z.number().min(0.01).max(1).prefault(0.25).describe('What the pace gains at most in one step up.'),
  step: duration()
    .refine((ms) => ms >= 1000, 'must be at least "1s"')
    .prefault('10s')
    .describe('Least time between two steps.'),
  floor: rate()
    .prefault('12/h')
    .describe('No path is slowed down below this: a few messages find out whether the receiver has changed its mind.'),
})

const api = z.strictObject({
  socket: text()
    .prefault('studs.sock')
    .describe('Unix socket of the API the CLI uses, relative to data.directory; mode 0600.'),
})

const sandbox = z.strictObject({
  address: text().prefault('127.0.0.1').describe('Loopback address of the pretend internet.'),
  smtp_port: port().prefault(2526).describe('Port of its MX hosts; 0 takes a free one.'),
  dns_port: port().prefault(5354).describe('Port of its name server (UDP and TCP); 0 takes a free one.'),
  inbox_size: z.number().int().min(0).prefault(1000).describe('Delivered messages kept to look at.'),
  report_delay: duration()
    .prefault('1s')
    .describe('Between the delivery to a recipient that answers by mail (late-ndr@, fbl@, …) and that mail.'),
})

const share = () => z.number().min(0).max(1)
const health = z.strictObject({
  max_paths: z
    .number()
    .int()
    .min(10)
    .max(1_000_000)
    .prefault(5000)
    .describe(
      'Paths (a source to a site) that are counted one by one, at about 5 KiB each. The least active of more are counted together.',
    ),
  save_every: duration()
    .prefault('1m')
    .describe('How often counts are stored. What a crash forgets is this much of them, never mail.'),
})

const alert = z.strictObject({
  off: z
    .array(z.enum(['bounce-rate', 'complaint-rate', 'deferral-surge', 'queue-age', 'dns-broken', 'listed']))
    .prefault([])
    .describe('Alerts that are never raised. See docs/health.md.'),
  bounce_rates: z
    .array(share())
    .length(3)
    .prefault([0.02, 0.05, 0.1])
    .describe(
      'Share of bounces among what receivers took or refused, in the last hour or day, that is worth a warning, bad, and critical.',
    ),
  bounce_minimum: z
    .number()
    .int()
    .min(1)
    .prefault(100)
    .describe(
      'Recipients that came to an end, of a tenant, provider or source, below which no bounce rate is looked at.',
    ),
  complaint_rates: z
    .array(share())
    .length(3)
    .prefault([0.001, 0.003, 0.005])
    .describe('The same for complaints among deliveries.'),
  complaint_minimum: z
    .number()
    .int()
    .min(1)
    .prefault(1000)
    .describe('Deliveries below which no complaint rate is looked at.'),
  deferral_share: share()
    .prefault(0.5)
    .describe('Share of attempts of the last hour that were put off which is bad, unless nearly as much is usual.'),
  deferral_factor: z
    .number()
    .min(1)
    .prefault(3)
    .describe('How many times what is usual at this hour (median of 7 days) is worth a warning.'),
  deferral_minimum: z
    .number()
    .int()
    .min(1)
    .prefault(100)
    .describe('Attempts in the last hour below which no surge of deferrals is looked for.'),
  queue_age: z
    .array(duration())
    .length(3)
    .prefault(['4h', '12h', '24h'])
    .describe("Age of a tenant's waiting mail that is worth a warning, bad, and critical."),
  queue_age_minimum: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .prefault(50)
    .describe('So many recipients must wait for that long: a few always do, at hosts that are dead.'),
  clear: z
    .number()
    .min(0.1)
    .max(1)
    .prefault(0.8)
    .describe('An alert is over below this share of the threshold that raised it.'),
})

const doctor = z.strictObject({
  every: duration()
    .optional()
    .describe(
      'How often the running relay examines itself as `studs doctor` does; it raises alerts when something breaks. "0" = never. Default: 6h, and never in the sandbox.',
    ),
  hold_domains: z
    .boolean()
    .prefault(false)
    .describe(
      'While the DNS of a sender domain is broken, its mail waits instead of going out unsigned or unaligned. It goes on by itself.',
    ),
  hold_sources: z
    .boolean()
    .prefault(false)
    .describe('While a source is on a blocklist or its names are broken, it is suspended. It goes on by itself.'),
  dnsbl: z
    .array(domainName())
    .prefault([])
    .describe(
      'Blocklists that are asked for the addresses of the sources, such as "zen.spamhaus.org". Default: none is asked, but with --dnsbl a few well-known ones.',
    ),
  port_25_domain: domainName()
    .prefault('gmail.com')
    .describe('Domain to whose MX a connection is tried, to see that port 25 is open towards the internet.'),
})

export const schema = z.strictObject({
  node: node.prefault({}).describe('This node.'),
  data: data.prefault({}).describe('Where things are kept.'),
  log: log.prefault({}).describe('The log on standard output.'),
  api: api.prefault({}).describe('The local API.'),
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
