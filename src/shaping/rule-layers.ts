// Which rules are asked about a place, and in which order: the narrow sections before the wide, and within a section the
// operator's before the shipped. A shipped rule that a rule of the operator's has the name and the section of is left out.

import type { Rule } from './rule.ts'
import { LEVELS, type Level } from './section.ts'

export type RuleNames = { readonly [Name in Level]?: string }

export interface RuleLayers {
  rulesFor(names: RuleNames): readonly Rule[]
}

/** `files`: the operator's first. */
export function createRuleLayers(files: readonly { readonly rules: readonly Rule[] }[]): RuleLayers {
  const bySection = new Map<string, Rule[]>()
  for (const { rules } of files) {
    // Of the files before, not of this one: two rules of one name in a file both stand.
    const taken = new Set([...bySection.values()].flat().map(nameKey))
    for (const rule of rules) {
      if (rule.name !== undefined && taken.has(nameKey(rule))) continue
      const key = `${rule.level}\0${rule.section}`
      const list = bySection.get(key) ?? []
      list.push(rule)
      bySection.set(key, list)
    }
  }
  return {
    rulesFor: (names) =>
      LEVELS.toReversed().flatMap((level) => {
        const name = names[level]
        return name === undefined ? [] : (bySection.get(`${level}\0${name}`) ?? [])
      }),
  }
}

function nameKey({ level, section, name }: Rule): string {
  return `${level}\0${section}\0${name ?? ''}`
}
