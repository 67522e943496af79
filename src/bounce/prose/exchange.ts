// Microsoft: Exchange 5.5 to 2019, Exchange Online, Outlook.com. Three signs: the section for administrators (the address
// alone on a line, `#550 5.1.1 ...##` below), which is the same in all languages; the heading before the list, per language;
// and the old form, where names stand for addresses and the reply or the header of the message must tell them.

import { mailboxesIn } from '../mailboxes.ts'
import type { ReportedRecipient } from '../report.ts'
import { addressesIn, bareAddress, isPublic } from './address.ts'
import { recipientFrom } from './facts.ts'
import { saysDelay } from './phrases.ts'
import type { ProseReader, Words } from './prose.ts'
import { addressLine, type Entry, entriesOf, finding } from './section.ts'

/** "Delivery has failed to these recipients or groups:" and the older headings, in the languages they come in. */
const HEADINGS: readonly RegExp[] = [
  /did not reach the following recipient(?:\(s\)|s)?:?/i,
  /The following recipient(?:\(s\)|s)? (?:could not be reached|cannot be reached|was undeliverable|were undeliverable)[^:]{0,30}:?/i,
  /Delivery (?:has failed|is delayed|failed|has been delayed) to (?:these|the following) (?:recipients?|groups?|distribution lists?)(?: or (?:distribution lists?|groups?))?(?: failed)?\s?:?/i,
  /Your message (?:wasn't delivered|couldn't be delivered|can't be delivered) to (?:anyone|the following|these)[^:]{0,80}:/i,
  // German
  /Fehler bei der (?:Nachrichten)?zustellung an folgende Empf.{1,2}nger(?: oder (?:Verteilerlisten|Gruppen))?:?/i,
  /folgende\S{0,3} Empf.{1,2}nger (?:konnte|kann|wurde)\S{0,3} nicht erreicht (?:werden)?:?|hat (?:die|den) folgenden? Empf.{1,2}nger nicht erreicht:?/i,
  /(?:Die )?Zustellung an (?:die )?folgende(?:n)? Empf.{1,2}nger (?:oder Gruppen |oder Verteilerlisten )?(?:ist fehlgeschlagen|hat sich verz.{1,2}gert|ist verz.{1,2}gert)[^:]{0,30}:?/i,
  // French
  /.chec de la remise (?:.|pour) (?:ces|aux|les|des) (?:destinataires|groupes|listes)[^:]{0,60}:?/i,
  /(?:destinataires? suivants?|destinataire\(s\) suivant\(s\)) n'(?:a|ont) pu .tre (?:joint|contact|atteint)\S{0,6}\s?:?|n'a pas pu .tre remis (?:aux destinataires suivants|.)\s?:/i,
  // Spanish
  /(?:Error|Fallo) (?:de|en la) entrega (?:a|para) (?:estos|los siguientes) destinatarios[^:]{0,40}:?|No se (?:puede|pudo|pueden) (?:contactar con|entregar (?:el mensaje )?a|localizar a) (?:los siguientes|el siguiente|estos) destinatarios?[^:]{0,30}:?|(?:los siguientes|el siguiente) destinatarios?[^:]{0,60}:/i,
  // Italian
  /(?:Recapito (?:non riuscito|fallito)|Consegna non riuscita|Impossibile recapitare il messaggio) (?:a|per|ai) (?:questi|i|seguenti|destinatari)[^:]{0,80}:?|(?:impossibile raggiungere|non .{1,2} stato possibile (?:raggiungere|contattare)) (?:i|il) seguent[ei] destinatari\S?\s?:?/i,
  // Portuguese
  /Falha na entrega (?:a|para|aos) (?:estes|esses|os seguintes|destes) (?:destinat.rios|grupos)[^:]{0,60}:?|N.o foi poss.vel (?:contactar|contatar|entregar|alcan.ar)[^:]{0,30} (?:seguinte\S{0,3}) destinat.rio\S{0,3}\s?:?/i,
  // Dutch
  /(?:De )?bezorging (?:aan|van)[^:]{0,40}(?:geadresseerden|ontvangers|groepen)[^:]{0,60}(?:mislukt|vertraagd)?\s?:|De volgende (?:geadresseerden?|ontvangers?)(?:\(n\)|\(s\))? (?:kon(?:den)?|kan|kunnen) niet worden bereikt\s?:?/i,
  // Swedish, Norwegian, Danish, Finnish
  /(?:Leveransen till (?:dessa|f.ljande) mottagare|Det gick inte att (?:leverera|n.)[^:]{0,40}mottagare)[^:]{0,60}:|F.ljande mottagare kunde inte n.s\s?:?/i,
  /Levering(?:en)? til (?:disse|f.lgende) (?:mottaker|modtager)\S{0,5}[^:]{0,60}:|F.lgende (?:mottaker|modtager)\S{0,5} kunne ikke n.s\s?:?/i,
  /Toimitus (?:n.ille|seuraaville) vastaanottajille[^:]{0,60}:|Seuraavi(?:a|in) vastaanottaji\S{1,4} ei (?:tavoitettu|saavutettu|voitu)[^:]{0,30}:?/i,
  // Polish, Czech, Hungarian, Turkish, Russian
  /(?:Dostarczenie|Dor.czenie)[^:]{0,40}(?:adresat|odbiorc|grup)\S{0,5}[^:]{0,60}:|Nie mo.na (?:by.o )?(?:osi.gn..|dotrze.)[^:]{0,40}adresat\S{0,4}\s?:?/i,
  /Doru.en. (?:zpr.vy )?(?:se )?(?:t.mto|n.sleduj.c.m) p..jemc\S{1,3}[^:]{0,60}:|N.sleduj.c.ho? p..jemc\S{1,3} (?:se )?(?:nebylo|nelze|nepoda.ilo)[^:]{0,40}:?/i,
  /(?:k.zbes.t.s|K.zbes.teni)[^:]{0,60}c.mzett\S{0,6}[^:]{0,60}:|(?:Bu|A.a..daki) al.c.\S{0,6}[^:]{0,60}:/i,
  /(?:Не удалось|Сбой|Ошибка)[^:]{0,30}(?:доставить|доставк\S|связаться)[^:]{0,60}(?:получател|групп)\S{0,5}[^:]{0,40}:|следующ\S{1,3} получател\S{1,3}[^:]{0,40}:/i,
  // Japanese, Chinese, Korean
  /(?:次|以下|これら)の(?:受信者|宛先)(?:またはグループ|または配布リスト|もしくはグループ)?[^:：]{0,40}[:：]/,
  /(?:未能|无法|未)[^:：]{0,20}(?:收件人|组|组织)[^:：]{0,30}[:：]|(?:傳送|传递)[^:：]{0,12}(?:收件者|收件人|群組)[^:：]{0,30}[:：]|(?:向|到|给)?(?:下列|以下|这些|這些)(?:收件人|收件者)[^:：]{0,30}[:：]/,
  /(?:다음|이) (?:받는 사람|수신자|그룹)[^:]{0,40}:/,
]
const EXCHANGE =
  /MSEXCH|Generating server|Microsoft Exchange|RESOLVER\.ADR|X-MS-Exchange|Outlook\.com|Office ?365|your message did not reach|did not reach the following|Diagnostic information for administrators|Diagnose(?:informationen)? f.r (?:den )?Administrator|Informations de diagnostic|Informaci.n de diagn.stico|Informazioni di diagnostica|Informa..es de diagn.stico|MTS-ID|Delivery (?:has failed|is delayed) to th/i
/** Ends the list; behind it stands the section for administrators or advice. */
const CLOSING =
  /^\s{0,8}(?:Diagnos|Informa\S+ (?:de|di) diagn|The following organization|Sent by Microsoft|Original message|Message ID|Reporting organization|Generating server|Отправлено|Диагностич|診断情報|诊断信息|診斷資訊)/i
const DETAIL = /^\s{0,40}(?:#|Remote Server (?:at |returned )|'?[45]\d\d[ ;-]|<[^<>@]{1,120} #\d|\d\.\d\.\d)/i

export const exchange: ProseReader = {
  family: 'exchange',
  read(words) {
    if (!words.machine) return undefined
    const action = saysDelay(words.subject, words.flow) ? 'delayed' : 'failed'
    const told = forAdministrators(words.own)
    const entries = told.length > 0 ? told : underHeading(words)
    if (entries.length === 0) return undefined
    const recipients: ReportedRecipient[] = entries.map((entry) => recipientFrom({ ...entry, action }))
    return finding({ family: 'exchange', recipients, words })
  },
}

/** `address`, below it `#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##`. */
function forAdministrators(lines: readonly string[]): Entry[] {
  const entries: Entry[] = []
  for (let i = 0; i < lines.length; i++) {
    const found = addressLine(lines[i] ?? '')
    if (found === undefined || found.rest !== '') continue
    const below = lines[i + 1]?.trim() === '' ? i + 2 : i + 1
    const detail = lines[below] ?? ''
    if (!/^\s{0,40}(?:#|Remote Server (?:at |returned ))/i.test(detail)) continue
    const words = paragraph(lines, below).map((line) =>
      line
        .replace(/^\s*#(?=<|\d{3}|\s)/, '')
        .replace(/##.*$/, '')
        .trim(),
    )
    entries.push({ address: found.address, words: words.filter((line) => line !== '') })
  }
  return entries
}

function paragraph(lines: readonly string[], start: number): string[] {
  const end = lines.findIndex((line, index) => index > start && (line.trim() === '' || addressLine(line)?.rest === ''))
  return lines.slice(start, Math.min(end < 0 ? lines.length : end, start + 12)).map((line) => line.trim())
}

function underHeading(words: Words): Entry[] {
  for (const heading of HEADINGS) {
    const found = heading.exec(words.flow)
    if (found === null) continue
    const start = words.lineAt(found.index + found[0].length - 1)
    const lines = words.own.slice(start + 1)
    const rest = behind(words.own[start] ?? '')
    const entries = entriesOf(rest === '' ? lines : [rest, ...lines], { closing: CLOSING })
    if (entries.length > 0) return entries.map(withoutTime)
    const named = byName(words, lines)
    if (named.length > 0) return named
  }
  return []
}

const behind = (line: string): string => /[:：]\s*(\S{1,320})$/.exec(line)?.[1] ?? ''

/** "user@example.org on Thu, 29 Apr 2010 00:00:00": the time says nothing. */
function withoutTime({ address, words }: Entry): Entry {
  const [first = '', ...rest] = words
    .map((line) => line.replace(/^\([^\s()@]{1,128}@[^\s()@]{1,255}\)(?:<mailto:[^<>]{1,320}>)?\s?/i, ''))
    .filter((line) => line !== '')
  const isTime = /^(?:on|am|le|el|il|em|op|den|dnia)\b.{0,60}\d{1,2}:\d\d/i.test(first)
  return { address, words: isTime ? rest : [first, ...rest].filter((line) => line !== '') }
}

/** Names in place of addresses: the reply, the X.400 address or, if it is only one, the line "To:" tells. */
function byName(words: Words, lines: readonly string[]): Entry[] {
  if (!EXCHANGE.test(words.flow)) return []
  const said = lines.filter((line) => line.trim() !== '').slice(0, 20)
  const x400 = said.flatMap((line) => {
    const found = /dda:SMTP=([^\s;()]{1,128})\(a\)([^\s;()]{1,255});/i.exec(line)
    return found === null ? [] : [`${found[1]}@${found[2]}`]
  })
  const quoted = said.filter((line) => DETAIL.test(line)).flatMap((line) => addressesIn(line).filter(isPublic))
  const to = mailboxesIn(words.returned?.get('to') ?? '')
  const header = words.own.flatMap((line) => {
    const value = /^\s{0,12}To:\s{1,40}(\S.{0,400})$/i.exec(line)?.[1]
    return value === undefined ? [] : mailboxesIn(value)
  })
  const address = [x400, quoted, header, to].find((addresses) => addresses.length === 1)?.[0]
  return address === undefined || bareAddress(address) === undefined
    ? []
    : [{ address, words: said.map((line) => line.trim()) }]
}
