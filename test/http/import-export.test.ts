import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Served, serveFixture } from './fixture.ts'

let relay: Served
beforeEach(async () => {
  relay = await serveFixture()
})
afterEach(() => relay.close())

/** The import waits for turns of the event loop by the clock; the clock of these tests must be moved for that. */
async function moved<T>(work: Promise<T>): Promise<T> {
  let isOver = false
  const over = work.finally(() => {
    isOver = true
  })
  over.catch(() => undefined)
  while (!isOver) await relay.clock.advance(0)
  return over
}

const CSV =
  'email,reason,source,category,smtp_code,enhanced_code,diagnostic,scope,created_at,expires_at,note\njane@example.net,manual,,,,,,,2025-01-02T03:04:05Z,,\nnonsense,manual,,,,,,,,,\n'

test('a list is looked at first, then imported with its own dates, and once only', async () => {
  const dry = await moved(relay.client.importSuppressions(CSV, { dry_run: true }))
  expect(dry).toMatchObject({
    dry_run: true,
    changed: 1,
    already: 0,
    invalid: 1,
    bad_lines: [{ line: 3, text: 'nonsense' }],
  })
  expect((await relay.client.suppressions({})).items).toEqual([])
  expect(await moved(relay.client.importSuppressions(CSV, { who: 'import:old.csv' }))).toMatchObject({
    dry_run: false,
    changed: 1,
  })
  expect((await relay.client.suppressions({})).items).toMatchObject([
    { target: 'jane@example.net', who: 'import:old.csv', created_at: '2025-01-02T03:04:05.000Z' },
  ])
  expect(await moved(relay.client.importSuppressions(CSV, {}))).toMatchObject({ changed: 0, already: 1 })
})

test('a list larger than any other request may be is read as it comes', async () => {
  const lines = 60_000
  async function* text(): AsyncGenerator<string> {
    for (let at = 0; at < lines; at += 1000)
      yield Array.from({ length: 1000 }, (_, n) => `user-${at + n}-${'x'.repeat(30)}@example.net\n`).join('')
  }
  const report = await moved(relay.client.importSuppressions(Readable.from(text()), { dry_run: true }))
  expect(report).toMatchObject({ changed: lines, invalid: 0 })
})

test('a tenant that does not exist is refused before anything is read', async () => {
  await expect(relay.client.importSuppressions(CSV, { scope: 'nobody' })).rejects.toMatchObject({
    code: 'unknown-name',
    message: 'There is no tenant nobody.',
  })
})

test('the export can be imported again and says the same', async () => {
  await relay.client.suppress('"Quoted, name"@example.net', { note: 'said "no",\nloudly', who: 'ops' })
  await relay.client.suppress('@example.org', { scope: '*' })
  let text = ''
  for await (const piece of relay.client.exportSuppressions({})) text += piece
  expect(text.split('\r\n')[0]).toBe(
    'email,reason,source,category,smtp_code,enhanced_code,diagnostic,scope,created_at,expires_at,note',
  )
  expect(await moved(relay.client.importSuppressions(text, { scope: 'shop' }))).toMatchObject({
    changed: 2,
    invalid: 0,
  })
  expect(await relay.client.suppression('"quoted, name"@example.net', 'shop')).toMatchObject({
    note: 'said "no",\nloudly',
  })
})

test('other formats have their own type; an unknown one is refused', async () => {
  await relay.client.suppress('jane@example.net', {})
  expect(await relay.fetch('/api/v1/suppressions/export.csv?format=ses')).toMatchObject({
    status: 200,
    type: 'text/csv; charset=utf-8',
    body: 'jane@example.net,BOUNCE\n',
  })
  expect((await relay.fetch('/api/v1/suppressions/export.csv?format=jsonl')).type).toBe(
    'application/x-ndjson; charset=utf-8',
  )
  expect((await relay.fetch('/api/v1/suppressions/export.csv?format=xls')).status).toBe(422)
})
