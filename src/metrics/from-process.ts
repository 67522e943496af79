// What the process takes, under the names that every program in the field uses. Read when somebody asks: the library's own
// set keeps a timer of 10 ms and an observer of the garbage collector running for as long as the process lives.

import { performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from '@prometheus-io/client'

const MICROSECONDS = 1_000_000

export function registerProcess(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, of all threads',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / MICROSECONDS)
    },
  })
  gauge('process_start_time_seconds', 'When the process began', () => performance.timeOrigin / 1000)
  gauge('process_resident_memory_bytes', 'Memory, pages of the store that are mapped among it', () =>
    process.memoryUsage.rss(),
  )
  gauge('nodejs_heap_size_used_bytes', 'Of the main thread', () => process.memoryUsage().heapUsed)
  let before = performance.eventLoopUtilization()
  gauge('nodejs_eventloop_utilization', 'Share of the time since the last look that the main thread was busy', () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization
  })
}
