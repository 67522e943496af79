// docs/bounces.md is what the handbook generates, and the handbook has a word on every code and category.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CATEGORIES } from '../src/bounce/verdict.ts'
import { CODES, categoriesOf, HANDBOOK } from '../src/cli/handbook.ts'
import { bouncesDocument } from '../src/cli/handbook-markdown.ts'
import { environment } from '../src/config/load.ts'

const FILE = join(import.meta.dirname, '..', 'docs', 'bounces.md')

// STUDS_UPDATE=1 vitest run test/bounces-document.test.ts writes it anew.
test('docs/bounces.md is what the handbook generates', () => {
  if (environment().STUDS_UPDATE === '1') writeFileSync(FILE, bouncesDocument())
  expect(readFileSync(FILE, 'utf8')).toBe(bouncesDocument())
})

test('every code of the table has a row, and every row a category', () => {
  const used = [...new Set(Object.values(CATEGORIES).map(({ code }) => code))].sort((a, b) => a - b)
  expect(CODES.map(({ code }) => code)).toEqual(used)
  for (const { code } of CODES) expect(categoriesOf(code)).not.toEqual([])
})

test('every category has a section, and links lead somewhere', () => {
  const document = bouncesDocument()
  const headings = [...document.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )
  expect(new Set(headings).size).toBe(headings.length)
  for (const category of Object.keys(HANDBOOK)) expect(headings).toContain(category)
  for (const [, anchor] of document.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(anchor)
})
