// The parser against real reports. The corpus lies beside the checkout in ../shared/ndr and never enters it (licences
// differ, people's addresses occur); where it is absent the tests are skipped.

import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { createClassifier } from '../src/bounce/classify.ts'
import { parseReport } from '../src/bounce/parse.ts'
import type { ParsedReport } from '../src/bounce/report.ts'
import { shippedRules } from '../src/bounce/rules.ts'
import { type Summary, summaryOf } from '../src/bounce/summary.ts'

interface LabelledRecipient {
  readonly address: string | null
  readonly accept: readonly string[]
  readonly status: string
}

interface Labelled {
  readonly file: string
  readonly kind: string
  readonly kind_accept?: readonly string[]
  readonly recipients: readonly LabelledRecipient[]
  readonly complete: boolean
  readonly optional: readonly string[]
  readonly scored: boolean
  readonly variant_of?: string
}

const CORPUS = new URL('../../shared/ndr/', import.meta.url)
const isHere = existsSync(new URL('labels.jsonl', CORPUS))
/** A little below what was reached: floors, so that no change makes it worse unseen. */
const RECALL_FLOOR = 0.97
const PRECISION_FLOOR = 0.98
const STATUS_FLOOR = 0.97
/** An ordinary mail taken for a bounce may cost somebody their mail. */
const FALSE_BOUNCES = 0

describe.skipIf(!isHere)('real reports (skipped without the corpus)', () => {
  const classifier = createClassifier(shippedRules())
  let labels: readonly Labelled[] = []
  const reports = new Map<string, ParsedReport>()
  const summaries = new Map<string, Summary>()

  beforeAll(() => {
    labels = readFileSync(new URL('labels.jsonl', CORPUS), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Labelled)
    for (const { file } of labels) {
      const parsed = parseReport(readFileSync(new URL(file, CORPUS)))
      reports.set(file, parsed)
      summaries.set(file, summaryOf(parsed, classifier))
    }
  })

  const scored = (...kinds: readonly string[]): readonly Labelled[] =>
    labels.filter((label) => label.scored && kinds.includes(label.kind))
  const addressesOf = (label: Labelled): readonly string[] =>
    (summaries.get(label.file)?.recipients ?? [])
      .map(({ address }) => address.toLowerCase())
      .filter((address) => address !== '')

  test('every one is read', () => {
    expect([...reports].filter(([, { family }]) => family === 'unreadable').map(([file]) => file)).toEqual([])
  })

  test('the recipients are found, and no others', () => {
    let wanted = 0
    let found = 0
    let named = 0
    let wrong = 0
    for (const label of scored('dsn', 'arf')) {
      const addresses = addressesOf(label)
      const known = label.recipients.filter(({ address }) => address !== null)
      wanted += known.length
      found += known.filter(({ accept }) => addresses.some((address) => accept.includes(address))).length
      if (!label.complete || known.length === 0) continue
      const right = new Set([...known.flatMap(({ accept }) => accept), ...label.optional])
      named += addresses.length
      wrong += addresses.filter((address) => !right.has(address)).length
    }
    expect(wanted).toBeGreaterThan(0)
    expect(found / wanted).toBeGreaterThanOrEqual(RECALL_FLOOR)
    expect(1 - wrong / named).toBeGreaterThanOrEqual(PRECISION_FLOOR)
  })

  test('the class of the status is right', () => {
    let right = 0
    let all = 0
    for (const label of scored('dsn'))
      for (const { accept, status } of label.recipients) {
        const found = summaries
          .get(label.file)
          ?.recipients.find(({ address }) => accept.includes(address.toLowerCase()))
        if (status === '' || found === undefined) continue
        all++
        if (found.status[0] === status[0]) right++
      }
    expect(right / all).toBeGreaterThanOrEqual(STATUS_FLOOR)
  })

  test('ordinary mail and auto-replies are no bounces', () => {
    const mails = scored('not-a-bounce', 'other', 'vacation')
    const taken = mails.filter(({ file }) => ['dsn', 'arf'].includes(summaries.get(file)?.kind ?? 'none'))
    expect(taken.length).toBeLessThanOrEqual(FALSE_BOUNCES)
  })

  test('line ends change nothing', () => {
    for (const { file } of labels) {
      const text = readFileSync(new URL(file, CORPUS), 'latin1')
      if (text.includes('\r')) continue
      const summary = reports.get(file)
      expect([file, parseReport(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'))]).toEqual([file, summary])
      expect([file, parseReport(Buffer.from(text.replaceAll('\n', '\r'), 'latin1'))]).toEqual([file, summary])
    }
  })
})
