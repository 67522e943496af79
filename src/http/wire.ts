// The JSON of the API: what the parts hold in camelCase with times in epoch milliseconds goes over the wire in
// snake_case with RFC 3339 times in UTC. One converter and one type for all of it, so that no field is mapped by hand.
// Invariant: the keys of `metadata` belong to the app and are never touched.

import type { Domain, EmailAddress } from '../mail/address.ts'

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Tail extends Uncapitalize<Tail>
    ? `${Lowercase<Head>}${Snake<Tail>}`
    : `${Lowercase<Head>}_${Snake<Tail>}`
  : S

/** Keys whose numbers are points in time: `at`, `since`, `until`, and everything that ends in `At` or `Until`. */
type TimeKey = 'at' | 'since' | 'until' | `${string}At` | `${string}Until`
const TIME_KEY = /(?:^at|^since|^until|At|Until)$/

export type Wire<T> = T extends EmailAddress | Domain
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T as Key extends string ? Snake<Key> : never]: WireField<Key, T[Key]> }
      : T

type WireField<Key, Value> = Key extends 'metadata'
  ? Value
  : Key extends TimeKey
    ? Value extends number
      ? string
      : Wire<Value>
    : Wire<Value>

const LATEST_DATE_MS = 8.64e15

export function toWire<T>(value: T): Wire<T> {
  return convert(value, '') as Wire<T>
}

function convert(value: unknown, key: string): unknown {
  if (typeof value === 'number' && TIME_KEY.test(key)) return rfc3339(value)
  if (Array.isArray(value)) return value.map((item) => convert(item, ''))
  if (typeof value !== 'object' || value === null || key === 'metadata') return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [snake(name), convert(field, name)]))
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** Undefined for a number that no calendar has, so that one odd record cannot make a whole answer fail. */
function rfc3339(epochMs: number): string | undefined {
  return Math.abs(epochMs) <= LATEST_DATE_MS ? new Date(epochMs).toISOString() : undefined
}
