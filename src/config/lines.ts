// Where each key of a TOML text stands. The TOML parser gives values without positions; this reads the same text a second
// time and only notes lines. It is called for texts that the parser took, so it need not find errors, only end.

import type { Path } from './shape.ts'

/** Line (from 1) of every table header, entry and key, by dotted path. */
export function lineIndex(text: string): Map<string, number> {
  return new LineReader(text).read()
}

const BARE_KEY = /[A-Za-z0-9_-]+/y
const BLANK = /[ \t]+/y
const BLANK_LINES = /(?:[ \t\r\n]+|#[^\n]*)+/y
const STRING = /"""(?:\\[\s\S]|[^\\])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'/y
const SCALAR = /[^,\]}\n#]+/y

class LineReader {
  readonly #text: string
  readonly #lines = new Map<string, number>()
  /** Entries so far of each array of tables. */
  readonly #counts = new Map<string, number>()
  #at = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  read(): Map<string, number> {
    let table: Path = []
    this.#take(BLANK_LINES)
    while (this.#at < this.#text.length) {
      const before = this.#at
      if (this.#peek('[')) table = this.#header()
      else this.#keyValue(table)
      this.#take(BLANK_LINES)
      if (this.#at === before) this.#skip(1)
    }
    return this.#lines
  }

  #header(): Path {
    const isEntry = this.#text.startsWith('[[', this.#at)
    this.#skip(isEntry ? 2 : 1)
    const line = this.#line
    const keys = this.#key()
    this.#skip(isEntry ? 2 : 1)
    // A name on the way that is an array of tables means its newest entry (TOML 1.0, "Array of Tables").
    let path: Path = []
    for (const [at, key] of keys.entries()) {
      path = [...path, key]
      // A table stands where it is named first, if only on the way to another.
      this.#note(path, line)
      const count = this.#counts.get(path.join('.'))
      if (at < keys.length - 1 && count !== undefined) path = [...path, String(count - 1)]
    }
    if (isEntry) {
      const index = this.#counts.get(path.join('.')) ?? 0
      this.#counts.set(path.join('.'), index + 1)
      this.#note(path, line)
      path = [...path, String(index)]
    }
    this.#note(path, line)
    return path
  }

  #keyValue(table: Path): void {
    const line = this.#line
    const keys = this.#key()
    if (keys.length === 0) return
    for (let length = 1; length <= keys.length; length++) this.#note([...table, ...keys.slice(0, length)], line)
    this.#take(BLANK)
    if (this.#peek('=')) this.#skip(1)
    this.#take(BLANK)
    this.#value([...table, ...keys])
  }

  #key(): string[] {
    const keys: string[] = []
    for (;;) {
      this.#take(BLANK)
      const bare = this.#take(BARE_KEY)
      const key = bare ?? unquote(this.#take(STRING))
      if (key === undefined) return keys
      keys.push(key)
      this.#take(BLANK)
      if (!this.#peek('.')) return keys
      this.#skip(1)
    }
  }

  #value(path: Path): void {
    if (this.#peek('[')) this.#list(path)
    else if (this.#peek('{')) this.#inlineTable(path)
    else if (this.#take(STRING) === undefined) this.#take(SCALAR)
  }

  #list(path: Path): void {
    this.#skip(1)
    for (let index = 0; ; index++) {
      this.#take(BLANK_LINES)
      if (this.#atEnd(']')) return
      this.#note([...path, String(index)], this.#line)
      this.#value([...path, String(index)])
      this.#take(BLANK_LINES)
      if (!this.#peek(',')) {
        if (this.#peek(']')) this.#skip(1)
        return
      }
      this.#skip(1)
    }
  }

  #inlineTable(path: Path): void {
    this.#skip(1)
    for (;;) {
      this.#take(BLANK_LINES)
      if (this.#atEnd('}')) return
      this.#keyValue(path)
      this.#take(BLANK_LINES)
      if (!this.#peek(',')) {
        if (this.#peek('}')) this.#skip(1)
        return
      }
      this.#skip(1)
    }
  }

  /** Takes the closing bracket, if it is next; true there and at the end of the text. */
  #atEnd(bracket: string): boolean {
    if (!this.#peek(bracket)) return this.#at >= this.#text.length
    this.#skip(1)
    return true
  }

  #note(path: Path, line: number): void {
    const key = path.join('.')
    if (!this.#lines.has(key)) this.#lines.set(key, line)
  }

  #peek(character: string): boolean {
    return this.#text[this.#at] === character
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#skip(found.length)
    return found
  }

  #skip(length: number): void {
    for (const character of this.#text.slice(this.#at, this.#at + length)) if (character === '\n') this.#line++
    this.#at += length
  }
}

function unquote(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (text.startsWith("'")) return text.slice(1, -1)
  try {
    return String(JSON.parse(text))
  } catch {
    // An escape that TOML has and JSON has not (\U, \e): as written will do to name a line.
    return text.slice(1, -1)
  }
}
