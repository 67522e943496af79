// kill -9 while reports come in: whatever was answered 250 is recorded, and what it teaches is known after the next start.

import { afterEach, expect, test } from 'vitest'
import { ChildRelay, endChildren, temporaryFolder } from '../support/child-relay.ts'
import { RETURN_PATHS } from '../support/relay.ts'
import { ndr } from '../support/report-mails.ts'
import { SandboxClient } from '../support/sandbox-client.ts'
import { ScriptedMx } from '../support/scripted-mx.ts'
import { readRemains, withDeadStore } from './dead-store.ts'
import { openSession, randomOf, submit } from './submit.ts'

afterEach(endChildren)

const KILLS = 6
const RECIPIENTS = 600
const CLIENTS = 6
const LIMITS = '[bounce]\nrate_per_ip = "1000000/min"\nmax_connections_per_ip = 50\n'

/** Recipients whose report got its 250; tells whoever waits for more. */
class Answered extends Set<string> {
  #wake = (): void => {}

  override add(recipient: string): this {
    super.add(recipient)
    this.#wake()
    return this
  }

  async grownTo(size: number): Promise<void> {
    while (this.size < size)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }
}

/** Sends reports on `queue` until it is empty or the relay is gone; notes those that got their 250. */
async function reportAll(port: number, queue: [string, string][], answered: Answered): Promise<void> {
  const client = await SandboxClient.to(port)
  await client.reply()
  await client.say('EHLO mx.example.test')
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [recipient, returnPath] = next
    const raw = ndr({ recipient, status: '5.1.1', diagnostic: '550 5.1.1 User unknown' })
    let reply = ''
    for (const line of ['MAIL FROM:<>', `RCPT TO:<${returnPath}>`, 'DATA', `${raw}\r\n.`]) {
      reply = await client.say(line)
      if (!/^[23]/.test(reply)) break
    }
    if (reply.startsWith('250')) answered.add(recipient)
    else if (!/^(?:closed|E[A-Z]+)$/.test(reply)) throw new Error(`${returnPath}: ${reply}`)
    else break
  }
  client.close()
}

test(`${KILLS} kills while reports come in`, { timeout: 120_000 }, async () => {
  const random = randomOf(20_260_102)
  await using mx = await ScriptedMx.start()
  const folder = temporaryFolder()
  const options = { folder, mxPort: mx.port, toml: `${RETURN_PATHS}${LIMITS}` }
  let relay = await ChildRelay.start(options)
  const client = (await openSession(relay.port))!
  for (let n = 0; n < RECIPIENTS; n += 100) {
    const ids = Array.from({ length: 100 }, (_, at) => `r${n + at}`)
    expect(await submit(client, { ids, sizeBytes: 200 })).toMatch(/^250 /)
  }
  client.close()
  await mx.received(RECIPIENTS)
  // Deliveries are settled a moment after the MX has them.
  while (relay.count('delivered') < RECIPIENTS) await relay.loggedMore()

  const queue = mx.mails.map(({ recipient, sender }): [string, string] => [recipient, sender])
  const answered = new Answered()
  for (let kill = 0; kill < KILLS; kill++) {
    const clients = Array.from({ length: CLIENTS }, () => reportAll(relay.bouncePort, queue, answered))
    await answered.grownTo(answered.size + 1 + Math.floor(60 * random()))
    await relay.kill()
    await Promise.all(clients)
    if (kill < KILLS - 1) relay = await ChildRelay.start(options)
  }
  const { records, problems } = await readRemains(relay.data)
  const bounced = new Set(records.filter(({ kind }) => kind === 'bounced').map(({ recipient }) => recipient))
  const suppressed = await withDeadStore(relay.data, (store) => store.count('suppression'))
  expect(problems).toEqual([])
  expect([...answered].filter((recipient) => !bounced.has(recipient))).toEqual([])
  // Recorded and suppressed stand and fall together; a few were recorded whose 250 the kill cut off.
  expect(suppressed).toBe(bounced.size)
  console.log(`${KILLS} kills: ${answered.size} reports answered 250, ${bounced.size} recorded, none lost`)

  // What was not answered comes again, as mail servers do.
  relay = await ChildRelay.start(options)
  queue.push(...mx.mails.map(({ recipient, sender }): [string, string] => [recipient, sender]))
  const left = queue.filter(([recipient]) => !answered.has(recipient))
  await Promise.all(Array.from({ length: CLIENTS }, () => reportAll(relay.bouncePort, left, answered)))
  expect(answered.size).toBe(RECIPIENTS)
  await relay.stop()
})
