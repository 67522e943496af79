// Text for terminals: how wide it is, how it is cut and wrapped, what it may contain, and the few colours there are.
// Replies, subjects and addresses are written by strangers: `printable` is the door through which they must pass.

/**
 * Text that can do nothing but be read: control characters become their pictures (ESC → ␛), C1 controls and the
 * characters that reorder or hide text become �. Newlines and tabs are control characters too.
 */
export function printable(text: string): string {
  return text
    .replace(/[\u0000-\u001f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/\u007f/g, '␡')
    .replace(
      /[\u0080-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '�',
    )
}

/** The same data with every text in it, at any depth, made printable. */
export function printableDeep<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T
  if (Array.isArray(value)) return value.map(printableDeep) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [printable(key), printableDeep(field)])) as T
}

/** One line of JSON. Characters that steer a terminal are written as escapes, which JSON reads back as they were. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const STYLE = /\u001b\[\d+m/g
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u
const segmenter = new Intl.Segmenter()

function graphemeWidth(grapheme: string): number {
  if (/^\p{Mark}/u.test(grapheme)) return 0
  return WIDE.test(grapheme) ? 2 : 1
}

/** Columns the text takes; our own colours take none. */
export function widthOf(text: string): number {
  const bare = text.replace(STYLE, '')
  if (/^[\x20-\x7e]*$/.test(bare)) return bare.length
  let width = 0
  for (const { segment } of segmenter.segment(bare)) width += graphemeWidth(segment)
  return width
}

/** At most `width` columns; what is cut off ends in … */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width <= 0) return ''
  const [head = ''] = splitAt(text, width - 1)
  return `${head}…`
}

/** The first `width` columns and the rest. The text must not be coloured yet. */
function splitAt(text: string, width: number): [string, string] {
  let used = 0
  for (const { segment, index } of segmenter.segment(text)) {
    used += graphemeWidth(segment)
    if (used > width) return [text.slice(0, index), text.slice(index)]
  }
  return [text, '']
}

/** Breaks at spaces where it can, anywhere where it must; nothing but the spaces at the breaks is lost. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (widthOf(rest) > width) {
    const [head] = splitAt(rest, Math.max(1, width))
    const space = rest[head.length] === ' ' ? head.length : head.lastIndexOf(' ')
    // A break that leaves less than a third of the line is worse than one inside a word (long ids and URLs).
    const end = space > head.length / 3 ? space : Math.max(1, head.length)
    lines.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end).trimStart()
  }
  lines.push(rest)
  return lines
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text
}

const COLOURS = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
} as const
export type Colour = keyof typeof COLOURS
export type Paint = (colour: Colour, text: string) => string

export function painter(isColoured: boolean): Paint {
  if (!isColoured) return (_, text) => text
  return (colour, text) => {
    const [on, off] = COLOURS[colour]
    return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`
  }
}
