// One process per data directory: two relays over one queue would send everything twice. The lock is a file with the
// holder's pid and start time; a holder that is gone does not count, also after a reboot has reused its pid.

import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const LINE_BYTES = 40

export interface DirectoryLock {
  release(): void
}

/** Throws an Error that names the holder when another live process has the directory. */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'lock')
  // Always as long, so that the next holder's line replaces it whole.
  const mine = `${process.pid} ${startTimeOf(process.pid) ?? '?'}`.padEnd(LINE_BYTES)
  try {
    writeFileSync(path, mine, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const [pid = '', startTime = ''] = readFileSync(path, 'utf8').trim().split(' ')
    const holderStart = startTimeOf(Number(pid))
    if (holderStart !== undefined && holderStart === startTime) {
      throw new Error(`${directory} is in use by the process ${pid}: only one may have it open`)
    }
    overwrite(path, mine)
  }
  return { release: () => rmSync(path, { force: true }) }
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
