// `studs dns`: what to publish for a sender domain, and whether it is published. Works on the configuration and DNS alone;
// no running relay is needed or asked.

import type { Command } from 'commander'
import type { Settings } from '../config/schema.ts'
import { nearest } from '../config/suggest.ts'
import { checkDomain } from '../identity/check-domain.ts'
import { checkSource } from '../identity/check-source.ts'
import { createLookup } from '../identity/dns.ts'
import { type Lookup, remembering } from '../identity/lookup.ts'
import { nameServers, onThisMachine } from '../identity/machine.ts'
import { type DnsRecord, recordsOf, stsPolicy } from '../identity/record.ts'
import { type Sender, sendersOf } from '../identity/sender.ts'
import { spfTerms } from '../identity/spf.ts'
import { quotedStrings, zoneLines, zoneValue } from '../identity/zone.ts'
import { failOnErrors, showSections } from './diagnosis-view.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput, type Page } from './output.ts'
import { type GlobalOptions, settingsFor } from './session.ts'
import { wrap } from './terminal.ts'

type Format = 'text' | 'bind' | 'json'

export function addDnsCommands(program: Command, io: Io): void {
  const dns = program.command('dns').description('DNS of the sender domains')
  dns
    .command('records')
    .description('Print everything to publish for a sender domain')
    .argument('<domain>', 'a [[domain]] of the configuration')
    .option('--format <format>', 'text, bind (a zone file) or json', 'text')
    .action((domain: string, { format }: { format: string }, command: Command) =>
      printRecords({ domain, format, command, io }),
    )
  dns
    .command('check')
    .description('Compare it with what DNS answers; exit code 1 if mail suffers')
    .argument('[domain]', 'only this one; default: all')
    .action((domain: string | undefined, _options: object, command: Command) => check({ domain, command, io }))
}

function printRecords(given: { domain: string; format: string; command: Command; io: Io }): void {
  const { domain, format, command, io } = given
  const options = command.optsWithGlobals<GlobalOptions>()
  const chosen = options.json === true ? 'json' : format
  if (!isFormat(chosen)) throw new CliError(EXIT.usage, `There is no format "${chosen}"; take text, bind or json.`)
  const sender = senderNamed(domain, sendersOf(onThisMachine(settingsFor(command, io))))
  const records = recordsOf(sender)
  const output = createOutput(io, { ...options, json: chosen === 'json' })
  for (const note of notesOf(sender)) output.note(note)
  if (chosen === 'bind') io.out(`${zoneLines(records).join('\n')}\n`)
  else output.items(records.map(asJson), (_, page) => recordLines(records, sender, page))
}

function isFormat(text: string): text is Format {
  return text === 'text' || text === 'bind' || text === 'json'
}

/** `zone_value`: as a zone file wants it. */
function asJson(record: DnsRecord): object {
  return { ...record, zone_value: zoneValue(record) }
}

function notesOf({ domain, returnPath, keys, sources }: Sender): string[] {
  return [
    ...keys.flatMap(({ file, problem }) =>
      problem === undefined ? [] : [`DKIM key ${file} ${problem}: its record is left out.`],
    ),
    ...(keys.length === 0 ? [`${domain} has no DKIM key: studs dkim gen ${domain}`] : []),
    ...(returnPath === undefined ? [`${domain} has no return_path: bounces that come later are not captured.`] : []),
    ...sources
      .filter(({ addresses }) => addresses.length === 0)
      .map(({ name, local }) =>
        local.length === 0
          ? `The public address of the source ${name} is not known: set ipv4, or public_ipv4 where NAT stands between.`
          : `No receiver can see ${local.join(' or ')}, from which the source ${name} sends: set its public_ipv4 or public_ipv6 to what others see.`,
      ),
  ]
}

const TITLES: Readonly<Record<DnsRecord['topic'], string>> = {
  spf: 'SPF: who may send',
  dkim: 'DKIM: the keys that sign',
  dmarc: 'DMARC: what becomes of mail that passes neither',
  'return-path': 'Return path: where bounces come back to',
  source: 'Sources: names of the sending addresses',
  'mta-sts': 'MTA-STS of the return path (optional)',
  'tls-rpt': 'TLS reports of the return path (optional)',
}

function recordLines(records: readonly DnsRecord[], sender: Sender, page: Page): string[] {
  const topics = [...new Set(records.map(({ topic }) => topic))]
  const lines = topics.flatMap((topic) => [
    page.paint('bold', TITLES[topic]),
    ...records.filter((record) => record.topic === topic).flatMap((record) => textLines(record, page)),
    '',
  ])
  const policy = stsPolicy(sender.mxHost, sender.mtaSts).trimEnd().split('\r\n')
  const where = `https://mta-sts.${sender.returnPath}/.well-known/mta-sts.txt`
  return sender.returnPath === undefined
    ? lines.slice(0, -1)
    : [
        ...lines,
        page.paint('bold', `The MTA-STS policy, ${sender.mtaSts === undefined ? 'if you want one, ' : ''}at ${where}`),
        ...policy.map((line) => `  ${line}`),
        ...wrap(policyHint(sender), Math.max(40, page.width - 4)).map((line) => `    ${page.paint('dim', line)}`),
      ]
}

/** Who has to show which certificate. */
function policyHint({ returnPath, mxHost, mtaSts }: Sender): string {
  const own =
    mtaSts === undefined
      ? 'studs serves it with mta_sts in the [[domain]] and unsubscribe.port'
      : 'studs serves it at unsubscribe.port'
  return `${own}, behind a TLS proxy; publish the address of the proxy for mta-sts.${returnPath}. Certificates of a known authority: the proxy's must name mta-sts.${returnPath} among its DNS names, that of the bounce listener (tls.directory) ${mxHost}.`
}

function textLines({ name, type, value, why, topic }: DnsRecord, page: Page): string[] {
  const cost = topic === 'spf' ? `; ${lookupsOf(value)} of 10 look-ups` : ''
  return [
    `  ${page.paint('cyan', name)}  ${type}`,
    // A record is copied: never broken into lines here.
    `    ${type === 'TXT' && value.length > 255 ? quotedStrings(value) : value}`,
    ...wrap(`${why}${cost}`, Math.max(40, page.width - 4)).map((line) => `    ${page.paint('dim', line)}`),
  ]
}

function lookupsOf(spf: string): number {
  return spfTerms(spf).filter(({ name }) => ['include', 'a', 'mx', 'ptr', 'exists', 'redirect'].includes(name)).length
}

async function check({ domain, command, io }: { domain: string | undefined; command: Command; io: Io }): Promise<void> {
  const settings = settingsFor(command, io)
  const machine = onThisMachine(settings)
  const all = sendersOf(machine)
  const senders = domain === undefined ? all : [senderNamed(domain, all)]
  if (senders.length === 0)
    throw new CliError(EXIT.failed, 'There is no sender domain: add a [[domain]] to the configuration.')
  const lookup = remembering(lookupFor(settings))
  const { machineAddresses } = machine
  const listeners = settings.bounceListener
  const domains = senders.map(async (sender) => ({
    title: sender.domain,
    diagnoses: await checkDomain({ sender, lookup, listeners, machineAddresses }),
  }))
  const sources = new Map(senders.flatMap((sender) => sender.sources.map((source) => [source.name, source] as const)))
  const named = await Promise.all([...sources.values()].map((source) => checkSource(source, lookup)))
  const sections = [...(await Promise.all(domains)), { title: 'Sources', diagnoses: named.flat() }]
  showSections(createOutput(io, command.optsWithGlobals<GlobalOptions>()), sections)
  failOnErrors(sections.flatMap(({ diagnoses }) => diagnoses))
}

export function lookupFor(settings: Settings): Lookup {
  return createLookup({ servers: nameServers(settings), timeoutMs: settings.delivery.dnsTimeout })
}

/** Throws a CliError for a domain that is not configured. */
export function senderNamed(domain: string, senders: readonly Sender[]): Sender {
  const wanted = domain.toLowerCase().replace(/\.$/, '')
  const sender = senders.find((each) => each.domain === wanted)
  if (sender !== undefined) return sender
  const near = nearest(
    wanted,
    senders.map((each) => each.domain),
  )
  const hint = near === undefined ? 'add a [[domain]] to the configuration' : `did you mean ${near}?`
  throw new CliError(EXIT.notFound, `${domain} is no sender domain; ${hint}`)
}
