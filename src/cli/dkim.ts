// `studs dkim`: keys made, listed, shown as records, changed for new ones. Writes key files, never the configuration: what
// to put there is printed, and the operator decides when.

import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { Command } from 'commander'
import { type LoadedSettings, loadSettings } from '../config/load.ts'
import { nearest } from '../config/suggest.ts'
import { checkKey } from '../identity/check-dkim.ts'
import { KeyFileExists, keyFileName, keyFilesOf, type MadeKey, makeKey, nextSelector } from '../identity/key-file.ts'
import { type Lookup, remembering } from '../identity/lookup.ts'
import { onThisMachine } from '../identity/machine.ts'
import { dkimName } from '../identity/record.ts'
import { type Sender, type SenderKey, sendersOf } from '../identity/sender.ts'
import { quotedStrings } from '../identity/zone.ts'
import { parseDomain } from '../mail/address.ts'
import { MIN_RSA_BITS } from '../sign/key.ts'
import { SELECTOR } from '../sign/keyring.ts'
import { keyBlock, keyTable, rotationSteps } from './dkim-view.ts'
import { lookupFor, senderNamed } from './dns.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { createOutput, type Output } from './output.ts'
import type { GlobalOptions } from './session.ts'

interface KeyOptions {
  readonly selector?: string
  readonly algorithm?: string
  readonly bits?: string
  readonly new?: boolean
}

const MAX_RSA_BITS = 4096

export function addDkimCommands(program: Command, io: Io): void {
  const dkim = program.command('dkim').description('DKIM keys of the sender domains')
  dkim
    .command('gen')
    .description(
      'Make a key (the one that the configuration names, if its file is not there yet); print what to publish and configure',
    )
    .argument('<domain>')
    .option('--selector <selector>', 'name of the key in DNS; default: the next free one')
    .option('--algorithm <algorithm>', 'rsa (which everybody verifies) or ed25519 (beside one)', 'rsa')
    .option('--bits <bits>', 'length of an RSA key', String(MIN_RSA_BITS))
    .option('--new', 'for a domain that the configuration does not name yet')
    .action((domain: string, _options: object, command: Command) => generate(domain, opened(command, io)))
  dkim
    .command('list')
    .description('List the keys of all sender domains, or of one, and what DNS says of them')
    .argument('[domain]')
    .action((domain: string | undefined, _options: object, command: Command) => list(domain, opened(command, io)))
  dkim
    .command('txt')
    .description('Print the record of a key, as a zone file wants it')
    .argument('<domain>')
    .argument('[selector]', 'default: all keys of the domain')
    .action((domain: string, selector: string | undefined, _options: object, command: Command) =>
      printRecord({ domain, selector, ...opened(command, io) }),
    )
  dkim
    .command('rotate')
    .description('Make the next key of a domain; print the steps from the old one to it')
    .argument('<domain>')
    .option('--selector <selector>', 'name of the new key in DNS; default: the next free one')
    .option('--algorithm <algorithm>', 'rsa or ed25519; default: as the old key')
    .option('--bits <bits>', 'length of an RSA key; default: as the old key')
    .action((domain: string, _options: object, command: Command) => rotate(domain, opened(command, io)))
}

interface Opened {
  readonly io: Io
  readonly output: Output
  readonly loaded: LoadedSettings
  readonly senders: readonly Sender[]
  readonly options: KeyOptions & GlobalOptions
  readonly lookup: Lookup
}

function opened(command: Command, io: Io): Opened {
  const options = command.optsWithGlobals<KeyOptions & GlobalOptions>()
  const loaded = loadSettings({ file: options.config, env: io.env })
  const senders = sendersOf(onThisMachine(loaded.settings))
  const lookup = remembering(lookupFor(loaded.settings))
  return { io, output: createOutput(io, options), loaded, senders, options, lookup }
}

async function generate(text: string, at: Opened): Promise<void> {
  const domain = parseDomain(text)
  if (domain === undefined || domain.startsWith('[')) throw new CliError(EXIT.usage, `${text} is no domain name.`)
  const sender = at.senders.find((each) => each.domain === domain)
  if (sender === undefined && at.options.new !== true) throw unnamed(domain, at)
  const keys = sender?.keys ?? []
  const before = at.options.selector === undefined ? unnamedKeys({ domain, keys }, at.loaded) : []
  const made = await make({ domain, keys, at, like: undefined })
  const isNamed = keys.some(({ selector }) => selector === made.selector)
  showKey(made, at, (page) => [
    page('bold', '1. Publish'),
    `${dkimName(made.selector, domain)}. IN TXT ${quotedStrings(made.record)}`,
    '',
    ...(isNamed
      ? [page('bold', '2. The configuration names it already: reload, or start the relay')]
      : [
          ...(sender === undefined
            ? [
                page('bold', '2. Add to the configuration, and reload: until then the key signs nothing'),
                '[[domain]]',
                `name = ${JSON.stringify(domain)}`,
              ]
            : [page('bold', `2. Add to the configuration, below the [[domain]] of ${domain}, and reload`)]),
          ...keyBlock({
            selector: made.selector,
            file: shownFile(made.file, at),
            state: keys.length > 0 ? 'publish' : undefined,
          }),
        ]),
    '',
    page('bold', `3. studs dns check ${domain}`),
    ...(keys.length > 0 && !isNamed
      ? [page('dim', 'Once it says that the record is there, take the state out and reload: then the key signs.')]
      : []),
  ])
  for (const note of before) at.output.note(note)
}

/** A key that nothing names signs nothing: most often the name is mistyped. */
function unnamed(domain: string, { senders, loaded }: Opened): CliError {
  const parent = loaded.settings.domain.find(({ name, subdomains }) => subdomains && domain.endsWith(`.${name}`))
  const near = nearest(
    domain,
    senders.map((each) => each.domain),
  )
  const cure =
    parent !== undefined
      ? `Its mail is signed with the keys of ${parent.name} (subdomains = true): studs dkim gen ${parent.name}.`
      : near !== undefined
        ? `Did you mean ${near}?`
        : 'Add the [[domain]] first.'
  return new CliError(
    EXIT.notFound,
    `${domain} is no sender domain: a key for it would sign nothing. ${cure} With --new the key is made all the same, and the [[domain]] to add is printed.`,
  )
}

async function rotate(text: string, at: Opened): Promise<void> {
  const { domain, keys } = senderNamed(text, at.senders)
  const waiting = keys.find(({ state }) => state === 'publish')
  if (waiting !== undefined) {
    const message = `${domain} has a next key already (${waiting.selector}): let it sign first.`
    throw new CliError(EXIT.failed, message)
  }
  const old = keys.find(({ state }) => state === 'sign')
  if (old === undefined) throw new CliError(EXIT.failed, `No key of ${domain} signs: studs dkim gen ${domain}`)
  const before = at.options.selector === undefined ? unnamedKeys({ domain, keys }, at.loaded) : []
  const made = await make({ domain, keys, at, like: old })
  const shown = { old: { ...old, file: shownFile(old.file, at) }, made: { ...made, file: shownFile(made.file, at) } }
  showKey(made, at, (paint) =>
    rotationSteps({
      ...shown,
      others: keys.filter((key) => key !== old),
      shownFile: (file) => shownFile(file, at),
      paint,
      lifetimeMs: at.loaded.settings.queue.lifetime,
    }),
  )
  for (const note of before) at.output.note(note)
}

interface Making {
  readonly domain: string
  readonly keys: readonly SenderKey[]
  readonly at: Opened
  readonly like: SenderKey | undefined
}

async function make({ domain, keys, at, like }: Making): Promise<MadeKey> {
  const { options, loaded } = at
  const directory = loaded.settings.data.directory
  const isTaken = (selector: string): boolean =>
    keys.some((key) => key.selector === selector) || existsSync(keyFileName(directory, { domain, selector }))
  // A configuration that names its key before there is one waits for just that.
  const awaited = keys.find(
    (key) => !existsSync(key.file) && (options.selector === undefined || key.selector === options.selector),
  )
  const isAwaited = awaited !== undefined && like === undefined && awaited.state !== 'retired'
  const selector = isAwaited
    ? awaited.selector
    : (options.selector ?? nextSelector((like ?? keys.at(-1))?.selector, isTaken))
  if (!SELECTOR.test(selector))
    throw new CliError(EXIT.usage, `"${selector}" cannot stand in DNS; use letters, digits and "-".`)
  const algorithm = options.algorithm ?? like?.key?.algorithm ?? 'rsa'
  if (algorithm !== 'rsa' && algorithm !== 'ed25519')
    throw new CliError(EXIT.usage, `There is no algorithm "${algorithm}"; take rsa or ed25519.`)
  const bits = Number(options.bits ?? like?.key?.bits ?? MIN_RSA_BITS)
  if (!Number.isInteger(bits) || bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    throw new CliError(EXIT.usage, `--bits goes from ${MIN_RSA_BITS} to ${MAX_RSA_BITS}.`)
  if (!isAwaited && keys.some((key) => key.selector === selector))
    throw new CliError(EXIT.failed, `${domain} has a key with the selector ${selector} already.`)
  try {
    const file = isAwaited ? awaited.file : keyFileName(directory, { domain, selector })
    return await makeKey({ domain, selector, algorithm, bits, file })
  } catch (error) {
    if (!(error instanceof KeyFileExists)) throw error
    throw new CliError(EXIT.failed, `Nothing was made: ${error.message}. Take another --selector.`, { cause: error })
  }
}

function showKey(
  made: MadeKey,
  { output }: Opened,
  steps: (paint: Output['page']['paint']) => readonly string[],
): void {
  const { domain, selector, algorithm, bits, file, record } = made
  const item = {
    domain,
    selector,
    algorithm,
    ...(algorithm === 'rsa' && { bits }),
    key_file: file,
    name: dkimName(selector, domain),
    record,
  }
  output.item(item, (_, { paint }) => [`The key is in ${file}, readable by you only.`, '', ...steps(paint)])
}

/** As it may stand in the configuration: relative to its folder where it lies below it. */
function shownFile(file: string, { loaded }: Opened): string {
  const path = relative(loaded.directory, file)
  return path.startsWith('..') ? file : path
}

async function list(domain: string | undefined, { output, senders, lookup, loaded }: Opened): Promise<void> {
  const chosen = domain === undefined ? senders : [senderNamed(domain, senders)]
  const rows = await Promise.all(
    chosen.flatMap((sender) =>
      sender.keys.map(async (key) => {
        const { state: dns, message } = await checkKey({ key, domain: sender.domain, lookup })
        const { selector, state, file, key: usable } = key
        return {
          domain: sender.domain,
          selector,
          algorithm: usable?.algorithm ?? 'unusable',
          bits: usable?.bits,
          state,
          dns: dns === 'ok' ? 'published' : dns,
          message,
          key_file: file,
        }
      }),
    ),
  )
  const notes = chosen.flatMap((sender) => unnamedKeys(sender, loaded))
  output.items(rows, (items, page) =>
    items.length === 0
      ? notes.length > 0
        ? ['No key is named by the configuration.']
        : [
            domain === undefined
              ? 'No sender domain has a key: studs dkim gen DOMAIN'
              : `${domain} has no key: studs dkim gen ${domain}`,
          ]
      : keyTable(items, page),
  )
  for (const note of notes) output.note(note)
}

/** Keys that were made, and sign nothing as long as no [[domain.dkim]] names them. */
function unnamedKeys({ domain, keys }: Pick<Sender, 'domain' | 'keys'>, loaded: LoadedSettings): string[] {
  return keyFilesOf(loaded.settings.data.directory, domain)
    .filter(({ file }) => keys.every((key) => key.file !== file))
    .map(
      ({ selector, file }) =>
        `The key ${selector} of ${domain} is there and signs nothing: no [[domain.dkim]] names ${file}.`,
    )
}

function printRecord({
  domain,
  selector,
  output,
  senders,
  loaded,
}: Opened & { domain: string; selector: string | undefined }): void {
  const sender = senderNamed(domain, senders)
  const keys = sender.keys.filter((key) => selector === undefined || key.selector === selector)
  if (keys.length === 0) {
    const which = selector === undefined ? '' : ` with the selector ${selector}`
    const unnamed = unnamedKeys(sender, loaded).map((sentence) => ` ${sentence}`)
    throw new CliError(EXIT.notFound, `The configuration names no key of ${sender.domain}${which}.${unnamed.join('')}`)
  }
  const records = keys.flatMap(({ selector: name, key, file, problem }) => {
    if (key === undefined) throw new CliError(EXIT.failed, `The key ${file} ${problem}.`)
    return [{ name: dkimName(name, sender.domain), record: key.record, strings: quotedStrings(key.record) }]
  })
  output.items(records, (items) => items.map(({ name, strings }) => `${name}. IN TXT ${strings}`))
}
