// Times and amounts as people read them. Absolute times are UTC, as in the log and the API.

import { DAY, HOUR, MINUTE, SECOND } from '../util/clock.ts'

const UNITS = [
  [DAY, 'd'],
  [HOUR, 'h'],
  [MINUTE, 'm'],
  [SECOND, 's'],
] as const

/** The two largest units: `3d 4h`, `12m`, `45s`, `0.3s`, `12ms`. */
export function durationText(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)}s`
  const parts: string[] = []
  let rest = Math.round(ms / SECOND) * SECOND
  for (const [unit, letter] of UNITS) {
    const count = Math.floor(rest / unit)
    rest -= count * unit
    if (count > 0) parts.push(`${count}${letter}`)
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break
  }
  return parts.join(' ')
}

/** Time since the beginning of a timeline: `+0.3s`, `+5m 2s`, `+1d 2h`. */
export function offsetText(ms: number): string {
  return ms < 10 * SECOND ? `+${(Math.max(0, ms) / SECOND).toFixed(1)}s` : `+${durationText(ms)}`
}

/** `2026-11-21 23:20:11` */
export function dateTimeText(time: string): string {
  return time.slice(0, 19).replace('T', ' ')
}

/** `11-21 23:20`; of another year only the day, `2025-11-21`. */
export function shortTimeText(time: string, now: number): string {
  return dateText(time).slice(0, 4) === new Date(now).toISOString().slice(0, 4)
    ? dateTimeText(time).slice(5, 16)
    : dateText(time)
}

/** `23:20:11.120` */
export function clockText(time: string): string {
  return time.slice(11, 23)
}

export function dateText(time: string): string {
  return time.slice(0, 10)
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

/** `12,345` */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `second`, `12th` */
export function ordinalText(count: number): string {
  const word = ['', 'first', 'second', 'third', 'fourth', 'fifth'][count]
  if (word !== undefined && word !== '') return word
  const ending = count % 100 >= 11 && count % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th')
  return `${count}${ending}`
}

/** `1 recipient`, `12,345 recipients` */
export function counted(count: number, noun: string, several = `${noun}s`): string {
  return `${countText(count)} ${count === 1 ? noun : several}`
}
