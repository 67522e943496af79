// One process per data directory: two relays over one queue would send everything twice. The lock is a file with the
// holder's pid, start time and pid namespace; a holder that is gone does not count, also after a reboot has reused its
// pid. A holder in another namespace (a container on the same volume) cannot be looked for: it lives as long as it
// keeps touching the file.

import {
  closeSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { EpochMs } from '../util/clock.ts'

const LINE_BYTES = 80
/** Untouched for this long, a lock from another namespace is a dead holder's. */
const SILENCE_MS = 15_000

export interface DirectoryLock {
  /** Says that the holder lives; at least every few seconds. */
  touch(now: EpochMs): void
  release(): void
}

/** Throws an Error that names the holder when another live process has the directory. */
export function lockDirectory(directory: string, now: EpochMs): DirectoryLock {
  const path = join(directory, 'lock')
  // Always as long, so that the next holder's line replaces it whole.
  const mine = `${process.pid} ${startTimeOf(process.pid) ?? '?'} ${NAMESPACE}`.padEnd(LINE_BYTES)
  try {
    writeFileSync(path, mine, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    refuseLiving(path, directory, now)
    overwrite(path, mine)
  }
  return {
    touch: (at) => utimesSync(path, at / 1000, at / 1000),
    release: () => rmSync(path, { force: true }),
  }
}

function refuseLiving(path: string, directory: string, now: EpochMs): void {
  const [pid = '', startTime = '', namespace = NAMESPACE] = readFileSync(path, 'utf8').trim().split(' ')
  if (namespace !== NAMESPACE) {
    if (Math.abs(now - statSync(path).mtimeMs) > SILENCE_MS) return
    throw new Error(
      `${directory} is in use in another container, or was a moment ago: only one may have it open; try again in 15 s`,
    )
  }
  const holderStart = startTimeOf(Number(pid))
  if (holderStart !== undefined && holderStart === startTime) {
    throw new Error(`${directory} is in use by the process ${pid}: only one may have it open`)
  }
}

/** Where pids are counted: they mean nothing outside of it. */
const NAMESPACE = pidNamespace()

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return 'only' // No namespaces on this system.
  }
}

/** In place: a full disk has no room for a second file, and must not keep the relay from starting to drain it. */
function overwrite(path: string, line: string): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, line, 0)
  } finally {
    closeSync(file)
  }
}

/** Field 22 of /proc/PID/stat (start time since boot); elsewhere whether the process lives. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    // No such process, or no /proc on this system.
    return process.platform === 'linux' ? undefined : isAlive(pid)
  }
}

function isAlive(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
    return '?'
  } catch {
    return undefined // ESRCH: it is gone.
  }
}
