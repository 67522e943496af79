// The data directory: there, ours alone, on a disk that keeps what it was given, with room. And the clock, as far as this
// machine alone can tell.

import { existsSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '../config/schema.ts'
import { DAY, type EpochMs, MINUTE } from '../util/clock.ts'
import { about, type Diagnosis } from './diagnosis.ts'

const GIB = 2 ** 30
// statfs(2): what is not local, or not kept.
const UNFIT: ReadonlyMap<number, { name: string; severity: 'error' | 'warning' }> = new Map([
  [0x6969, { name: 'NFS', severity: 'error' }],
  [0xff534d42, { name: 'CIFS', severity: 'error' }],
  [0xfe534d42, { name: 'SMB', severity: 'error' }],
  [0x517b, { name: 'SMB', severity: 'error' }],
  [0x794c7630, { name: 'an overlay (a container without a volume)', severity: 'warning' }],
  [0x01021994, { name: 'memory (tmpfs): a restart of the machine loses it', severity: 'error' }],
  [0x65735546, { name: 'FUSE', severity: 'warning' }],
])

export async function checkData(data: Settings['data']): Promise<Diagnosis[]> {
  const told = about('machine', data.directory)
  const status = await statusOf(data.directory)
  if (status === undefined) {
    const message = 'the data directory is not there yet; the first start makes it'
    return [told.missing({ severity: 'note', message })]
  }
  if ('problem' in status)
    return [
      told.unknown({
        message: `the data directory cannot be looked at: ${status.problem}`,
        cure: 'run this as the user of the relay',
      }),
    ]
  const findings = [...checkAccess(status, data.directory), ...(await checkDisk(data))]
  return findings.length > 0
    ? findings
    : [told.ok('the data directory is on a local disk, with room, and nobody else can read it')]
}

interface Status {
  readonly mode: number
  readonly isDirectory: boolean
}

async function statusOf(path: string): Promise<Status | { readonly problem: string } | undefined> {
  try {
    const { mode, isDirectory } = await stat(path).then((stats) => ({
      mode: stats.mode & 0o777,
      isDirectory: stats.isDirectory(),
    }))
    return { mode, isDirectory }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? undefined : { problem: message }
  }
}

function checkAccess({ mode, isDirectory }: Status, path: string): Diagnosis[] {
  const told = about('machine', path)
  if (!isDirectory) return [told.different({ message: 'the data directory is a file', cure: 'correct data.directory' })]
  if ((mode & 0o077) === 0) return []
  const message = `others on this machine can reach into the data directory (mode ${mode.toString(8)}): mail and keys are there`
  return [
    told.different({
      severity: 'warning',
      message,
      expected: '700',
      found: mode.toString(8),
      cure: `chmod 700 ${path}`,
    }),
  ]
}

async function checkDisk({ directory, minFree }: Settings['data']): Promise<Diagnosis[]> {
  const told = about('machine', directory)
  const { type, bavail, bsize } = await statfs(directory)
  const findings: Diagnosis[] = []
  const unfit = UNFIT.get(type)
  if (unfit !== undefined) {
    const message = `the data directory is on ${unfit.name}; the store needs a local disk`
    findings.push(
      told.different({ severity: unfit.severity, message, cure: 'move it: stop, copy, change data.directory, start' }),
    )
  }
  const free = bavail * bsize
  const shown = `${(free / GIB).toFixed(1)} GiB free`
  const cure = 'make room; docs/operations.md says how'
  if (free < minFree)
    findings.push(told.different({ message: `${shown}: new mail is refused below data.min_free`, cure }))
  else if (free < Math.max(4 * minFree, GIB))
    findings.push(told.different({ severity: 'warning', message: `only ${shown}`, cure }))
  return findings
}

// Nothing that runs this was made before.
const EARLIEST = Date.UTC(2026, 0, 1)
const SLACK_MS = 2 * MINUTE
/** What those who keep the clock leave behind while they run. */
const KEEPERS = [
  '/run/systemd/timesync/synchronized',
  '/run/chrony/chronyd.pid',
  '/run/chronyd.pid',
  '/run/ntpd.pid',
  '/run/openntpd.pid',
  '/run/ntpsec/ntpd.pid',
]

/** Dates in mail, retry times, signatures and TLS depend on it. */
export async function checkClock(now: EpochMs, dataDirectory: string): Promise<Diagnosis> {
  const told = about('machine', 'clock')
  const found = new Date(now).toISOString()
  const cure = 'set the clock, and let chrony or systemd-timesyncd keep it'
  if (now < EARLIEST) return told.different({ message: 'the clock is years behind', found, cure })
  const ahead = (await newestIn(dataDirectory)) - now
  if (ahead > SLACK_MS) {
    const message = `the store was written ${ahead > DAY ? 'days' : 'minutes'} from now: the clock was set back`
    return told.different({ message, found, cure })
  }
  if (KEEPERS.some((path) => existsSync(path))) return told.ok('something keeps the clock', found)
  const message = 'nothing on this machine seems to keep the clock right; in a container the host does'
  return told.different({ severity: 'note', message, found, cure })
}

async function newestIn(directory: string): Promise<EpochMs> {
  try {
    return (await stat(join(directory, 'store', 'data.mdb'))).mtimeMs
  } catch {
    return 0 // No store yet, or none that may be looked at: checkData says so.
  }
}
