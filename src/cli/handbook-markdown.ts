// docs/bounces.md from the data of the handbook. Headings are stable: other documents and alerts link to them.

import { namesOf } from '../bounce/names.ts'
import { CATEGORIES, type Category } from '../bounce/verdict.ts'
import { CODES, type CodeEntry, categoriesOf, HANDBOOK } from './handbook.ts'
import { OPENING, OWN_RULES, POLICY, WHAT_TO_DO } from './handbook-chapters.ts'
import { MEANINGS } from './meaning.ts'

export function bouncesDocument(): string {
  return `${[OPENING, codeTable(), ...CODES.map(codeSection), POLICY, WHAT_TO_DO, OWN_RULES, namesTable()]
    .map((part) => part.trim())
    .join('\n\n')}\n`
}

function codeTable(): string {
  const rows = CODES.map(({ code, label, address }) => {
    const categories = categoriesOf(code).map((category) => `[\`${category}\`](#${category})`)
    return `| [${code}](#${codeAnchor(code, label)}) | ${label} | ${categories.join(', ')} | ${kindOf(code)} | ${address} |`
  })
  return ['## Codes', '', '| code | label | categories | kind | the address |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  )
}

function kindOf(code: number): string {
  const [first] = categoriesOf(code)
  return first === undefined ? 'other' : CATEGORIES[first].kind
}

function codeSection(entry: CodeEntry): string {
  const { code, label, address } = entry
  return [`## Code ${code}: ${label}`, address, ...categoriesOf(code).map(categorySection)].join('\n\n')
}

function codeAnchor(code: number, label: string): string {
  return `code-${code}-${label
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')}`
}

function categorySection(category: Category): string {
  const { kind, fault } = CATEGORIES[category]
  const { happened, cure } = HANDBOOK[category]
  return `### ${category}\n\n${MEANINGS[category]} ${happened}\n\nKind ${kind}, fault ${fault}. **Do:** ${cure}`
}

function namesTable(): string {
  const rows = (Object.keys(CATEGORIES) as Category[]).map((category) => {
    const { sparkpost, kumomta, postmark, ses, marketing } = namesOf(category)
    return `| \`${category}\` | ${sparkpost} | ${kumomta} | ${postmark} | ${ses} | ${marketing} |`
  })
  return [
    '## Names in other systems',
    '',
    'The nearest word of other systems; `studs bounce classify --json` has them under `names`.',
    '',
    '| category | SparkPost | KumoMTA | Postmark | SES | marketing tools |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
