// kill -9: counts that were stored are there again and count once; what is lost is what came after the last save.

import { afterEach, expect, test } from 'vitest'
import { createClient } from '../../src/http/client.ts'
import type { ScopeHealth } from '../../src/http/health-operations.ts'
import { type ChildOptions, ChildRelay, endChildren, runStuds, temporaryFolder } from '../support/child-relay.ts'
import { RecordingMx } from './recording-mx.ts'
import { sendOne } from './submit.ts'

afterEach(endChildren)

const clientOf = ({ data }: ChildRelay) => createClient({ kind: 'socket', path: `${data}/studs.sock` })

async function stored(relay: ChildRelay, scope: 'tenant' | 'source' | 'path'): Promise<ScopeHealth> {
  const { code, out, err } = await runStuds(['health', `--${scope}`, '--json', '-c', relay.configFile])
  expect({ code, err }).toMatchObject({ code: 0 })
  return JSON.parse(out) as ScopeHealth
}

/** Resolves when the relay's counts say so. */
async function counted(relay: ChildRelay, delivered: number): Promise<void> {
  for (;;) {
    const [total] = await clientOf(relay).health({ scope: 'relay' })
    if ((total?.day.delivered ?? 0) >= delivered) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('killed five times, every saved count is there once', { timeout: 60_000 }, async () => {
  await using mx = await RecordingMx.start()
  const folder = temporaryFolder()
  const options: ChildOptions = { folder, mxPort: mx.port, toml: '[health]\nsave_every = "1s"' }
  let saved = 0
  for (let life = 0; life < 5; life++) {
    const relay = await ChildRelay.start(options)
    for (let n = 0; n < 20; n++) expect(await sendOne(relay.port, `l${life}m${n}`)).toMatch(/^250 /)
    await counted(relay, saved + 20)
    // Longer than save_every: these are stored, the next are perhaps not.
    await new Promise((resolve) => setTimeout(resolve, 1600))
    for (let n = 0; n < 5; n++) expect(await sendOne(relay.port, `l${life}late${n}`)).toMatch(/^250 /)
    await relay.kill()
    const { day, hour } = await stored(relay, 'tenant')
    // Deliveries of mail that the last life left behind count too, so what is there may be more, never less or twice.
    const arrived = [...mx.copies.values()].flat().length
    expect(day.delivered).toBeGreaterThanOrEqual(saved + 20)
    expect(day.delivered).toBeLessThanOrEqual(arrived)
    expect(hour.delivered).toBe(day.delivered)
    expect((await stored(relay, 'path')).day.delivered).toBe(day.delivered)
    saved = day.delivered
  }
  expect(saved).toBeGreaterThanOrEqual(100)
})
