// One process per data directory: two relays over one queue would send everything twice. The lock is a file with the
// holder's pid and start time; a holder that is gone does not count, also after a reboot has reused its pid.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface DirectoryLock {
  release(): void
}

/** Throws an Error that names the holder when another live process has the directory. */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'lock')
  const mine = `${process.pid} ${startTimeOf(process.pid) ?? '?'}\n`
  try {
    writeFileSync(path, mine, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const [pid = '', startTime = ''] = readFileSync(path, 'utf8').trim().split(' ')
    const holderStart = startTimeOf(Number(pid))
    if (holderStart !== undefined && holderStart === startTime) {
      throw new Error(`${directory} is in use by the process ${pid}: only one may have it open`)
    }
    // Replace in one step, so that a lock file is never half written.
    writeFileSync(`${path}.${process.pid}`, mine, { mode: 0o600 })
    renameSync(`${path}.${process.pid}`, path)
  }
  return { release: () => rmSync(path, { force: true }) }
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
