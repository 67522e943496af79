// 64-bit ids that sort by time: 42 bits of milliseconds, 10 bits of node, 12 bits of sequence; written as 13
// characters of lower-case base32 (RFC 4648 "extended hex" alphabet, whose order is the order of the values).

import type { Clock } from './clock.ts'

const ALPHABET = '0123456789abcdefghijklmnopqrstuv'
/** Of a digit's character code. A table, because ids become bytes ten times for every message. */
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))))
const ID_PATTERN = /^[0-9a-f][0-9a-v]{12}$/

export const ID_BYTES = 8
export const MAX_NODE = 1023

/** Writes a 64-bit value, given as its two halves, as 13 characters. */
export function formatId(high: number, low: number): string {
  let text = ALPHABET[high >>> 28] ?? ''
  for (let shift = 23; shift >= 3; shift -= 5) text += ALPHABET[(high >>> shift) & 31]
  text += ALPHABET[((high & 7) << 2) | (low >>> 30)]
  for (let shift = 25; shift >= 0; shift -= 5) text += ALPHABET[(low >>> shift) & 31]
  return text
}

export function isId(text: string): boolean {
  return ID_PATTERN.test(text)
}

/** Writes the 8 bytes of `id` big-endian at `offset`. Throws a RangeError when `id` is not an id. */
export function writeId(target: Buffer, id: string, offset: number): void {
  if (!isId(id)) throw new RangeError(`not an id: ${id}`)
  // 13 digits of 5 bits hold 65 bits; digit 6 is split: its upper 3 bits end the high half.
  const split = digitsOf(id, 6, 7, 0)
  target.writeUInt32BE(digitsOf(id, 0, 6, 0) * 8 + (split >>> 2), offset)
  target.writeUInt32BE(digitsOf(id, 7, 13, split & 3), offset + 4)
}

function digitsOf(id: string, from: number, to: number, start: number): number {
  let value = start
  for (let at = from; at < to; at++) value = value * 32 + (VALUES[id.charCodeAt(at)] ?? 0)
  return value
}

export function readId(source: Buffer, offset: number): string {
  return formatId(source.readUInt32BE(offset), source.readUInt32BE(offset + 4))
}

/** When the id was made, in epoch milliseconds. */
export function idTime(id: string): number {
  const bytes = Buffer.allocUnsafe(ID_BYTES)
  writeId(bytes, id, 0)
  return bytes.readUInt32BE(0) * 1024 + (bytes.readUInt32BE(4) >>> 22)
}

export function idNode(id: string): number {
  const bytes = Buffer.allocUnsafe(ID_BYTES)
  writeId(bytes, id, 0)
  return (bytes.readUInt32BE(4) >>> 12) & 1023
}

/**
 * Makes ids that never repeat and never go back within this process, also when the clock steps back or more than
 * 4096 are made in one millisecond (time is then borrowed from the next one). `after` is the newest id in the
 * store, so that ids stay unique over a restart with a clock that went back.
 */
export function idMaker(clock: Clock, node: number, after?: string): () => string {
  let lastMs = after === undefined ? 0 : idTime(after) + 1
  let sequence = -1
  return () => {
    const now = clock.now()
    if (now > lastMs) {
      lastMs = now
      sequence = 0
    } else if (++sequence > 4095) {
      lastMs++
      sequence = 0
    }
    const high = Math.floor(lastMs / 1024)
    const low = (((lastMs % 1024) << 22) | (node << 12) | sequence) >>> 0
    return formatId(high, low)
  }
}
