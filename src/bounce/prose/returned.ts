// Where the reporting system stops talking and the returned message begins. Two signs: a line that says so, in the words of
// the known systems, or the header of a mail itself. The text after it is somebody else's and no address is taken from it,
// but its header tells whose mail it was.

import type { Headers } from './prose.ts'

// "----- Original message -----", "--- Below this line is a copy of the message.", "Unsent message follows" and their like.
const RULED = /^\W{0,4}[-=_*#.~+]{2,}/
const ANNOUNCES =
  /\b(?:below (?:this|the next) line|copy of (?:the|your|this) (?:original )?(?:message|mail)|enclosed is|original (?:e-?)?(?:message|mail|email)|unsent message|undelivered message|returned (?:message|mail)|returned e-?mail|message header|header of the original|(?:message|mail|header|headers) (?:text )?follow|message body|your (?:original )?(?:message|mail) (?:follows|begins|is attached)|undelivered mail|forwarded message|rejected message|bounced message|quoted message|mail header|failed message|start of message|message contents?|mensaje original|mensagem original|message (?:initial|d'origine|original)|messaggio originale|urspr.{1,2}ngliche (?:nachricht|mail)|original-?nachricht|originalnachricht|kopie (?:der|ihrer)|oorspronkelijk bericht|originalmeddelande|oprindelig (?:meddelelse|besked)|oryginaln\w+ wiadomo|wiadomo\S+ oryginaln|original mail info)\b|исходное (?:сообщение|письмо)|оригинал (?:сообщения|письма)|原始邮件|原始郵件|原信|元のメール|送信メール|원본 메시지/i
const ANNOUNCES_ALONE =
  /^\W{0,10}(?:(?:the |possibly )?(?:truncated )?original message (?:headers?|follows|attached|is (?:attached|enclosed|included))|(?:the )?(?:original )?message (?:headers? |text |body )?follows|(?:your )?original message follows|below is (?:a copy of )?(?:the|your) (?:original )?message|(?:here|below|this) is (?:a copy of )?(?:your|the) (?:returned|original) (?:mail|message)|here is your returned mail|the first \d+ (?:lines|bytes|characters) of (?:your|the) (?:original )?message|(?:the )?header(?:s)? (?:and (?:top|first) \d+ lines )?of the (?:original )?message|old message|returned message|returned mail follows|included (?:below )?is (?:a copy of )?the (?:message|original)\w*(?: header)?|the (?:contents|text) of (?:your|the) (?:original )?(?:message|mail)|original message(?: headers?)?|copy of (?:your|the) (?:original )?(?:message|mail)|(?:kopf|header) der (?:original|urspr)\w*|-?urspr\S{1,4}ngliche nachrichtenkopfzeilen|start of (?:the )?returned message|(?:attached|enclosed) (?:is|you will find) (?:a copy|the original)|mail headers? follows?|message contents? follows?|here is listed the initial part of the message|\[<05>\].{0,80})(?: (?:is )?(?:follows?|attached|below|enclosed|included))?\W*(?:>.*)?$/i

const FIELD = /^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]?:(?:\s|$)/
/** A field that only mail in transport has: no report lists these of a message it speaks of. */
const TRANSPORT =
  /^(?:received|return-path|delivered-to|dkim-signature|mime-version|arc-seal|x-received|x-mailer|x-originating-ip|domainkey-signature|authentication-results|content-transfer-encoding)$/i
const MIN_FIELDS = 3
const MAX_HEADER_LINES = 400

export interface Cut {
  readonly own: readonly string[]
  readonly returned?: Headers
}

export function cutReturned(lines: readonly string[]): Cut {
  let seen = 0
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (line.length === 0) continue
    if (isAnnouncement(line, i)) return cutAt(lines, i, i + 1)
    // A block that was no header from its first line is none from its second: every line is read once.
    if (i < seen) continue
    const block = fieldsAt(lines, i)
    if (block.transport > 0 && block.fields.length >= MIN_FIELDS) return i === 0 ? { own: lines } : cutAt(lines, i, i)
    seen = block.end
  }
  return { own: lines }
}

function isAnnouncement(line: string, index: number): boolean {
  if (index === 0 || line.length > 200) return false
  if (ANNOUNCES_ALONE.test(line)) return true
  return RULED.test(line) && ANNOUNCES.test(line) && !/transcript|session|address|recipient|reason|error/i.test(line)
}

function cutAt(lines: readonly string[], end: number, from: number): Cut {
  const own = lines.slice(0, end)
  if (!own.some((line) => line.trim() !== '')) return { own: lines }
  const returned = headerFrom(lines, from)
  return returned === undefined ? { own } : { own, returned }
}

interface Block {
  readonly fields: readonly [string, string][]
  readonly transport: number
  /** The first line that is not of it. */
  readonly end: number
}

/** The fields of a header block that begins at a line; what is quoted or indented as a whole counts too. */
function fieldsAt(lines: readonly string[], start: number): Block {
  const margin = /^[>|\s]*/.exec(lines[start] ?? '')?.[0] ?? ''
  const fields: [string, string][] = []
  let transport = 0
  let i = start
  for (; i < Math.min(lines.length, start + MAX_HEADER_LINES); i++) {
    const line = lines[i] ?? ''
    if (!line.startsWith(margin)) break
    const text = line.slice(margin.length)
    const name = FIELD.exec(text)?.[1]
    const last = fields.at(-1)
    if (name !== undefined) {
      fields.push([name.toLowerCase(), text.slice(text.indexOf(':') + 1).trim()])
      if (TRANSPORT.test(name)) transport++
    } else if (/^[ \t]+\S/.test(text) && last !== undefined) last[1] = `${last[1]} ${text.trim()}`
    else if (!/^From /.test(text) || fields.length > 0) break
  }
  return { fields, transport, end: i }
}

function headerFrom(lines: readonly string[], from: number): Headers | undefined {
  let start = from
  while (start < lines.length && start < from + 12 && !FIELD.test((lines[start] ?? '').replace(/^[>|\s]*/, ''))) start++
  const { fields } = fieldsAt(lines, start)
  return fields.length < 2 ? undefined : headersFrom(fields)
}

function headersFrom(fields: readonly (readonly [string, string])[]): Headers {
  const all = (name: string): string[] => fields.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value)
  return { get: (name) => all(name)[0], all, names: fields.map(([name]) => name) }
}
