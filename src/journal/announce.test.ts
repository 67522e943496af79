import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createLogger } from '../observe/logger.ts'
import { announceTo } from './announce.ts'
import type { StoredRecord } from './record.ts'

function lineOf(record: Partial<StoredRecord>): Record<string, unknown> {
  const output = new PassThrough()
  const logger = createLogger({ level: 'info', format: 'json' }, output)
  const about = { at: 0, tenant: '*', recipient: '*', position: '0-0', ...record }
  announceTo(logger, 'full', Buffer.alloc(32))(about as StoredRecord)
  return JSON.parse(String(output.read()))
}

test('a refused downgrade says which code it is', () => {
  const cause = { kind: 'tls', detail: 'the server offers no STARTTLS' } as const
  expect(lineOf({ kind: 'deferred', cause, status: '4.7.5' })).toMatchObject({
    cause: 'tls 4.7.5: the server offers no STARTTLS',
    status: '4.7.5',
  })
})

test.each<[kind: string, name: string, tenant: string, field: string]>([
  ['source', 'mta1@google', '*', 'source'],
  ['slow', 'mta1@mx.example.net', '*', 'slow'],
  // Who reads the log by tenant finds it under the tenant's own name.
  ['tenant', 'shop@google', 'shop', 'target'],
])('a suspension of a %s', (kind, name, tenant, field) => {
  expect(lineOf({ kind: 'suspended', tenant, target: { kind, name } })).toMatchObject({
    event: 'suspended',
    tenant,
    [field]: name,
  })
})
