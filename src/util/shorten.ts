// A text that was too long, for people: it ends with a whole word and says that something is missing.

/** At most so many UTF-16 units, the … included. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text
  const room = most - 1
  const space = text.lastIndexOf(' ', room)
  // Too little would be left of a text with a long URL, or in a language that needs no spaces.
  const end = space > most / 2 ? space : room
  // A half of a surrogate pair is no character.
  return `${text.slice(0, end).replace(/[\ud800-\udbff]$|[\s,;:]+$/, '')}…`
}
