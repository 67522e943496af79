// A look at a store before it is opened for real. LMDB trusts its file: reading a damaged one can end the process with a
// signal, and nobody would know why the relay does not start. So a child process reads first, and its end tells.

import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL(`./probe-child${extname(import.meta.filename)}`, import.meta.url))
const TIMEOUT_MS = 60_000

/** Throws when the store in `directory` is there and cannot be read from end to end of each table. */
export function probeStore(directory: string): void {
  const file = join(directory, 'data.mdb')
  if (!existsSync(file)) return
  // LMDB would take it for a new one, and the queue would be gone without a word.
  if (statSync(file).size === 0) throw damaged(file, 'it is empty')
  const child = spawnSync(process.execPath, ['--no-warnings', CHILD, directory], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  })
  if (child.status === 0) return
  const words = child.stderr.trim().split('\n').at(-1) ?? ''
  throw damaged(file, child.signal === null ? words : `reading it ends with ${child.signal}`)
}

function damaged(file: string, how: string): Error {
  return new Error(
    `${file} is damaged: ${how}. Restore a backup (docs/operations.md), or move the file away to begin anew`,
  )
}
