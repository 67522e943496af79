// How mail goes out: delivery, routes, TLS towards receivers, the adaptive pace.

import { z } from 'zod'
import { connectionRate, duration, rate } from '../units.ts'
import { domainName, port, text } from './words.ts'

export const delivery = z.strictObject({
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
  connection_rate: connectionRate()
    .prefault('100/min')
    .describe('New connections per path, by the second or the minute; further ones wait. A restart counts anew.'),
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

export const route = z.strictObject({
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

export const tlsPolicy = z.strictObject({
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

export const tlsReport = z.strictObject({
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

export const pace = z.strictObject({
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
