// What stands in the files that the configuration names and a reload reads again: the operator's rules, the shaping and the DKIM keys.
// So that a reload can say what changed where the configuration itself did not. Never throws: the parts that use the
// files have their own say on what is wrong with them.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readRuleFile } from '../bounce/rule-file.ts'
import type { Settings } from '../config/schema.ts'

interface NamedFile {
  /** As a sentence calls it. */
  readonly label: string
  readonly digest: string
  /** How many rules are in it. */
  readonly rules?: number
  /** What it means that it has something else in it. */
  readonly says?: string
}

/** By the option that names it and the name of the file. */
export type NamedFiles = ReadonlyMap<string, NamedFile>

export function namedFiles({ bounce, delivery, domain }: Pick<Settings, 'bounce' | 'delivery' | 'domain'>): NamedFiles {
  const files = new Map<string, NamedFile>()
  if (bounce.rules !== undefined) {
    const text = textOf(bounce.rules)
    files.set(`bounce.rules ${bounce.rules}`, { label: 'bounce.rules', digest: digestOf(text), rules: countOf(text) })
  }
  if (delivery.shaping !== undefined) {
    const digest = digestOf(textOf(delivery.shaping))
    files.set(`delivery.shaping ${delivery.shaping}`, { label: 'delivery.shaping', digest, says: 'changed' })
  }
  for (const { name, dkim } of domain)
    for (const { selector, keyFile } of dkim)
      files.set(`${name} ${selector} ${keyFile}`, {
        label: `DKIM key ${selector}._domainkey.${name}`,
        digest: digestOf(textOf(keyFile)),
      })
  return files
}

/** A sentence for each file that is named as before and has something else in it. */
export function changesOf(before: NamedFiles, after: NamedFiles): string[] {
  return [...after].flatMap(([key, is]) => {
    const was = before.get(key)
    return was === undefined || was.digest === is.digest ? [] : [changeOf(was, is)]
  })
}

function changeOf(was: NamedFile, { label, digest, rules, says }: NamedFile): string {
  const key = digest === GONE ? 'the file is gone' : 'another key is in the file'
  if (rules === undefined) return `${label}: ${says ?? key}`
  const counted = `${rules} ${rules === 1 ? 'rule' : 'rules'}`
  return was.rules === rules ? `${label}: changed, ${counted}` : `${label}: ${counted} (was ${was.rules})`
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    // A key may be gone that is retired; what matters is said by the part that needs the file.
    return ''
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

/** Of a file that is not there, or empty. */
const GONE = digestOf('')

function countOf(text: string): number {
  try {
    return readRuleFile(text, 'bounce.rules').rule.length
  } catch {
    // Refused already by the classifier, which says why.
    return 0
  }
}
