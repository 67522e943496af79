// The queue as tables. Pure: printable data in, lines out.

import type { MessageDetail, QueueEntry, QueueSummary, RecipientDetail, Status } from '../http/operations.ts'
import type { Page } from './output.ts'
import { table } from './table.ts'
import { wrap } from './terminal.ts'
import { countText, dateTimeText, durationText, sizeText } from './time.ts'
import { causeLine } from './timeline.ts'

/** What is tried right now waits too: it is due again should the attempt be lost. */
export function queueText({ waiting, in_flight, held }: Status['queue']): string {
  return `${countText(waiting)} waiting (${countText(in_flight)} of them in flight), ${countText(held)} held`
}

export function queueTable(entries: readonly QueueEntry[], page: Page): string[] {
  return table(
    entries,
    [
      { title: 'ID', value: ({ id, n }) => `${id}.${n}` },
      { title: 'AGE', align: 'right', value: ({ received_at }) => durationText(page.now - Date.parse(received_at)) },
      { title: 'TRIES', align: 'right', value: ({ state }) => attemptsOf(state) },
      {
        title: 'NEXT',
        align: 'right',
        value: (entry) => nextText(entry, page.now),
        colour: ({ state }) => (state.kind === 'held' ? 'cyan' : undefined),
      },
      { title: 'RECIPIENT', value: ({ address }) => address, least: 20, long: 'wrap' },
      {
        title: 'LAST REPLY',
        value: ({ last_cause }) => (last_cause === undefined ? '' : causeLine(last_cause)),
        least: 40,
        long: 'line-below',
      },
    ],
    page,
  )
}

function attemptsOf(state: RecipientDetail['state']): string {
  return 'attempts' in state ? String(state.attempts) : ''
}

function nextText({ state, in_flight }: QueueEntry, now: number): string {
  if (in_flight) return 'now'
  if (state.kind !== 'waiting') return state.kind
  const wait = Date.parse(state.due_at) - now
  return wait <= 0 ? 'due' : durationText(wait)
}

export function summaryTable(rows: readonly QueueSummary[], by: string, page: Page): string[] {
  if (rows.length === 0) return ['The queue is empty.']
  return table(
    rows,
    [
      { title: by.toUpperCase(), value: ({ key }) => key, least: 12, long: 'wrap' },
      { title: 'WAITING', align: 'right', value: ({ waiting }) => countText(waiting) },
      { title: 'DUE', align: 'right', value: ({ due }) => countText(due) },
      { title: 'IN FLIGHT', align: 'right', value: ({ in_flight }) => countText(in_flight) },
      { title: 'HELD', align: 'right', value: ({ held }) => countText(held) },
      {
        title: 'OLDEST',
        align: 'right',
        value: ({ oldest_at }) => (oldest_at === undefined ? '' : durationText(page.now - Date.parse(oldest_at))),
      },
    ],
    page,
  )
}

export function queueDetail(message: MessageDetail, page: Page): string[] {
  const { headers, sender, size_bytes, tenant } = message
  const about = [
    `from ${sender === '' ? '<>' : sender}`,
    `tenant ${tenant}`,
    sizeText(size_bytes),
    `accepted ${dateTimeText(message.received_at)} UTC`,
  ]
  return [
    `Message ${page.paint('bold', message.id)}  ${headers.subject ?? ''}`.trimEnd(),
    ...wrap(about.join(', '), page.width - 2).map((line) => `  ${line}`),
    '',
    ...table(
      message.to,
      [
        { title: 'N', align: 'right', value: ({ n }) => `.${n}` },
        { title: 'RECIPIENT', value: ({ address }) => address, least: 20, long: 'wrap' },
        { title: 'STATE', value: ({ state }) => state.kind },
        { title: 'TRIES', align: 'right', value: ({ state }) => attemptsOf(state) },
        { title: 'NEXT', value: ({ state }) => (state.kind === 'waiting' ? dateTimeText(state.due_at) : '') },
        {
          title: 'LAST REPLY',
          value: ({ last_cause }) => (last_cause === undefined ? '' : causeLine(last_cause)),
          long: 'below',
        },
      ],
      page,
    ),
  ]
}
