// SMTP smuggling at the bounce listener, where anybody may send: whatever stands where a lax server might see an end of
// data, sent whole, byte by byte and cut at every place, at most one report comes of it, and none with a bare CR or LF.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LineClient } from '../support/dialog.ts'
import { SHAPES, sendIn } from '../support/smuggling.ts'
import { ADDRESSES, type BounceHarness, startBounces } from './bounce-harness.ts'

const { token } = ADDRESSES
const SMUGGLED = `MAIL FROM:<>\r\nRCPT TO:<${ADDRESSES['token-of-another']}>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n`

let harness: BounceHarness
beforeAll(async () => {
  harness = await startBounces({ config: { bounce: { rate_per_ip: '1000000/min', max_connections_per_ip: 500 } } })
})
afterAll(() => harness[Symbol.asyncDispose]())

/** Sends the data in pieces of a session of its own; the answer, and the reports that came of it. */
async function send(pieces: readonly string[]): Promise<{ reply: string | undefined; taken: readonly string[] }> {
  const before = harness.desk.reports.length
  const client = await LineClient.open(harness.port())
  client.socket.on('error', () => {})
  client.send(`HELO mx.far.test\r\nMAIL FROM:<>\r\nRCPT TO:<${token}>\r\nDATA\r\n`)
  for (let n = 0; n < 5; n++) await client.reply()
  await sendIn(client, pieces)
  const reply = await client.reply()
  if (reply?.startsWith('521')) expect(await client.reply()).toBeUndefined()
  else expect(await client.command('NOOP')).toBe('250 2.0.0 OK')
  client.close()
  return { reply, taken: harness.desk.messages.slice(before).map(({ wire }) => wire) }
}

const BARE = /(?<!\r)\n|\r(?!\n)/

function check(shape: string, { reply, taken }: Awaited<ReturnType<typeof send>>): void {
  if (BARE.test(shape)) {
    expect(reply).toMatch(/^521 5\.5\.2 /)
    expect(taken).toEqual([])
  } else if (shape.includes('\0')) {
    expect(reply).toMatch(/^554 5\.6\.0 /)
    expect(taken).toEqual([])
  } else {
    expect(reply).toMatch(/^250 2\.0\.0 taken as/)
    expect(taken).toHaveLength(1)
    expect(taken[0]).toContain('smuggled')
  }
}

describe.each(Object.entries(SHAPES))('%s', (_name, shape) => {
  const content = `Subject: x\r\n\r\ntext${shape}${SMUGGLED}\r\n.\r\n`

  test('whole', async () => {
    check(shape, await send([content]))
  })

  test('byte by byte', async () => {
    check(shape, await send([...content]))
  })

  test('cut in two at every place', async () => {
    const from = content.indexOf('text') + 3
    const to = from + shape.length + 3
    for (let cut = from; cut <= to; cut++) check(shape, await send([content.slice(0, cut), content.slice(cut)]))
  })
})

test('a bare line end in the part that is thrown away counts as well', async () => {
  await using small = await startBounces({ config: { bounce: { max_size: '1KiB' } } })
  const client = await LineClient.open(small.port())
  client.send(`HELO mx.far.test\r\nMAIL FROM:<>\r\nRCPT TO:<${token}>\r\nDATA\r\n`)
  for (let n = 0; n < 5; n++) await client.reply()
  client.send(`${'x'.repeat(70_000)}\r\ntext\n.\r\nNOOP\r\n.\r\n`)
  expect(await client.reply()).toMatch(/^521 5\.5\.2 /)
  expect(await client.reply()).toBeUndefined()
  expect(small.desk.reports).toEqual([])
  expect(await small.event('refused')).toMatchObject({ command: 'DATA', reply: { code: 521 } })
})
