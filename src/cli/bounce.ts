// `studs bounce classify`: what Studs would make of a reply, and why. Needs neither relay nor store.

import { type Command, Option } from 'commander'
import { createClassifier } from '../bounce/classify.ts'
import { shippedRules } from '../bounce/rules.ts'
import type { Category } from '../bounce/verdict.ts'
import { classifyOperations } from '../http/classify-operations.ts'
import { SMTP_COMMANDS } from '../http/input.ts'
import type { Classification } from '../http/operations.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { ACTION_MEANINGS, addressMeaning, MEANINGS } from './meaning.ts'
import { createOutput, type Page } from './output.ts'
import type { GlobalOptions } from './session.ts'
import { padEnd, wrap } from './terminal.ts'
import { causeLines } from './timeline.ts'

interface ClassifyOptions {
  readonly command: (typeof SMTP_COMMANDS)[number]
  readonly mx?: string
}

const NAME_WIDTH = 10

export function addBounceCommands(program: Command, io: Io): void {
  program
    .command('bounce')
    .description('Bounces and the rules that judge them')
    .command('classify')
    .description('Explain what Studs makes of an SMTP reply')
    .argument('[reply]', 'the reply, e.g. "550 5.1.1 No such user"; - or nothing reads standard input', '-')
    .addOption(new Option('--command <command>', 'the command it answered').choices(SMTP_COMMANDS).default('RCPT'))
    .option('--mx <host>', 'the host that said it; some receivers have rules of their own')
    .action(async (given: string, { command: answered, mx }: ClassifyOptions, command: Command) => {
      const reply = given === '-' ? await io.readAll() : given
      if (reply.trim() === '') throw new CliError(EXIT.usage, 'There is no reply to classify.')
      const { classify } = classifyOperations({ classifier: createClassifier(shippedRules()) })
      const result = await classify({ reply, command: answered, ...(mx === undefined ? {} : { mx }) })
      createOutput(io, command.optsWithGlobals<GlobalOptions>()).item(result, explanation)
    })
}

function explanation({ cause, verdict, by, text, provider, note }: Classification, { paint, width }: Page): string[] {
  const { category, code, kind, fault, action, rule } = verdict
  const colour = kind === 'hard' ? 'red' : kind === 'soft' ? 'yellow' : 'cyan'
  const rows: [string, string][] = [
    ['Code', `${code}, ${kind}`],
    ['Fault', fault],
    ['Rule', `${rule}, decided by the ${by}${provider === undefined ? '' : `, at ${provider}`}`],
    ['Matched', text],
    ...(note === undefined ? [] : [['Note', note] satisfies [string, string]]),
    ['Message', `${action}. ${ACTION_MEANINGS[action]}`],
    ['Address', addressMeaning(verdict)],
  ]
  return [
    ...causeLines(cause),
    '',
    `${paint('bold', paint(colour, category))}  ${MEANINGS[category as Category]}`,
    ...rows.flatMap(([name, value]) =>
      wrap(value, width - NAME_WIDTH - 2).map(
        (line, at) => `  ${paint('dim', padEnd(at === 0 ? name : '', NAME_WIDTH))}${line}`,
      ),
    ),
  ]
}
