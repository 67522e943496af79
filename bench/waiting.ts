// A relay with a million waiting recipients: how soon it is ready after a start, and what that takes of memory.
// The store is filled with the very writes of acceptance; only the SMTP conversation is left out.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createJournal, type Journal } from '../src/journal/journal.ts'
import { parseAddress } from '../src/mail/address.ts'
import type { Message, Recipient } from '../src/mail/message.ts'
import { acceptanceOf } from '../src/queue/acceptance.ts'
import { partKey } from '../src/store/keys.ts'
import { openStore } from '../src/store/lmdb.ts'
import type { Store } from '../src/store/store.ts'
import { DAY, systemClock } from '../src/util/clock.ts'
import { idMaker } from '../src/util/id.ts'
import { command, type Lab, type Memory, memoryOf, peakMemoryDuring } from './lab.ts'
import { messageOf } from './smtp-client.ts'
import { type Node, startStuds } from './studs.ts'

export interface WaitingResult {
  readonly recipients: number
  readonly lanes: number
  readonly fillSeconds: number
  /** From starting the process to the first greeting. */
  readonly readySeconds: number
  /** Of the first seconds, and after them. */
  readonly peak: Memory
  readonly memory: Memory
  /** `studs queue summary`, the CLI's own start included. */
  readonly summarySeconds: number
}

const PER_MESSAGE = 1000
const DOMAINS = 1000
const TENANTS = 10
const SETTLE_MS = 5000
const MAP_SIZE = 64 * 2 ** 30

export async function measureWaiting(
  lab: Lab,
  { node, recipients }: { node: Node; recipients: number },
): Promise<WaitingResult> {
  const directory = join(lab.folder('studs-waiting'), 'data')
  const fillStart = performance.now()
  await fill(directory, recipients)
  const startedAt = performance.now()
  const tenants = Array.from({ length: TENANTS }, (_, t) => `[[tenant]]\nname = "${tenantName(t)}"\n`).join('')
  const studs = await startStuds(lab, {
    node,
    name: 'studs-waiting',
    sink: { host: '127.0.0.1', port: 9 },
    directory,
    more: tenants,
  })
  const readyAt = performance.now()
  // What runs after the start (housekeeping) belongs to it.
  const peak = await peakMemoryDuring(studs.pid, () => systemClock.sleep(SETTLE_MS))
  const memory = memoryOf(studs.pid)
  const askedAt = performance.now()
  await command(process.execPath, node.main, 'queue', 'summary', '-c', studs.config)
  const answeredAt = performance.now()
  await studs.stop()
  rmSync(directory, { recursive: true })
  return {
    recipients,
    lanes: Math.min(recipients, DOMAINS * Math.min(TENANTS, Math.ceil(recipients / PER_MESSAGE))),
    fillSeconds: (startedAt - fillStart) / 1000,
    readySeconds: (readyAt - startedAt) / 1000,
    peak,
    memory,
    summarySeconds: (answeredAt - askedAt) / 1000,
  }
}

const tenantName = (t: number): string => `tenant-${t}`

async function fill(directory: string, recipients: number): Promise<void> {
  const store = openStore({ directory, mapSize: MAP_SIZE, clock: systemClock })
  const journal = createJournal({ store, clock: systemClock })
  const makeId = idMaker(systemClock, 0)
  const body = messageOf(4096)
  try {
    for (let filled = 0; filled < recipients; filled += PER_MESSAGE) {
      const message = messageFor(makeId(), filled / PER_MESSAGE, Math.min(PER_MESSAGE, recipients - filled))
      await put({ store, journal, message, body })
    }
  } finally {
    await store.close()
  }
}

function messageFor(id: string, number: number, recipients: number): Message {
  const now = systemClock.now()
  return {
    id,
    tenant: tenantName(number % TENANTS),
    sender: addressOf('bench@sender.test'),
    recipients,
    receivedAt: now,
    expiresAt: now + 3 * DAY,
    sizeBytes: 4096,
    prefix: '',
    chunks: 1,
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId: `<${id}@sender.test>`, subject: 'bench' },
    client: { address: '127.0.0.1', listener: 'trusted' },
  }
}

/** As if every recipient had been deferred until tomorrow: nothing is tried while the relay is looked at. */
async function put({
  store,
  journal,
  message,
  body,
}: {
  store: Store
  journal: Journal
  message: Message
  body: Buffer
}): Promise<void> {
  const dueAt = message.receivedAt + DAY
  const recipients = Array.from({ length: message.recipients }, (_, n): Recipient => {
    const address = addressOf(`someone-${message.id}-${n}@domain-${n % DOMAINS}.test`)
    return { id: message.id, n, tenant: message.tenant, address, state: { kind: 'waiting', attempts: 1, dueAt } }
  })
  const { writes } = acceptanceOf({ message, recipients, to: [], journal })
  await store.write([...writes, { table: 'body', key: partKey(message.id, 0), value: body }])
}

function addressOf(text: string): Recipient['address'] {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`no address: ${text}`)
  return address.text
}
