// Wishes to get no more mail, as mail programs and people send them to a List-Unsubscribe address (RFC 2369 §3.2). A wish
// ends all mail to somebody, so it must be nothing but a wish: the word in a longer sentence is none.

import type { Found } from './found.ts'
import { mailboxesIn } from './mailboxes.ts'
import type { OpenMail } from './open-mail.ts'

/** By language: the word as people and mail programs write it, with what may stand around it. */
const WORDS = [
  'un-?subscri(?:be|ption)(?: me)?|remove(?: me)?|opt[- ]?out|sign[- ]?off|list-unsubscribe|stop(?: (?:e-?)?mails?)?',
  'abmeld(?:en|ung)|abbestell(?:en|ung)|austragen|newsletter (?:abmelden|abbestellen)|uitschrijven|afmelden|avregistrera|avprenumerera|afmeld|avmeld',
  'd(?:é|e)s(?:abonner|abonnement|inscrire|inscription)|se d(?:é|e)sabonner|me d(?:é|e)sabonner|cancelar suscripci(?:ó|o)n|darse de baja|dar(?:me)? de baja|baja|cancelar inscri(?:ç|c)(?:ã|a)o|descadastrar|remover|disiscri(?:vi|viti|zione)|cancellami|cancella(?:re)? iscrizione|dezabonare',
  'wypisz(?: mnie)?|rezygnacja|odhl(?:á|a)sit|leiratkoz(?:á|a)s|ilmoittaudu pois|aboneli(?:k|ğ)ten (?:ç|c)(?:ı|i)k',
  'отпис(?:ать|аться|ка)|отказ от рассылки|відписатися|配信停止|配信解除|登録解除|退会|退订|取消订阅|退訂|取消訂閱|수신 ?거부|구독 ?취소',
] as const
const WISH = new RegExp(
  `^[\\s"'\\[(<]*(?:please |bitte |pls )?(?:${WORDS.join('|')})(?: (?:please|bitte|from (?:the |this |your )?(?:mailing )?(?:list|newsletter)))?(?:[\\s:=]+[^\\s@]*@?[^\\s@]*)?[\\s"'\\])>.!]*$`,
  'iu',
)
const TO_UNSUBSCRIBE =
  /^(?:u-[0-9a-v]{40}|(?:[\w.+=-]{0,64}[-+._=])?(?:un-?sub(?:scribe|s)?|opt-?out|list-unsubscribe)(?:[-+._=][\w.+=-]{0,64})?)@/i
const MAX_WISH = 100
/** What is written below one word to an unsubscribe address is a signature or a reason; more is a letter. */
const MAX_SAID = 400

/** Apple Mail's own button; it calls itself auto-replied, so it is asked for before the auto-replies. */
export function readAppleUnsubscribe(mail: OpenMail): Found | undefined {
  return /^\s*(?:true|yes|1)/i.test(mail.headers.get('x-apple-unsubscribe') ?? '')
    ? { kind: 'unsubscribe', family: 'apple' }
    : undefined
}

export function readUnsubscribe(mail: OpenMail): Found | undefined {
  if (mail.headers.has('list-id') || mail.headers.has('list-unsubscribe')) return undefined
  const said = mail.words.trim()
  const isWished = isWish(mail.subject)
  const to = mailboxesIn(mail.headers.get('to') ?? '')
  if (to.some((address) => TO_UNSUBSCRIBE.test(address)) && (isWished || said.length <= MAX_SAID))
    return { kind: 'unsubscribe', family: 'list-unsubscribe' }
  const isAll = isWished ? said.length <= MAX_SAID : mail.subject.length <= MAX_WISH && isWish(said)
  return isAll ? { kind: 'unsubscribe', family: isWished ? 'subject' : 'words' } : undefined
}

function isWish(text: string): boolean {
  return text.length <= MAX_WISH && WISH.test(text)
}
