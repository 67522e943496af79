// `studs resolve`: where mail for a domain goes, and every value that holds there with the line it comes from.

import { relative } from 'node:path'
import type { Command } from 'commander'
import type { Resolution } from '../http/operations.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { slowedText } from './limit-words.ts'
import type { Page } from './output.ts'
import { type Tools, withRelay } from './session.ts'
import { table } from './table.ts'
import { padEnd } from './terminal.ts'
import { causeLine } from './timeline.ts'

type Reachable = Extract<Resolution, { kind: 'site' }>
type Path = Reachable['paths'][number]
type Value = Path['values'][number]
type Rule = Reachable['rules'][number]

export function addResolveCommand(program: Command, io: Io, { version }: Tools): void {
  program
    .command('resolve')
    .description('Show where mail for a domain goes, and every limit in force with the line it comes from')
    .argument('<domain>', 'a domain, or an address')
    .option('--source <name>', 'only this source')
    .action((domain: string, { source }: { source?: string }, command: Command) =>
      withRelay({ command, io, version }, async ({ operations, output }) => {
        const resolution = only(await operations.resolve(domain), source)
        output.item(resolution, resolutionLines)
      }),
    )
}

function only(resolution: Resolution, source: string | undefined): Resolution {
  if (source === undefined || resolution.kind === 'nowhere') return resolution
  const paths = resolution.paths.filter((path) => path.source === source)
  if (paths.length === 0) throw new CliError(EXIT.notFound, `There is no source ${source} that carries mail.`)
  return { ...resolution, paths }
}

export function resolutionLines(resolution: Resolution, page: Page): string[] {
  const row = (name: string, value: string): string => `${page.paint('dim', padEnd(name, 10))}${value}`
  const via = resolution.routed ? ' (by a [[route]])' : ''
  if (resolution.kind === 'nowhere')
    return [
      row('Domain', `${resolution.domain}${via}`),
      row('Site', page.paint('red', `none: ${causeLine(resolution.cause)}`)),
    ]
  const { domain, site, provider, hosts, port, paths, rules } = resolution
  return [
    row('Domain', `${domain}${via}`),
    row('Site', site),
    row('Provider', provider ?? 'none that is known'),
    ...hosts.map(({ name, preference, addresses }, at) =>
      row(
        at === 0 ? 'Hosts' : '',
        `${String(preference).padStart(5)}  ${name}  ${addresses.join(' ')}${port === 25 ? '' : `  port ${port}`}`,
      ),
    ),
    ...groups(paths).flatMap(({ sources, path }) => [
      '',
      page.paint('bold', `From ${sources.join(', ')}`),
      ...valueTable(path, page),
    ]),
    ...(rules.length === 0 ? [] : ['', page.paint('bold', 'When it says'), ...ruleTable(rules, page)]),
  ]
}

/** Sources for which all is the same are shown once. */
function groups(paths: readonly Path[]): { sources: string[]; path: Path }[] {
  const found = new Map<string, { sources: string[]; path: Path }>()
  for (const path of paths) {
    const key = JSON.stringify(path.values)
    const group = found.get(key)
    if (group === undefined) found.set(key, { sources: [path.source], path })
    else group.sources.push(path.source)
  }
  return [...found.values()]
}

function valueTable({ values }: Path, page: Page): string[] {
  return table(
    values,
    [
      { title: 'VALUE', value: ({ name, host }) => (host === undefined ? name : `${name} of ${host}`) },
      {
        title: '',
        value: ({ value }) => (value === undefined ? '–' : Array.isArray(value) ? value.join(', ') : String(value)),
        least: 12,
        long: 'wrap',
      },
      { title: 'FROM', value: ({ from }) => originText(from), least: 20, long: 'wrap' },
    ],
    page,
  )
}

function ruleTable(rules: readonly Rule[], page: Page): string[] {
  return table(
    rules,
    [
      { title: 'REPLY', value: sayingText, least: 24, long: 'wrap' },
      { title: 'OFTEN', value: ({ after }) => after ?? 'once' },
      { title: 'THEN', value: deedText, least: 20, long: 'wrap' },
      {
        title: 'FROM',
        value: ({ place }) => `${shortName(place.file)}:${place.line} ${place.section}`,
        least: 20,
        long: 'wrap',
      },
    ],
    page,
  )
}

function sayingText({ match, category, code }: Rule): string {
  const all = [
    match?.join(' or '),
    code && `code ${code.join(' or ')}`,
    category && `category ${category.join(' or ')}`,
  ]
  return all.filter((each) => each !== undefined).join(', ')
}

function deedText(rule: Rule): string {
  const { action, message_rate, connections } = rule
  const how = slowedText({
    ...(message_rate !== undefined && { rate: message_rate }),
    ...(connections !== undefined && { connections }),
  })
  return [action, how, rule.for === undefined ? '' : `for ${rule.for}`].filter((each) => each !== '').join(', ')
}

function originText(from: Value['from']): string {
  switch (from.kind) {
    case 'default':
      return 'default'
    case 'route':
      return 'the [[route]]'
    case 'tls_policy':
      return 'the [[tls_policy]]'
    case 'dane':
      return 'dane: the TLSA records of the host'
    case 'dane_unusable':
      return 'dane: TLSA records that mail does not use'
    case 'mta_sts':
      return 'mta-sts enforce: the policy of the domain'
    case 'refused':
      return from.detail
    case 'env':
      return `$${from.variable}`
    case 'config':
      // The section is enough: the option has the name of the value.
      return from.line === undefined
        ? `default of ${sectionOf(from.option)}`
        : `${shortName(from.file ?? '')}:${from.line} ${sectionOf(from.option)}`
    case 'preset':
    case 'file':
      return `${shortName(from.file)}:${from.line} ${from.section}${from.note === undefined ? '' : `, ${from.note}`}`
  }
}

function sectionOf(option: string): string {
  return `[${option.slice(0, option.lastIndexOf('.'))}]`
}

function shortName(file: string): string {
  const name = relative(process.cwd(), file)
  return name.startsWith('..') || !file.startsWith('/') ? file : name
}
