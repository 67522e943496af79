// What is looked at and told: health, alerts, the doctor.

import { z } from 'zod'
import { duration } from '../units.ts'
import { domainName, share } from './words.ts'

export const health = z.strictObject({
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

export const alert = z.strictObject({
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

export const doctor = z.strictObject({
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
