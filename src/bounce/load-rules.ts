// The rules in force: the shipped ones and, before them, the operator's own from bounce.rules. An operator's file is held
// to what the shipped rules are held to: it is taken as a whole or not at all, and every sample must meet its own rule.

import { readFileSync } from 'node:fs'
import { type Classifiable, createClassifier } from './classify.ts'
import { replyFrom } from './pasted.ts'
import { type Rule, type Rules, RulesError, rulesWithOwn, shippedRules } from './rules.ts'

/** Throws RulesError, which names file, rule and cure. `file` is absolute, or relative to the working directory. */
export function loadRules(file?: string): Rules {
  return file === undefined ? shippedRules() : rulesFromText(textOf(file), file)
}

/** As loadRules, of a file that was read already; `name` is how errors call it. */
export function rulesFromText(text: string, name: string): Rules {
  const rules = rulesWithOwn(text, name)
  const problems = rules.rules.filter(({ isOwn }) => isOwn).flatMap((rule) => sampleProblems(rule, rules))
  if (problems.length > 0)
    throw new RulesError(`the rules in ${name} do not do what their samples say:\n  ${problems.join('\n  ')}`)
  return rules
}

/** A sentence for each sample of `rule` that another rule decides, or none. */
export function sampleProblems(rule: Rule, rules: Rules): string[] {
  let isSlow = false
  const classifier = createClassifier(rules, {
    onSlowRule: (slow) => {
      isSlow ||= slow === rule.name
    },
  })
  return rule.samples.flatMap((sample) => {
    const { verdict } = classifier.explain(sampleCase(sample, rule, rules))
    if (verdict.rule === rule.name) return []
    const id = rule.name.slice(0, rule.name.indexOf('@'))
    if (isSlow)
      return [`rule "${id}", sample "${sample}": its pattern takes too long; no repetition within a repetition, (a+)+`]
    const cure = rule.pattern.test(sample)
      ? `${verdict.rule} decides it; put the rule before it, or make one of the two narrower`
      : 'its pattern does not match; mend "match" or the sample'
    return [`rule "${id}", sample "${sample}": ${cure}`]
  })
}

/** The sample as its rule would meet it: from a host of its provider, in answer to one of its commands. */
export function sampleCase(sample: string, { commands, scope }: Rule, { providers }: Rules): Classifiable {
  const command = commands === undefined ? 'RCPT' : ([...commands][0] ?? 'RCPT')
  const host = [...providers].find(([, provider]) => provider === scope)?.[0]
  return {
    cause: { kind: 'reply', command, reply: replyFrom(sample) },
    ...(host === undefined ? {} : { mx: `mx1.${host}` }),
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason =
      REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? `cannot be read (${(error as Error).message})`
    throw new RulesError(`the rules file ${file} ${reason}; correct bounce.rules, or remove it`, { cause: error })
  }
}
