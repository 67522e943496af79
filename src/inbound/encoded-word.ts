// RFC 2047 encoded words as text for people. For showing and searching only: never used to decide anything.

// RFC 2047 §2: 75 characters at most; longer ones are met in the wild, so the bound is only against abuse.
const ENCODED_WORD = /=\?([^?\s]{1,40})\?([bq])\?([^?\s]{0,1000})\?=/gi
const BETWEEN_WORDS = /(\?=)[ \t\r\n]+(?==\?)/g

const SHOWN_LENGTH = 255
// More than 255 characters take in their most wasteful encoding: words of 75 characters, 12 for one of four bytes.
const READ_LENGTH = 4096

/** The beginning of a header as it is kept for people. */
export function shownHeader(latin1: string): string {
  let end = READ_LENGTH
  // Not within a UTF-8 sequence, which would make the whole no UTF-8.
  while (end > READ_LENGTH - 3 && (latin1.charCodeAt(end) & 0xc0) === 0x80) end--
  return decodeHeader(latin1.slice(0, end)).slice(0, SHOWN_LENGTH)
}

/** Decodes the raw value of a header, given as latin1. Bytes above 0x7f are taken as UTF-8 where they are valid. */
export function decodeHeader(latin1: string): string {
  const raw = /[^\x00-\x7f]/.test(latin1) ? decodeBytes('utf-8', Buffer.from(latin1, 'latin1')) : latin1
  const text = raw.includes('=?') ? raw.replace(BETWEEN_WORDS, '$1').replace(ENCODED_WORD, decodeWord) : raw
  // Control characters would reach logs and terminals.
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').trim()
}

function decodeWord(_word: string, charset: string, encoding: string, content: string): string {
  const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(content, 'base64') : decodeQ(content)
  // RFC 2231 §5: a language tag may follow the charset.
  return decodeBytes(charset.split('*')[0] ?? charset, bytes)
}

function decodeQ(content: string): Buffer {
  const unescaped = content
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(unescaped, 'latin1')
}

function decodeBytes(charset: string, bytes: Buffer): string {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    // An unknown charset or bytes that do not fit it: latin1 shows something for every byte.
    return bytes.toString('latin1')
  }
}
