// Mailboxes that are read by IMAP: a password that is never sent in clear, a folder of its own, something sensible done
// with what was read.

import { isIP } from 'node:net'
import { parseDomain } from '../mail/address.ts'
import { SECOND } from '../util/clock.ts'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import { isLoopback } from './network.ts'
import type { MailboxSettings, Settings } from './schema.ts'

const SHORTEST_POLL = 10 * SECOND
// The longest that a timer can wait; a longer one would fire at once.
const LONGEST_TIMER = 2 ** 31 - 1

export function* checkMailboxes({ mailbox: mailboxes }: Settings): Iterable<Finding> {
  for (const [index, mailbox] of mailboxes.entries()) {
    const path = `mailbox.${index}`
    yield* checkServer(mailbox, path)
    yield* checkDone(mailbox, path)
    yield* checkPoll(mailbox, path)
    const twin = mailboxes.slice(0, index).find((other) => placeOf(other) === placeOf(mailbox))
    if (twin === undefined) continue
    const message = `"${twin.name}" reads the same folder: every report would count twice`
    yield wrong(`${path}.folder`, { message, cure: 'remove one of them' })
  }
}

const placeOf = ({ host, port, user, folder }: MailboxSettings): string =>
  JSON.stringify([host.toLowerCase(), port, user, /^inbox$/i.test(folder) ? 'INBOX' : folder])

function* checkServer({ name, host, port, tls, password }: MailboxSettings, path: string): Iterable<Finding> {
  if (isIP(host) === 0 && parseDomain(host) === undefined) {
    yield wrong(`${path}.host`, {
      message: `${JSON.stringify(host)} is not a host name`,
      cure: 'write a name such as "imap.example.com"',
    })
  }
  if (password === undefined) {
    yield wrong(`${path}.password`, {
      message: `mailbox "${name}" has no password`,
      cure: 'give password or password_file',
    })
  }
  if (tls === 'none' && !isThisMachine(host)) {
    const message = 'the password and all mail would be sent in clear'
    yield wrong(`${path}.tls`, { message, cure: 'set tls = "implicit" or "starttls"; "none" is for loopback only' })
  }
  const usual = { implicit: 993, starttls: 143, none: undefined }[tls]
  if (usual !== undefined && port === 1136 - usual) {
    yield doubtful(`${path}.port`, {
      message: `tls = "${tls}" is usually on port ${usual}`,
      cure: 'change one of them',
    })
  }
}

function isThisMachine(host: string): boolean {
  return isLoopback(host) || /^(?:.+\.)?localhost\.?$/i.test(host)
}

function* checkDone({ done, moveTo, folder }: MailboxSettings, path: string): Iterable<Finding> {
  if (done === 'move' && moveTo === undefined) {
    yield wrong(`${path}.done`, { message: 'done = "move" needs a folder to move to', cure: 'give move_to' })
  } else if (done === 'move' && moveTo === folder) {
    yield wrong(`${path}.move_to`, { message: 'this is the folder that is read', cure: 'name another folder' })
  } else if (done !== 'move' && moveTo !== undefined) {
    yield doubtful(`${path}.move_to`, { message: `nothing is moved: done is "${done}"`, cure: 'set done = "move"' })
  }
}

function* checkPoll({ poll }: MailboxSettings, path: string): Iterable<Finding> {
  if (poll > LONGEST_TIMER) yield wrong(`${path}.poll`, { message: 'a wait may be at most 24 d' })
  if (poll < SHORTEST_POLL) {
    yield wrong(`${path}.poll`, {
      message: 'an IMAP server asked this often shuts its door',
      cure: 'make it at least "10s"',
    })
  }
}
