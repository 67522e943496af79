// The classifier against real replies. The corpus lies beside the checkout in ../shared/ndr and never enters it (licences
// differ, people's addresses occur); where it is absent the test is skipped.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import { enhancedCodeOf } from '../src/mail/reply.ts'

interface Labelled {
  readonly text: string
  readonly code?: string
  readonly command?: string
  readonly coarse: string
  readonly coarse_accept: readonly string[]
}

const CORPUS = new URL('../../shared/ndr/replies.jsonl', import.meta.url)
/** A little below what was reached (93.2 %): a floor, so that a change of rules cannot make it worse unseen. */
const FLOOR = 0.92
/** Replies that are no fault of the recipient but would be taken for one: the mistake that costs somebody their mail. */
const FALSE_HARD_CEILING = 0.005

test.skipIf(!existsSync(CORPUS))('real replies fall into their class', () => {
  const classifier = createClassifier(shippedRules())
  const replies = readFileSync(CORPUS, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Labelled)
  const judged = replies.map((reply) => {
    const prefix = /^(\d{3})[ -]?/.exec(reply.text)
    const code = Number(prefix?.[1] ?? reply.code) || 0
    const line = reply.text.slice(prefix?.[0].length ?? 0)
    const enhanced = enhancedCodeOf(code, line)
    const cause = {
      kind: 'reply' as const,
      command: reply.command === 'DATA' ? ('dot' as const) : ('RCPT' as const),
      reply: { code, lines: [line], ...(enhanced === undefined ? {} : { enhanced }) },
    }
    return { reply, verdict: classifier.classify({ cause }) }
  })
  const right = judged.filter(({ reply, verdict }) => reply.coarse_accept.includes(verdict.class))
  expect(right.length / judged.length).toBeGreaterThanOrEqual(FLOOR)
  const blameless = judged.filter(({ reply }) => ['policy', 'rate', 'size', 'relay'].includes(reply.coarse))
  const blamed = blameless.filter(({ verdict }) => verdict.kind === 'hard')
  expect(blamed.length / blameless.length).toBeLessThanOrEqual(FALSE_HARD_CEILING)
})
