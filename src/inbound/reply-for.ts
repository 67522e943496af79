// The one place where an exception becomes a reply. Two faces: a vague sentence for the client, the whole error for the
// log (the caller gives it to events). What is unknown is transient: a bug of ours never makes a mail bounce.

import { StoreError } from '../store/store.ts'
import { REPLY, type Reply } from './replies.ts'

export function replyFor(error: unknown): Reply {
  return error instanceof StoreError && error.code === 'full' ? REPLY.noRoom : REPLY.ourFault
}
