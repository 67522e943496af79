// SMTP smuggling (reliability of the end of data): whatever stands where a lax server might see an end of data, sent
// whole, byte by byte and cut at every place, one message at most comes of it, and nothing bare goes out.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LineClient } from '../support/dialog.ts'
import { SHAPES, sendIn } from '../support/smuggling.ts'
import { type Harness, startSubmission } from './harness.ts'

const SMUGGLED = 'MAIL FROM:<evil@x.test>\r\nRCPT TO:<victim@y.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n.\r\n'

let harness: Harness
beforeAll(async () => {
  harness = await startSubmission({ config: { submission: { max_errors: 1000, max_junk_commands: 1000 } } })
})
afterAll(() => harness[Symbol.asyncDispose]())

async function open(): Promise<LineClient> {
  const client = await LineClient.open(harness.port('trusted'))
  await client.reply()
  await client.command('EHLO app.test')
  return client
}

async function startData(client: LineClient): Promise<void> {
  client.send('MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n')
  for (let n = 0; n < 3; n++) await client.reply()
}

/** Sends the message in pieces and returns what was accepted; the reply is one 250 or one 5xx. */
async function submit(client: LineClient, pieces: readonly string[]): Promise<readonly string[]> {
  const before = harness.acceptor.messages.length
  await startData(client)
  await sendIn(client, pieces)
  expect(await client.reply()).toMatch(/^(250 2|55\d 5)\./)
  // The session is in step: exactly one reply came, and the next command gets its own.
  expect(await client.command('NOOP')).toBe('250 2.0.0 OK')
  return harness.acceptor.messages.slice(before).map(({ wire }) => wire)
}

const hasBareLineEnd = (wire: string): boolean => /(?<!\r)\n|\r(?!\n)|\0/.test(wire)

function checkOne(accepted: readonly string[]): void {
  expect(accepted.length).toBeLessThanOrEqual(1)
  for (const wire of accepted) expect(hasBareLineEnd(wire)).toBe(false)
}

describe.each(Object.entries(SHAPES))('%s', (_name, shape) => {
  const content = `Subject: x\r\n\r\ntext${shape}${SMUGGLED.slice(0, -5)}\r\n.\r\n`

  test('whole', async () => {
    const client = await open()
    checkOne(await submit(client, [content]))
    client.close()
  })

  test('byte by byte', async () => {
    const client = await open()
    checkOne(await submit(client, [...content]))
    client.close()
  })

  test('cut in two at every place', async () => {
    const client = await open()
    const from = content.indexOf('text')
    const to = from + 4 + shape.length + 12
    for (let cut = from; cut <= to; cut++) checkOne(await submit(client, [content.slice(0, cut), content.slice(cut)]))
    client.close()
  })

  test('at the very start of the data', async () => {
    const client = await open()
    const start = `${shape}${SMUGGLED.slice(0, -5)}\r\n.\r\n`
    for (let cut = 0; cut <= shape.length + 6; cut++) {
      // The end of data may stand at the very start: then what follows are commands, honestly sent.
      if (shape.startsWith('\r\n.\r\n')) continue
      checkOne(await submit(client, [start.slice(0, cut), start.slice(cut)]))
    }
    client.close()
  })
})

test('a lone dot that was doubled and arrives in a segment of its own is text', async () => {
  const client = await open()
  const accepted = await submit(client, ['..', '\r\nMAIL FROM:<evil@x.test>\r\n', '.', '\r\n'])
  expect(accepted).toHaveLength(1)
  expect(accepted[0]).toMatch(/\r\n\r\n\.\r\nMAIL FROM:<evil@x\.test>\r\n$/)
  client.close()
})

test('the real end of data is seen however it is cut', async () => {
  const client = await open()
  const content = 'Subject: x\r\n\r\ntext\r\n.\r\n'
  for (let cut = 0; cut <= content.length; cut++) {
    const accepted = await submit(client, [content.slice(0, cut), content.slice(cut)])
    expect(accepted).toHaveLength(1)
    expect(accepted[0]).toMatch(/Subject: x\r\n\r\ntext\r\n$/)
  }
  client.close()
})
