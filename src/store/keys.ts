// How every key is built. Numbers are big-endian, so that bytewise order is the order of the values; texts end in a
// zero byte, so that no text is the prefix of another.

import { ID_BYTES, readId, writeId } from '../util/id.ts'

/** LMDB's limit for a key with 4 KiB pages, less a reserve. */
const MAX_TEXT_BYTES = 1024

function writeU64(key: Buffer, value: number, at: number): void {
  key.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  key.writeUInt32BE(value >>> 0, at + 4)
}

/** A text as a key part. Texts too long for a key are cut: whoever reads by such a key must compare the whole value. */
function text(value: string): Buffer {
  const bytes = Buffer.from(`${value.replaceAll('\0', '\ufffd')}\0`)
  if (bytes.length <= MAX_TEXT_BYTES) return bytes
  return Buffer.concat([bytes.subarray(0, MAX_TEXT_BYTES - 1), Buffer.from([0])])
}

export function idKey(id: string): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES)
  writeId(key, id, 0)
  return key
}

/** (id, n): recipients and body chunks. */
export function partKey(id: string, n: number): Buffer {
  const key = Buffer.allocUnsafe(ID_BYTES + 4)
  writeId(key, id, 0)
  key.writeUInt32BE(n, ID_BYTES)
  return key
}

export function readPartKey(key: Buffer, offset = 0): { id: string; n: number } {
  return { id: readId(key, offset), n: key.readUInt32BE(offset + ID_BYTES) }
}

/** A lane, as its keys have it. */
export interface LaneParts {
  readonly tenant: string
  readonly domain: string
  readonly pool?: string
}

/** An entry of the schedule. */
export interface DueEntry extends LaneParts {
  /** In ms. */
  readonly dueAt: number
  readonly id: string
  readonly n: number
}

/**
 * Between the domain and the pool, where a pool is named. No domain has such a byte, and none sorts before it: all lanes
 * of a tenant to a domain stand side by side.
 */
const POOL_MARK = '\u0001'
const AFTER_POOLS = '\u0002'

/** The schedule: lane, due at, id, n. */
export function dueKey(entry: DueEntry): Buffer {
  const lane = laneKey(entry)
  const key = Buffer.allocUnsafe(lane.length + 8 + ID_BYTES + 4)
  key.set(lane)
  writeU64(key, entry.dueAt, lane.length)
  writeId(key, entry.id, lane.length + 8)
  key.writeUInt32BE(entry.n, lane.length + 8 + ID_BYTES)
  return key
}

/** The part all due keys of one lane begin with. */
export function laneKey({ tenant, domain, pool }: LaneParts): Buffer {
  return Buffer.concat([text(tenant), text(pool === undefined ? domain : `${domain}${POOL_MARK}${pool}`)])
}

/** The range of all due keys of a tenant to a domain, whatever pool they name. */
export function lanesRange(tenant: string, domain: string): { from: Buffer; to: Buffer } {
  return {
    from: laneKey({ tenant, domain }),
    to: Buffer.concat([text(tenant), Buffer.from(`${domain}${AFTER_POOLS}`)]),
  }
}

export function readDueKey(key: Buffer): DueEntry {
  const endOfTenant = key.indexOf(0)
  const endOfLane = key.indexOf(0, endOfTenant + 1)
  const [domain = '', pool] = key.toString('utf8', endOfTenant + 1, endOfLane).split(POOL_MARK)
  const at = endOfLane + 1
  return {
    tenant: key.toString('utf8', 0, endOfTenant),
    domain,
    ...(pool !== undefined && { pool }),
    dueAt: key.readUInt32BE(at) * 2 ** 32 + key.readUInt32BE(at + 4),
    ...readPartKey(key, at + 8),
  }
}

/** Journal position: time (ms) and a sequence that never repeats within one time. 12 bytes. */
export function journalKey(time: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  writeU64(key, time, 0)
  key.writeUInt32BE(sequence, 8)
  return key
}

export function readJournalKey(key: Buffer, offset = 0): { time: number; sequence: number } {
  return {
    time: key.readUInt32BE(offset) * 2 ** 32 + key.readUInt32BE(offset + 4),
    sequence: key.readUInt32BE(offset + 8),
  }
}

/** Zero-terminated texts, then bytes: the shape of every index and named object. */
export function textKey(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? text(part) : part)))
}

/** The first key after all keys that begin with `prefix`; undefined when there is none. */
export function afterPrefix(prefix: Buffer): Buffer | undefined {
  const end = Buffer.from(prefix)
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] ?? 0
    if (byte < 0xff) {
      end[at] = byte + 1
      return end.subarray(0, at + 1)
    }
  }
  return undefined
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: Buffer): { from: Buffer; to?: Buffer } {
  const to = afterPrefix(prefix)
  return to === undefined ? { from: prefix } : { from: prefix, to }
}
