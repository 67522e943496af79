// Reports damaged in every way that happens, thousands of them, always the same ones: each is read to its end, without an
// error of ours, in little time. `npm run bench -- --only mutations` runs many more.

import { expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { parseReport } from '../src/bounce/parse.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import { summaryOf } from '../src/bounce/summary.ts'
import { MUTATIONS, mutated, randomFrom } from './support/mutations.ts'
import { REPORT_SAMPLES } from './support/report-samples.ts'

const SEED = 20_261_101
const COUNT = 3000
// Far above what any of them needs (some milliseconds): for slow and busy machines.
const MAX_MS = 1000

test('every damaged report is read, in little time', { timeout: 60_000 }, () => {
  const random = randomFrom(SEED)
  const classifier = createClassifier(shippedRules())
  const seen = new Set<string>()
  for (let number = 0; number < COUNT; number++) {
    const { mail, by } = mutated(REPORT_SAMPLES[number % REPORT_SAMPLES.length]!, random)
    for (const name of by) seen.add(name)
    const startedAt = performance.now()
    const parsed = parseReport(mail)
    const { recipients } = summaryOf(parsed, classifier)
    const tookMs = performance.now() - startedAt
    const which = { seed: SEED, number, by }
    expect({ ...which, isRead: parsed.family !== 'unreadable' }).toEqual({ ...which, isRead: true })
    expect({ ...which, isFast: tookMs < MAX_MS }).toEqual({ ...which, isFast: true })
    expect(recipients.length).toBeLessThanOrEqual(100)
  }
  expect([...seen].sort()).toEqual(Object.keys(MUTATIONS).sort())
})

test('undamaged, they are what they look like', () => {
  const kinds = REPORT_SAMPLES.map((mail) => parseReport(Buffer.from(mail, 'latin1')).kind)
  expect(kinds).toEqual(['dsn', 'dsn', 'complaint', 'dsn', 'dsn', 'dsn', 'auto-reply', 'mail'])
})

test('the same seed damages in the same way, another one differently', () => {
  const mails = (seed: number): string[] => {
    const random = randomFrom(seed)
    return REPORT_SAMPLES.map((mail) => mutated(mail, random).mail.toString('latin1'))
  }
  expect(mails(1)).toEqual(mails(1))
  expect(mails(1)).not.toEqual(mails(2))
})
