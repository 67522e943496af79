// MTA-STS policies in the real store: seen at once, there again after a restart, gone when they are over.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StsPolicy } from '../../src/delivery/mta-sts.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { forgetOldPolicies, storedPolicies } from '../../src/relay/tls-policies.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { systemClock } from '../../src/util/clock.ts'

let directory: string
let store: Store
const open = (): Store => openStore({ directory, mapSize: 2 ** 30, clock: systemClock })
const memory = () => storedPolicies({ store, clock: systemClock, logger: silentLogger() })
const policy = (expiresAt: number): StsPolicy => ({
  id: '20260101',
  mode: 'enforce',
  mx: ['*.example.com'],
  maxAgeMs: 86_400_000,
  fetchedAt: 1,
  expiresAt,
})

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'studs-store-'))
  store = open()
})
afterEach(() => store.close())

test('a policy is seen before it is durable, and after a restart', async () => {
  const later = policy(Date.now() + 60_000)
  const first = memory()
  first.save('example.com', later)
  expect(first.load('example.com')).toMatchObject(later)
  await store.close()
  store = open()
  expect(memory().load('example.com')).toMatchObject(later)
  expect(memory().load('other.example')).toBeUndefined()
})

test('a newer one takes its place', async () => {
  const policies = memory()
  policies.save('example.com', policy(10))
  policies.save('example.com', policy(20))
  await store.close()
  store = open()
  expect(memory().load('example.com')).toMatchObject({ expiresAt: 20 })
})

test('those that are over are removed, the others stay', async () => {
  const policies = memory()
  for (let n = 0; n < 2500; n++) policies.save(`d${n}.example`, policy(n))
  await store.close()
  store = open()
  await forgetOldPolicies(store, 1999)
  expect(store.count('tls-policy')).toBe(500)
  expect(memory().load('d1999.example')).toBeUndefined()
  expect(memory().load('d2000.example')).toBeDefined()
})

test('a store without room keeps the policy for this process', async () => {
  const failing: Store = { ...store, get: () => undefined, write: () => Promise.reject(new Error('full')) }
  const policies = storedPolicies({ store: failing, clock: systemClock, logger: silentLogger() })
  const later = policy(Date.now() + 60_000)
  policies.save('example.com', later)
  await new Promise(setImmediate)
  expect(policies.load('example.com')).toMatchObject(later)
})
