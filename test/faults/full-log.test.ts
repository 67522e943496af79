// A log without room (standard output on a full disk): lines are lost, mail is not, and the relay ends when it is told to.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

test('a relay whose log goes to a full disk takes mail and stops', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'studs-full-log-'))
  const file = join(directory, 'studs.toml')
  writeFileSync(
    file,
    '[sandbox]\nsmtp_port = 0\ndns_port = 0\n[[listener]]\nname = "trusted"\nport = 0\ntls = "none"\nauth = "optional"\n[[bounce_listener]]\nname = "bounces"\nport = 0\n',
  )
  const child = spawn(process.execPath, [MAIN, 'serve', '-c', file], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  const socket = join(directory, 'data', 'studs.sock')
  const ended = once(child, 'exit')
  while (!(await answers(socket))) expect(child.exitCode).toBeNull()
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

/** The log, which would say so, is what is broken here. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(path)
    client.once('connect', () => {
      client.destroy()
      resolve(true)
    })
    client.once('error', () => resolve(false))
  })
}
