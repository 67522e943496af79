// The verdicts that no reply and no report leads to: what a person asked for, and what an entry that keeps mail back
// stands for in the bounce-code table.

import { CATEGORIES, type Category, type Verdict } from '../bounce/verdict.ts'
import type { Reason, Suppression } from './suppression.ts'

const CATEGORY_OF: Partial<Record<Reason, Category>> = {
  inactivity: 'inactive-subscriber',
  policy: 'policy-enforced',
}

/** The verdict of a `suppressed` record, where the table has a row for its reason (122, 123). */
export function verdictOfSuppression({ reason }: Pick<Suppression, 'reason'>): Verdict | undefined {
  const category = CATEGORY_OF[reason]
  return category === undefined ? undefined : verdictOf(category, `suppression-${reason}`)
}

export function verdictOf(category: Category, rule: string): Verdict {
  return { ...CATEGORIES[category], category, action: 'fail', rule }
}
