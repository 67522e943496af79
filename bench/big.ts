// Many large messages at one time: memory must stay bounded by the connections, not by the mail.

import { type Lab, type Memory, memoryOf, peakMemoryDuring, until } from './lab.ts'
import { startSink } from './sink.ts'
import { messageOf, SmtpClient } from './smtp-client.ts'
import { type Node, startStuds } from './studs.ts'

export interface BigResult {
  readonly messages: number
  readonly mebibytes: number
  readonly before: Memory
  readonly peak: Memory
  readonly acceptedInSeconds: number
  readonly throughInSeconds: number
}

// Room for the Received header below the limit of 25 MiB.
const HEADROOM = 4096

export async function measureBig(
  lab: Lab,
  { node, messages, mebibytes }: { node: Node; messages: number; mebibytes: number },
): Promise<BigResult> {
  const sink = await startSink(lab, 'big')
  const studs = await startStuds(lab, { node, name: 'studs-big', sink })
  await sendOne(studs, messageOf(4096))
  await until('the first mail at the sink', () => sink.received() >= 1)
  const before = memoryOf(studs.pid)
  const body = messageOf(mebibytes * 2 ** 20 - HEADROOM)
  const startedAt = performance.now()
  let acceptedAt = startedAt
  const peak = await peakMemoryDuring(studs.pid, async () => {
    await Promise.all(Array.from({ length: messages }, () => sendOne(studs, body)))
    acceptedAt = performance.now()
    await until('large mails at the sink', () => sink.received() >= messages + 1, { withinMs: 300_000 })
  })
  const endedAt = performance.now()
  await studs.stop()
  await sink.stop()
  const seconds = (at: number): number => (at - startedAt) / 1000
  return {
    messages,
    mebibytes,
    before,
    peak,
    acceptedInSeconds: seconds(acceptedAt),
    throughInSeconds: seconds(endedAt),
  }
}

async function sendOne(studs: { host: string; port: number }, body: Buffer): Promise<void> {
  const client = await SmtpClient.open(studs)
  await client.send(body)
  await client.quit()
}
