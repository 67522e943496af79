// QSBMF, the bounce format of qmail, and all that grew from it: qmail-ldap, netqmail, s/qmail, vpopmail, IndiMail, the old
// Yahoo, and hosts that put their own words in any language in front. The form tells it: paragraphs that begin with
// `<address>:` alone, the end marked by a line of `---`.

import { recipientFrom } from './facts.ts'
import { failureSubject, saysDelay, saysFailure } from './phrases.ts'
import type { ProseReader, Words } from './prose.ts'
import { entriesOf, finding } from './section.ts'
import { isDaemon } from './words.ts'

const QMAIL =
  /\bqmail-send program|\bI(?:'|’)?m afraid I wasn(?:'|’)?t able to deliver your message|\bI'm not going to try again/i
const PARAGRAPH = /^\s{0,3}<([^\s<>"@]{1,128}@[^\s<>@"]{1,255}|"[^"<>]{1,64}"@[^\s<>@"]{1,255})>\s?:\s*$/
const MAX_INTRODUCTION = 40

/** The line of `---` that QSBMF asks for, with the returned message behind it. */
const isEnded = ({ lines, returned }: Words): boolean =>
  returned !== undefined && lines.some((line) => /^---[- ]/.test(line))

export const qmail: ProseReader = {
  family: 'qmail',
  read(words) {
    if (!words.machine) return undefined
    const start = words.own.findIndex((line) => PARAGRAPH.test(line))
    if (start < 0 || start > MAX_INTRODUCTION) return undefined
    const introduction = words.own.slice(0, start).join(' ')
    const isQmail = QMAIL.test(introduction)
    const isFailure = failureSubject(words.subject) || saysFailure(introduction)
    if (!isQmail && !(isFailure && (isDaemon(words) || isEnded(words)))) return undefined
    const action = saysDelay(words.subject, introduction) ? 'delayed' : 'failed'
    const recipients = entriesOf(words.own.slice(start), { address: PARAGRAPH, closing: /^-{3}/ }).map((entry) =>
      recipientFrom({ ...entry, action }),
    )
    return finding({ family: isQmail ? 'qmail' : 'qsbmf', recipients, words })
  },
}
