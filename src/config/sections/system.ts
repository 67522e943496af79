// The node itself: name, data, log, queue, API, sandbox.

import { z } from 'zod'
import { duration, size } from '../units.ts'
import { port, text } from './words.ts'

export const node = z.strictObject({
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

export const data = z.strictObject({
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

export const log = z.strictObject({
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

export const queue = z.strictObject({
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

export const api = z.strictObject({
  socket: text()
    .prefault('studs.sock')
    .describe('Unix socket of the API the CLI uses, relative to data.directory; mode 0600.'),
})

export const metrics = z.strictObject({
  address: text()
    .prefault('127.0.0.1')
    .describe('Where Prometheus may ask for /metrics. Whoever can connect may read.'),
  port: port().optional().describe('Port of /metrics, such as 9154. Default: off; the API socket answers it as well.'),
})

export const sandbox = z.strictObject({
  address: text().prefault('127.0.0.1').describe('Loopback address of the pretend internet.'),
  smtp_port: port().prefault(2526).describe('Port of its MX hosts; 0 takes a free one.'),
  dns_port: port().prefault(5354).describe('Port of its name server (UDP and TCP); 0 takes a free one.'),
  inbox_size: z.number().int().min(0).prefault(1000).describe('Delivered messages kept to look at.'),
  report_delay: duration()
    .prefault('1s')
    .describe('Between the delivery to a recipient that answers by mail (late-ndr@, fbl@, …) and that mail.'),
})
