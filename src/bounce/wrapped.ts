// A report inside another mail: forwarded by hand as an attachment, or quoted in the text of a forward. The carrier says
// nothing by itself; only what is inside counts, and only when a machine wrote that.

import type { Found, KindReader } from './found.ts'
import { MAX_DEPTH, type Part } from './mime.ts'
import { OpenMail } from './open-mail.ts'
import { comesFromList, comesFromMachine } from './sender.ts'

const MAX_WRAPPED = 3
const FORWARDED_SUBJECT = /^\s*(?:fwd?|wg|tr|rv|enc|doorst|vb|vs|i|转发|轉寄|転送)\s*:|\(fwd\)\s*$/i
/** A forward in which somebody writes at length is about something else. */
const MAX_OWN_LINES = 12
const FORWARD_MARK =
  /^[\s>*]{0,20}(?:begin forwarded message|-{2,40} ?(?:forwarded message|original message|weitergeleitete nachricht|urspr(?:ü|ue)ngliche nachricht|message transf|message d'origine|mensaje (?:original|reenviado)|messaggio inoltrato|mensagem (?:original|encaminhada)|пересылаемое сообщение))/i
const HEADER_LINE = /^(?:From|Von|De|Da|Van|Fra|Från|От кого|Date|Sent|Subject|To|Betreff|Gesendet|An)\s?:/i

/** Reads what the mail carries with `readers`; undefined where it carries no report. */
export function readWrapped(mail: OpenMail, readers: readonly KindReader[]): Found | undefined {
  if (comesFromList(mail) || mail.root.type === 'multipart/digest') return undefined
  const attached = mail.leaves.filter(isMail)
  for (const part of attached.slice(0, MAX_WRAPPED)) {
    if (part.depth + 1 >= MAX_DEPTH) {
      mail.budget.limit ??= 'depth'
      return undefined
    }
    const found = readInside(attachedSource(part, mail), { depth: part.depth + 1, mail, readers })
    if (found !== undefined) return found
  }
  const quoted = attached.length === 0 && FORWARDED_SUBJECT.test(mail.subject) ? quotedSource(mail) : undefined
  return quoted === undefined ? undefined : readInside(quoted, { depth: mail.root.depth + 1, mail, readers })
}

function isMail({ type, parameters }: Part): boolean {
  if (type === 'message/rfc822' || type === 'message/global') return true
  return type === 'application/octet-stream' && /\.eml$/i.test(parameters.get('name') ?? '')
}

interface Carrier {
  readonly depth: number
  readonly mail: OpenMail
  readonly readers: readonly KindReader[]
}

function readInside(source: string, { depth, mail, readers }: Carrier): Found | undefined {
  const inner = new OpenMail(source, depth, mail.budget)
  if (!comesFromMachine(inner) || comesFromList(inner)) return undefined
  for (const reader of readers) {
    const found = reader(inner)
    if (found?.kind === 'dsn' || found?.kind === 'complaint') {
      return { ...found, ...(inner.returned === undefined ? {} : { returned: inner.returned }) }
    }
    if (found !== undefined) return undefined
  }
  return undefined
}

function attachedSource(part: Part, mail: OpenMail): string {
  return part.encoding === 'base64' || part.encoding === 'quoted-printable'
    ? mail.content(part)
    : part.source.slice(part.start, part.end)
}

/** The forwarded mail as it stands in the text, freed of quote marks; as a byte string, as all sources are. */
function quotedSource(mail: OpenMail): string | undefined {
  const { lines } = mail
  const mark = lines.findIndex((line) => FORWARD_MARK.test(line.slice(0, 200)))
  const start = lines.findIndex((line, at) => at > mark && HEADER_LINE.test(unquoted(line)))
  if (start < 0) return undefined
  const own = lines.slice(0, mark < 0 ? start : mark).filter((line) => line.trim() !== '')
  if (own.length > MAX_OWN_LINES || (mark < 0 && !lines[start]?.startsWith('>'))) return undefined
  const text = lines.slice(start).map(unquoted).join('\n')
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Without quote marks, the names of header fields that mail programs translate in English again. */
function unquoted(line: string): string {
  const text = line.replace(/^(?:> ?)+/, '').replace(/^\*(\w{1,20})\s?:\*\s*/, '$1: ')
  const [, name = ''] = /^(\p{L}[\p{L} ]{1,12})\s?:/u.exec(text) ?? []
  const english = FIELD_NAMES[name.trim().toLowerCase()]
  return english === undefined ? text : `${english}${text.slice(text.indexOf(':'))}`
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  von: 'From',
  de: 'From',
  da: 'From',
  van: 'From',
  fra: 'From',
  från: 'From',
  od: 'From',
  'от кого': 'From',
  от: 'From',
  betreff: 'Subject',
  objet: 'Subject',
  asunto: 'Subject',
  assunto: 'Subject',
  oggetto: 'Subject',
  onderwerp: 'Subject',
  ämne: 'Subject',
  emne: 'Subject',
  temat: 'Subject',
  тема: 'Subject',
}
