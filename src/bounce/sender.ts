// Whether a machine wrote a mail, and which kind: from its header alone.

import type { OpenMail } from './open-mail.ts'

const DAEMON =
  /^(?:mailer-?d(?:ae|ea)mon|mail-?daemon|postmaster|post_?master|mdaemon|mail-?delivery|maildelivery|mail-?system|mailsystem|mailer|mmsc?|microsoftexchange[0-9a-f]*|dsn|ndr|bounces?|mmdf|uucp|delivery-?(?:daemon|system|subsystem|status|report|failure)|mail-?admin(?:istrator)?|[\w.-]*mailer-daemon)(?:[-+_.=][^@]*)?(?:@|$)/i
const DAEMON_NAME =
  /\b(?:mail(?:er)?[ -]?(?:delivery|daemon|system|administrator)|postmaster|delivery (?:sub)?system|system administrator|internet mail (?:delivery|service)|mail service|microsoft exchange)\b/i

export function isDaemon(address: string, display = ''): boolean {
  return DAEMON.test(address) || DAEMON_NAME.test(display)
}

/** A null return path, a daemon, or a field that only failure reports have. */
function reportsDelivery({ headers, from }: OpenMail): boolean {
  if (isDaemon(from, headers.get('from') ?? '')) return true
  return isFromNobody(headers) || headers.has('x-failed-recipients')
}

function isFromNobody(headers: OpenMail['headers']): boolean {
  return /^<\s*>$/.test((headers.get('return-path') ?? '').trim())
}

function isAutomatic(headers: OpenMail['headers']): boolean {
  return /^auto-(?:replied|generated|notified)/i.test(headers.get('auto-submitted')?.trim() ?? '')
}

/** Beyond doubt: not only the name of a daemon, which anybody can bear. */
export function isSureReport(mail: OpenMail): boolean {
  const { headers, from } = mail
  return isDaemon(from, headers.get('from') ?? '') && (isFromNobody(headers) || isAutomatic(headers))
}

/** The header shows that no person sent it. */
export function comesFromMachine(mail: OpenMail): boolean {
  return reportsDelivery(mail) || isAutomatic(mail.headers)
}

/** Names under which programs write too, and others than those that report failures. */
const NO_PERSON =
  /^(?:no-?reply|do-?not-?reply|nobody|root|(?:sys)?admin(?:istrator)?|[\w.-]*-admin|system|notification)(?:[-+_.=][^@]*)?@/i

/** What may say in words that a mail failed: a machine, or what at least gives the mail back. */
export function mayReportInWords(mail: OpenMail): boolean {
  if (comesFromMachine(mail) || mail.root.type === 'multipart/report' || mail.givesBack) return true
  return (mail.from === '' || NO_PERSON.test(mail.from)) && mail.returned !== undefined
}

/** Sent by a list, a ticket system or in bulk: never a report about us, whatever it quotes. */
export function comesFromList(mail: OpenMail): boolean {
  const { headers } = mail
  return (
    (headers.has('list-id') || headers.has('list-post') || headers.has('list-unsubscribe')) && !reportsDelivery(mail)
  )
}

/** Daemons that answer with the subject they were sent; a postmaster may be a person. */
const NO_ANSWERER = /^(?:mailer-?daemon|post_master|mail-?daemon|mdaemon|mail-?delivery[\w-]*)@/i
const ANSWER = /^\s*(?:re|aw|antw|sv|vs|odp|ynt|回复|答复)\s*(?:\[\d+\])?\s*:/i

/** An answer, and nothing shows that it was made by a machine but perhaps the name of its author. */
export function isAnswerOfPerson({ headers, subject, root, from }: OpenMail): boolean {
  if (!ANSWER.test(subject)) return false
  return !(
    NO_ANSWERER.test(from) ||
    isFromNobody(headers) ||
    isAutomatic(headers) ||
    headers.has('x-failed-recipients') ||
    root.type === 'multipart/report'
  )
}
