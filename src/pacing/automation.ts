// Counts how often rules are met, and says when one is to be acted upon. Pure, and bounded: a rule keeps at each place as
// many times as its threshold needs, and places that nothing was heard of for longest are forgotten first.

import { meets, type Rule, ruleName, type Saying } from '../shaping/rule.ts'

export interface Met {
  readonly rules: readonly Rule[]
  readonly said: Saying
  /** Whom a rule would bind; the times of each count by themselves. */
  readonly boundBy: (rule: Rule) => string
  /** Monotonic. */
  readonly at: number
}

const MOST_COUNTS = 10_000

export class Automation {
  readonly #times = new Map<string, readonly number[]>()

  get size(): number {
    return this.#times.size
  }

  /** The first rule that is met decides; undefined when there is none, or it was not met often enough yet. */
  heard({ rules, said, boundBy, at }: Met): Rule | undefined {
    const rule = rules.find((each) => meets(each, said))
    if (rule === undefined || rule.action === 'none') return undefined
    const { after } = rule
    if (after === undefined || after.count === 1) return rule
    const key = `${ruleName(rule)}\0${boundBy(rule)}`
    const times = [...(this.#times.get(key) ?? []).filter((time) => time > at - after.per), at]
    this.#times.delete(key)
    if (times.length >= after.count) return rule
    this.#times.set(key, times)
    this.#forget()
    return undefined
  }

  #forget(): void {
    for (const oldest of this.#times.keys()) {
      if (this.#times.size <= MOST_COUNTS) return
      this.#times.delete(oldest)
    }
  }
}
