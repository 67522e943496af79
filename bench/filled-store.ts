// A store that is full before a relay starts: the very writes of acceptance; only the SMTP conversation is left out.

import { createJournal, type Journal } from '../src/journal/journal.ts'
import { parseAddress } from '../src/mail/address.ts'
import type { Message, Recipient } from '../src/mail/message.ts'
import { acceptanceOf } from '../src/queue/acceptance.ts'
import { partKey } from '../src/store/keys.ts'
import { openStore } from '../src/store/lmdb.ts'
import type { Store } from '../src/store/store.ts'
import { DAY, type EpochMs, systemClock } from '../src/util/clock.ts'
import { idMaker } from '../src/util/id.ts'
import { messageOf } from './smtp-client.ts'

const MAP_SIZE = 64 * 2 ** 30
/** Messages whose writes are under way at one time; they share commits. */
const AT_ONCE = 200

export interface Waiting {
  readonly tenant: string
  /** Addresses, by the id of the message. */
  readonly recipients: (id: string) => readonly string[]
  /** Attempts made so far. */
  readonly attempts: number
  readonly dueAt: EpochMs
}

export async function fillStore(
  directory: string,
  { messages, bodyBytes }: { messages: Iterable<Waiting>; bodyBytes: number },
): Promise<void> {
  const store = openStore({ directory, mapSize: MAP_SIZE, clock: systemClock })
  const journal = createJournal({ store, clock: systemClock })
  const makeId = idMaker(systemClock, 0)
  const body = messageOf(bodyBytes)
  let underWay: Promise<void>[] = []
  try {
    for (const waiting of messages) {
      underWay.push(put({ store, journal, body, id: makeId(), waiting }))
      if (underWay.length < AT_ONCE) continue
      await Promise.all(underWay)
      underWay = []
    }
    await Promise.all(underWay)
  } finally {
    await store.close()
  }
}

interface Put {
  readonly store: Store
  readonly journal: Journal
  readonly body: Buffer
  readonly id: string
  readonly waiting: Waiting
}

async function put({ store, journal, body, id, waiting }: Put): Promise<void> {
  const { tenant, attempts, dueAt } = waiting
  const addresses = waiting.recipients(id)
  const message = messageFor({ id, tenant, recipients: addresses.length, sizeBytes: body.length })
  const recipients = addresses.map((address, n): Recipient => {
    return { id, n, tenant, address: addressOf(address), state: { kind: 'waiting', attempts, dueAt } }
  })
  const { writes } = acceptanceOf({ message, recipients, to: [], journal })
  await store.write([...writes, { table: 'body', key: partKey(id, 0), value: body }])
}

function messageFor(given: Pick<Message, 'id' | 'tenant' | 'recipients' | 'sizeBytes'>): Message {
  const now = systemClock.now()
  return {
    ...given,
    sender: addressOf('bench@sender.test'),
    receivedAt: now,
    expiresAt: now + 3 * DAY,
    prefix: '',
    chunks: 1,
    body: '7bit',
    smtpUtf8: false,
    headers: { messageId: `<${given.id}@sender.test>`, subject: 'bench' },
    client: { address: '127.0.0.1', listener: 'trusted' },
  }
}

function addressOf(text: string): Recipient['address'] {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`no address: ${text}`)
  return address.text
}
