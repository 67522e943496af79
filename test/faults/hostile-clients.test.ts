// Clients that do what no client should, against a whole relay: vanish in DATA, send without end, smuggle, crawl. The
// relay delivers none of it, keeps its memory, descriptors and store, and goes on serving the others.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ChildRelay, endChildren } from '../support/child-relay.ts'
import type { LineClient } from '../support/dialog.ts'
import { readRemains } from './dead-store.ts'
import { RecordingMx } from './recording-mx.ts'
import { openSession, randomOf, sendOne } from './submit.ts'

afterEach(() => endChildren())

async function beginData(port: number, id: string, localAddress?: string): Promise<LineClient> {
  const client = (await openSession(port, localAddress))!
  client.send(`MAIL FROM:<app@sender.test>\r\nRCPT TO:<${id}@dest.test>\r\nDATA\r\n`)
  for (const code of ['250', '250', '354']) expect(await client.reply()).toMatch(new RegExp(`^${code}`))
  return client
}

test('100 clients that vanish in DATA leave nothing: no mail, no body, no descriptor', {
  timeout: 60_000,
}, async () => {
  const random = randomOf(100)
  await using mx = await RecordingMx.start()
  const relay = await ChildRelay.start({ mxPort: mx.port, submission: 'max_connections_per_ip = 200' })
  expect(await sendOne(relay.port, 'before')).toMatch(/^250 /)
  expect(await mx.arrived(['before'], 5000)).toEqual([])
  const descriptors = relay.descriptors()
  const line = `${'x'.repeat(76)}\r\n`
  const vanish = async (n: number): Promise<void> => {
    const client = await beginData(relay.port, `gone${n}`)
    const content = `Subject: gone\r\n\r\n${line.repeat(Math.ceil(random() * 12_000))}`
    // Up to 900 KB, the end of which may still be on its way when the connection goes.
    await new Promise((resolve) => client.socket.write(content, resolve))
    if (n % 3 === 0) client.send('.\r')
    if (n % 2 === 0) client.socket.resetAndDestroy()
    else client.close()
  }
  for (let n = 0; n < 100; n += 20) await Promise.all(Array.from({ length: 20 }, (_, m) => vanish(n + m)))
  expect(await sendOne(relay.port, 'after')).toMatch(/^250 /)
  expect(await mx.arrived(['after'], 5000)).toEqual([])
  await settled(() => relay.descriptors() <= descriptors + 3)
  expect([...mx.copies.keys()].sort()).toEqual(['after', 'before'])
  expect((await relay.stop()).code).toBe(0)
  const { records, problems, orphans } = await readRemains(relay.data)
  expect(records.filter(({ recipient }) => recipient.startsWith('gone'))).toEqual([])
  expect(problems).toEqual([])
  expect(orphans).toBe(0)
})

test('bodies that a kill left behind are swept at the next start', async () => {
  await using mx = await RecordingMx.start()
  const relay = await ChildRelay.start({ mxPort: mx.port })
  const clients = await Promise.all(Array.from({ length: 10 }, (_, n) => beginData(relay.port, `half${n}`)))
  for (const client of clients) client.send(`Subject: half\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(15_000))
  await settled(() => bodyBytes(relay.data) > 6_000_000)
  await relay.kill()
  for (const client of clients) client.close()
  expect(await readRemains(relay.data)).toMatchObject({ problems: [], orphans: 10 })
  const again = await ChildRelay.start({ mxPort: mx.port, folder: relay.folder })
  expect(await sendOne(again.port, 'ok')).toMatch(/^250 /)
  expect(await mx.arrived(['ok'], 5000)).toEqual([])
  await again.stop()
  expect(await readRemains(again.data)).toMatchObject({ problems: [], orphans: 0 })
  expect([...mx.copies.keys()]).toEqual(['ok'])
})

test('lines and messages without end are refused, and memory stays bounded', { timeout: 60_000 }, async ({
  annotate,
}) => {
  await using mx = await RecordingMx.start()
  const relay = await ChildRelay.start({ mxPort: mx.port })
  expect(await sendOne(relay.port, 'warm', 1_000_000)).toMatch(/^250 /)
  const before = relay.memory()
  let most = before
  const watching = setInterval(() => {
    most = Math.max(most, relay.memory())
  }, 50)

  // A command line of 300 kB, and one that never ends.
  const command = (await openSession(relay.port))!
  command.send(`NOOP ${'x'.repeat(300_000)}\r\n`)
  expect((await command.reply()) ?? 'closed').toMatch(/^(5\d\d|421) |^closed$/)
  command.close()
  const endless = (await openSession(relay.port))!
  for (let n = 0; n < 64 && !endless.socket.destroyed; n++) endless.send('x'.repeat(1_000_000))
  expect((await endless.reply()) ?? 'closed').toMatch(/^(5\d\d|421) |^closed$/)
  endless.close()

  // A header line of 2 MB; a header section that never ends.
  const header = await beginData(relay.port, 'header')
  header.send(`Subject: ${'x'.repeat(2_000_000)}\r\n\r\nbody\r\n.\r\n`)
  expect(await header.reply()).toMatch(/^552 5\.3\.4 /)
  header.close()
  const section = await beginData(relay.port, 'section')
  section.send('X-Header: value\r\n'.repeat(200_000))
  section.send('\r\nbody\r\n.\r\n')
  expect(await section.reply()).toMatch(/^552 5\.3\.4 /)
  section.close()

  // 26 MiB where 25 are allowed; eight at one time. And a body that is one line of 20 MB, which is allowed.
  const big = `${'x'.repeat(998)}\r\n`.repeat(1049)
  await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      const client = await beginData(relay.port, `big${n}`)
      client.send('Subject: big\r\n\r\n')
      for (let mib = 0; mib < 26; mib++) await new Promise((resolve) => client.socket.write(big, resolve))
      client.send('.\r\n')
      expect(await client.reply()).toMatch(/^552 5\.3\.4 /)
      expect(await client.command('NOOP')).toMatch(/^250 /)
      client.close()
    }),
  )
  const oneLine = await beginData(relay.port, 'one-line')
  oneLine.send(`Subject: one line\r\n\r\n${'y'.repeat(20_000_000)}\r\n.\r\n`)
  expect(await oneLine.reply()).toMatch(/^250 /)
  oneLine.close()
  expect(await mx.arrived(['one-line'], 20_000)).toEqual([])
  clearInterval(watching)
  await annotate(`${before.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most`)
  // What came in at one time is 8 × 26 MiB.
  expect(most - before).toBeLessThan(150)
  expect([...mx.copies.keys()].sort()).toEqual(['one-line', 'warm'])
  await relay.stop()
  expect(await readRemains(relay.data)).toMatchObject({ problems: [], orphans: 0 })
})

test('what a lax server takes for the end of data: one message in, one message out, no bare CR or LF on the wire', async () => {
  const smuggled = 'MAIL FROM:<evil@evil.test>\r\nRCPT TO:<victim@dest.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil'
  const shapes = [
    '\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r.\r\n', '\r\n.\r', '\r.\n', '\n.\r', '\n\n.\n\n', '\r\r\n.\r\r\n',
    '\r\n\0.\r\n', '\r\n.\0\r\n', '\r\n. \r\n', '\r\n.\v\r\n', '\n..\r\n', '\r..\r', '\r\n..\r\n', '\r\n\r.\r\n', '\r\n.\r\r\n',
  ] // biome-ignore format: a table
  await using mx = await RecordingMx.start()
  mx.keepWire = true
  const relay = await ChildRelay.start({ mxPort: mx.port, submission: 'max_errors = 1000' })
  const accepted: string[] = []
  for (const [n, shape] of shapes.entries()) {
    for (const split of ['whole', 'in two', 'byte by byte']) {
      const id = `shape${n}-${split.replaceAll(' ', '-')}`
      const client = await beginData(relay.port, id)
      const content = `Subject: shape\r\n\r\ntext${shape}${smuggled}\r\n.\r\n`
      const cut = content.indexOf('text') + 4 + Math.ceil(shape.length / 2)
      const pieces =
        split === 'whole' ? [content] : split === 'in two' ? [content.slice(0, cut), content.slice(cut)] : [...content]
      for (const piece of pieces) {
        await new Promise<void>((resolve) => client.socket.write(piece, 'latin1', () => resolve()))
      }
      const reply = await client.reply()
      expect(reply).toMatch(/^(250 2|55\d 5)\./)
      // In step: exactly one reply for one message.
      expect(await client.command('NOOP')).toMatch(/^250 2\.0\.0 OK/)
      if (reply!.startsWith('250')) accepted.push(id)
      client.close()
    }
  }
  expect(accepted.length).toBeGreaterThan(shapes.length)
  expect(await mx.arrived(accepted, 10_000)).toEqual([])
  expect([...mx.copies.keys()].sort()).toEqual(accepted.sort())
  for (const [id, copies] of mx.copies) {
    expect(copies, id).toHaveLength(1)
    const wire = copies[0]!.wire.toString('latin1')
    expect(/(?<!\r)\n|\r(?!\n)|\0/.test(wire), id).toBe(false)
    // The one dot that stands alone is the last line: a dot in the text has been doubled.
    expect(wire.split('\r\n.\r\n'), id).toHaveLength(2)
    expect(wire, id).toContain('RCPT TO:<victim@dest.test>')
  }
})

test('500 sessions that crawl do not keep others waiting', { timeout: 60_000 }, async ({ annotate }) => {
  await using mx = await RecordingMx.start()
  const relay = await ChildRelay.start({ mxPort: mx.port, submission: 'max_connections_per_ip = 50' })
  // Fifty from each of ten addresses: half of them in the middle of a command, half in DATA.
  const crawlers = await Promise.all(
    Array.from({ length: 500 }, (_, n) => {
      const address = `127.0.1.${1 + (n % 10)}`
      return n % 2 === 0 ? beginData(relay.port, `crawl${n}`, address) : openSession(relay.port, address)
    }),
  )
  const crawling = setInterval(() => {
    for (const client of crawlers) client?.send('x')
  }, 200)
  const times: number[] = []
  for (let n = 0; n < 200; n++) {
    const startedAt = performance.now()
    expect(await sendOne(relay.port, `quick${n}`)).toMatch(/^250 /)
    times.push(performance.now() - startedAt)
  }
  clearInterval(crawling)
  const open = crawlers.filter((client) => client?.socket.destroyed === false).length
  for (const client of crawlers) client?.close()
  times.sort((a, b) => a - b)
  await annotate(`with ${open} crawlers: p50 ${times[100]!.toFixed(1)} ms, p99 ${times[197]!.toFixed(1)} ms`)
  expect(open).toBe(500)
  expect(times[197]!).toBeLessThan(1000)
  expect(
    await mx.arrived(
      Array.from({ length: 200 }, (_, n) => `quick${n}`),
      10_000,
    ),
  ).toEqual([])
  expect([...mx.copies.keys()].some((id) => id.startsWith('crawl'))).toBe(false)
})

/** Resolves when `isSo`; the test's own time limit ends the wait. */
async function settled(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 50))
}

function bodyBytes(data: string): number {
  const folder = join(data, 'body')
  return readdirSync(folder).reduce((sum, id) => sum + statSync(join(folder, id)).size, 0)
}
