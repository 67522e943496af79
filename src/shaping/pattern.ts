// Patterns that people write into shaping files, held to a bound: whatever a receiver answers, one look takes no more than
// so many steps. The bound is counted from the pattern itself, by the number of ways in which it may try to match, so that
// no clock is needed to refuse one. It is on the safe side: a pattern that is refused may be harmless.

/** Of the reply, so much is looked at. */
export const MATCHED_CHARACTERS = 1000
/** Five milliseconds at the very worst: a step takes from half a nanosecond to three. */
const MOST_STEPS = 2_000_000

/** So many characters are left on average, wherever a pattern is tried. */
const TO_THE_END = MATCHED_CHARACTERS / 2

export type CheckedPattern = { readonly pattern: RegExp } | { readonly problem: string }

/** Case does not matter; `.` and classes are of whole characters. */
export function checkedPattern(text: string): CheckedPattern {
  let pattern: RegExp
  try {
    pattern = new RegExp(text, 'iu')
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : String(error)
    return { problem: `is no regular expression (${said})` }
  }
  const found = new WaysReader(text).read()
  if ('problem' in found) return found
  // What is tied to the beginning is tried once, and has all characters before it, not half of them as the others.
  if (found.ways * (found.isTied ? 2 : MATCHED_CHARACTERS) > MOST_STEPS)
    return { problem: 'could take too long on some replies; write bounds such as .{0,40} instead of * and +' }
  return { pattern }
}

const NESTED =
  'repeats what repeats already, which could take forever on some replies; write it without the outer * or +'

interface Part {
  /** In how many ways it can match from one place on, at most. */
  readonly ways: number
  /** What it begins with, if that is one plain character. */
  readonly first: string | undefined
  /** Begins with ^, whichever branch is taken. */
  readonly isTied?: boolean
}

const EMPTY: Part = { ways: 1, first: undefined }

/** Reads a pattern that the engine took; so it need not find errors, only end. */
class WaysReader {
  readonly #text: readonly string[]
  #at = 0
  #problem: string | undefined

  constructor(text: string) {
    this.#text = [...text]
  }

  read(): Part | { readonly problem: string } {
    const whole = this.#alternatives()
    return this.#problem === undefined ? whole : { problem: this.#problem }
  }

  #alternatives(): Part {
    const branches = [this.#sequence()]
    while (this.#peek() === '|') {
      this.#at++
      branches.push(this.#sequence())
    }
    const [only] = branches
    if (branches.length === 1 && only !== undefined) return only
    // Branches that begin with characters of their own: no more than one of them goes on.
    const firsts = branches.map(({ first }) => first?.toLowerCase())
    const isEither = firsts.every((first) => first !== undefined) && new Set(firsts).size === firsts.length
    const all = branches.map(({ ways }) => ways)
    const ways = isEither ? Math.max(...all) : all.reduce((sum, each) => sum + each, 0)
    return { ways, first: undefined, isTied: branches.every(({ isTied }) => isTied) }
  }

  #sequence(): Part {
    let ways = 1
    let first: string | undefined
    const isTied = this.#peek() === '^'
    for (let isFirst = true; this.#at < this.#text.length && !'|)'.includes(this.#peek() ?? ''); isFirst = false) {
      const part = this.#repeated(this.#atom())
      ways *= part.ways
      if (isFirst) first = part.first
    }
    return { ways, first, isTied }
  }

  #atom(): Part {
    const char = this.#peek() ?? ''
    this.#at++
    if (char === '(') return this.#group()
    if (char === '[') return this.#class()
    if (char === '\\') return this.#escape()
    // Others may be the same as one of these, as case does not matter: the long s.
    return { ways: 1, first: '.^$'.includes(char) || char > '~' ? undefined : char }
  }

  #group(): Part {
    // (?: (?= (?! (?<= (?<! (?<name> (?i: (?-i:
    const head = /^\?(?:<?[=!]|[a-z-]*:|<[^>]*>)/.exec(this.#rest())?.[0] ?? ''
    this.#at += [...head].length
    const { ways, first } = this.#alternatives()
    this.#at++
    // What only looks says nothing of what comes next.
    return { ways, first: /[=!]$/.test(head) ? undefined : first }
  }

  #class(): Part {
    for (let char = this.#peek(); char !== undefined && char !== ']'; char = this.#peek())
      this.#at += char === '\\' ? 2 : 1
    this.#at++
    return EMPTY
  }

  #escape(): Part {
    const char = this.#peek() ?? ''
    this.#at++
    if (/[1-9k]/.test(char)) this.#problem ??= 'refers back to what it found (\\1), which is not taken'
    if ('pPu'.includes(char) && this.#peek() === '{')
      while (this.#at < this.#text.length && this.#text[this.#at++] !== '}');
    return { ways: 1, first: /[^a-z0-9]/i.test(char) ? char : undefined }
  }

  #repeated(part: Part): Part {
    const range = this.#quantifier()
    if (range === undefined) return part
    const [least, most] = range
    if (part.ways > 1 && most > MATCHED_CHARACTERS) this.#problem ??= NESTED
    const longest = Math.min(most, least + TO_THE_END - 1)
    // Going round once more is dear where there is something to choose in it: it counts as one way more.
    const each = part.ways > 1 ? part.ways + 1 : 1
    let ways = 0
    for (let times = least; times <= longest; times++) ways += each ** times
    return { ways: Math.max(1, ways), first: least > 0 ? part.first : undefined }
  }

  #quantifier(): readonly [number, number] | undefined {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.#rest())
    if (found === null) return undefined
    const [whole, least, comma, most] = found
    this.#at += whole.length
    if (this.#peek() === '?') this.#at++ // lazy: as many ways
    if (least === undefined) return [whole === '+' ? 1 : 0, whole === '?' ? 1 : Number.POSITIVE_INFINITY]
    return [Number(least), comma === '' ? Number(least) : most === '' ? Number.POSITIVE_INFINITY : Number(most)]
  }

  #rest(): string {
    return this.#text.slice(this.#at).join('')
  }

  #peek(): string | undefined {
    return this.#text[this.#at]
  }
}
