// `studs sandbox` as a user meets it: what it prints, what it lists, how it ends.

import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Io } from '../src/cli/io.ts'
import { addSandboxCommands } from '../src/cli/sandbox.ts'
import { systemClock } from '../src/util/clock.ts'
import { SandboxClient } from './support/sandbox-client.ts'
import { ScriptedMx } from './support/scripted-mx.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'studs-sandbox-'))
  await writeFile(join(folder, 'free.toml'), '[sandbox]\nsmtp_port = 0\ndns_port = 0\nreport_delay = "10ms"\n')
})
afterAll(() => rm(folder, { recursive: true }))

function start(words: readonly string[]) {
  const stop = new AbortController()
  const printed = { out: '', err: '' }
  let wake = (): void => {}
  const io: Io = {
    out: (text) => {
      printed.out += text
      wake()
    },
    err: (text) => {
      printed.err += text
    },
    outBytes: () => {},
    readAll: async () => '',
    input: async function* () {},
    isInputTty: false,
    isTty: false,
    width: 80,
    color: false,
    clock: systemClock,
    signal: stop.signal,
    env: {},
  }
  const program = new Command('studs').option('--config <file>').option('--json').option('-q, --quiet').exitOverride()
  addSandboxCommands(program, io, { version: '1.2.3' })
  const ended = program.parseAsync(words, { from: 'user' }).then(
    () => undefined,
    (error: unknown) => error,
  )
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(printed.out)
      if (found !== null) return found
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { printed, until, ended, stop: () => stop.abort() }
}

async function deliver(port: number, subject: string, to = 'ok@c.test'): Promise<void> {
  const client = await SandboxClient.to(port)
  await client.reply()
  await client.sayAll(
    'EHLO c.test',
    'MAIL FROM:<a@b.test>',
    `RCPT TO:<${to}>`,
    'DATA',
    `Subject: ${subject}\r\n\r\nhello\r\n.`,
  )
  client.close()
}

describe('studs sandbox', () => {
  test('says where it listens and how to point a relay there, lists deliveries, ends on Ctrl-C', async () => {
    const run = start(['--config', join(folder, 'free.toml'), 'sandbox'])
    const [, port = ''] = await run.until(/MX hosts +127\.0\.0\.1:(\d+)/)
    expect(run.printed.out).toContain(`port = ${port}`)
    expect(run.printed.out).toMatch(/resolvers = \["127\.0\.0\.1:\d+"\]/)
    await deliver(Number(port), 'red \u001b[31malert')
    const [line] = await run.until(/.*#1 .*\n/)
    expect(line).toContain('a@b.test → ok@c.test  red ␛[31malert')
    expect(line).toContain('no TLS')
    run.stop()
    expect(await run.ended).toBeUndefined()
    expect(run.printed.err).toContain('1 delivered.')
    await expect(SandboxClient.to(Number(port))).rejects.toThrow(/ECONNREFUSED/)
  })

  test('--report-to: what recipients send back goes there, with a line for each', async () => {
    await using listener = await ScriptedMx.start()
    const run = start(['--config', join(folder, 'free.toml'), 'sandbox', '--report-to', `127.0.0.1:${listener.port}`])
    const [, port = ''] = await run.until(/MX hosts +127\.0\.0\.1:(\d+)/)
    expect(run.printed.out).toContain(`What recipients send back goes to 127.0.0.1:${listener.port}.`)
    await deliver(Number(port), 'one', 'late-ndr@c.test')
    expect((await run.until(/.*← .*\n/))[0]).toContain('ndr to a@b.test: 250 2.0.0 Queued')
    expect(listener.mails).toMatchObject([{ sender: '', recipient: 'a@b.test' }])
    run.stop()
    await run.ended
    expect(run.printed.err).toContain('1 delivered, 1 reports sent back.')
  })

  test.each(['', '2528', 'localhost', '127.0.0.1:0', '127.0.0.1:70000'])(
    '--report-to %s is a usage error',
    async (to) => {
      expect(await start(['sandbox', '--report-to', to]).ended).toMatchObject({
        message: expect.stringContaining('expected host:port'),
      })
    },
  )

  test('--json: where it listens, then each message with headers and bytes', async () => {
    const run = start(['--config', join(folder, 'free.toml'), '--json', 'sandbox'])
    const listening = JSON.parse((await run.until(/.*\n/))[0])
    expect(listening).toMatchObject({ event: 'listening', dns: expect.stringMatching(/^127\.0\.0\.1:\d+$/) })
    await deliver(Number(listening.smtp.split(':')[1]), 'one')
    const message = JSON.parse((await run.until(/\n(.*)\n/))[1]!)
    expect(message).toMatchObject({
      event: 'delivered',
      id: 1,
      sender: 'a@b.test',
      recipients: ['ok@c.test'],
      headers: { subject: 'one' },
    })
    expect(message.raw).toBe('Subject: one\r\n\r\nhello\r\n')
    run.stop()
    await run.ended
  })

  test('a taken port is an error in a sentence', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await writeFile(join(folder, 'taken.toml'), `[sandbox]\nsmtp_port = ${port}\ndns_port = 0\n`)
    expect(await start(['--config', join(folder, 'taken.toml'), 'sandbox']).ended).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^The sandbox cannot listen: .*EADDRINUSE/),
    })
    other.close()
  })

  test('behaviours: a list for people and rows of JSON', async () => {
    const people = start(['sandbox', 'behaviours'])
    await people.ended
    expect(people.printed.out).toMatch(/^ {2}user-unknown@ +There is no such mailbox\. \(550 5\.1\.1\)$/m)
    expect(people.printed.out).toMatch(/^ {2}nullmx\.test /m)
    expect(people.printed.out.split('\n').filter((line) => line.length > 80)).toEqual([])
    const machine = start(['--json', 'sandbox', 'behaviours'])
    await machine.ended
    const rows = machine.printed.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows).toContainEqual(expect.objectContaining({ name: 'spam@', at: 'final dot', reply: '550 5.7.1' }))
  })
})
