// Records as a zone file has them (RFC 1035 §5.1), with full names, so that the lines fit into any zone. Pure.

import type { DnsRecord } from './record.ts'

const TTL_S = 3600
// RFC 1035 §3.3: one character string holds at most 255 octets; a longer TXT is several of them.
const STRING_OCTETS = 255

/** `"…" "…"`: cut at 255 octets, quoted, escaped. */
export function quotedStrings(text: string): string {
  const bytes = Buffer.from(text)
  const strings: string[] = []
  for (let at = 0; at < bytes.length || at === 0; at += STRING_OCTETS) {
    strings.push(`"${escaped(bytes.subarray(at, at + STRING_OCTETS))}"`)
  }
  return strings.join(' ')
}

function escaped(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    if (character === '"' || character === '\\') text += `\\${character}`
    else text += byte < 0x20 || byte > 0x7e ? `\\${String(byte).padStart(3, '0')}` : character
  }
  return text
}

/** The part behind the type: names with their dot, texts quoted. */
export function zoneValue({ type, value }: Pick<DnsRecord, 'type' | 'value'>): string {
  if (type === 'TXT') return quotedStrings(value)
  return type === 'MX' || type === 'PTR' ? `${value}.` : value
}

export function zoneLine(record: DnsRecord): string {
  return `${record.name}. ${TTL_S} IN ${record.type} ${zoneValue(record)}`
}

/** What is optional stands there as a comment. */
export function zoneLines(records: readonly DnsRecord[]): string[] {
  return records.flatMap((record) => [
    `; ${record.need}: ${record.why}`,
    record.need === 'optional' ? `;${zoneLine(record)}` : zoneLine(record),
  ])
}
