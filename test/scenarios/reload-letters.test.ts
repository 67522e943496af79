// suppression.lower_case_local_part changed by a reload: what is learned and what is asked go by the same letters.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { configOf, startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

test.each([
  [true, false],
  [false, true],
])('lower_case_local_part from %s to %s: what was learned keeps mail back, before and after', async (first, then) => {
  const toml = (isOn: boolean): string => `[suppression]\nlower_case_local_part = ${isOn}`
  const relay = await startTestRelay({ toml: toml(first) })
  await relay.send('User-Unknown@a.test')
  await relay.record('failed')
  await relay.record('suppressed', { message: await relay.send('User-Unknown@a.test') })
  writeFileSync(join(relay.directory, 'studs.toml'), configOf({ toml: toml(then) }))
  expect(await relay.relay.reload()).toEqual([`suppression.lower_case_local_part: ${first} → ${then}`])
  await relay.send('User-Unknown@b.test')
  await relay.record('failed', { recipient: 'User-Unknown@b.test' })
  await relay.record('suppressed', { message: await relay.send('User-Unknown@b.test') })
  if (first) return
  await relay.record('suppressed', { message: await relay.send('User-Unknown@a.test') })
  await relay.record('suppressed', { message: await relay.send('user-unknown@b.test') })
})
