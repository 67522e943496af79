// Human units of the config file: "10m", "1h 20m", "25MiB", "100/min". Each is a zod type that yields plain numbers.

import { isIP } from 'node:net'
import { z } from 'zod'
import { DAY, HOUR, MINUTE, SECOND } from '../util/clock.ts'

export type Milliseconds = number
export type Bytes = number
/** At most `count` in any `per` milliseconds. */
export interface Rate {
  readonly count: number
  readonly per: Milliseconds
}
export interface Cidr {
  readonly address: string
  readonly prefix: number
  readonly family: 4 | 6
}

const DURATION_UNITS: Record<string, number> = { ms: 1, s: SECOND, m: MINUTE, min: MINUTE, h: HOUR, d: DAY }
const SIZE_UNITS: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, kB: 1e3, MB: 1e6, GB: 1e9 }
const RATE_UNITS: Record<string, number> = {
  s: SECOND,
  sec: SECOND,
  m: MINUTE,
  min: MINUTE,
  h: HOUR,
  hour: HOUR,
  d: DAY,
  day: DAY,
}

function parsed<T>(parse: (text: string) => T | undefined, expected: string) {
  return z.union([z.string(), z.number()], { error: `expected ${expected}` }).transform((input, context) => {
    const value = parse(String(input).trim())
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `expected ${expected}, not "${input}"` })
    return z.NEVER
  })
}

/** `undefined` for what is no duration, and for numbers too large to be exact. */
export function parseDuration(text: string): Milliseconds | undefined {
  if (text === '0') return 0
  let total = 0
  const rest = text.replace(/(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*/g, (_, number: string, unit: string) => {
    total += Number(number) * (DURATION_UNITS[unit] ?? Number.NaN)
    return ''
  })
  return rest === '' && text !== '' ? exact(Math.round(total)) : undefined
}

export function parseSize(text: string): Bytes | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|kB|MB|GB)$/.exec(text)
  if (match === null) return /^\d+$/.test(text) ? exact(Number(text)) : undefined
  return exact(Math.round(Number(match[1]) * (SIZE_UNITS[match[2] ?? ''] ?? Number.NaN)))
}

export function parseRate(text: string): Rate | undefined {
  const match = /^(\d+)\s*\/\s*(?:(\d+)\s*)?(s|sec|min|m|hour|h|day|d)$/.exec(text)
  if (match === null) return undefined
  const count = Number(match[1])
  const per = Number(match[2] ?? 1) * (RATE_UNITS[match[3] ?? ''] ?? Number.NaN)
  return count > 0 && per > 0 && Number.isSafeInteger(count * per) ? { count, per } : undefined
}

export function parseCidr(text: string): Cidr | undefined {
  // The prefix is digits or absent: Number('') is 0, and "10.0.0.0/" must not become the whole internet. No zones.
  const match = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text)
  const address = match?.[1] ?? ''
  const family = isIP(address)
  if (family !== 4 && family !== 6) return undefined
  const longest = family === 4 ? 32 : 128
  const prefix = Number(match?.[2] ?? longest)
  return prefix <= longest ? { address, prefix, family } : undefined
}

/** The way back: `1h 20m`, as it could stand in the file. */
export function formatDuration(ms: Milliseconds): string {
  let rest = ms
  const parts = (['d', 'h', 'm', 's', 'ms'] as const).flatMap((unit) => {
    const size = DURATION_UNITS[unit] ?? 1
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? [] : [`${count}${unit}`]
  })
  return parts.join(' ') || '0'
}

/** `100/min`, `5/10s`. */
export function formatRate({ count, per }: Rate): string {
  const [unit = 's', size = SECOND] =
    (['d', 'h', 'min', 's'] as const)
      .map((name) => [name, RATE_UNITS[name] ?? 1] as const)
      .find(([, each]) => per % each === 0) ?? []
  return `${count}/${per === size ? '' : per / size}${unit}`
}

/** Messages a second, in the unit that reads best: `12/s`, `1.5/min`, `20/h`. */
export function formatPace(perSecond: number): string {
  const [unit, count] =
    perSecond >= 1 ? ['s', perSecond] : perSecond * 60 >= 1 ? ['min', perSecond * 60] : ['h', perSecond * 3600]
  return `${Number(count < 10 ? count.toFixed(1) : count.toFixed(0))}/${unit}`
}

function exact(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}

// `unit` is what the reference calls the type (shape.ts reads it).
export const duration = () =>
  parsed(parseDuration, 'a duration such as "30s", "10m", "1h 20m" or "3d"').meta({ unit: 'duration' })
export const size = () => parsed(parseSize, 'a size such as "256KiB" or "25MiB"').meta({ unit: 'size' })
export const rate = () => parsed(parseRate, 'a rate such as "100/min", "20/h" or "5/10s"').meta({ unit: 'rate' })
/**
 * Of connections: each delivery thread counts its own, in memory. A restart begins anew, so that what is counted must be
 * over soon.
 */
export const connectionRate = () =>
  rate().refine(
    ({ per }) => per <= MINUTE,
    'must be by the second or the minute, as a restart counts connections anew; message_rate is kept over restarts and takes hours and days',
  )
export const cidr = () =>
  parsed(parseCidr, 'an address or network such as "10.0.0.0/8" or "2001:db8::/32"').meta({ unit: 'network' })
