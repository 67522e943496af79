// Damaged reports without end, the same ones for the same seed: what hostile senders, broken gateways and cut connections
// make of a mail. Texts are byte strings (latin1).

/** A number from 0 up to but not 1. */
export type Random = () => number

/** Mulberry32: the next number needs nothing but the last, so a seed says it all. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const MUTATIONS = {
  'bytes changed': flipBytes,
  'cut off': (mail, random) => mail.slice(0, below(random, mail.length + 1)),
  'cut out': cutOut,
  'boundary damaged': damageBoundary,
  'header doubled': doubleHeader,
  'charset swapped': swapCharset,
  'line made huge': growLine,
  'multiparts nested': nest,
  'line ends swapped': swapLineEnds,
} as const satisfies Readonly<Record<string, (mail: string, random: Random) => string>>
export type Mutation = keyof typeof MUTATIONS

const NAMES = Object.keys(MUTATIONS) as readonly Mutation[]
/** What a bounce listener keeps of a report by default. */
const MAX_BYTES = 2 ** 20
const MAX_CHANGES = 3

export interface Mutated {
  readonly mail: Buffer
  readonly by: readonly Mutation[]
}

/** One to three mutations, one upon the other. */
export function mutated(mail: string, random: Random): Mutated {
  const by = Array.from({ length: 1 + below(random, MAX_CHANGES) }, () => pick(random, NAMES))
  const text = by.reduce((so, name) => MUTATIONS[name](so, random).slice(0, MAX_BYTES), mail)
  return { mail: Buffer.from(text, 'latin1'), by }
}

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit)
}

export function pick<Item>(random: Random, from: readonly Item[]): Item {
  const item = from[below(random, from.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

/** Small ones mostly, each power of two as likely as the next. */
function sizeUpTo(random: Random, bits: number): number {
  return Math.floor(2 ** (random() * bits))
}

/** No more of them than fit: a huge line is not doubled hundreds of times. */
function copiesOf(line: string, count: number): string[] {
  return Array.from({ length: Math.min(count, Math.ceil(MAX_BYTES / (line.length + 1))) }, () => line)
}

function flipBytes(mail: string, random: Random): string {
  const bytes = Buffer.from(mail, 'latin1')
  if (bytes.length === 0) return mail
  for (let times = sizeUpTo(random, 7); times > 0; times--) {
    const at = below(random, bytes.length)
    bytes[at] = random() < 0.5 ? (bytes[at] ?? 0) ^ (1 << below(random, 8)) : below(random, 256)
  }
  return bytes.toString('latin1')
}

function cutOut(mail: string, random: Random): string {
  const from = below(random, mail.length + 1)
  return mail.slice(0, from) + mail.slice(from + sizeUpTo(random, 10))
}

/** A boundary line lost, doubled, closed too early, or written differently from how it was declared. */
function damageBoundary(mail: string, random: Random): string {
  const lines = mail.split('\n')
  const marks = lines.flatMap((line, at) => (line.startsWith('--') || /boundary=/i.test(line) ? [at] : []))
  if (marks.length === 0) return mail
  const at = pick(random, marks)
  const line = lines[at] ?? ''
  const bare = line.replace(/(?:--)?\r?$/, '')
  const forms = [
    [],
    [line, line],
    [`${bare}--\r`],
    [`${bare.slice(0, -1)}\r`],
    [` ${line}`],
    [bare.toUpperCase()],
    [`${bare}x\r`],
    copiesOf(line, sizeUpTo(random, 8)),
  ]
  lines.splice(at, 1, ...pick(random, forms))
  return lines.join('\n')
}

function doubleHeader(mail: string, random: Random): string {
  const lines = mail.split('\n')
  const fields = lines.flatMap((line, at) => (/^[\w-]+:/.test(line) ? [at] : []))
  if (fields.length === 0) return mail
  const at = pick(random, fields)
  const copies = copiesOf(lines[at] ?? '', sizeUpTo(random, 9))
  lines.splice(random() < 0.5 ? at : pick(random, fields), 0, ...copies)
  return lines.join('\n')
}

const CHARSETS = [
  'utf-8',
  'utf-16',
  'utf-16le',
  'utf-7',
  'iso-2022-jp',
  'shift_jis',
  'gb18030',
  'koi8-r',
  'big5',
  'x',
  '',
]
const ENCODINGS = ['base64', 'quoted-printable', 'x-uuencode', '8bit', 'binary', 'gzip']

function swapCharset(mail: string, random: Random): string {
  const charset = pick(random, CHARSETS)
  const swapped = mail.replace(/charset="?[\w-]+"?/gi, `charset="${charset}"`).replace(/=\?[\w-]+\?/g, `=?${charset}?`)
  const encoding = pick(random, ENCODINGS)
  return random() < 0.5 ? swapped : swapped.replace(/(?<=transfer-encoding: )[\w-]+/gi, encoding)
}

const UNITS = [
  'x',
  ' ',
  '\t',
  '<',
  '(',
  '"',
  '@',
  'a@b.c ',
  '=?utf-8?q?',
  '=',
  '&',
  '550 5.1.1 ',
  '; a=',
  '<p ',
  ',',
  '\\',
]

function growLine(mail: string, random: Random): string {
  const unit = pick(random, UNITS)
  const at = below(random, mail.length + 1)
  return mail.slice(0, at) + unit.repeat(Math.ceil(sizeUpTo(random, 20) / unit.length)) + mail.slice(at)
}

function nest(mail: string, random: Random): string {
  let text = mail
  for (let depth = sizeUpTo(random, 5); depth > 0 && text.length < MAX_BYTES; depth--) {
    // The same boundary within itself, or another one at each level.
    const boundary = random() < 0.3 ? 'b' : `b${depth}`
    const type = pick(random, ['multipart/mixed', 'multipart/report', 'multipart/alternative', 'multipart/digest'])
    const part = random() < 0.5 ? '' : 'Content-Type: message/rfc822\r\n\r\n'
    const end = random() < 0.5 ? `\r\n--${boundary}--\r\n` : ''
    text = `From: MAILER-DAEMON@example.net\r\nContent-Type: ${type}; boundary="${boundary}"\r\n\r\n--${boundary}\r\n${part}${text}${end}`
  }
  return text
}

function swapLineEnds(mail: string, random: Random): string {
  const ends = ['\n', '\r', '\r\n', '\r\r\n', '\n\r', '\r\n\r\n']
  const one = pick(random, ends)
  return random() < 0.5
    ? mail.replace(/\r?\n/g, one)
    : mail.replace(/\r?\n/g, (end) => (random() < 0.1 ? pick(random, ends) : end))
}
