// A disk that takes its time, made of a fast one: a libc between the systems and the disk (slow-flush.c).

import { join } from 'node:path'
import { command, type Lab, need } from './lab.ts'

export type Environment = Readonly<Record<string, string>>

/** What a process needs in its environment so that each flush takes so much longer. Rejects with Missing without gcc. */
export async function slowDisk(lab: Lab, milliseconds: number): Promise<Environment> {
  await need('gcc', 'Debian: gcc')
  const library = join(lab.directory, 'slow-flush.so')
  const source = join(import.meta.dirname, 'slow-flush.c')
  await command('gcc', '-O2', '-fPIC', '-shared', '-o', library, source, '-ldl')
  return { LD_PRELOAD: library, STUDS_BENCH_FLUSH_US: String(milliseconds * 1000) }
}
