// Replies judged by the classifier, on one thread: those it remembers, and those it has never seen.

import { type Classifiable, type Classifier, createClassifier } from '../src/bounce/classify.ts'
import { sampleCase } from '../src/bounce/load-rules.ts'
import { masked } from '../src/bounce/mask.ts'
import { replyFrom } from '../src/bounce/pasted.ts'
import { type Rule, type Rules, shippedRules } from '../src/bounce/rules.ts'
import type { SmtpCommand, SmtpReply } from '../src/mail/reply.ts'
import { corpusReplies } from './corpus.ts'
import { Missing } from './lab.ts'
import { type Spread, spreadOf } from './stats.ts'

export interface ClassifyResult {
  readonly source: 'corpus' | 'samples of the rules'
  readonly texts: number
  /** Replies per second. */
  readonly warm: Spread
  readonly cold: Spread
}

interface Question {
  readonly reply: SmtpReply
  readonly command: SmtpCommand
  readonly mx?: string
}

const WARM_ROUND = 50_000
const COLD_ROUND = 10_000
/** What is cut off at the end of a very long reply takes the new word with it. */
const MOSTLY = 0.99

export function measureClassify({ seconds }: { seconds: number }): ClassifyResult {
  const rules = shippedRules()
  const { source, questions } = questionsOf(rules)
  const cases = questions.map(caseOf)
  const known = Array.from({ length: WARM_ROUND }, (_, at) => cases[at % cases.length]!)
  const remembering = createClassifier(rules)
  // As long as a figure, so that what is compiled late is compiled.
  roundsFor(seconds, () => judge(remembering, known))
  const warm = roundsFor(seconds, () => judge(remembering, known))
  let asked = 0
  const cold = roundsFor(seconds, () => {
    const unknown = neverSaid(questions, asked)
    asked += unknown.length
    return judge(createClassifier(rules), unknown)
  })
  return { source, texts: cases.length, warm: spreadOf(warm), cold: spreadOf(cold) }
}

function judge(classifier: Classifier, cases: readonly Classifiable[]): number {
  const startedAt = performance.now()
  for (const failure of cases) classifier.classify(failure)
  return (cases.length * 1000) / (performance.now() - startedAt)
}

/** Replies per second of each round; three rounds at least. */
function roundsFor(seconds: number, round: () => number): number[] {
  const rates: number[] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end || rates.length < 3) rates.push(round())
  return rates
}

function questionsOf(rules: Rules): { source: ClassifyResult['source']; questions: Question[] } {
  try {
    const questions = corpusReplies().map(
      ({ text, command }): Question => ({ reply: replyFrom(text), command: command === 'DATA' ? 'dot' : 'RCPT' }),
    )
    return { source: 'corpus', questions }
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    return { source: 'samples of the rules', questions: rules.rules.flatMap((rule) => samplesOf(rule, rules)) }
  }
}

function samplesOf(rule: Rule, rules: Rules): Question[] {
  return rule.samples.flatMap((sample) => {
    const { cause, mx } = sampleCase(sample, rule, rules)
    if (cause.kind !== 'reply') return []
    return [{ reply: cause.reply, command: cause.command, ...(mx === undefined ? {} : { mx }) }]
  })
}

function caseOf({ reply, command, mx }: Question): Classifiable {
  return { cause: { kind: 'reply', reply, command }, ...(mx === undefined ? {} : { mx }) }
}

/** The same replies with a word behind them that nobody has said; throws where masking takes it away again. */
function neverSaid(questions: readonly Question[], asked: number): Classifiable[] {
  const fresh = Array.from({ length: COLD_ROUND }, (_, at): Question => {
    const { reply, ...rest } = questions[at % questions.length]!
    return { ...rest, reply: { ...reply, lines: [...reply.lines, wordOf(asked + at)] } }
  })
  const texts = new Set(fresh.map(({ reply }) => masked(reply.lines.join(' '))))
  if (texts.size < fresh.length * MOSTLY) throw new Error('the replies are not new to the classifier')
  return fresh.map(caseOf)
}

/** A word of letters alone: with digits in it, it would be masked as an id. */
function wordOf(number: number): string {
  return number.toString(26).replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 26)))
}
