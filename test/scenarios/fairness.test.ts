// Tenants take turns at a site: a tenant with very many waiting delays another's mail by one turn at most.

import { createTransport } from 'nodemailer'
import { afterEach, expect, test } from 'vitest'
import { startTestRelay, stopRelays } from '../support/relay.ts'

afterEach(stopRelays)

const TOML = `
[[tenant]]
name = "bulk"
any_sender = true
[[tenant]]
name = "shop"
any_sender = true
[[network]]
cidr = "127.0.0.1"
tenant = "bulk"
[[network]]
cidr = "127.0.0.2"
tenant = "shop"
`

async function submit(port: number, from: string, count: number): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, localAddress: from })
  const to = Array.from({ length: count }, (_, n) => `slow-5ms+${n}@a.test`)
  await transport.sendMail({
    from: 'app@sender.test',
    envelope: { from: 'app@sender.test', to },
    subject: 'x',
    text: 'x',
  })
  transport.close()
}

test.each([
  ['what does not fit in flight stands in the store', 20],
  ['all in flight', 5000],
])('a password reset passes 600 waiting newsletters (%s)', async (_, maxInFlight) => {
  const relay = await startTestRelay({
    toml: TOML,
    queue: `max_in_flight = ${maxInFlight}`,
    delivery: 'connections = 2',
  })
  const port = relay.relay.listeners[0]!.port
  await submit(port, '127.0.0.1', 600)
  await relay.record('delivered', { count: 20 })
  const before = relay.records.filter(({ kind }) => kind === 'delivered').length
  await submit(port, '127.0.0.2', 1)
  const accepted = relay.records.findIndex(({ kind, tenant }) => kind === 'accepted' && tenant === 'shop')
  await relay.record('delivered', { recipient: 'slow-5ms+0@a.test', count: 2 })
  const delivered = relay.records.findIndex(({ kind, tenant }) => kind === 'delivered' && tenant === 'shop')
  const passedMeanwhile = relay.records
    .slice(accepted, delivered)
    .filter(({ kind, tenant }) => kind === 'delivered' && tenant === 'bulk').length
  // Two slots, one more handed over in advance, one being settled each: more than that would not be taking turns.
  expect(passedMeanwhile).toBeLessThanOrEqual(8)
  expect(before).toBeLessThan(600)
})
