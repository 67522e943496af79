// Delivery status notifications as whole mails: where their machine-readable part lies, and the words for people taken in
// where it says too little. The machine's word on who and what stands; words only fill what it leaves open.

import { looksLikeDeliveryStatus, MAX_RECIPIENTS, readDeliveryStatus, statusOf } from './dsn.ts'
import type { Found } from './found.ts'
import { isAddress, mailboxesIn, sameAddress } from './mailboxes.ts'
import type { Part } from './mime.ts'
import type { OpenMail } from './open-mail.ts'
import type { ProseFinding } from './prose/prose.ts'
import { cutReturned } from './prose/returned.ts'
import { commandIn, oneLine, replyIn } from './quoted-reply.ts'
import type { ReportedRecipient } from './report.ts'
import { comesFromList, comesFromMachine, isAnswerOfPerson, isSureReport, mayReportInWords } from './sender.ts'

const STATUS_TYPES = ['message/delivery-status', 'message/global-delivery-status'] as const
const HEADER_FIELDS = ['Original-Recipient', 'Action', 'Status', 'Diagnostic-Code', 'Remote-MTA'] as const
const DELAY = /\bdelay(?:ed)?\b|\bwarning\b|\bstill (?:being )?(?:tried|retried)\b|verz(?:ö|oe)ger|retard/i
const MAX_PARAGRAPH = 12

/** RFC 3464 and what is meant as it. */
export function readStatusReport(mail: OpenMail): Found | undefined {
  const content = statusContent(mail)
  if (content === undefined) return undefined
  const { recipients, envelopeId } = readDeliveryStatus(content)
  const known = recipients.filter(({ address }) => address !== '')
  if (known.length === 0 && recipients.length === 0 && !saysFailure(mail)) return undefined
  const named = known.length > 0 ? known : namedElsewhere(mail, recipients[0])
  return {
    kind: 'dsn',
    family: 'rfc3464',
    recipients: named.map((recipient) => completed(recipient, mail, named.length === 1)),
    ...(envelopeId === undefined ? {} : { envelopeId }),
  }
}

/** Failure told to people only, as the free-text readers understand it or as X-Failed-Recipients says. */
export function readFailureText(mail: OpenMail): Found | undefined {
  if (comesFromList(mail) || isAnswerOfPerson(mail) || !mayReportInWords(mail)) return undefined
  const { prose } = mail
  if (prose !== undefined && isCredible(prose, mail)) {
    const recipients = prose.recipients.length > 0 ? prose.recipients : namedElsewhere(mail, undefined)
    return { kind: 'dsn', family: prose.family, recipients }
  }
  if (!mail.headers.has('x-failed-recipients') || !comesFromMachine(mail)) return undefined
  const named = namedElsewhere(mail, undefined)
  const recipients = named.map((recipient) => completed(recipient, mail, named.length === 1))
  return { kind: 'dsn', family: 'x-failed-recipients', recipients }
}

/** Words that name nobody are those of a parcel service too: then it must be a daemon beyond doubt, or give the mail back. */
function isCredible(prose: ProseFinding, mail: OpenMail): boolean {
  if (prose.recipients.some(({ address }) => address !== '')) return true
  return isSureReport(mail) || mail.returned !== undefined
}

/** A status part without a group for any recipient: then the mail around it has to be that of a failure. */
function saysFailure(mail: OpenMail): boolean {
  return mail.prose !== undefined || (mail.returned !== undefined && comesFromMachine(mail))
}

/** The fields of all parts that have them, under their right name or another. */
function statusContent(mail: OpenMail): string | undefined {
  const proper = mail.leaves.filter((leaf) => STATUS_TYPES.some((type) => type === leaf.type))
  // Parts that nobody declared may be what a person pasted.
  if (proper.length > 0 && (mail.headers.has('content-type') || comesFromMachine(mail)))
    return proper.map((part) => wholeContent(part, mail)).join('\n\n')
  const claims = /delivery-status/i.test(mail.root.parameters.get('report-type') ?? '')
  if (!claims && !comesFromMachine(mail)) return undefined
  // Some set the fields into the header of the mail itself.
  const final = mail.headers.raw('final-recipient')
  if (final !== undefined && proper.length === 0)
    return `Final-Recipient: ${final}\n${HEADER_FIELDS.map((name) => `${name}: ${mail.headers.raw(name) ?? ''}`).join('\n')}`
  for (const leaf of mail.leaves) {
    if (!/^(?:text\/(?!html)|application\/octet-stream)/.test(leaf.type)) continue
    const content = mail.content(leaf)
    const own = cutReturned(content.split('\n', 5000)).own.join('\n')
    if (looksLikeDeliveryStatus(own)) return own
  }
  return undefined
}

/** Where the blank line before the fields was lost they were taken for the part's own. */
function wholeContent(part: Part, mail: OpenMail): string {
  const content = mail.content(part)
  return part.headers.has('final-recipient') || part.headers.has('reporting-mta')
    ? `${part.source.slice(part.headerAt, part.start)}\n${content}`
    : content
}

/** The part names nobody: the words do, or X-Failed-Recipients, or the only addressee of the mail that came back. */
function namedElsewhere(mail: OpenMail, bare: ReportedRecipient | undefined): readonly ReportedRecipient[] {
  const told = mail.prose?.recipients.filter(({ address }) => address !== '') ?? []
  if (told.length > 0)
    return told
      .slice(0, MAX_RECIPIENTS)
      .map((recipient) => (bare === undefined ? recipient : { ...recipient, ...saying(bare) }))
  const isDelay = DELAY.test(mail.subject)
  const base: ReportedRecipient = bare ??
    mail.prose?.recipients[0] ?? { address: '', action: isDelay ? 'delayed' : 'failed', diagnostic: '' }
  const failed = mailboxesIn(mail.headers.all('x-failed-recipients').join(','))
  const returnedTo = mailboxesIn(mail.returned?.get('to') ?? '')
  const addresses = failed.length > 0 ? failed : returnedTo.length === 1 ? returnedTo : ['']
  return addresses.slice(0, MAX_RECIPIENTS).map((address) => ({ ...base, address }))
}

/** What a group says besides the address that it lacks. */
function saying({ address: _, diagnostic, ...rest }: ReportedRecipient): Partial<ReportedRecipient> {
  return diagnostic === '' ? rest : { ...rest, diagnostic }
}

/** What the part leaves open, taken from what is said to people about the same recipient. */
function completed(recipient: ReportedRecipient, mail: OpenMail, isOnly: boolean): ReportedRecipient {
  const saysStatus = recipient.status !== undefined && !recipient.status.endsWith('.0.0')
  if (recipient.diagnostic !== '' && saysStatus && recipient.command !== undefined) return recipient
  const told = wordsAbout(recipient, mail, isOnly)
  if (recipient.diagnostic !== '') {
    const command = recipient.command ?? commandIn(told.near)
    return command === undefined ? recipient : { ...recipient, command }
  }
  const diagnostic = told.text
  const quoted = replyIn(diagnostic)
  const status = statusOf({ field: recipient.status, quoted: quoted.enhanced })
  const command = recipient.command ?? quoted.command ?? commandIn(told.near)
  return {
    ...recipient,
    diagnostic,
    ...(status === undefined ? {} : { status }),
    ...(quoted.code === undefined || recipient.code !== undefined ? {} : { code: quoted.code }),
    ...(command === undefined ? {} : { command }),
  }
}

interface Told {
  readonly text: string
  /** The paragraph that names the recipient; '' where none does. */
  readonly near: string
}

function wordsAbout(recipient: ReportedRecipient, mail: OpenMail, isOnly: boolean): Told {
  const own = cutReturned(mail.lines).own
  const near = [recipient.address, recipient.original ?? '']
    .filter(isAddress)
    .map((address) => paragraphAbout(own, address))
    .find((text) => text !== '')
  if (recipient.diagnostic !== '') return { text: '', near: near ?? (isOnly ? oneLine(own.join(' ')) : '') }
  const finding = mail.prose?.recipients
  const said =
    finding?.find(({ address }) => sameAddress(address, recipient.address)) ??
    (isOnly && finding?.length === 1 ? finding[0] : undefined)
  // Codes alone are no words: the paragraph around them has more.
  if (said !== undefined && /\p{L}{3}/u.test(said.diagnostic)) return { text: said.diagnostic, near: near ?? '' }
  // The whole text has phrases for every case in it: it is worth a guess only where no code says anything.
  const isUnsaid = recipient.status === undefined || recipient.status.endsWith('.0.0')
  const whole = isOnly && isUnsaid ? oneLine(own.join(' ')) : ''
  return { text: near || said?.diagnostic || whole, near: near ?? '' }
}

/** From the line with the address to the next blank one; one that says no more than the address takes the next along. */
function paragraphAbout(lines: readonly string[], address: string): string {
  const wanted = address.toLowerCase()
  const start = lines.findIndex((line) => line.toLowerCase().includes(wanted))
  if (start < 0) return ''
  const said: string[] = []
  let blanks = 0
  for (const line of lines.slice(start, start + MAX_PARAGRAPH)) {
    if (line.trim() !== '') said.push(line)
    else if (said.join(' ').length > address.length + 8 || ++blanks > 1) break
  }
  const text = oneLine(said.join(' '))
  return text.length > address.length + 8 ? text : ''
}
