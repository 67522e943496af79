// Disks that misbehave: a libc between the relay and the disk (flush-fault.c), and small file systems that fill up or
// break. Each says why it cannot be had on this machine, so that a test can say why it is skipped.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/child-relay.ts'

export type Fault = 'delay' | 'hang' | 'eio' | 'eio-meta'

export interface FlushFaults {
  /** For the environment of the relay. */
  readonly env: Readonly<Record<string, string>>
  /** From the next flush on. */
  begin(fault: Fault, text?: string): void
  /** How often a fault happened. */
  hits(fault: Fault): number
}

const hasCompiler = spawnSync('gcc', ['--version']).status === 0

export const noFlushFaults: string | undefined =
  process.platform !== 'linux' ? 'LD_PRELOAD needs Linux' : hasCompiler ? undefined : 'gcc is not installed'

export function flushFaults(): FlushFaults {
  const folder = temporaryFolder()
  const library = join(folder, 'flush-fault.so')
  execFileSync('gcc', ['-O1', '-fPIC', '-shared', '-o', library, join(import.meta.dirname, 'flush-fault.c'), '-ldl'])
  const hitsFile = join(folder, 'hits')
  return {
    env: { LD_PRELOAD: library, STUDS_FAULTS: folder },
    begin: (fault, text = '') => writeFileSync(join(folder, fault), text),
    hits: (fault) =>
      existsSync(hitsFile)
        ? readFileSync(hitsFile, 'utf8')
            .split('\n')
            .filter((line) => line === fault).length
        : 0,
  }
}

const isRoot = process.getuid?.() === 0

function whyNoMount(): string | undefined {
  if (process.platform !== 'linux') return 'mounting needs Linux'
  if (!isRoot) return 'mounting needs root'
  const at = temporaryFolder()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'studs-probe', at]).status !== 0)
    return 'this system does not allow mounting'
  execFileSync('umount', [at])
  return undefined
}

export const noSmallDisk: string | undefined = whyNoMount()

function whyNoImage(): string | undefined {
  if (noSmallDisk !== undefined) return noSmallDisk
  if (spawnSync('mkfs.ext4', ['-V']).status !== 0) return 'mkfs.ext4 is not installed'
  try {
    const disk = imageDisk(16)
    disk.unmount()
    return undefined
  } catch (error) {
    return `this system has no loop devices: ${(error as Error).message.split('\n')[0]}`
  }
}

export interface Disk {
  readonly path: string
  mount(): void
  unmount(): void
}

const mounted = new Set<Disk>()

/** For afterEach, after the relays have ended. */
export function unmountAll(): void {
  for (const disk of mounted) disk.unmount()
}

function diskOf(mount: (path: string) => void): Disk {
  const path = join(temporaryFolder(), 'disk')
  mkdirSync(path)
  const disk: Disk = {
    path,
    mount: () => {
      mount(path)
      mounted.add(disk)
    },
    unmount: () => {
      mounted.delete(disk)
      execFileSync('umount', [path])
    },
  }
  disk.mount()
  return disk
}

export function memoryDisk(mebibytes: number): Disk {
  return diskOf((path) => execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'studs-fault', path]))
}

/** An ext4 file system in a file. */
export function imageDisk(mebibytes: number): Disk {
  const image = join(temporaryFolder(), 'image')
  execFileSync('truncate', ['-s', `${mebibytes}M`, image])
  execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image], { stdio: 'pipe' })
  return diskOf((path) => execFileSync('mount', ['-o', 'loop', image, path], { stdio: 'pipe' }))
}

export const noImageDisk: string | undefined = whyNoImage()

/** Cuts the power of an ext4 disk: what was not flushed is gone, and nothing more can be written until it is mounted anew. */
export function cutPower(disk: Disk): void {
  // EXT4_IOC_SHUTDOWN with NOLOGFLUSH.
  const program =
    'import fcntl,os,struct,sys; fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack("I",2))'
  execFileSync('python3', ['-c', program, disk.path], { stdio: 'pipe' })
}
