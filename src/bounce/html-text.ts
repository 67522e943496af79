// HTML turned into lines of text, as far as reports need it: tags go, blocks end a line, entities become characters.
// One pass over the text; no tree is built and nothing is ever shown as HTML.

const MAX_HTML = 256 * 1024
const BLOCKS = new Set(
  'address blockquote br center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li ol p pre section table td th tr ul'.split(
    ' ',
  ),
)
/** Their content is not for people. */
const SILENT = new Set(['head', 'script', 'style', 'title'])
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
  reg: '®',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  ecirc: 'ê',
  agrave: 'à',
  acirc: 'â',
  ccedil: 'ç',
  ocirc: 'ô',
  ugrave: 'ù',
  icirc: 'î',
  aacute: 'á',
  iacute: 'í',
  oacute: 'ó',
  uacute: 'ú',
  ntilde: 'ñ',
  atilde: 'ã',
  otilde: 'õ',
  oslash: 'ø',
  aring: 'å',
  aelig: 'æ',
  rsquo: '’',
  lsquo: '‘',
  ldquo: '“',
  rdquo: '”',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  laquo: '«',
  raquo: '»',
  zwnj: '',
}

export function htmlText(html: string): string {
  const source = html.slice(0, MAX_HTML)
  const unclosed = new Set<string>()
  let text = ''
  let at = 0
  for (;;) {
    const open = source.indexOf('<', at)
    if (open < 0) break
    text += spaced(source.slice(at, open))
    const tag = tagAt(source, open)
    if (tag === undefined) {
      text += '<'
      at = open + 1
      continue
    }
    if (BLOCKS.has(tag.name)) text += '\n'
    at = SILENT.has(tag.name) && !tag.isEnd ? behindElement(source, tag, unclosed) : tag.after
  }
  return entitiesOf(text + spaced(source.slice(at)))
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
}

/** Line ends and runs of white space in the source are one space. */
function spaced(text: string): string {
  return text.replace(/\s{2,}|\n/g, ' ')
}

interface Tag {
  readonly name: string
  readonly isEnd: boolean
  readonly after: number
}

/** Undefined for a `<` that begins no tag, such as the one before an address. */
function tagAt(source: string, open: number): Tag | undefined {
  if (source.startsWith('<!--', open)) {
    const close = source.indexOf('-->', open + 4)
    return { name: '', isEnd: false, after: close < 0 ? source.length : close + 3 }
  }
  const start = /^<(\/?)([a-z!?][a-z0-9:]{0,20})(?=[\s/>?]|-)/i.exec(source.slice(open, open + 32))
  if (start === null) return undefined
  const close = source.indexOf('>', open)
  return {
    name: (start[2] ?? '').toLowerCase(),
    isEnd: start[1] === '/',
    after: close < 0 ? source.length : close + 1,
  }
}

/** An element that is never closed is taken for text rather than everything lost; it is looked for only once. */
function behindElement(source: string, tag: Tag, unclosed: Set<string>): number {
  if (unclosed.has(tag.name)) return tag.after
  const end = new RegExp(`</${tag.name}\\s*>`, 'gi')
  end.lastIndex = tag.after
  if (end.test(source)) return end.lastIndex
  unclosed.add(tag.name)
  return tag.after
}

function entitiesOf(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));?/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code === 160 ? ' ' : code > 8 && code <= 0x10ffff ? String.fromCodePoint(code) : ' '
  })
}
