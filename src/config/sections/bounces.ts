// What comes back: bounce listeners, boxes, mailboxes, unsubscribe requests, and the suppression policy.

import { z } from 'zod'
import { duration, rate, size } from '../units.ts'
import { domainName, name, port, text } from './words.ts'

export const bounceListener = z.strictObject({
  name: name().describe('Name in records, the log and the commands.'),
  address: text().prefault('127.0.0.1').describe('Local address to listen on.'),
  port: port().describe(
    'TCP port; the MX of the return-path domains must lead here, so 25 in the end. 0 takes a free one.',
  ),
  tls: z.enum(['starttls', 'none']).prefault('starttls').describe('Whether STARTTLS is offered.'),
})

export const bounce = z.strictObject({
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

export const bounceBox = z.strictObject({
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

export const mailbox = z.strictObject({
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

export const unsubscribe = z.strictObject({
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

export const suppression = z.strictObject({
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
