// Tag lists as DKIM, DMARC, MTA-STS and TLS-RPT records have them (RFC 6376 §3.2): name=value, separated by semicolons. Pure.

const TAG = /^\s*([A-Za-z][A-Za-z0-9_]*)\s*=([\s\S]*)$/

/** By name in the order of the text; undefined when it is no tag list, or a tag stands twice. */
export function parseTags(text: string): ReadonlyMap<string, string> | undefined {
  const tags = new Map<string, string>()
  const parts = text.split(';')
  if (parts.at(-1)?.trim() === '') parts.pop()
  for (const part of parts) {
    const match = TAG.exec(part)
    const name = match?.[1]
    if (name === undefined || tags.has(name)) return undefined
    tags.set(name, (match?.[2] ?? '').trim())
  }
  return tags
}
