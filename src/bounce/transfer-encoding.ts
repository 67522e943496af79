// Content-Transfer-Encoding undone (RFC 2045 §6), on byte strings. Lenient: what is no valid code stays or is left out.

/** The decoded content as a byte string with LF line ends; nothing here ever inflates. */
export function decodeTransfer(content: string, encoding: string): string {
  switch (encoding) {
    case 'quoted-printable':
      return decodeQuotedPrintable(content)
    case 'base64':
      return withLf(decodeBase64(content))
    default:
      return content
  }
}

export function decodeQuotedPrintable(content: string): string {
  if (!content.includes('=')) return content
  return content
    .replace(/=[ \t]{0,80}\n/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => BYTES[Number.parseInt(hex, 16)] ?? '')
}

/** Buffer skips what is not of the alphabet. A footer in plain text behind the code would come out as noise: it is cut off. */
function decodeBase64(content: string): string {
  const end = /\n[ \t]*\n[^\n]*[^A-Za-z0-9+/=\s]/.exec(content)?.index
  return Buffer.from(end === undefined ? content : content.slice(0, end), 'base64').toString('latin1')
}

/** CRLF, LF and bare CR all end a line; the stray second CR of CR CR LF ends none. Linear. */
export function withLf(text: string): string {
  if (!text.includes('\r')) return text
  let plain = text.replaceAll('\r\n', '\n')
  if (plain.includes('\r\n')) plain = plain.replaceAll('\r\n', '\n')
  return plain.includes('\r') ? plain.replaceAll('\r', '\n') : plain
}

const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
