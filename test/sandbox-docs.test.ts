// docs/sandbox.md lists every behaviour, in the words of the table, and none that does not exist.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { behaviourRows } from '../src/cli/sandbox.ts'

const page = readFileSync(new URL('../docs/sandbox.md', import.meta.url), 'utf8')

test.each([
  ['recipients', 'recipient'],
  ['domains', 'domain'],
])('%s', (section, by) => {
  const start = page.indexOf(`<!-- ${section}:`)
  const listed = page
    .slice(start, page.indexOf('<!-- end -->', start))
    .split('\n')
    .slice(3)
    .filter((line) => line !== '')
  const rows = behaviourRows().filter((row) => row.by === by)
  expect(rows.length).toBeGreaterThan(10)
  expect(listed).toEqual(rows.map(({ name, at, reply, what }) => `| \`${name}\` | ${at} | ${reply ?? ''} | ${what} |`))
})
