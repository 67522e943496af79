// `studs message`: the timeline of a message, found by id, by Message-ID or by the address it went to.

import type { Command } from 'commander'
import type { Operations } from '../http/operations.ts'
import { parseAddress } from '../mail/address.ts'
import { isId } from '../util/id.ts'
import { positiveInteger } from './argument.ts'
import { CliError, EXIT, type Io } from './io.ts'
import { type Session, type Tools, withRelay } from './session.ts'
import { type Review, type Story, timeline } from './timeline.ts'

interface MessageOptions {
  readonly to?: string
  readonly limit: number
}

export function addMessageCommand(program: Command, io: Io, { version }: Tools): void {
  program
    .command('message')
    .description('Tell the story of a message: every attempt, every reply, every verdict')
    .argument('[id]', 'message id, id.n for one recipient, or Message-ID header')
    .option('--to <address>', 'the newest messages to this address')
    .option('--limit <count>', 'how many messages --to shows', positiveInteger, 5)
    .action(async (id: string | undefined, options: MessageOptions, command: Command) => {
      if ((id === undefined) === (options.to === undefined))
        throw new CliError(EXIT.usage, 'Give a message id, a Message-ID, or --to ADDRESS.')
      await withRelay({ command, io, version }, async (session) => {
        const stories = id === undefined ? await storiesTo(session, options) : await storiesOf(session, id)
        if (stories.length === 0) {
          const hint = id === undefined ? '' : await reportHint(session, id)
          throw new CliError(EXIT.notFound, `Nothing is known of ${id ?? `mail to ${options.to}`}.${hint}`)
        }
        session.output.items(stories, (items, page) =>
          items.flatMap((story, at) => [...(at === 0 ? [] : ['', '']), ...timeline(story, page)]),
        )
      })
    })
}

async function storiesOf(session: Session, text: string): Promise<Story[]> {
  const [, id = '', n] = /^([0-9a-v]{13})(?:\.(\d+))?$/i.exec(text) ?? []
  if (isId(id.toLowerCase())) {
    const story = await read(session, id.toLowerCase())
    if (story === undefined || n === undefined) return story === undefined ? [] : [story]
    const part = onlyFor(story, (recipient) => recipient.n === Number(n))
    return part.message.to.length === 0 ? [] : [part]
  }
  return readAll(session, await session.operations.messages({ message_id: text }))
}

async function storiesTo(session: Session, { to = '', limit }: MessageOptions): Promise<Story[]> {
  const wanted = parseAddress(to)?.text.toLowerCase()
  const stories = await readAll(session, await session.operations.messages({ to, limit }))
  return stories.map((story) => onlyFor(story, (recipient) => recipient.address.toLowerCase() === wanted))
}

/** Oldest first, as one reads a story. */
async function readAll(session: Session, messages: readonly { readonly id: string }[]): Promise<Story[]> {
  const stories = await Promise.all(messages.map(({ id }) => read(session, id)))
  return stories.filter((story) => story !== undefined).reverse()
}

async function read({ operations }: Session, id: string): Promise<Story | undefined> {
  const [message, events] = await Promise.all([operations.message(id), operations.messageEvents(id)])
  if (message === undefined) return undefined
  const hasReports = events?.some(({ report }) => report !== undefined) === true
  const reviews = hasReports ? await reviewsOf(operations, id) : []
  return { message, events: events ?? [], ...(reviews.length === 0 ? {} : { reviews }) }
}

async function reviewsOf(operations: Operations, message: string): Promise<Review[]> {
  const { items } = await operations.reports({ message })
  return items.flatMap(({ id, review, about, outcome }) =>
    review === undefined
      ? []
      : [
          {
            id,
            why: review.why,
            open: review.decided === undefined,
            acts: outcome === 'review' && about !== undefined,
          },
        ],
  )
}

async function reportHint({ operations }: Session, id: string): Promise<string> {
  return (await operations.report(id)) === undefined ? '' : ` It is a report: studs bounce show ${id}`
}

function onlyFor(
  { message, events, ...rest }: Story,
  isWanted: (recipient: Story['message']['to'][number]) => boolean,
): Story {
  const to = message.to.filter(isWanted)
  const numbers = new Set(to.map(({ n }) => n))
  return { ...rest, message: { ...message, to }, events: events.filter(({ n }) => n === undefined || numbers.has(n)) }
}
