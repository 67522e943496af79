// What Prometheus reads, of a real relay: that the numbers are those of what happened, and that nothing in them names a
// recipient or grows with who is mailed.

import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { readExamination, writeExamination } from '../src/health/examination.ts'
import { createClient } from '../src/http/client.ts'
import { openStore } from '../src/store/lmdb.ts'
import { systemClock } from '../src/util/clock.ts'
import { startTestRelay, stopRelays, type TestRelay } from './support/relay.ts'

afterEach(stopRelays)

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

function get(where: { socketPath: string } | { port: number }, path = '/metrics'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', path, ...where }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', text }),
      )
    })
    asked.on('error', reject)
    asked.end()
  })
}

const scrape = async ({ relay }: TestRelay): Promise<Map<string, number>> => {
  const { text } = await get({ socketPath: relay.socket })
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

test('what happened to mail is counted by provider, source, category and reason', async () => {
  const relay = await startTestRelay()
  await relay.send(['ok+1@gmail.test', 'ok+2@gmail.test', 'ok@plain.test'])
  await relay.record('delivered', { count: 3 })
  await relay.send('user-unknown@gmail.test')
  await relay.record('failed')
  await relay.send('user-unknown@gmail.test')
  await relay.record('suppressed')
  await relay.send('mailbox-full@plain.test')
  await relay.record('deferred')

  const numbers = await scrape(relay)
  const delivered = [...numbers].filter(([name]) => name.startsWith('studs_recipients_delivered_total'))
  expect(delivered.reduce((sum, [, value]) => sum + value, 0)).toBe(3)
  expect(numbers.get('studs_recipients_received_total{tenant="default"}')).toBe(6)
  expect(numbers.get('studs_recipients_suppressed_total{reason="hard_bounce"}')).toBe(1)
  expect(numbers.get('studs_suppressions_added_total{reason="hard_bounce"}')).toBe(1)
  expect(numbers.get('studs_suppressions')).toBe(1)
  expect(numbers.get('studs_queue_recipients{state="waiting"}')).toBe(1)
  const bounced = [...numbers].filter(([name]) => name.startsWith('studs_recipients_bounced_total'))
  expect(bounced).toEqual([[expect.stringContaining('kind="hard",category="bad-mailbox",by="reply"'), 1]])
  const deferred = [...numbers].filter(([name]) => name.startsWith('studs_attempts_deferred_total'))
  expect(deferred).toEqual([[expect.stringContaining('category="quota-issues"'), 1]])
  const count = [...numbers].filter(([name]) => name.startsWith('studs_delivery_latency_seconds_count'))
  expect(count.reduce((sum, [, value]) => sum + value, 0)).toBe(3)
})

test('no number names a domain or an address that was mailed, and there are no more of them with more domains', async () => {
  const relay = await startTestRelay()
  await relay.send('ok@first.test')
  await relay.record('delivered')
  const before = await scrape(relay)
  await relay.send(Array.from({ length: 40 }, (_, n) => `ok@domain${n}.test`))
  await relay.record('delivered', { count: 41 })
  const after = await scrape(relay)
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
  expect([...after.keys()].filter((name) => /domain\d|first\.test/.test(name))).toEqual([])
})

test('suspensions are counted while they hold, and gone when they are over', async () => {
  const relay = await startTestRelay()
  const client = createClient({ kind: 'socket', path: relay.relay.socket })
  await client.suspend({ kind: 'domain', name: 'a.test', reason: 'x', duration_ms: 60_000, who: 'test' })
  expect((await scrape(relay)).get('studs_suspensions{kind="domain"}')).toBe(1)
  await client.resume({ kind: 'domain', name: 'a.test' }, { who: 'test', reason: 'over' })
  expect((await scrape(relay)).get('studs_suspensions{kind="domain"}')).toBeUndefined()
})

test('what the relay found when it examined itself: the worst of each thing, and when that was', async () => {
  const first = await startTestRelay()
  await first.stop()
  const store = openStore({ directory: `${first.directory}/data`, mapSize: 2 ** 30, clock: systemClock })
  const good = { topic: 'dkim', subject: 's1', state: 'ok', severity: 'note', message: 'fine' } as const
  const broken = { topic: 'dkim', subject: 's2', state: 'missing', severity: 'error', message: 'gone' } as const
  const doubtful = { topic: 'spf', subject: 'x', state: 'unknown', severity: 'error', message: 'no answer' } as const
  await writeExamination(store, {
    at: 1_800_000_000_000,
    tookMs: 5,
    sections: [{ title: 'shop.example', diagnoses: [good, broken, doubtful] }],
  })
  expect(readExamination(store)?.tookMs).toBe(5)
  await store.close()
  const numbers = await scrape(await startTestRelay({ directory: first.directory }))
  expect(numbers.get('studs_dns_check_status{about="shop.example",check="dkim"}')).toBe(0)
  expect(numbers.get('studs_dns_check_status{about="shop.example",check="spf"}')).toBe(0.5)
  expect(numbers.get('studs_doctor_last_examination_timestamp_seconds')).toBe(1_800_000_000)
})

test('over TCP there is /metrics and nothing else, where the configuration says', async () => {
  const port = await freePort()
  await startTestRelay({ toml: `[metrics]\nport = ${port}\n` })
  const answer = await get({ port })
  expect(answer).toMatchObject({ status: 200, type: expect.stringContaining('text/plain; version=0.0.4') })
  expect(answer.text).toContain('# TYPE studs_recipients_received_total counter')
  expect((await get({ port }, '/api/v1/status')).status).toBe(404)
})

test('without a port nothing listens, and the socket answers', async () => {
  const relay = await startTestRelay()
  expect(relay.relay.listeners.concat(relay.relay.reportListeners).map(({ name }) => name)).not.toContain('metrics')
  expect((await get({ socketPath: relay.relay.socket })).status).toBe(200)
})
