// kill -9 at any moment: every message that got its 250 arrives, and a second copy comes only where the final dot was
// sent and the answer to it was not recorded: the journal says so, or the kill came before it could.

import { afterEach, expect, test } from 'vitest'
import type { StoredRecord } from '../../src/journal/record.ts'
import { type ChildOptions, ChildRelay, endChildren, runStuds, temporaryFolder } from '../support/child-relay.ts'
import { readRemains } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { type Mail, randomOf, sendOne, startLoad } from './submit.ts'

afterEach(endChildren)

const KILLS = 20
const CLIENTS = 12
// Ten connections to the MX, each with the mail it is at, and all that a group commit lets through while it is written: on a
// busy machine that is a tenth of a second.
const UNSETTLED_LIMIT = 200

/** What the journals showed when each life was over. */
class Ledger {
  readonly deliveredIn = new Map<string, number>()
  /** `id life` → how often. */
  readonly ambiguous = new Map<string, number>()
  position: string | undefined

  read(records: readonly StoredRecord[], life: number): void {
    for (const { kind, recipient, ambiguous, position } of records) {
      const id = recipient.split('@')[0]!
      if (kind === 'delivered') this.deliveredIn.set(id, life)
      if (ambiguous === true) this.ambiguous.set(`${id} ${life}`, (this.ambiguous.get(`${id} ${life}`) ?? 0) + 1)
      this.position = position
    }
  }

  /** Mails that the MX took in this life and whose delivery the journal does not have: the window of the kill. */
  unsettled(mx: RecordingMx, life: number): number {
    return [...mx.copies.values()].filter(
      (copies) => copies.at(-1)!.life === life && !this.deliveredIn.has(copies[0]!.id),
    ).length
  }

  /** Copies that nothing explains. */
  unexplained(mx: RecordingMx): string[] {
    return [...mx.copies].flatMap(([id, copies]) => {
      const lives = new Map<number, number>()
      for (const { life } of copies) lives.set(life, (lives.get(life) ?? 0) + 1)
      return [...lives].flatMap(([life, count]) => {
        if (count > 1 + (this.ambiguous.get(`${id} ${life}`) ?? 0)) return [`${id} came ${count} times in life ${life}`]
        const delivered = this.deliveredIn.get(id) ?? life
        return delivered < life ? [`${id} came in life ${life}, and was recorded as delivered in ${delivered}`] : []
      })
    })
  }
}

/** Mostly small, some of one chunk, some of several; some with three recipients. */
function mailMaker(random: () => number, life: number): () => Mail {
  let count = 0
  return () => {
    const name = `l${life}m${count++}`
    const kind = random()
    const sizeBytes = kind < 0.85 ? 4000 * random() : kind < 0.97 ? 100_000 * random() : 700_000 * random()
    return { ids: random() < 0.1 ? [`${name}a`, `${name}b`, `${name}c`] : [name], sizeBytes }
  }
}

test(`${KILLS} kills under load`, { timeout: 150_000 }, async ({ annotate }) => {
  const random = randomOf(20_260_101)
  await using mx = await RecordingMx.start()
  mx.answer = () => (random() < 0.05 ? { late: 300 * random() } : 'take')
  const folder = temporaryFolder()
  const options: ChildOptions = { folder, mxPort: mx.port, queue: 'retry = ["1s"]' }
  const acked = new Set<string>()
  const ledger = new Ledger()
  let orphans = 0
  let mostUnsettled = 0
  for (let life = 0; life < KILLS; life++) {
    mx.life = life
    const relay = await ChildRelay.start(options)
    const load = startLoad({ port: relay.port, clients: CLIENTS, acked, nextMail: mailMaker(random, life) })
    await new Promise((resolve) => setTimeout(resolve, 20 + 700 * random()))
    expect(await relay.kill()).toEqual({ code: null, signal: 'SIGKILL' })
    load.stop()
    await load.ended
    expect([...load.refusals.keys()]).toEqual([])
    const remains = await readRemains(relay.data, ledger.position)
    expect(remains.problems).toEqual([])
    ledger.read(remains.records, life)
    mostUnsettled = Math.max(mostUnsettled, ledger.unsettled(mx, life))
    orphans += remains.orphans
  }
  mx.life = KILLS
  const last = await ChildRelay.start(options)
  const missing = await mx.arrived(acked, 60_000)
  expect(await last.stop()).toMatchObject({ code: 0 })
  ledger.read((await readRemains(last.data, ledger.position)).records, KILLS)
  const copies = [...mx.copies.values()].reduce((sum, { length }) => sum + length, 0)
  const figures = `${KILLS} kills: ${acked.size} acknowledged, ${mx.copies.size} arrived, ${missing.length} lost, ${copies - mx.copies.size} duplicates (at most ${mostUnsettled} from one kill), ${orphans} chunks of unfinished mail left and swept`
  console.log(figures)
  await annotate(figures)
  expect(acked.size).toBeGreaterThan(KILLS * 20)
  expect(missing).toEqual([])
  expect(ledger.unexplained(mx)).toEqual([])
  expect(mostUnsettled).toBeLessThan(UNSETTLED_LIMIT)
  const verified = await runStuds(['store', 'verify', '-c', last.configFile, '--json'])
  expect({ code: verified.code, ...JSON.parse(verified.out) }).toMatchObject({ code: 0, problemCount: 0 })
})

test('killed while it starts, it starts again and has everything', { timeout: 60_000 }, async () => {
  const random = randomOf(7)
  await using mx = await RecordingMx.start()
  mx.answer = () => 'defer'
  const folder = temporaryFolder()
  const options: ChildOptions = { folder, mxPort: mx.port }
  const first = await ChildRelay.start(options)
  const ids = Array.from({ length: 50 }, (_, n) => `s${n}`)
  for (const id of ids) expect(await sendOne(first.port, id)).toMatch(/^250 /)
  await first.kill()
  for (let n = 0; n < 4; n++) {
    const starting = ChildRelay.start(options)
    starting.catch(() => undefined) // It is killed below: it never gets ready.
    await new Promise((resolve) => setTimeout(resolve, 100 + 700 * random()))
    await endChildren({ keepFolders: true })
  }
  mx.answer = () => 'take'
  await ChildRelay.start(options)
  expect(await mx.arrived(ids, 20_000)).toEqual([])
})
