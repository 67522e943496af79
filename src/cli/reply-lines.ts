// Many replies from one text: one per line, the lines of a multiline reply (RFC 5321 §4.2.1) together, or JSON objects.
// Pure.

import { SMTP_COMMANDS } from '../http/input.ts'

export interface GivenReply {
  /** As it was given; of a JSON object its `text`. */
  readonly text: string
  /** What to classify: the text with the codes that the object gave beside it. */
  readonly reply: string
  /** It came as an object: who speaks JSON is answered in its form. */
  readonly isJson: boolean
  readonly command?: (typeof SMTP_COMMANDS)[number]
}

/** A line that is none of this; the message says which. */
export class ReplyLineError extends Error {
  override readonly name = 'ReplyLineError'
}

export function replyLines(input: string): GivenReply[] {
  const given: GivenReply[] = []
  const lines = input.split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    let line = lines[at]?.trim() ?? ''
    if (line === '') continue
    if (line.startsWith('{')) {
      given.push(fromJson(line, at + 1))
      continue
    }
    // `550-` says that a line follows; it does when that has the same code.
    while (continues(lines[at] ?? '', lines[at + 1] ?? '')) line += `\n${lines[++at]?.trim()}`
    given.push({ text: line.replaceAll('\n', ' '), reply: line, isJson: false })
  }
  return given
}

function continues(line: string, next: string): boolean {
  const code = /^\s*(\d{3})-/.exec(line)?.[1]
  return code !== undefined && next.trimStart().startsWith(code)
}

function fromJson(line: string, number: number): GivenReply {
  const { text, code, enhanced, command } = parsed(line, number)
  if (typeof text !== 'string' || text.trim() === '')
    throw new ReplyLineError(`Line ${number} has no "text" with the words of the reply.`)
  const hasCode = /^\s*[2-5]\d\d(?:[ -]|$)/.test(text)
  const hasEnhanced = /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)/.test(text)
  const prefix = [
    !hasCode && /^[2-5]\d\d$/.test(String(code ?? '')) ? code : undefined,
    !hasEnhanced && /^[245]\.\d{1,3}\.\d{1,3}$/.test(String(enhanced ?? '')) ? enhanced : undefined,
  ].filter((part) => part !== undefined)
  const known = commandOf(command)
  const start = hasCode ? /^\s*\d{3}[ -]?/.exec(text)?.[0] : undefined
  // The enhanced code stands between basic code and text.
  const reply =
    start === undefined ? [...prefix, text].join(' ') : [start.trim(), ...prefix, text.slice(start.length)].join(' ')
  return { text, reply, isJson: true, ...(known === undefined ? {} : { command: known }) }
}

function parsed(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new ReplyLineError(`Line ${number} begins like JSON but is none.`, { cause })
  }
}

function commandOf(given: unknown): GivenReply['command'] {
  if (typeof given !== 'string') return undefined
  const wanted = given.trim().toLowerCase()
  if (/^conn/.test(wanted)) return 'banner'
  return SMTP_COMMANDS.find((command) => command.toLowerCase() === wanted.replace(/ .*/, ''))
}
