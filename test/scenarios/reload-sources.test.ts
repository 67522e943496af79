// Sources that a reload takes away while a receiver lets everything that left from them hang.

import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { configOf, startTestRelay, stopRelays } from '../support/relay.ts'

const receivers = new Set<() => void>()
afterEach(async () => {
  for (const close of receivers) close()
  receivers.clear()
  await stopRelays()
})

/** Takes mail from everybody but one address, to which it never says a word. */
async function receiver(ignored: string) {
  const open = new Set<Socket>()
  let isEnough = (): void => undefined
  let wanted = Number.POSITIVE_INFINITY
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    if (socket.remoteAddress === ignored) {
      if (open.size >= wanted) isEnough()
      return
    }
    let isData = false
    socket.write('220 mx.test\r\n')
    socket.on('data', (bytes) => {
      const said = String(bytes)
      if (isData ? !said.endsWith('\r\n.\r\n') : /^DATA/im.test(said)) {
        if (!isData) socket.write('354 go on\r\n')
        isData = true
        return
      }
      isData = false
      socket.write('250 ok\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  receivers.add(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ignoredAre = (count: number): Promise<void> =>
    new Promise((resolve) => {
      wanted = count
      isEnough = resolve
      if (open.size >= count) resolve()
    })
  return { port, ignoredAre }
}

const sourceAt = (name: string, address: string): string => `
[[source]]
name = "${name}"
ipv4 = "${address}"
[[pool]]
name = "default"
sources = [{ source = "${name}" }]
`

test('what still hangs there takes no place of the new ones', async () => {
  const { port, ignoredAre } = await receiver('127.0.0.2')
  const options = { routeTo: port, toml: sourceAt('old', '127.0.0.2') }
  const relay = await startTestRelay(options)
  const many = Array.from({ length: 30 }, (_, n) => `u${n}@a.test`)
  await relay.send(many)
  await ignoredAre(5)
  writeFileSync(join(relay.directory, 'studs.toml'), configOf({ ...options, toml: sourceAt('new', '127.0.0.3') }))
  await relay.relay.reload()
  await relay.send('new@a.test')
  expect(await relay.record('delivered', { recipient: 'new@a.test' })).toMatchObject({ way: { source: 'new' } })
})
