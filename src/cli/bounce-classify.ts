// `studs bounce classify`: what Studs would make of a reply, and why; or of many. Needs neither relay nor store.

import { type Command, Option } from 'commander'
import type { Classifier } from '../bounce/classify.ts'
import type { Category } from '../bounce/verdict.ts'
import { classifyOperations } from '../http/classify-operations.ts'
import { SMTP_COMMANDS } from '../http/input.ts'
import type { Classification } from '../http/operations.ts'
import { classifierFor } from './bounce-classifier.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { ACTION_MEANINGS, addressMeaning, MEANINGS } from './meaning.ts'
import { createOutput, type Page } from './output.ts'
import { type GivenReply, ReplyLineError, replyLines } from './reply-lines.ts'
import type { GlobalOptions } from './session.ts'
import { table } from './table.ts'
import { padEnd, wrap } from './terminal.ts'
import { causeLines } from './timeline.ts'

interface ClassifyOptions {
  readonly command: (typeof SMTP_COMMANDS)[number]
  readonly mx?: string
  readonly rules?: string
}

/** What is told of each reply as JSON, one or many; of a single one everything else that is known beside it. */
export interface ClassifiedLine {
  readonly text: string
  readonly category: string
  readonly code: number
  readonly kind: string
  readonly fault: string
  readonly class: string
  readonly action: string
  readonly rule: string
  readonly by: string
  readonly names: Classification['names']
}

const NAME_WIDTH = 10

export function addClassifyCommand(bounce: Command, io: Io): void {
  bounce
    .command('classify')
    .description('Explain what Studs makes of an SMTP reply, or of many')
    .argument(
      '[reply]',
      'the reply, e.g. "550 5.1.1 No such user"; - or nothing reads standard input: one reply, or one per line, as text or as JSON with text, code, enhanced and command',
      '-',
    )
    .addOption(new Option('--command <command>', 'the command it answered').choices(SMTP_COMMANDS).default('RCPT'))
    .option('--mx <host>', 'the host that said it; some receivers have rules of their own')
    .option('--rules <file>', "an operator's rules to ask first, instead of those of the configuration")
    .action(async (given: string, options: ClassifyOptions, command: Command) => {
      const output = createOutput(io, command.optsWithGlobals<GlobalOptions>())
      const replies = given === '-' ? fromLines(await io.readAll()) : [{ text: given, reply: given, isJson: false }]
      const [only] = replies
      if (only === undefined || only.reply.trim() === '')
        throw new CliError(EXIT.usage, 'There is no reply to classify.')
      const { rules } = options
      const classify = asker(classifierFor({ rules, doing: 'classified', command, io, output }), options)
      if (replies.length === 1 && !only.isJson) {
        const classification = await classify(only)
        const { text: matched, ...rest } = classification
        output.item({ ...lineOf(only, classification), ...rest, matched }, explanation)
      } else output.items(await Promise.all(replies.map(async (reply) => lineOf(reply, await classify(reply)))), lines)
    })
}

function fromLines(input: string): readonly GivenReply[] {
  try {
    return replyLines(input)
  } catch (error) {
    if (error instanceof ReplyLineError) throw new CliError(EXIT.usage, error.message)
    throw error
  }
}

function asker(
  classifier: Classifier,
  { command, mx }: ClassifyOptions,
): (given: GivenReply) => Promise<Classification> {
  const { classify } = classifyOperations({ classifier })
  return (given) =>
    classify({ reply: given.reply, command: given.command ?? command, ...(mx === undefined ? {} : { mx }) })
}

function lineOf({ text }: GivenReply, { verdict, by, names }: Classification): ClassifiedLine {
  const { category, code, kind, fault, class: coarse, action, rule } = verdict
  return { text, category, code, kind, fault, class: coarse, action, rule, by, names }
}

function lines(rows: readonly ClassifiedLine[], page: Page): string[] {
  return table(
    rows,
    [
      { title: 'CATEGORY', value: ({ category }) => category, colour: ({ kind }) => colourOf(kind) },
      { title: 'CODE', align: 'right', value: ({ code }) => String(code) },
      { title: 'MESSAGE', value: ({ action }) => action },
      { title: 'RULE', value: ({ rule }) => rule, least: 12, long: 'wrap' },
      { title: 'REPLY', value: ({ text }) => text, least: 30, long: 'line-below' },
    ],
    page,
  )
}

function colourOf(kind: string): 'red' | 'yellow' | 'cyan' {
  return kind === 'hard' ? 'red' : kind === 'soft' ? 'yellow' : 'cyan'
}

function explanation(
  { cause, verdict, by, matched, provider, note, names }: Omit<Classification, 'text'> & { readonly matched: string },
  { paint, width }: Page,
): string[] {
  const { category, code, kind, fault, action, rule } = verdict
  const { sparkpost, kumomta, postmark, ses, marketing } = names
  const rows: [string, string][] = [
    ['Code', `${code}, ${kind}`],
    ['Fault', fault],
    ['Rule', `${rule}, decided by the ${by}${provider === undefined ? '' : `, at ${provider}`}`],
    ['Matched', matched],
    ...(note === undefined ? [] : [['Note', note] satisfies [string, string]]),
    ['Message', `${action}. ${ACTION_MEANINGS[action]}`],
    ['Address', addressMeaning(verdict)],
    [
      'Elsewhere',
      `SparkPost ${sparkpost}, KumoMTA ${kumomta}, Postmark ${postmark}, SES ${ses}, marketing tools "${marketing}"`,
    ],
  ]
  return [
    ...causeLines(cause),
    '',
    `${paint('bold', paint(colourOf(kind), category))}  ${MEANINGS[category as Category]}`,
    ...rows.flatMap(([name, value]) =>
      wrap(value, width - NAME_WIDTH - 2).map(
        (line, at) => `  ${paint('dim', padEnd(at === 0 ? name : '', NAME_WIDTH))}${line}`,
      ),
    ),
  ]
}
