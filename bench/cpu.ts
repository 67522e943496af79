// CPU time of a process by thread, from the kernel's own account (Linux).

import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds by name of the thread; those of one name (V8's, libuv's) are taken together. */
export type CpuTimes = ReadonlyMap<string, number>

export function cpuOf(pid: number): CpuTimes {
  const times = new Map<string, number>()
  const folder = `/proc/${pid}/task`
  for (const thread of readdirSync(folder)) {
    try {
      const name = thread === String(pid) ? 'main' : readFileSync(`${folder}/${thread}/comm`, 'latin1').trim()
      // sched/…: nanoseconds on a processor come first.
      const [nanoseconds = '0'] = readFileSync(`${folder}/${thread}/schedstat`, 'latin1').split(' ')
      times.set(name, (times.get(name) ?? 0) + Number(nanoseconds) / 1e6)
    } catch (error) {
      // A thread may end between the listing and here.
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
        throw error
    }
  }
  return times
}

export function cpuBetween(before: CpuTimes, after: CpuTimes): CpuTimes {
  return new Map([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]))
}

export function totalOf(times: CpuTimes): number {
  return [...times.values()].reduce((sum, ms) => sum + ms, 0)
}
