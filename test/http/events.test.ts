import { type IncomingMessage, request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SECOND } from '../../src/util/clock.ts'
import { DELIVERED, refusal, type Served, serveFixture } from './fixture.ts'

/** Whatever came back; each test says what it must be. */
type Json = ReturnType<typeof JSON.parse>

let relay: Served
beforeEach(async () => {
  relay = await serveFixture()
})
afterEach(() => relay.close())

const mail = (to: string): ReturnType<Served['accept']> => relay.accept({ to: [to] })

describe('events as JSON lines', () => {
  const lines = async (query = ''): Promise<Json[]> => {
    const { body, type } = await relay.fetch(`/api/v1/events${query}`)
    expect(type).toBe('application/x-ndjson')
    return body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }

  test('go on where the last page ended', async () => {
    const { flights } = await mail('jane@example.net')
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user'))
    const first = await lines('?limit=2')
    const rest = await lines(`?since=${first[1].position}`)
    expect([...first, ...rest].map(({ kind }) => kind)).toEqual(['accepted', 'failed', 'suppression-added'])
    expect(await lines(`?since=${rest[0].position}`)).toEqual([])
  })

  test('of some kinds', async () => {
    const { flights } = await mail('jane@example.net')
    await relay.settle(flights[0], DELIVERED)
    expect((await lines('?kind=delivered,failed')).map(({ kind }) => kind)).toEqual(['delivered'])
  })

  test.each(['?since=rubbish', '?since=9999999999999999-1', '?since=1-99999999999', '?kind=nothing', '?limit=0'])(
    '%s is refused',
    async (query) => {
      expect(await relay.fetch(`/api/v1/events${query}`)).toMatchObject({
        status: 422,
        type: 'application/problem+json',
      })
    },
  )
})

interface Event {
  readonly id: string
  readonly event: string
  readonly data: { readonly kind: string; readonly recipient: string }
}

/** A reader of server-sent events; `next` waits for one. */
class EventReader {
  readonly #response: IncomingMessage
  readonly #pieces: AsyncIterator<string>
  #text = ''

  private constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    this.#pieces = response[Symbol.asyncIterator]() as AsyncIterator<string>
  }

  static open(query = '', headers: Record<string, string> = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      request(
        { socketPath: relay.settings.api.socket, path: `/api/v1/events/stream${query}`, headers, agent: false },
        (response) => {
          response.statusCode === 200
            ? resolve(new EventReader(response))
            : reject(new Error(`HTTP ${response.statusCode}`))
        },
      )
        .once('error', reject)
        .end()
    })
  }

  async block(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const block = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return block
      }
      const { done, value } = await this.#pieces.next()
      if (done === true) throw new Error('the stream ended')
      this.#text += value
    }
  }

  async next(): Promise<Event> {
    const fields = Object.fromEntries(
      (await this.block())
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    )
    return { id: fields.id ?? '', event: fields.event ?? '', data: JSON.parse(fields.data ?? 'null') }
  }

  close(): void {
    this.#response.destroy()
  }
}

describe('events as a stream', () => {
  test('tell what happens from now on, as it happens', async () => {
    await mail('before@example.net')
    const reader = await EventReader.open()
    const { flights } = await mail('jane@example.net')
    expect(await reader.next()).toMatchObject({
      event: 'accepted',
      data: { kind: 'accepted', recipient: 'jane@example.net' },
    })
    await relay.settle(flights[0], DELIVERED)
    expect(await reader.next()).toMatchObject({ event: 'delivered', id: expect.stringMatching(/^\d+-\d+$/) })
    reader.close()
  })

  test('miss nothing when the reader comes back with its last id, which is newer than the URL', async () => {
    await mail('a@example.net')
    const first = await EventReader.open('?since=0-0')
    const seen = await first.next()
    first.close()
    await mail('b@example.net')
    await mail('c@example.net')
    const again = await EventReader.open('?since=0-0', { 'last-event-id': seen.id })
    expect([(await again.next()).data.recipient, (await again.next()).data.recipient]).toEqual([
      'b@example.net',
      'c@example.net',
    ])
    again.close()
  })

  test('deliver a long past in order, then the present', async () => {
    const to = Array.from({ length: 500 }, (_, n) => `user${n}@example.net`)
    await relay.accept({ to })
    const reader = await EventReader.open('?since=0-0')
    const seen: string[] = []
    for (let count = 0; count < to.length; count++) seen.push((await reader.next()).data.recipient)
    expect(seen).toEqual(to)
    await mail('now@example.net')
    expect((await reader.next()).data.recipient).toBe('now@example.net')
    reader.close()
  })

  test('only of the kinds asked for', async () => {
    const reader = await EventReader.open('?kind=failed')
    const { flights } = await mail('jane@example.net')
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user'))
    expect((await reader.next()).event).toBe('failed')
    reader.close()
  })

  test('say something now and then, so that a dead reader is noticed', async () => {
    const reader = await EventReader.open()
    const block = reader.block()
    while (relay.clock.pending < 2) await new Promise(setImmediate)
    await relay.clock.advance(15 * SECOND)
    expect(await block).toBe(': idle')
    reader.close()
  })

  test('end when the relay stops, and hold it up no longer', async () => {
    const reader = await EventReader.open()
    await mail('jane@example.net')
    await reader.next()
    const cut = reader.next().then(
      () => 'event',
      () => 'ended',
    )
    await relay.close()
    expect(await cut).toBe('ended')
    relay = await serveFixture()
  })

  test('leave nothing behind when the reader goes', async () => {
    const idle = relay.clock.pending
    const reader = await EventReader.open()
    while (relay.clock.pending === idle) await new Promise(setImmediate)
    reader.close()
    while (relay.clock.pending > idle) await new Promise(setImmediate)
    expect(relay.clock.pending).toBe(idle)
  })

  test('a bad cursor is refused before the stream begins', async () => {
    await expect(EventReader.open('?since=rubbish')).rejects.toThrow('HTTP 422')
    await expect(EventReader.open('', { 'last-event-id': 'rubbish' })).rejects.toThrow('HTTP 422')
  })
})
