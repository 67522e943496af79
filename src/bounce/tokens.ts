// Local parts with the shape of our tokens (return-path.ts), wherever they stand: receivers break and fold what they
// quote. Shape only; whether a signature holds is asked elsewhere.

const MAX_TOKENS = 20
// Not within a longer word: a match in the midst of code for binary data would be chance.
const TOKEN = /(?<![0-9a-z-])[bu]-[0-9a-v]{40}(?![0-9a-z])/gi
/** Soft line break of quoted-printable, folding, and `-` where it was encoded. */
const BROKEN = /=[ \t]{0,8}\n|\n[ \t]+/g

/** In lower case, each once, in the order found. */
export function tokensIn(...texts: readonly string[]): readonly string[] {
  const found = new Set<string>()
  for (const text of texts) {
    collect(text, found)
    if (found.size < MAX_TOKENS && /[bu](?:-|=2d)/i.test(text))
      collect(text.replace(BROKEN, '').replace(/=(?:2d|40|3d)/gi, unquoted), found)
  }
  return [...found].slice(0, MAX_TOKENS)
}

function unquoted(code: string): string {
  return code[1] === '2' ? '-' : code[1] === '4' ? '@' : '='
}

function collect(text: string, found: Set<string>): void {
  for (const [token] of text.matchAll(TOKEN)) {
    if (found.size >= MAX_TOKENS) return
    found.add(token.toLowerCase())
  }
}
