// As whom mail goes out: sender domains and their keys, sources, warm-up, pools.

import { z } from 'zod'
import { rate } from '../units.ts'
import { domainName, name, text } from './words.ts'

export const dkimKey = z.strictObject({
  selector: text().describe('Selector under which the public key is published.'),
  key_file: text().describe('PEM private key, RSA ≥ 2048 or Ed25519; relative as data.directory is.'),
  state: z
    .enum(['sign', 'publish', 'retired'])
    .prefault('sign')
    .describe(
      'sign = adds a signature; publish = stands in DNS but does not sign yet; retired = signs no more, stays in DNS while mail it signed is under way. See docs/identity.md.',
    ),
})

export const domain = z.strictObject({
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

export const warmUp = z.strictObject({
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

export const source = z.strictObject({
  name: name().describe('Name in records, the log and the commands.'),
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

export const pool = z.strictObject({
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
