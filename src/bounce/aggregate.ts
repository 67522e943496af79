// Reports in bulk: DMARC aggregate (RFC 7489 §7.2) and TLS reports (RFC 8460). Recognised by their outside only; the
// packed report is never unpacked.

import type { Found } from './found.ts'
import type { OpenMail } from './open-mail.ts'

/** `receiver!sender-domain!begin!end[!id].xml.gz`, RFC 7489 §7.2.1.1. */
const DMARC_FILE = /^[\w.-]{1,255}![\w.-]{1,255}!\d{6,12}!\d{6,12}(?:![\w.-]{1,255})?\.(?:xml(?:\.gz)?|zip|gz)$/i
const TLS_FILE = /^[\w.-]{1,255}![\w.-]{1,255}!\d{6,12}!\d{6,12}(?:![\w.-]{1,255})?\.json(?:\.gz)?$/i
const DMARC_SUBJECT =
  /^(?:(?:re|fwd?)\s*:\s*)?\[?(?:preview\] ?)?report[ -]domain\s*:\s*\S+|^dmarc (?:aggregate )?report\b/i
const PACKED = /^application\/(?:gzip|x-gzip|zip|x-zip-compressed|x-zip|octet-stream|xml)$|^text\/xml$/

export function readAggregate(mail: OpenMail): Found | undefined {
  const reportType = mail.root.parameters.get('report-type')?.toLowerCase()
  if (reportType === 'tlsrpt' || mail.part('application/tlsrpt+gzip', 'application/tlsrpt+json') !== undefined)
    return { kind: 'aggregate', family: 'tls-rpt' }
  const files = mail.leaves.filter(({ type }) => PACKED.test(type)).map(fileName)
  if (files.some((name) => TLS_FILE.test(name))) return { kind: 'aggregate', family: 'tls-rpt' }
  const isDmarc = files.some((name) => DMARC_FILE.test(name)) || (files.length > 0 && DMARC_SUBJECT.test(mail.subject))
  return isDmarc ? { kind: 'aggregate', family: 'dmarc' } : undefined
}

function fileName(part: OpenMail['root']): string {
  const disposition = part.headers.get('content-disposition') ?? ''
  const said = /filename\*?(?:\d+\*?)?\s*=\s*"?([^";\r\n]{1,600})/i.exec(disposition)?.[1]
  return (said ?? part.parameters.get('name') ?? '').replace(/\s+/g, '')
}
