import { expect, test } from 'vitest'
import { organizationalDomain, walkDmarc } from './dmarc.ts'
import type { Lookup } from './lookup.ts'

function txtOnly(records: Record<string, readonly string[]>, asked: string[] = []): Pick<Lookup, 'txt'> {
  return {
    txt: async (name: string) => {
      asked.push(name)
      const items = records[name]
      return items === undefined ? { kind: 'nxdomain' } : { kind: 'ok', items }
    },
  }
}

test.each<[domain: string, records: Record<string, readonly string[]>, expected: string]>([
  ['a.b.example.com', { '_dmarc.example.com': ['v=DMARC1; p=none'] }, 'example.com'],
  [
    'a.b.example.com',
    { '_dmarc.b.example.com': ['v=DMARC1; p=none'], '_dmarc.example.com': ['v=DMARC1; p=none'] },
    'example.com',
  ],
  [
    'a.b.example.com',
    { '_dmarc.b.example.com': ['v=DMARC1; p=none; psd=n'], '_dmarc.example.com': ['v=DMARC1; p=none'] },
    'b.example.com',
  ],
  ['a.example.co.uk', { '_dmarc.co.uk': ['v=DMARC1; p=none; psd=y'] }, 'example.co.uk'],
  ['a.example.com', {}, 'a.example.com'],
  ['a.example.com', { '_dmarc.example.com': ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] }, 'a.example.com'],
])('the organization of %s with %j is %s', async (domain, records, expected) => {
  const walk = await walkDmarc(domain, txtOnly(records))
  expect(walk.kind === 'walked' && organizationalDomain(domain, walk.records)).toBe(expected)
})

test('a long name costs eight questions', async () => {
  const asked: string[] = []
  await walkDmarc('a.b.c.d.e.f.g.h.i.j.example.com', txtOnly({}, asked))
  expect(asked).toEqual(
    [
      '_dmarc.a.b.c.d.e.f.g.h.i.j.example.com',
      '_dmarc.g.h.i.j.example.com',
      '_dmarc.h.i.j.example.com',
      '_dmarc.i.j.example.com',
      '_dmarc.j.example.com',
      '_dmarc.example.com',
      '_dmarc.com',
    ].toSpliced(1, 0, '_dmarc.f.g.h.i.j.example.com'),
  )
})

test('what cannot be read is told apart from what is not there', async () => {
  const walk = await walkDmarc('example.com', txtOnly({ '_dmarc.example.com': ['v=DMARC1; p=none; p=reject'] }))
  expect(walk).toMatchObject({ kind: 'walked', records: [], broken: [{ at: 'example.com' }] })
})
