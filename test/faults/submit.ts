// Clients of a relay that may die at any moment: they send with raw sockets and believe only what was said to the dot.

import { connect } from 'node:net'
import { LineClient } from '../support/dialog.ts'

/** Same numbers in every run, so that a failure can be had again (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** An open session after EHLO; undefined when the relay is not (any more) there. */
export async function openSession(port: number, localAddress?: string): Promise<LineClient | undefined> {
  const socket = connect({ port, host: '127.0.0.1', ...(localAddress === undefined ? {} : { localAddress }) })
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  if (!isOpen) return undefined
  const client = new LineClient(socket)
  await client.reply()
  return (await client.command('EHLO app.test'))?.startsWith('250') === true ? client : undefined
}

export interface Mail {
  /** Local parts of the recipients. */
  readonly ids: readonly string[]
  readonly sizeBytes: number
}

const LINE = `${'x'.repeat(76)}\r\n`

export function contentOf({ ids, sizeBytes }: Mail): string {
  const head = `Subject: ${ids.join(' ')}\r\nFrom: app@sender.test\r\n\r\n`
  return `${head}${LINE.repeat(Math.ceil(sizeBytes / LINE.length))}.\r\n`
}

/** The answer to the dot, or to the command that was refused before; undefined when the relay went away. */
export async function submit(client: LineClient, mail: Mail): Promise<string | undefined> {
  const { ids } = mail
  client.send(`MAIL FROM:<app@sender.test>\r\n${ids.map((id) => `RCPT TO:<${id}@dest.test>\r\n`).join('')}DATA\r\n`)
  let refusal: string | undefined
  for (let n = 0; n < ids.length + 1; n++) {
    const reply = await client.reply()
    if (reply === undefined) return undefined
    if (!reply.startsWith('250')) refusal ??= reply
  }
  const go = await client.reply()
  if (refusal !== undefined || go?.startsWith('354') !== true) return refusal ?? go
  client.send(contentOf(mail))
  return client.reply()
}

/** Sends one mail in a session of its own. */
export async function sendOne(port: number, id: string, sizeBytes = 500): Promise<string | undefined> {
  const client = await openSession(port)
  if (client === undefined) return undefined
  const reply = await submit(client, { ids: [id], sizeBytes })
  client.close()
  return reply
}

export interface Load {
  /** Recipients of messages that got their 250. */
  readonly acked: Set<string>
  /** Every other answer to a message, and how often. */
  readonly refusals: Map<string, number>
  /** Resolves when all clients have ended. */
  readonly ended: Promise<void>
  stop(): void
}

/** `clients` sessions at one time that send without pause until stop(), or until the relay goes away. */
export function startLoad(given: {
  readonly port: number
  readonly clients: number
  readonly acked: Set<string>
  readonly nextMail: () => Mail
}): Load {
  const refusals = new Map<string, number>()
  let isOver = false
  const run = async (): Promise<void> => {
    const client = await openSession(given.port)
    while (client !== undefined && !isOver) {
      const mail = given.nextMail()
      const reply = await submit(client, mail)
      if (reply === undefined) break
      if (reply.startsWith('250 ')) for (const id of mail.ids) given.acked.add(id)
      else refusals.set(reply, (refusals.get(reply) ?? 0) + 1)
    }
    client?.close()
  }
  const ended = Promise.all(Array.from({ length: given.clients }, run)).then(() => undefined)
  return {
    acked: given.acked,
    refusals,
    ended,
    stop: () => {
      isOver = true
    },
  }
}
