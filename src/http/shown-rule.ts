// Automation rules as `studs resolve` shows them: in the words of the file, in the order in which they are asked.

import { formatDuration, formatRate } from '../config/units.ts'
import type { Rule } from '../shaping/rule.ts'
import type { Place } from '../shaping/section.ts'

export interface ShownRule {
  readonly name?: string
  readonly match?: readonly string[]
  readonly category?: readonly string[]
  readonly code?: readonly string[]
  readonly action: Rule['action']
  readonly after?: string
  readonly for?: string
  readonly messageRate?: string
  readonly connections?: number
  readonly note?: string
  readonly place: Place
}

export function shownRule(rule: Rule): ShownRule {
  const { name, patterns, categories, codes, action, after, forMs, messageRate, connections, note, place } = rule
  return {
    ...(name !== undefined && { name }),
    ...(patterns !== undefined && { match: patterns.map(({ source }) => source) }),
    ...(categories !== undefined && { category: categories }),
    ...(codes !== undefined && { code: codes }),
    action,
    ...(after !== undefined && { after: formatRate(after) }),
    ...(forMs > 0 && { for: formatDuration(forMs) }),
    ...(messageRate !== undefined && { messageRate: formatRate(messageRate) }),
    ...(connections !== undefined && { connections }),
    ...(note !== undefined && { note }),
    place,
  }
}
