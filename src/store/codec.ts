// Values are JSON: stable over versions, readable by anybody, and as fast as binary forms at these sizes.

export const EMPTY = Buffer.alloc(0)

export function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

export function decode<T>(value: Buffer): T {
  return JSON.parse(value.toString()) as T
}

export function decodeOptional<T>(value: Buffer | undefined): T | undefined {
  return value === undefined ? undefined : decode<T>(value)
}
