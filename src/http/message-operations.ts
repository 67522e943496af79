// Messages and their records, as the API tells of them.

import type { Journal } from '../journal/journal.ts'
import { parseAddress } from '../mail/address.ts'
import type { Message } from '../mail/message.ts'
import type { Queue } from '../queue/queue.ts'
import { isId } from '../util/id.ts'
import type { MessageQuery, MessageSummary, Operations } from './operations.ts'
import { OperationError } from './problem.ts'
import { toWire } from './wire.ts'

interface Parts {
  readonly journal: Journal
  readonly queue: Pick<Queue, 'message' | 'recipient'>
}

const DEFAULT_LIMIT = 20

export function messageOperations({
  journal,
  queue,
}: Parts): Pick<Operations, 'messages' | 'message' | 'messageEvents'> {
  const read = (id: string): Message | undefined => (isId(id) ? queue.message(id) : undefined)
  return {
    messages: async (query) => searched(query, journal).flatMap((id) => summaryOf(read(id)) ?? []),
    message: async (id) => {
      const message = read(id)
      const summary = summaryOf(message)
      if (message === undefined || summary === undefined) return undefined
      const to = Array.from({ length: message.recipients }, (_, n) => queue.recipient(id, n)).filter(
        (found) => found !== undefined,
      )
      return { ...summary, to: to.map(toWire) }
    },
    messageEvents: async (id) => (read(id) === undefined ? undefined : journal.ofMessage(id).map(toWire)),
  }
}

function searched({ to, message_id, limit }: MessageQuery, journal: Journal): string[] {
  const most = Number(limit ?? DEFAULT_LIMIT)
  const byAddress = to === undefined ? undefined : journal.messagesTo(addressOf(to), most)
  const byHeader =
    message_id === undefined
      ? undefined
      : headerForms(message_id).flatMap((form) => journal.messagesWithHeader(form, most))
  const found =
    byAddress === undefined
      ? byHeader
      : byHeader === undefined
        ? byAddress
        : byAddress.filter((id) => byHeader.includes(id))
  // Ids sort by time: newest first.
  return [...new Set(found)].sort().reverse().slice(0, most)
}

function addressOf(text: string): string {
  const address = parseAddress(text)
  if (address === undefined) throw new OperationError('invalid', `Not a mail address: ${text}`)
  return address.text
}

/** People quote a Message-ID with and without its brackets. */
function headerForms(messageId: string): string[] {
  const bare = messageId.trim().replace(/^<|>$/g, '')
  return [`<${bare}>`, bare]
}

function summaryOf(message: Message | undefined): MessageSummary | undefined {
  if (message === undefined) return undefined
  const { prefix: _prefix, chunks: _chunks, ...shown } = message
  return toWire(shown)
}
