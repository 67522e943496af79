// Limits in the same words and units wherever they are shown: those of the options that set them.

import { counted, countText } from './time.ts'

/** `1134/h` → `1,134/h`, as counts are shown. Words such as `unlimited` stay. */
export function rateShown(rate: string): string {
  return rate.replace(/^\d{4,}/, (count) => countText(Number(count)))
}

/** `14/min, 1 connection`: what is left to a slow path. */
export function slowedText({ rate, connections }: { readonly rate?: string; readonly connections?: number }): string {
  return [
    ...(rate === undefined ? [] : [rateShown(rate)]),
    ...(connections === undefined ? [] : [counted(connections, 'connection')]),
  ].join(', ')
}

/** The option that sets a limit of this name: `path mta1 mx.a.test` is the path's message_rate. */
export function optionOf(limit: string): string {
  const [kind] = limit.split(' ', 1)
  if (kind === 'provider') return 'provider_message_rate'
  if (kind === 'source') return 'source_message_rate'
  return kind === 'warm-up' ? 'rate' : 'message_rate'
}
