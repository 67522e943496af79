// What receivers say, line by line, and the coarse class each belongs to: breadth rather than detail. Hundreds of receivers
// in their own form, with example names; a line may begin with the command it answered (`MAIL> `, `RCPT` when absent).

import { describe, expect, test } from 'vitest'
import type { SmtpCommand } from '../mail/reply.ts'
import { createClassifier } from './classify.ts'
import { replyFrom } from './pasted.ts'
import { shippedRules } from './rules.ts'
import type { CoarseClass } from './verdict.ts'

const classifier = createClassifier(shippedRules())

function table(wanted: CoarseClass, lines: string): void {
  const rows = lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  describe(wanted, () => {
    test.each(rows)('%s', (row) => {
      const command = (/^(\w+)> /.exec(row)?.[1] ?? 'RCPT') as SmtpCommand
      const { verdict } = classifier.explain({
        cause: { kind: 'reply', command, reply: replyFrom(row.replace(/^\w+> /, '')) },
      })
      expect(verdict.class, `${verdict.category} by ${verdict.rule}`).toBe(wanted)
    })
  })
}

table(
  'recipient',
  `
  550 5.1.1 The person you are writing to has no account with us
  550 Mailbox does not exist - check for typing errors
  554 5.1.1 unknown recipient: jane@example.com, giving up
  550 No account found for that e-mail
  550 5.1.1 recipient unknown to LDAP directory
  550 there isn't anyone here with that address
  550 <jane@example.com>: local user not defined
  550 User x does not have a mailbox on this system
  550 El destinatario no existe en este servidor
  550 Cette adresse n'existe plus
  550 L'utente non e presente
  550 Bruker finnes ikke
  550 Kullanici bulunamadi
  550 5.1.1 Sorry, that name is not in our user list
  550 Unable to locate recipient x in our system
  550 5.1.1 Recipient could not be resolved
  553 jane@example.com is not one of our addresses
  550 No delivery: mailbox missing
  550 Account not provisioned
  550 user never heard of
  550 address misspelled or nonexistent
  550 Der Empfaenger ist auf diesem Server nicht eingerichtet
  550 Il n'y a pas de boite a ce nom
  550 O usuario informado nao foi encontrado
  550 Adresata nie znaleziono
  550 無此用戶
  550 해당 사용자가 없습니다
  550 5.1.1 this recipient isn't known to me
  550 mail to jane@example.com rejected: not a local mailbox
  550 Recipient's mailbox could not be found
  550 No one uses this address
  550 The e-mail address you typed is incorrect
  550 RCPT address has no such inbox
  550 Votre correspondant n'a pas de messagerie chez nous
  550 L'indirizzo indicato non risulta
  550 La cuenta destino no esta registrada
  550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
  554 delivery error: dd This user doesn't have a ymail.com account (jane@example.com) [-5] - mta1234.mail.gq1.yahoo.com
  550 5.1.1 User mailbox not found, giving up.
  550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. LPN416 [416]
  550 RCPT TO:<jane@example.com> User unknown
  550 Message was not accepted -- invalid mailbox.  Local mailbox jane@example.com is unavailable: user not found
  550 5.7.1 No such user!
  550 User not found: x@163.com
  550 5.1.1 No such user - naver
  550 Unknown user jane@example.com
  550 Invalid recipient: <jane@example.com>
  550 5.1.1 Invalid email recipients - zoho
  554 5.7.1 <jane@example.com>: Recipient address rejected: Mailbox does not exist
  550 5.1.1 Address does not exist - proton
  550 5.1.1 <jane@example.com>... User unknown (pps)
  550 No such recipient here (barracuda)
  550-Invalid recipient jane@example.com 550 (#5.1.1)
  550 5.7.1 Recipient not exist (FortiMail)
  550 unknown local-part "x" in domain "y.example"
  550 5.1.1 <x>: Recipient address rejected: User unknown in local recipient table
  511 sorry, no mailbox here by that name (#5.1.1 - chkuser)
  517 User unknown: courier
  550 <jane@example.com>, Recipient unknown
  550 Unknown user (hMailServer)
  550 User x (jane@example.com) not listed in Domino Directory
  550 5.1.1 No such user here GroupWise
  550 unknown user <x> (IMail)
  550 account is not known here: jane@example.com CommuniGate
  550 Invalid recipient (OpenSMTPD): Destination mailbox unknown
  550 5.1.1 <jane@example.com>: Recipient address rejected: y.example (zimbra)
  550 that employee no longer works here
  550 5.1.1 RCP-P1 The attempted recipient address does not exist
  550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 x at y dot example
  550 <jane@example.com>: Recipient address rejected: User unknown in relay recipient table
  550 5.2.0 Recipient unknown: gmx mailbox
  550 5.1.3 Bad destination mailbox address syntax
  550 5.1.1 unknown or illegal alias
  550 La direccion de correo no corresponde a ningun usuario de este dominio
  550 Skrzynka odbiorcy nie istnieje
  550 De mailbox bestaat niet op deze server
  550 Vastaanottajaa ei ole
  550 Neznamy prijemce
  550 Requested action not taken: mailbox does not exist here
  550 person unknown at this site
  553 5.3.0 <jane@example.com>... Addressee unknown, relay=[192.0.2.1]
  550 5.1.1 Not our Customer
  550 5.7.1 No such mailbox. rejected
  550 cannot deliver: recipient left the company
  550 5.1.1 Adresse d au moins un destinataire invalide. OFR_416
  550 <jane@example.com>: User unknown
  451 5.1.1 unable to validate recipient: does not exist
  550 5.1.1 Kerio: User not known here
  550 <jane@example.com>, no such user here (MDaemon)
  550 Mailbox for <jane@example.com> unknown; SurgeMail
  550 5.1.0 RESOLVER.ADR.BadPrimary; recipient primary SMTP address is missing or invalid
  550 5.1.4 Ambiguous address: RESOLVER.ADR.Ambiguous; ambiguous address
  550 5.1.351 Remote server returned unknown recipient or mailing list closed
  554 5.0.0 jane@example.com: recipient not on file
  550 delivery failed: jane@example.com is not a valid mailbox
  550 the user you are trying to contact does not have an account here
  550 5.1.1 Sorry, I can't find that mailbox on this machine
  550 This address is not recognised by our server
  550 Addressee not known at this domain
  553 5.1.1 unknown or expired address
  550 Invalid address: check the spelling of the local part
  554 No such mail drop defined
  550 5.1.1 MRSPostfix: nobody by that name
  550 that mailbox was never created
  550 mail for jane@example.com: no matching alias
  550 No such local user
  550 RCPT refused: local part unknown to us
  550 empfaenger gibt es nicht
  550 Destinatario non valido
  550 Endereco inexistente no servidor
  550 Ontvanger onbekend bij ons
  550 用户名错误或不存在
  550 받는 사람의 메일 주소가 존재하지 않습니다
  550 宛先不明です
  550 Почтовый ящик не существует
  550 Alici bulunamadi
  550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized
  550 5.7.1 you have been blocked by the recipient
  550 user refuses to receive this mail
  550 5.7.1 Message rejected due to user rules
  550 refused due to recipient preferences
  550 5.1.1 <jane@example.com>: Recipient address rejected: User unknown in virtual alias table
  550 5.1.1 <jane@example.com>: Recipient address rejected: example.com
  550 5.1.1 unknown or illegal alias: jane@example.com
  550 5.1.1 <jane@example.com> recipient rejected
  550 <jane@example.com> No such user here
  550 No such user (jane@example.com)
  550 jane@example.com: user not known
  550 jane@example.com... No such person
  550 5.1.1 User jane@example.com does not exist in this server
  550 #5.1.1 bad address jane@example.com
  550 5.1.1 RCPT TO: unknown user
  550 unknown recipient jane
  550 Invalid address, recipient not found
  550 cuda_nsu 5.1.1 <jane@example.com>: Recipient address rejected: User unknown
  550 account jane@example.com does not exist
  553 sorry, this recipient is not in my validrcptto list (#5.7.1)
  553 sorry, your envelope recipient has been denied (#5.7.1)
  550 5.1.1 sorry, badrcptto (#5.1.1)
  550 no mailbox by that name is currently available
  550 no account by that name here
  550 No such mailbox
  550 mailbox not present
  550 there is no one at this address
  550 5.1.1 That email address is wrong or no longer valid
  550 <jane@example.com> is not a known user on this system
  550 not a valid user here
  550 5.2.1 <jane@example.com>... Addressee unknown, relay=[192.0.2.9]
  550 Recipient does not exist on this system
  550 RCPT jane@example.com does not exist
  554 <jane@example.com> does not exist here
  550 jane@example.com does not exist
  550 Unknown local part jane in <jane@example.com>
  550 unknown local-part "jane" in domain "example.com"
  550 jane is not an active address at this host
  550 The recipient's mailbox name is not found
  550 the user's email name is not found
  550 Address unknown
  550 5.1.1 Address does not exist
  550 5.1.1 Address not present in directory
  550-5.1.1 This is not a valid email address. 550 5.1.1 Please check the address
  511 5.1.1 unknown address or alias: jane@example.com
  550 5.1.1 Invalid Recipient (in reply to RCPT TO command)
  550 One or more invalid recipients in the rcpt
  550 5.1.1 recipient not ok
  550 5.1.1 <jane@example.com> recipient is not accepted here
  550 this mailbox does not exist
  550 5.7.1 <jane@example.com>: Recipient address rejected: undeliverable address: unknown user: "jane"
  550 5.1.1 <jane@example.com>: Email address could not be found, or was misspelled (G8)
  550 Requested action not taken: mailbox unavailable or not local
  550 Benutzer jane@example.com unbekannt
  550 Empfaenger existiert nicht
  550 5.1.1 Der Empfänger wurde nicht gefunden
  550 5.1.1 Kein solcher Benutzer
  550 Mailbox jane nicht vorhanden
  550 Kein Postfach unter diesem Namen
  550 5.1.1 Adresse email inconnue
  550 La boite mail n'existe pas
  550 Utilisateur inexistant
  550 5.1.1 Destinatario desconocido
  550 No existe el usuario
  550 no existe dicha persona
  550 Usuario no valido
  550 5.1.1 Destinatario sconosciuto
  550 Indirizzo inesistente
  550 Utente non trovato
  550 Utente inesistente
  550 5.1.1 Destinatário inexistente
  550 Conta inexistente
  550 Esse usuario nao existe
  550 Caixa postal não encontrada
  550 Onbekende gebruiker
  550 Adres bestaat niet
  550 Postbus bestaat niet
  550 Okänd användare
  550 Mottagaren finns inte
  550 Brukeren finnes ikke
  550 Ukendt bruger
  550 Tuntematon vastaanottaja
  550 Uzytkownik nie istnieje
  550 Brak takiego uzytkownika
  550 5.1.1 Adresat nieznany
  550 Uživatel neexistuje
  550 Neznámý příjemce
  550 Ismeretlen címzett
  550 5.1.1 Kullanıcı bulunamadı
  550 Bilinmeyen kullanici
  550 Такого пользователя не существует
  550 Пользователь не найден
  550 Нет такого пользователя
  550 Неизвестный получатель
  550 收件人不存在
  550 用户不存在
  550 5.1.1 宛先不明
  550 該当するユーザーが見つかりません
  550 존재하지 않는 사용자입니다
  550 5.1.1 Recipient not found. <https://help.naver.example/en/x>
  550 5.1.1 user unknown (UserSearch)
  550 Unknown user jane@docomo.example
  550 Invalid recipient: <jane@ezweb.example>
  550 5.1.1 As requested: user unknown <jane@nifty.example>
  550 5.1.1 ... User unknown in local recipient table
  550 User [jane] unknown
  550 User (jane@example.com) unknown.
  550 Invalid user
  550 5.1.1 invalid user: jane
  501 5.1.3 Bad recipient address syntax
  501 <jane@>: missing or malformed local part
  553 5.1.3 malformed address
  550 Recipient jane@example.com not recognized
  550 jane@example.com unrecognized address
  550 unrecognised user
  550 Cannot find recipient
  550 can't accept user
  550 rejected: cannot find any account for jane
  550 Mail cannot be delivered to this address, no such account
  550 5.1.1 Unable to deliver to <jane@example.com>: no such mailbox
  550 5.0.0 <jane@example.com>... User Unknown
  550 delivery failed: unknown virtual user
  vdeliver: Invalid or unknown virtual user 'jane@example.com'
  550 Sorry, no mailbox here by that name. vpopmail (#5.1.1)
  This user doesn't exist here
  Recipient unknown
  Invalid final delivery user ID: jane
  5.1.1 The recipient's e-mail address was not found in the recipient's e-mail system.
  mail: unknown user
  User unknown
  unknown user: "jane"
  550 5.1.6 Recipient no longer on server: jane@example.com
  550 5.1.1 No longer a valid address
  550 The recipient has left the company
  550 jane no longer works here
  550 5.1.6 Mailbox moved to jane@example.org
  550 5.1.1 mailbox "jane" unknown
  550 5.1.1 Mailbox <jane@example.com> does not exist (or is not local)
  550 Account not found
  550 Account does not exist
  550 No such account
  550 ERR: no such account here
  554 5.7.1 no such recipient
  550 The email address you sent to does not exist
  550 The address you are sending to does not exist
  550 5.1.1 <jane@example.com> address unknown; please check the spelling
  550 Message was not accepted -- invalid mailbox. Local mailbox jane@example.com is unavailable: user not found
  550 5.1.1 No mailbox found for jane@example.com
  550-No Such User Here 550 Please check the address
  550 No Such User Here"
  550-The recipient cannot be verified. Please check all recipients of this 550 message to verify they are valid.
  550 Callout verification failed: 550 5.1.1 User unknown
  550 address jane@example.com has no mailbox here
  550 5.1.0 jane@example.com... Recipient Rejected: no such user
  552 5.1.1 mailbox unavailable
  550 5.1.1 Delivery failed: mailbox does not exist
  554 delivery error: dd Sorry your message to jane@example.com cannot be delivered. This account does not exist [-5].
  550 User account doesn't exist
  550 user jane not listed in directory
  550 Name not found in address book
  554 5.1.1 jane matches no one in directory
  550 No match in address directory for jane
  550 5.1.1 Recipient is not in the local directory
  User jane (jane@example.com) not listed in Domino Directory
  550 Unable to find recipient jane@example.com
  550 5.1.10 Recipient not found by SMTP address lookup
  550 RecipNotFound
  550 5.4.1 Recipient address rejected: Access denied. [AM4PEPF00027A5E.eurprd04.prod.outlook.com]
  550 <jane@example.com>, Unknown User
  550 user does not exist; rejecting
  host mx.example.com[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)
  SMTP error from remote mail server after RCPT TO:<jane@example.com>: 550 No Such User Here
  192.0.2.9 does not like recipient. Remote host said: 550 unknown user Giving up on 192.0.2.9.
  Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'
  550 RCP-P1 The attempted recipient address does not exist
  550 RCP-P3: Invalid user
  550 5.1.1 User unknown; rejecting
  550 5.1.1 sid=abc Addressee unknown, relay=[192.0.2.9]
  550 Invalid recipient jane@example.com (Mode: normal)
  554 5.7.1 <jane@example.com>: Recipient address rejected: Not a valid recipient
  550 5.1.1 <jane@example.com> is invalid or does not exist
  550 Mail to jane@example.com refused: no such mailbox here
  550 That mailbox does not exist
  550 Unknown address error 550
  550-jane@example.com is not known here
  550 <jane@example.com> not known
  550 Unknown user: jane
  550 Can't find jane in our user database
  5.1.1 X-Notes; Recipient user name jane not unique or not listed in the Domino Directory
  User jane not listed in public Name & Address Book
  554 5.0.0 MX: unknown mailbox
  550 5.1.1 Wrong recipient
  550 wrong address
  550 Bad recipient
  550 no recipients accepted: jane unknown
  550 5.1.1 jane@example.com Email address not found
  550 The address is not in our system
  550 This is not a valid recipient for our domain
  550 nobody here by that name
  550 Nobody by that name here
  553 5.3.0 <jane@example.com>... No such user here
  550 Your recipient does not exist
  550 Mailbox not valid
  550 User not local
  550 Recipient address is not valid
  450 4.1.1 <jane@example.com>: Recipient address rejected: User unknown in local recipient table
  550 5.1.1 Address verification failed, user unknown
  550 5.2.1 The account does not exist
  550 5.1.1 <jane@example.com>... User unknown
  554 5.1.1 <jane@example.com>: Recipient address rejected: undeliverable address: host 127.0.0.1[127.0.0.1] said: 550-5.1.1 The email account that you tried to reach does not exist
  550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found
  550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##rfc822;jane@example.com
  smtp;550 5.1.1 <jane@example.com> is not a valid mailbox
  smtp; 550 MAILBOX NOT FOUND
  550 #5.1.0 Address rejected jane@example.com
  550 [SUSPEND] Mailbox not found
  554 rejected - no such recipient
  550 5.1.1 jane@example.com: user lookup success but no user record found
  550 User not found: jane
  5.1.0 - Unknown address error 550-'Invalid recipient <jane@example.com> (#5.1.1)'
  x-postfix; unknown user: "jane"
  Recipient address rejected: User unknown in relay recipient table
  550 Mailbox unknown. Either there is no mailbox associated with this name or you do not have authorization to see it.
  550 No such user - p31si3210876pgm.12 - gsmtp
  553 unknown recipient (#5.1.1)
  550 El usuario no existe en este servidor
  550 5.1.1 El buzón jane no existe
  550 5.1.1 Dirección no válida
  550 Empfänger jane@example.de nicht gefunden
  550 Diese Adresse ist hier nicht bekannt
  550 Unbekannte Adresse
  550 L'adresse du destinataire est inconnue
  550 Aucune boîte à ce nom
  550 A caixa postal do destinatario nao existe
  550 Pazienza: la casella non esiste piu
  550 Konto o podanym adresie nie istnieje
  550 Адрес получателя не существует
  550 Kullanıcı mevcut değil
  550 5.1.1 无此用户
  550 お客様のメールアドレスは存在しません
  550 그런 사용자가 없습니다
  550 5.7.1 Unknown recipient; contact your administrator
  554 5.7.1 No such user in this domain
  550 unknown user account
  550 5.1.3 Recipient address is invalid. This is often due to bad characters in the recipient address.
  553 5.1.3 The recipient address <jane@@example> is not a valid RFC 5321 address.
  501 5.1.3 Invalid address
  Your message wasn't delivered to jane@example.com because the address couldn't be found, or is unable to receive mail.
  The email address you entered couldn't be found. Please check the recipient's email address and try to resend the message.
  Delivery to the following recipients failed permanently: Technical details: Google tried to deliver your message, but it was rejected. The error was: 550 550 No Such User Here"
  Could not deliver message to the following recipient(s): Failed Recipient: jane@example.com Reason: Remote host said: 550 No such user
  This is an automatically generated message: jane@example.com (expanded from <info@example.com>): unknown user: "jane"
  Sorry. Your message could not be delivered to: jane (The name was not found at the remote site. Check that the name has been entered correctly.)
  The following addresses had permanent fatal errors ----- <jane@example.com> (reason: 550 5.1.1 <jane@example.com>... User unknown)
  Did not reach the following recipient(s): jane The recipient name is not recognized The MTS-ID of the original message is
  Die E-Mail-Adresse wurde im E-Mail-System des Empfängers nicht gefunden
  Votre message n'a pas pu être remis: destinataire inconnu
  <jane@example.com>: mail to this user is undeliverable: no such user
  550 Requested action not taken: mailbox unavailable [F030102].
  550 5.1.1 jane@example.com User not found
  The e-mail account does not exist at the organization this message was sent to.
  Unknown recipient address or alias
  555 5.1.1 No such mailbox
  554 5.1.1 unable to deliver: bad address
  No such virtual user here
  mailbox not found; check address
  Message rejected. No valid recipients at this domain.
  550 sorry, no such user here (#5.1.1)
  `,
)

table(
  'inactive',
  `
  550 5.2.1 this mailbox has been switched off
  550 the subscriber's e-mail service has been cancelled
  550 jane@example.com: account on hold, contact billing
  550 User's account has lapsed
  550 Mailbox closed at the request of its owner
  550 The e-mail address has been withdrawn
  550 Mailbox has not been used for 12 months and was disabled
  550 5.2.1 account pending deletion
  550 this user is suspended
  550 Mail service for this account has been stopped
  550 Postfach ist stillgelegt
  550 Esta cuenta ha sido dada de baja
  550 5.1.1 mailbox retired
  550 Service terminated for this mailbox
  550 recipient account barred
  550 Diese Adresse wird nicht mehr verwendet
  550 Message was not accepted -- invalid mailbox. Local mailbox jane@example.com is unavailable: user is terminated
  550 5.1.1 User is locked
  550 5.2.1 Mailbox unavailable. The account has been closed by its owner
  550 Kunde hat gekündigt, Postfach deaktiviert
  550 5.2.1 The recipient's account has been deactivated for non-payment
  550 The account x has been locked permanently by the administrator
  554 5.2.1 mailbox is retired
  550 该邮箱已被停用
  550 5.2.1 Mailbox unavailable. Boite du destinataire archivee. Archived recipient. OFR_417 [417]
  550 SurgeMail: account jane@example.com closed
  554 5.2.1 STOREDRV.Deliver; mailbox disabled
  550 5.0.0 Sorry, that recipient's account is on hold
  550 5.1.1 The email account is inactive or disabled
  550 5.2.1 Mailbox is parked
  550 The mailbox is no longer in service
  550 user has cancelled the subscription; mailbox closed
  554 customer account terminated
  550 recipient mailbox decommissioned
  550 Konto wurde geschlossen
  550 Compte suspendu pour impaye
  550 Учетная запись заблокирована
  550 5.2.1 The email account that you tried to reach is inactive.
  550 5.2.1 mailbox disabled, not accepting messages
  550 Mailbox is inactive
  550 5.2.1 <jane@example.com>: Recipient address rejected: this mailbox is inactive
  550 5.2.1 This mailbox has been blocked due to inactivity
  554 delivery error: dd This account has been disabled or discontinued [#102].
  554 30 Sorry, your message to jane@example.com cannot be delivered. This mailbox is disabled (554.30).
  550 5.1.1 <jane@example.com>: inactive account
  550 Account disabled
  550 User account is disabled
  550 user suspended
  550 Account suspended
  550 This account has been suspended.
  550 5.2.1 User account suspended
  550 account is locked email bounced
  550 <jane@example.com> is a deactivated mailbox
  550 mailbox deactivated
  550 mailbox is frozen
  550 Mailbox currently suspended - Please contact support
  550 recipient address is disabled
  525 5.7.13 User Account Disabled
  550 5.1.1 Invalid/inactive user
  550 5.7.1 Recipient account disabled
  550 5.1.1 Recipient address is suspended
  550 Mailbox closed
  550 User has been terminated
  550 is unavailable: user is terminated
  550 User jane no longer active
  550 account has expired
  550 The account has been deleted
  550 5.2.1 Mailbox has been deleted
  550 the user account was removed
  550 5.2.1 Dieses Postfach wurde deaktiviert
  550 Konto gesperrt
  550 Das Postfach ist inaktiv
  550 Compte désactivé
  550 boite aux lettres inactive
  550 Compte suspendu
  550 Cuenta suspendida
  550 cuenta desactivada
  550 buzón inactivo
  550 Casella disattivata
  550 Account disabilitato
  550 utente disabilitato
  550 conta desativada
  550 caixa postal bloqueada por inatividade
  550 Conta suspensa
  550 Account is niet meer actief
  550 Kontot är avstängt
  550 Konto zablokowane
  550 Konto nieaktywne
  550 Учетная запись отключена
  550 Аккаунт заблокирован
  550 Hesap devre dışı
  550 账号已停用
  550 帐户被禁用
  550 휴면 계정입니다
  550 dormant account
  554 5.7.1 Email address inactive
  550 5.2.1 not accepting mail for this mailbox: account inactive
  550 extended inactivity new mail is not currently being accepted for this mailbox
  550 The user(s) account is disabled.
  550 Recipient deactivated
  550 User is inactive
  550 5.1.1 The account you are trying to reach has been closed
  550 Account disabled by administrator
  550 5.2.1 This mailbox is not active
  550 mailbox expired
  550 5.2.1 Email account is no longer active
  550 This user has been deactivated
  554 5.2.1 User suspended
  550 5.7.1 user not active
  550 Mailbox has been suspended due to non-payment
  550 recipient is disabled
  550 5.2.1 Mailbox is disabled for receiving mail
  550 Domain is suspended
  550 5.2.1 The email account that you tried to reach is disabled. Learn more at https://support.google.example/mail/?p=DisabledUser x1 - gsmtp
  550 5.2.1 <jane@example.com>: this account has been disabled or discontinued
  554 5.7.1 <jane@example.com>: Recipient address rejected: Account is disabled
  550 5.7.1 <jane@example.com>: Recipient address rejected: this mailbox has been closed
  550 RCPT ERROR. Mailbox is disabled.
  550 5.1.1 jane@example.com has been retired
  550 5.2.1 user disabled; cannot receive new mail: jane
  550 mailbox is blocked for non-usage
  550 5.2.1 Account inactive
  550 Ce compte a été fermé
  550 Esta cuenta ha sido desactivada
  550 Das E-Mail-Konto wurde gelöscht
  550 Почтовый ящик заблокирован
  550 5.1.1 The mail account has been deactivated
  550 5.2.1 Mailbox unavailable for this user: account inactive
  The recipient's account is not active any more
  550 This e-mail box is closed
  `,
)

table(
  'full',
  `
  552 5.2.2 recipient storage quota hit, delivery refused
  452 4.2.2 box has no free space
  550 5.7.1 mailbox of the recipient is filled up
  554 delivery error: dd mailbox size exceeded
  552 Casilla llena, intente mas tarde
  552 5.2.2 User has used all available space
  452 4.2.2 over limit: mailbox 101% full
  550 Quota for this recipient is used up
  554 Mailbox is at its maximum
  552 De mailbox van de ontvanger zit vol
  552 5.2.2 recipient out of space
  552 no more room for messages of this user
  422 mailbox quota reached
  550 Le compte du destinataire a depasse son quota
  552 1 Requested mail action aborted, mailbox not found or over quota
  552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417
  550 5.2.2 Mailbox size limit exceeded / casella piena
  452 4.2.2 Mailbox size limit exceeded; try later (mxfront)
  552 Mailbox space not enough
  552 5.2.2 User's mailbox is over quota - daum
  552 5.2.3 mailbox capacity exceeded
  552 sorry, mailbox too full; recipient is over quota (chkuser)
  552 jane@example.com account is full (quota exceeded)
  552-5.2.2 mailbox full (cPanel): x's disk quota exceeded
  552 5.2.2 Over quota: mailbox for x has reached its storage cap
  422 4.2.2 Recipient mailbox has exceeded its storage limit
  452-4.2.2 The recipient mailbox is overfull
  550 La casella del destinatario ha superato lo spazio disponibile
  552 Le quota de la boite de jane@example.com est depasse
  552 收件人邮箱容量已满
  552 MDaemon: mailbox disk quota exceeded for x
  554 5.2.2 STOREDRV.Deliver.Exception:QuotaExceededException
  550 5.2.350 Remote server returned mailbox full
  550 5.2.2 no room left in the mailbox
  452 4.2.2 mailbox reached 100% of its quota
  552 storage exceeded for recipient
  550 User's inbox has hit the limit of messages
  552 5.2.2 Speicherplatz des Empfaengers erschoepft
  550 buzon lleno
  550 la boite aux lettres est saturee
  550 Переполнен ящик получателя
  452 Insufficient disk space
  552 5.2.2 Quota exceeded
  552 Mailbox full
  452 4.2.2 Over quota
  552 Requested mail action aborted: exceeded storage allocation
  550 5.2.2 mailbox is full: retry timeout exceeded
  552 jane@example.com has exceeded its quota
  452 4.2.2 <jane@example.com> exceeding its mailbox quota
  552 5.2.2 user mailbox exceeded the local limit
  Maildir over quota
  maildrop: maildir over quota.
  552 User has exceeded quota, bouncing mail
  552 recipient reached disk quota
  550 disc quota exceeded
  550 Disk quota exceeded
  can't create user output file: disk quota exceeded
  cannot append message to destination file /var/mail/jane: cannot open file: Disk quota exceeded
  552 the recipient mailbox has exceeded its disk space limit
  552 not enough disk space in mailbox
  552 Not enough storage space in mailbox
  552 mailfolder is full
  552 The user's space has been used up
  550 the user has too many messages on the server
  552 Account is full
  552 5.2.2 Account is over quota. Try again later
  452 4.2.2 recipient's mailbox is temporarily full
  552 5.2.2 Recipient's mailbox would exceed its quota
  554 5.2.2 Message would cause mailbox to exceed quota
  554 message would be over the allowed quota
  550 quota violation for jane@example.com
  552 Sorry, the mailbox is over its limit
  552 5.7.0 Inbox full
  552 5.2.2 Mailbox storage limit reached
  552 recipient storage full, try again later
  452 Insufficient space in recipient's mailbox
  552 5.2.2 No storage left in mailbox
  550 5.2.2 The recipient's inbox is out of storage space
  552 5.3.4 mailbox size limit exceeded
  552 Message rejected: user is over his mailbox limit
  552 The mailbox owner has exceeded storage
  552 Speicherplatz erschöpft
  552 Postfach voll
  552 Das Postfach des Empfaengers ist voll
  552 Kontingent überschritten
  552 Quota überschritten
  552 Boite pleine
  552 Boîte aux lettres saturée
  552 Boîte mail pleine
  552 quota atteint
  552 buzon lleno
  552 Cuota excedida
  552 Casella piena
  552 Spazio esaurito
  552 Caixa postal cheia
  552 quota excedida
  552 Caixa de correio lotada
  552 Postvak vol
  552 Mailbox vol
  552 Inkorgen är full
  552 Brevlådan är full
  552 Skrzynka pelna
  552 Przekroczono limit skrzynki
  552 Schránka je plná
  552 Почтовый ящик переполнен
  552 ящик переполнен
  552 Kota dolu
  552 Posta kutusu dolu
  552 邮箱已满
  552 信箱空間已滿
  552 メールボックスの容量を超えています
  552 メールボックスが一杯です
  552 메일함 용량 초과
  User mailbox exceeds allowed size: jane@example.com
  5.2.2 <jane@example.com>... Mailbox Full
  host mx.example.com said: 552 5.2.2 over quota (in reply to RCPT TO command)
  mailbox for user jane is full
  452 4.1.1 <jane@example.com> 4.2.2 mailbox full
  552 1 Requested mail action aborted, mailbox quota exceeded
  422 The recipient's mailbox is over its storage limit
  550 Mail quota exceeded
  550 Too much mail data for this mailbox
  552 5.2.2 Storage quota exceeded
  550 5.2.2 User is over the quota. You can try again later.
  452 4.2.2 Mailbox is full / Blocks limit exceeded / Inode limit exceeded
  552 4.2.2 account full
  554 5.2.2 mailbox full
  450 4.2.2 mailbox is over quota
  552 5.2.2 Sorry, this mailbox has reached its maximum size
  552 The mailbox has no more room
  552 5.2.2 This message is larger than the current system limit or the recipient's mailbox is full.
  550 Over quota
  4.2.2 The recipient's mailbox is full and can't accept messages now.
  552 insufficient mailbox space
  552 User quota reached
  552 5.2.2 <jane@example.com>: Recipient's mailbox is full
  452 4.2.2 The email account that you tried to reach is over quota. Please direct the recipient to https://support.google.example/mail/?p=OverQuotaTemp x1 - gsmtp
  554 5.2.2 mailbox full;STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded
  552 RCPT TO:<jane@example.com> Mailbox disk quota exceeded
  550-Mailbox quota usage exceeded 550 retry later
  552 5.2.2 Mailbox jane has exceeded its storage quota
  smtp; 452 4.2.2 user over quota
  maildir: over quota: jane@example.com
  Can't create output: Over quota
  552 <jane@example.com> Benutzer hat das Speicherlimit überschritten: Postfach voll
  552 La boite de jane@example.fr est pleine
  552 Esta casilla esta llena
  552 ปริมาณ mailbox is full
  452 4.1.0 <jane@example.com> mailbox over quota
  552 5.7.1 jane has exceeded his/her disk space limit.
  Delivery has failed: The recipient's mailbox is full and can't accept messages now.
  Subject: Mailbox quota exceeded: the mail could not be delivered as the user has exceeded the storage allotment
  The user you are trying to email has exceeded their inbox storage
  Reason: mailbox is over limit; message discarded
  Benachrichtigung: Das Postfach des Empfängers hat seine Größenbeschränkung überschritten
  554 5.2.2 quota exceeded (mailbox for user is full)
  452 4.2.2 Requested action not taken: mailbox out of storage
  The following destination addresses were over quota
  `,
)

table(
  'domain',
  `
  550 5.1.2 cannot find a mail exchanger for y.example
  554 5.4.4 recipient domain has no DNS entry
  550 no such domain: y.example
  550 5.1.2 this domain is not registered
  550 host not found: y.example
  550 5.4.4 no route: domain has no MX record
  550 5.1.2 domain name does not resolve
  550 destination domain invalid
  512 5.1.2 host mx.y.example unknown
  550 5.1.2 Bad destination system address
  550 5.4.4 Invalid domain: no mail servers
  550 5.1.2 the domain part of the address does not exist
  550 No MX or A records for recipient domain
  550 domain expired
  553 5.1.2 mail domain has been shut down
  Host or domain name not found. Name service error for name=example.com type=MX: Host not found
  Host or domain name not found. Name service error for name=mx.example.com type=A: Host not found
  550 5.1.2 Host unknown
  550 Unknown host example.com
  550 No such domain
  550 No such domain here
  550 Domain does not exist
  550 domain example.com does not exist
  550 5.4.310 DNS domain example.com does not exist
  Unrouteable address
  unrouteable mail domain "example.com"
  all relevant MX records point to non-existent hosts
  all relevant MX records point to non-existent hosts or (invalidly) to IP addresses
  Sorry, I couldn't find any host named example.com. (#5.1.2)
  Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)
  550 Bad destination system address
  5.1.2 Bad destination host 'DNS Hard Error looking up example.com (MX): NXDomain'
  550 5.1.2 Domain name not found
  554 Recipient domain does not exist
  550 recipient domain not found
  550 5.4.4 Unable to route: no mail hosts for domain
  550 5.1.2 no mx record for domain
  550 recipient domain has no MX record
  unable to look up host example.com
  Name or service not known
  nodename nor servname provided, or not known
  getaddrinfo ENOTFOUND mx.example.com
  queryMx ENOTFOUND example.com
  Domain not found
  550 5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain
  550 5.4.310 DNS.NonExistentDomain
  bad-domain: no route to domain; DNS lookup of example.com found no such domain
  550 The recipient's domain is invalid
  illegal host/domain name found
  550 Unroutable domain
  DNS lookup failed for domain example.com
  550 Domaine inconnu
  550 Dominio inexistente
  550 Domain unbekannt
  550 Домен не найден
  550 Host not found
  512 5.1.2 Bad destination system address
  550 5.1.2 mail domain unknown
  554 5.4.4 unable to resolve destination
  Domain not found in DNS
  550 the domain does not exist in DNS
  550 no valid MX hosts found for example.com
  Unknown domain name
  550 5.1.2 Recipient domain unknown
  No MX or A records for example.com
  This domain does not exist: example.com
  Address resolution failed: no A or MX for host
  550 5.1.2 <jane@exmaple.com>: Recipient address rejected: Domain not found
  550 5.4.310 DNS domain exmaple.com does not exist [Message=InfoDomainNonexistent] [LastAttemptedServerName=exmaple.com]
  smtp;554 5.4.4 [internal] Domain Lookup Failed
  Unable to resolve example.com: NXDOMAIN
  unrouteable address: no MX found
  bad-domain: domain example.com not found
  5.1.2 (bad destination host)
  The domain example.invalid could not be found
  Your message wasn't delivered because the domain exmaple.com couldn't be found. Check for typos or unnecessary spaces.
  There is no DNS information for the domain
  unable to route: unknown mail domain
  Illegal host/domain name found
  The message could not be delivered because the recipient's domain does not exist
  `,
)

table(
  'size',
  `
  552 5.3.4 the mail is over our 25 MB limit
  554 5.2.3 too big for this mailbox
  552 content length too long
  552 5.3.4 message exceeds 10000000 octets
  550 5.2.3 attachment exceeds allowed size
  552 mail too big for recipient
  552 exceeds our size restrictions
  554 message rejected because of its length (too many bytes)
  550 5.3.4 ROUTING.SizeLimit; message size exceeds fixed maximum size for route
  552-Requested mail action aborted: exceeded storage allocation 552-Message size exceeds limit
  550 5.3.4 552 5.3.4 Error: message file too big
  523 the recipient's mailbox can only accept messages up to a fixed size
  552 5.3.4 Your mail is 30 MB; the limit here is 20 MB
  554 Message size exceeds limit - mimecast: Maximum email size exceeded
  550 5.2.3 MAPI: exceeds the maximum submission size
  552 Message of 35 MB exceeds what we take (20 MB)
  552 5.3.4 attachment too heavy
  550 message body exceeds 10240 KB
  552 Die Nachricht ueberschreitet die maximale Groesse
  552 5.3.4 Message too big for system
  552 Message size exceeds maximum permitted
  552 5.3.4 Message size exceeds fixed maximum message size (26214400)
  552 message too large
  523 the message size exceeds the recipient's size limit
  552 5.2.3 Message exceeds maximum fixed size
  552 Message length exceeds administrative limit
  552 5.3.4 Error: message file too big
  550 5.3.4 message size 30000000 exceeds size limit 20480000 of server mx.example.com[192.0.2.9]
  554 5.3.4 Message too large
  550 message size limit exceeded
  552 maximum message size exceeded
  552 Max message size exceeded
  550 5.7.1 Message size exceeds the limit of the recipient
  552 Taille limite du message atteinte
  552 Nachricht zu groß
  552 Die Nachricht ist zu gross
  552 Message trop volumineux
  552 Mensaje demasiado grande
  552 Messaggio troppo grande
  552 Mensagem muito grande
  552 Bericht te groot
  552 Meddelandet är för stort
  552 Wiadomosc jest zbyt duza
  552 Письмо слишком большое
  552 邮件过大
  552 メールサイズが大きすぎます
  dot> 554 5.3.4 Your message exceeds the limits set by the recipient
  552 Too much mail data
  MAIL> 552 #5.3.4 message size exceeds limit
  552 5.3.4 The message header size exceeds limit
  550 RESOLVER.RST.SendSizeLimit.Org; message too large for this organization
  552 sorry, that message size exceeds my databytes limit (#5.3.4)
  552 email size exceeded
  552 mail size exceeds the limit
  552 Data size exceeds maximum permitted
  500 Line too long
  550 maximum allowed line length is 998 octets, got 1200
  552 Mailbox limit exeeded for this email size
  552 The message you sent is too large; 35 MB limit
  552 Mail size limit exceeded
  552 Requested mail action aborted: exceeded message size
  552 5.3.4 Message exceeds the size limit
  Your message is too big
  552 5.2.3 Message length exceeds limit
  554 5.3.4 Message size is over the limit of 10 MB
  552 File too large
  message larger than allowed
  554 Body size exceeded
  552 5.3.4 Error: message size exceeds fixed limit 10485760
  552-5.2.3 Your message exceeded Google's message size limits. Please visit 552-5.2.3 https://support.google.example/mail/?p=MaxSizeError
  550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient
  552 5.2.3 Message size 35000000 exceeds maximum 20971520
  554 5.6.1 Body too large
  552 Message exceeded maximum allowed size
  5.3.4 Message is too big for the system
  Your message is larger than the size limit set by the recipient's server
  This message is too large for the recipient
  Delivery failed: message exceeds size limit of 20 MB
  Message size (31 MB) exceeds the server limit
  552 5.3.4 Maximum message size of 20MB exceeded
  `,
)

table(
  'relay',
  `
  550 sorry, we only relay for customers
  554 5.7.1 third-party relay denied
  550 5.7.1 no relaying for strangers
  553 5.7.1 we do not provide relay service
  550 unauthorized relay attempt
  550 we won't relay this
  554 5.7.1 relay attempt blocked
  550 relay not permitted
  550 This server is not an open relay - hMailServer
  550 El relay no esta permitido desde su direccion
  550 5.7.1 Recipient domain not hosted here
  550 5.7.1 you may not relay through us
  551 we are not a relay for that domain
  550 this domain isn't ours
  554 mail for that destination isn't accepted from outside: relaying
  550 5.7.1 Relaying denied
  554 5.7.1 <jane@example.com>: Relay access denied
  550 5.7.64 TenantAttribution; Relay Access Denied
  550 relaying to <jane@example.com> prohibited by administrator
  550 not local host example.com, not a gateway
  550 we do not relay
  553 We do not relay non-local mail, sorry.
  553 sorry, that domain isn't in my list of allowed rcpthosts; no valid cert for gatewaying (#5.7.1)
  550 5.7.1 This system is not configured to relay mail
  550 Relay not allowed
  550 Relaying mail to example.com is not allowed
  550 you are not allowed to relay through this machine
  554 No relaying allowed
  550 No relay
  550 authentication is required for relay
  550 Relaying not allowed - please use SMTP AUTH
  550 5.7.1 <jane@example.com>... Relaying denied. Proper authentication required.
  550 Insecure mail relay
  550-Please turn on SMTP Authentication in your mail client, or login to the IMAP/POP3 server before sending your message. 550 relay not permitted!
  454 4.7.1 Relay access denied
  551 we do not relay
  550 This domain is not hosted here
  550 domain example.com is not hosted on this server
  550 We don't handle mail for example.com
  550 mail for example.com not accepted here
  550 5.7.1 domain not served here
  550 I'm not a relay
  550 we are not an open relay
  550 Not our domain
  550 unknown domain; not local
  550 Relaying nicht erlaubt
  550 Relais refusé
  550 Relay denegado
  550 relay non consentito
  550 Relay não permitido
  550 Relay niet toegestaan
  501 5.7.1 This host does not relay for you
  554 Message rejected: Email address is not verified.
  550 Cannot relay to remote domain
  553 Relaying disallowed as jane@example.com
  553 5.7.1 Relaying blocked
  550 5.7.367 Remote server returned not permitted to relay
  553 Relaying disallowed. Invalid Domain - example.com
  550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain
  550 Relaying denied for <jane@example.com>
  550 #5.7.1 Unable to deliver: relaying not permitted for domain
  550 5.7.1 Unable to relay
  550 Sorry, that domain isn't allowed to be relayed thru this MTA
  553 that domain is not in my list of allowed rcpthosts
  550 cannot relay mail for <jane@example.com>
  550 No such domain at this location
  550 Not authorized to relay mail
  521 mail for this domain is not handled by this server
  550 5.7.1 <jane@example.com>... we do not relay for 192.0.2.9
  550 5.7.1 Unable to relay for jane@example.com
  554 5.7.1 Relay rejected for policy reasons: relay access denied
  550 relaying mail to example.com is not allowed
  550 5.7.367 Remote server returned not permitted to relay -> 554 5.7.1 <jane@example.com>: Relay access denied
  503 sender not authorised to relay through here
  550 Sorry, we do not accept mail for that domain
  Relaying is not allowed to this destination
  550 5.7.1 Relaying to that recipient is not permitted from here
  The server rejected one of the recipients: relay not permitted
  553 sorry, this host does not relay
  `,
)

table(
  'rate',
  `
  421 4.7.0 wait before opening another session
  450 4.7.1 delayed for 300 seconds because you are new here
  451 greylist: 5 minutes
  452 4.5.3 recipient count exceeded
  421 your server is sending too quickly
  451 message quota for your IP used up this hour
  450 4.2.1 the user is getting mail too fast
  450 4.7.1 try again in 15 minutes, rate exceeded
  421 connection throttled
  452 too many RCPT commands
  451 4.7.1 temporary greylist block
  550 exceeded sending limits for today
  421 excessive traffic from your address
  450 per-minute limit reached
  451 please come back in an hour
  554 5.2.0 STOREDRV.Deliver.Exception:RecipientThrottled; Failed to process message due to a permanent exception with message The recipient has been throttled
  451 4.7.1 Sorry, the service is currently unavailable. Please come back later. Greylisted.
  421 RP:QRC 192.0.2.1 smtp2
  451 4.7.1 Greylisting in effect, retry after 300 seconds
  452 #4.5.3 Too many recipients received this hour
  421 #4.4.5 Too many connections to this listener.
  421 4.3.2 Connection rate limit exceeded.
  450 Requested mail action not taken: greylisted by haraka, come back later
  550 Domain a.example has exceeded the max defers and failures per hour (5/5 (100%)) allowed. Message discarded.
  421 4.7.0 Error: too many unauthenticated connections from 192.0.2.7
  421 RP-001 The mail server IP connecting to server has exceeded the rate limit allowed
  450 发送频率过快，请稍后再试
  450 4.7.1 Policy greylisting active, come again in 5 minutes
  451 4.7.1 <jane@example.com>: Recipient address rejected: postgrey: deferred
  421 4.7.1 Intrusion prevention active for [192.0.2.1]; rate exceeded
  452 4.5.3 Recipients belong to multiple regions: too many recipients
  550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending e-mail to external recipients
  421 4.7.0 Trop de destinataires / Too many recipients OFR_108
  451 Recipient temporarily unavailable; IP has been temporarily blocked due to greylisting
  550 Exceeding outbound thread limit
  550 Exceeded outbound email rate
  550 5.2.121 Recipient's per hour message receive limit exceeded
  550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour
  550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit
  421 you opened too many connections
  450 Slow down please
  451 4.7.1 first contact, retry in a few minutes
  452 hourly message cap reached for your domain
  421 Maximum messages per session exceeded
  450 4.7.1 your IP sent too many messages in the last hour
  452 4.5.3 at most 50 recipients per message
  421 4.7.0 Too many connections, try again later
  421 Too many concurrent SMTP connections; please try again later.
  421 Too many concurrent SMTP connections from this IP address; please try again later.
  421 mx.example.com Service refused: too many connections
  421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel
  421 4.7.66 too many connections from this host
  451 4.7.1 Try again later: greylisted
  450 4.2.0 Greylisted for 5 minutes
  451 Greylisted, please try again in 180 seconds
  451 4.7.1 Temporarily deferred, please retry (greylisting)
  450 This message is greylisted
  450 4.7.1 <jane@example.com>: Recipient address rejected: Greylisting enabled, try again later
  451 You have been greylisted
  452 too many messages from your IP this hour
  450 4.7.0 rate limit exceeded
  421 4.7.0 Rate limited
  421 rate limited, please slow down
  450 4.7.1 Error: too much mail from 192.0.2.9
  450 4.7.1 Recipient limit exceeded
  452 4.5.3 Too many recipients
  452 Too many recipients received this hour
  550 5.4.5 Daily user sending quota exceeded
  550 5.7.1 Sending limit exceeded
  554 5.7.1 Maximum messages per hour exceeded
  550 Domain example.org has exceeded the max emails per hour (100/100) allowed. Message discarded.
  450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.
  421 Throttled
  421 4.4.2 Message submission rate for this client has exceeded the configured limit
  451 4.3.2 temporarily throttled
  421 Maximum number of messages per connection reached
  421 Max message per connection reached, closing transmission channel
  421 too many messages in this connection
  421 4.7.0 Too many messages sent per session
  452 4.3.1 Too many sessions
  421 Session limit reached
  452 Temporarily over the sending quota
  450 Too frequent connects from 192.0.2.9, please try again later.
  421 Excessive connections from your host
  450 4.7.1 Sending rate too high
  451 Ratelimit "jane@example.com" exceeded
  452 You are sending too quickly, please slow down
  421 Troppe connessioni
  421 Zu viele Verbindungen
  421 Trop de connexions
  450 too many mails to this recipient recently
  450 Liste grise: veuillez reessayer plus tard
  450 greylist policy: retry in 300s
  451 4.7.1 temporarily greylisted by gross
  450 4.7.0 You're sending too fast
  550 5.3.0 Your account exceeded its hourly limit for sending
  421 4.7.0 (INFO) Too many messages (4.2.3) for jane from 192.0.2.9
  421 RP-001 The mail server IP connecting to Outlook.com server has exceeded the rate limit allowed.
  421 RP-002 The mail server IP connecting has exceeded the rate limit allowed on this connection
  451 4.3.1 first time sender; try again in 10 minutes
  450 4.4.1 New sender, please try again in a few minutes
  451 temporarily rejected, unknown triplet, come back later
  452 CXCNCT There is a limit to the number of concurrent SMTP connections per IP address
  452 CXMXRT The sender has exceeded the maximum number of sent email allowed
  421 RAT-T1 throttled
  421 IB007 Connection refused, 192.0.2.9 has too many simultaneous connections
  550 5.4.6 Unusual sending activity detected
  550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients
  421 4.7.0 Connection limit exceeded
  421 too many sessions open from 192.0.2.9
  451 4.7.1 Please retry later, greylisted for 60 seconds
  452 4.2.1 Mailbox receives too many messages, try later
  451 4.7.1 Service unavailable - try again later; too many messages
  450 4.7.1 Message rate exceeded
  421 Rate exceeded, please retry
  451 Too much load from your IP; too many connections
  450 Requested action not taken: connection frequency limited
  451 Temporary rejected - grey-listed
  451 4.7.1 Your message is being deferred for the first time, please retry
  450 delaying mail from unknown server, please retry in 5 min
  421 You have exceeded the number of mails per hour
  554 Too many mails sent today
  450 4.2.1 The user you are trying to contact is receiving mail too quickly
  421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address
  421-4.7.0 unsolicited mail originating from your IP address; rate limited
  450 4.7.1 <jane@example.com>: Recipient address rejected: Greylisted
  451 4.7.1 Greylisting in action, please come back later
  450 Please try again later: greylisted (see http://projects.example/tech/greylisting)
  451 Graylisted - please try again in 297 seconds
  452 4.5.3 Your message has too many recipients
  550 5.5.3 RESOLVER.ADR.RecipLimit; too many recipients
  421 Too many connections from your host
  451 4.3.2 Please slow down
  421 4.7.0 mx.example.com Error: too many errors
  452 4.7.1 Too much mail from your domain today
  450 4.3.2 Rate limit exceeded for your IP address
  454 4.7.1 You have exceeded your messaging limits
  554 Throttling failure: Maximum sending rate exceeded.
  450 4.1.1 <jane@example.com> too many recent messages
  Message rejected: recipient is over the hourly receiving rate
  The account has received too many messages recently; try later
  Delivery is deferred: the receiving server limits the rate of your messages
  4.7.1 Greylisting enabled, retry in 1 minute
  You have reached a limit for sending mail. Your message was not sent.
  421 4.7.0 Your IP has sent too many messages; slow down
  `,
)

table(
  'policy',
  `
  550 5.7.1 sending server has poor reputation at our side
  550 [ABUSE] your address range is blocked
  554 dnsbl hit: 192.0.2.1
  550 you're listed in our blocklist, contact postmaster
  550 5.7.1 message looks like phishing
  550 This message scored 9.8 points and was rejected
  554 5.6.1 body contains prohibited text
  550 5.7.0 forged sender address detected
  550 envelope sender domain not resolvable
  550 5.7.26 sender authentication missing
  550 authentication results: dkim=fail; message not taken
  550 sorry, HELO localhost is not acceptable
  554 5.7.1 no PTR
  550 5.7.1 executables are not welcome here
  550 no mail from free hosters, please
  550 banned by administrator
  550 Message blocked due to local policy settings
  550 Delivery blocked by firewall
  550 message from you is not desired
  550 only members may write to this list
  554 5.7.1 zero tolerance for spammers
  554 5.7.1 spam source
  550 your IP range has been blacklisted locally
  550 5.7.1 URL in message found on blocklist
  550 rejected: sender spoofs our domain
  550 message failed DMARC evaluation
  554 Attachment type not permitted
  550 5.7.1 suspicious attachment removed, message bounced
  550 HELO mismatch
  550 missing reverse lookup for your address
  550 bulk sender guidelines not met
  550 mail rejected by content scanner
  550 sender address verification failed
  550 5.1.8 sender domain must exist
  550 rejected by administrator rule 17
  550 access denied to your network
  550 mails with empty subject are rejected
  550 you are on our naughty list
  554 5.7.1 mail flood from your server, blocked
  550 untrusted sender
  550 fails our spam checks
  554 blocked by reputation filter
  550 dangerous file in mail
  550 blocked: sender has no valid SPF
  550 Domain of sender is blacklisted
  550 your mail server is misconfigured, no rDNS
  550 policy violation in subject
  550 connection refused by our access list
  554 Message refused by user policy filter
  550 5.7.1 [192.0.2.1 12] Our system has detected that this message is likely suspicious due to the very low reputation of the sending IP address.
  421 4.7.26 This mail has been rate limited because it is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.
  550 5.7.124 RESOLVER.RST.SenderNotInAllowList; Sender not in allowed-senders list of group
  550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains.
  550-Requested action not taken: mailbox unavailable 550 invalid DNS MX or A/AAAA resource record
  554 IP=192.0.2.44 - None/bad reputation. Ask your postmaster for help or to contact tobr@rx.t-online.example for reset. (NOWL)
  550 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN105_402 [402]
  550 5.7.1 Policy rejection on the target address
  554 HL:IPB 163 mx1,gbtech
  571 5.7.1 Message refused because sender IP is listed in KISA-RBL
  553 5.7.1 Rejected by user preference
  554 5.7.7 Email policy violation detected
  541 5.4.1 Mail rejected by antispam engine [zoho]
  550 5.7.1 Delivery not allowed - IP reputation. fastmail
  550 5.7.1 Message rejected due to Proofpoint Dynamic Reputation
  554 rejected due to spam URL classification
  550 Message was blocked by Barracuda Spam Firewall
  554 5.7.1 Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this failure is in error, please contact the intended recipient via alternate means.
  501 Connection rejected by policy [7.7] 11714, please visit www.messagelabs.com/support for more details about this error message.
  554 5.7.1 Sophos Anti Spam Engine has blocked this Email because the message is Bulk
  550 5.7.1 This message is not accepted here. FortiGuard-AntiSpam ip(s) has blocked the message
  550 Rejected by SpamTitan: sender address in global blocklist
  553 5.1.8 <app@example.org>... Domain of sender address app@example.org does not exist
  511-5.1.1 The sender's domain has no MX record; courier rejects
  530 SMTP authentication is required.
  554 Mail from a.example rejected for policy reasons. (Domino)
  550 5.7.0 Your server IP address is in the SpamHaus SBL-XBL database, bye
  550 Your IP is listed at dnsbl.example.net (Haraka)
  550-Verification failed for <app@example.org> 550-No Such User Here 550 Sender verify failed
  550 HELO should be a FQDN or address literal (See RFC 2821 4.1.1.1)
  554 This mail server does not accept messages with attached executable files
  554 5.6.0 Infected: Win.Test.EICAR_HDB-1 FOUND
  550 Country blocked: mail from your country not accepted
  550 5.7.1 Mail from 192.0.2.1 was rejected due to listing in Invaluement SIP
  554 5.7.1 Message cannot be accepted, spam rejection (score 14.2)
  550 High spam score: message blocked
  550 SC-001 (BAY004-MC2F39) Unfortunately, messages from 192.0.2.1 weren't sent. Please contact your Internet service provider since part of their network is on our block list.
  550 DY-001 (COL004-MC3F10) Unfortunately, messages from 192.0.2.1 weren't sent. Please contact your ISP. We do not accept email from dynamic IPs.
  554 5.2.0 Message has been flagged as UBE
  550 5.7.1 UCE not welcome
  554 5.7.1 We are sorry, you are listed in our local access control list
  501 5.1.7 Bad sender address syntax
  550 Ваше сообщение отклонено антиспам-системой
  554 Wiadomosc odrzucona przez filtr antyspamowy
  550 您的IP被列入黑名单
  550 Mensaje rechazado por politica de contenido
  550 Votre message a ete classe comme spam
  550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification and has a DMARC policy of reject
  552 5.7.0 attachment type .vbs not permitted here
  550 Blocked: message contains a macro-enabled document
  554 5.7.1 virus W32/Klez.H found
  550 5.7.1 Sanesecurity.Phishing.Fake.UNOFFICIAL
  550 5.7.1 Message contains a URL on the SURBL
  554 Message refused: fails DKIM
  550 5.7.23 SPF validation failed for domain
  550 rejected: forged domain in MAIL FROM
  550 5.7.1 Access denied - EHLO name is our own
  450 4.7.1 <mail.example.org>: Helo command rejected: Host not found
  553 5.5.4 <app@example.org>... Domain name required for sender address
  451 4.1.8 Possibly forged hostname for 192.0.2.1
  550 This host is blocked for bulk mailing
  521 5.7.1 blocked by rspamd
  554 5.7.1 Gtube pattern
  571 Delivery not authorized, message refused
  550 5.7.1 Mailing to this group is limited to internal users
  550 You are not permitted to post to this mailing list
  421 mwinf5c10 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR006_201 [201]
  550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues. OFR006_102
  421 Service Abus detecte GU_EIB_04 [506]
  550 5.7.1 Emetteur invalide, Veuillez verifier la configuration SPF/DNS de votre nom de domaine. Invalid Sender OFR_109
  554 AUP#1310 rejected: no PTR record for 192.0.2.1
  554 5.4.0 Error: message refused. AUP#O-1030
  421 4.7.1 Messages from 192.0.2.1 temporarily deferred E1210
  554 5.2.0 Message rejected due to an issue with your SPF record
  554 cox Too many bad commands from 192.0.2.1
  550 5.1.0 jane@example.com sender rejected : invalid sender domain
  550 KDDI: sorry, please check the SPF record of your domain; 550 SPF check failed
  550 mail.messagelabs.com: Message filtered. Please see the FAQs section on spam
  553 mailbox temporarily unavailable; sender authentication failed messagelabs
  554 Host network not allowed - mimecast
  550 Submitter failed to authenticate
  550 DNSBL (Realtime Blackhole List) listing: ip 192.0.2.1
  550 Local CT IP Reputation - (reject)
  451 Account outbounds disabled
  550 Message bounced due to Content Examination Policy
  550 attachment policy - Envelope rejected
  550 Rejected by ZixCorp secure gateway: sender blocked
  550 5.7.1 Connection refused: IronPort SenderBase score is too low
  554-mx.y.example 554 Your access to this mail system from 192.0.2.1 has been rejected
  550 5.7.1 TRUSTED: blocked by Cyren IP Reputation
  550 5.7.1 Message rejected because of unacceptable content
  554 Transaction failed: Spam message not queued.
  550 5.7.1 Spam message rejected; see proofpoint
  554 5.7.1 id=12345 - Rejected by next-hop MTA, SPAM
  550 mail not accepted from blacklisted IP address [192.0.2.1]
  554 rejected by Kerio: message contains forbidden attachment
  554 MDaemon: Sorry, message looks like spam to me
  550 5.7.1 Transport rules forbid delivery of this message; TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy
  550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox
  451 4.7.651 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation
  550 5.7.513 Service unavailable, Client host blocked by recipient domain using Customer Block list
  550 5.7.501 Access denied, spam abuse detected
  550 5.7.510 Access denied, recipient domain does not accept email over IPv6
  550 5.7.520 Access Denied, Your organization does not allow external forwarding
  550 5.7.703 Your message can't be delivered because messages to XXX, YYY are blocked by your organization using Tenant Allow Block List
  550 5.7.12 Sender was not authenticated by organization
  550 5.7.350 Remote server returned message detected as spam -> 554 5.7.1 rejected
  550 5.6.350 content rejected
  550 Sorry, your IP reputation is too low
  554 5.7.1 connection from a known spammer
  550 Content blocked by our heuristics
  554 message classified as junk
  550 5.7.1 rejected: too many links
  550 mail contains forbidden words
  550 5.7.1 mail from your provider is not welcome
  554 Your network has been banned for abuse
  550 Sorry, country not served
  550 DMARC alignment missing
  554 no SPF record, go away
  550 Return path does not resolve
  550 your sending domain has no MX
  550 sending hostname is generic, configure rDNS
  550 we do not accept newsletters
  550 ihre IP ist gesperrt
  554 mensaje bloqueado por spam
  550 message refuse par la politique anti-spam
  550 Encrypted zip archives are refused
  550 trojan detected in attachment
  550 x: recipient only takes mail from whitelisted senders
  550 5.7.1 Mail from outside the company is not accepted for this list
  553 sorry, you don't authenticate or the domain isn't in my list of allowed rcpthosts (#5.7.1)
  CXTHRT Email sending limited due to suspicious account activity
  Connection dropped by remote host
  550 5.1.0 - Unknown address error 550-'5.7.1 <jane@example.com>... Access denied' (delivery attempts: 0)
  554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org
  554 5.7.1 Blocked - see https://www.spamcop.example/bl.shtml?192.0.2.9
  550 5.7.1 Your IP (192.0.2.9) is listed in our blacklist
  550 rejected because 192.0.2.9 is in a black list at bl.spamcop.net
  550 JunkMail rejected - out.example.org [192.0.2.9] is in an RBL, see https://rbl.example/
  550 5.7.1 Mail from 192.0.2.9 refused by blackhole site bl.spamcop.net
  550 mail from 192.0.2.9 rejected: administrative prohibition (host is blacklisted)
  554 5.7.1 Rejected 192.0.2.9 found in dnsbl.sorbs.net
  554 5.7.1 You are not allowed to connect.
  banner> 554 Connection not allowed
  banner> 554 5.7.1 You are not allowed to connect
  banner> 554 mx.example.com ESMTP not accepting connections
  554 mx.example.com ESMTP not accepting connections
  550 5.7.1 Client host rejected: Access denied
  554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: Access denied
  550 Bad reputation
  554 refused: poor IP reputation
  554 5.7.1 Extreme bad IP profile
  550 Sender IP reverse lookup rejected
  550 Go away
  554 Go away, spammer
  550 5.7.1 Reject for policy reason
  554 5.7.1 Reject for policy reason RULE3_2
  550 Envelope blocked - https://community.mimecast.example/docs/DOC-1369#550
  550 Rejected by header based Anti-Spoofing policy
  550 Administrative prohibition - envelope blocked
  550 csi.mimecast.org Poor Reputation Sender.
  554 Email rejected due to security policies
  554 Denied by policy
  550 Denied by policy
  550 Local policy violation
  554 5.7.1 Local policy violation
  550 5.7.1 Message contains spam or virus
  550 5.7.1 spam detected
  550 spam score too high
  554 5.7.1 This message scored 12.3 spam points
  550 5.7.1 Message blocked by SpamAssassin
  550 High probability of spam
  554 5.7.1 Rejected as spam by rspamd
  554 5.7.1 Spam message rejected; If this is not spam contact abuse
  451 4.7.1 Gtube pattern
  550 5.7.1 Message considered UCE
  550 This message looks like SPAM
  554 5.7.1 Message scored too high
  554 Message not allowed - [PH01] Email not accepted for policy reasons
  550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]
  550 5.7.350 Remote server returned message detected as spam
  550 5.7.520 Message blocked because it contains content identified as spam. AS(4810)
  550 5.7.501 Access denied, spam abuse detected from IP range.
  550 5.7.501 Service unavailable. Spam abuse detected from IP range
  550 5.7.502 Access denied, banned sender
  550 5.7.503 Access denied, banned sender
  550 5.7.504 [bounce@example.org]: Recipient address rejected: Access denied, banned sender
  550 5.7.506 Access Denied, Bad HELO
  550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification
  550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant
  550 5.7.606 Access denied, banned sending IP [192.0.2.9]
  550 5.7.705 Access denied, tenant has exceeded threshold
  550 5.7.708 Access denied, traffic not accepted from this IP
  550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains
  550 5.1.8 Access denied, bad outbound sender AS(42004)
  550 5.7.124 Sender not in allowed-senders list
  550 5.7.133 Sender not authenticated for group
  550 5.7.134 Sender was not authenticated for mailbox
  550 5.7.129 RESOLVER.RST.RestrictedToRecipients; not on the list of senders
  550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy
  550 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM
  550 5.7.60 SMTP; Client does not have permissions to send as this sender
  550 5.6.0 CAT.InvalidContent.Exception: content conversion
  550 5.7.1 [PLI2_4] no reverse DNS
  554 5.7.1 [P4] Message blocked due to spam content in the message.
  554 5.7.5 Permanent error evaluating DMARC policy
  550 SPF MAIL FROM check failed
  550 5.7.1 SPF fail - not authorized
  550 5.7.27 SPF hard fail
  550 [SPF] 192.0.2.9 is not allowed to send mail from example.org
  550 5.7.20 No DKIM signature
  550 5.7.1 Sender ID (PRA) Not Permitted
  550 Reverse DNS lookup failed
  550 5.7.1 Fix reverse DNS for 192.0.2.9
  554 5.7.1 You have no PTR record
  550 Helo command rejected: Host not found
  450 4.7.1 <out.example.org>: Helo command rejected: Host not found
  504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname
  550 Bad HELO - Host impersonating domain name
  550 5.7.1 Sender address rejected: not owned by user
  553 5.7.1 <app@example.org>: Sender address rejected: not logged in
  450 4.1.8 <app@example.org>: Sender address rejected: Domain not found
  550 5.1.8 Sender address rejected: Domain not found
  550 5.1.0 <app@example.org> sender rejected
  550 5.1.0 app@example.org sender rejected. AUP#SNDR
  MAIL> 550 Unroutable sender address
  550 Unrouteable sender address
  550 Sender verify failed
  550 Could not complete sender verify callout
  451 Could not complete sender verify
  550-Verification failed for <app@example.org> 550-The mail server could not deliver mail to app@example.org. The account or domain may not exist 550 Sender verify failed
  550 bogus mail from
  550 Invalid sender domain
  553 Sender domain is empty
  553 Domain name required for sender address
  554 Sender address has been blacklisted
  550 sender is in my black list
  550 Your domain is blacklisted
  550 your e-mail address has been blacklisted
  550 5.7.1 The sender is blocked by the recipient
  550 Sender is blocked
  550 sender IP is in the block list
  550 Sender blocked
  554 5.7.1 Sender denied
  554 Sender denied
  550 5.1.0 Sender Denied
  553 5.1.8 invalid sender
  550 Null sender is not allowed
  550 Empty envelope senders not allowed
  550 BATV failed to verify
  550 No bounces accepted
  550 backscatter protection detected invalid or expired email address
  550 5.7.1 Message rejected due to DMARC
  554 5.7.7 Email not accepted for policy reasons
  550 Virus found
  554 5.7.1 Virus Eicar-Test found
  554 5.7.1 Message contains malware
  550 5.7.1 infected: Win.Test.EICAR
  554 5.7.0 Reject, id=12345-10 - INFECTED: Eicar
  554 5.7.0 Reject, id=12345-10 - BANNED: .exe
  554 5.7.0 Reject, id=12345-10 - spam
  550 This message contains a blacklisted attachment
  550 5.7.1 Executable attachments are not accepted
  550 Attachments with extension .zip are not accepted
  554 dangerous attachment
  552 5.7.0 This message was blocked because its content presents a potential security issue
  550 5.7.1 Encrypted archives are not allowed
  550 5.7.1 Message contains a blocked URL
  550 5.7.1 URL in message is listed by URIBL
  550 Message rejected due to content restrictions
  554 5.7.1 Message content rejected
  550 5.7.1 Message filtered by content rule
  554 rejected due to spam URL in content
  550 5.7.1 Header Blocked - spam
  550 5.7.1 This message has been blocked because it contains FortiGuard - AntiSpam blocking URL(s).
  550 5.7.1 Message was identified as junk mail
  554 5.7.1 Rejected due to phishing
  550 Messages without To: header are not accepted
  550 5.7.1 Messages missing a valid address in From: header are not accepted
  554 5.6.0 Invalid message: no From header
  550 Missing Date header
  554 5.6.0 Message contains bare LF
  550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal; message contains bare linefeeds
  550 header syntax error
  550 syntactically invalid header
  550-Message headers fail syntax check
  550 5.7.1 Not RFC 5322 compliant
  553 5.1.7 The sender address is not a valid RFC 5321 address
  554 5.7.1 Country not allowed
  550 Mail from your country is not accepted
  550 Access denied by geo IP filter
  550 5.7.1 Access denied
  554 5.7.1 Access denied
  550 Permission denied
  550 Access denied
  550 rejected by local policy
  550 Message rejected
  554 Message refused
  550 Your message was rejected
  550 Mail rejected
  550 5.7.0 Blocked
  554 Transaction not permitted
  550 5.7.1 Delivery not authorized, message refused
  550 You are not allowed to send mail to this address
  550 5.7.1 You do not have permission to send to this group
  550 you are not on the list of allowed senders
  550 Closed mailing list
  550 This list only accepts mail from members
  550 by non-member to a members-only list
  550 posting to this list is restricted
  553 5.7.1 Recipient only accepts mail from known senders
  530 5.7.0 Must issue a STARTTLS command first
  550 5.7.10 TLS required
  550 authentication required
  530 5.5.1 Authentication Required
  550 5.7.1 Unauthenticated senders not allowed
  550 5.7.1 DNSBL:RBL 521< 192.0.2.9 >_is_blocked
  550 5.7.1 521 AUP#BL blocked, see https://postmaster.example
  554 5.7.1 AUP#1310 IP listed
  550 AUP#I-1000 bad reputation
  554 ERROR: Mail refused - <192.0.2.9> - See https://security.example/amirblocked
  554 5.7.1 Your server is sending spam
  550 5.7.1 Too much spam from your network
  421 4.7.0 Too many spams from your IP, blocked temporarily
  550 5.7.1 Message rejected: sender or sending IP has low reputation
  421 4.7.0 IP 192.0.2.9 is temporarily blocked
  421 Your network is temporary blacklisted
  550 Dynamic IP addresses are not accepted
  550 5.7.1 we do not accept mail from dynamic IPs
  550 hosts with generic PTR are refused
  554 5.7.1 Domain example.org is listed in DBL
  550 sender domain listed in SURBL
  550 Ihre IP-Adresse ist gesperrt
  554 IP-Adresse blockiert
  550 Abgelehnt wegen Richtlinie
  550 Nachricht abgelehnt
  550 Annahme verweigert
  550 Als Spam abgelehnt
  550 Message refusé
  550 Accès refusé
  550 Adresse IP bloquee
  550 Emetteur invalide
  550 votre message a ete rejete
  550 Acceso denegado
  550 Mensaje rechazado
  550 remitente rechazado
  550 IP bloqueada
  550 accesso negato
  550 messaggio rifiutato
  550 mittente non valido
  550 mensagem rejeitada
  550 acesso negado
  550 Remetente inválido
  550 IP bloqueado
  550 Bericht geweigerd
  550 Toegang geweigerd
  550 Meddelandet avvisades
  550 wiadomosc odrzucona
  550 Nadawca zablokowany
  550 zpráva odmítnuta
  550 Письмо отклонено
  550 Сообщение похоже на спам
  550 Доступ запрещен
  550 IP в черном списке
  550 Mesaj reddedildi
  550 Erişim engellendi
  550 拒绝接收
  550 垃圾邮件
  550 发件人被拒绝
  550 IP被列入黑名单
  550 スパムと判定されました
  550 受信拒否
  550 스팸으로 차단되었습니다
  550 수신 거부
  550 5.7.1 Message rejected under suspicion of SPAM
  550 spam message rejected
  550 5.7.1 Mail content denied
  550 Mail content denied. https://service.mail.qq.example/
  550 Suspected spam ip. http://service.mail.qq.example
  554 DT:SPM 163 mx9,PsCowEAJ2k_1
  554 IP<192.0.2.9> in blacklist, smtp refused
  554 Reject by behaviour spam at Rcpt State (Connection IP address:192.0.2.9)
  554 5.7.1 Rejected by content anti-spam
  554 5.7.1 The message from (<app@example.org>) with the subject of (x) matches a profile the Internet community may consider spam. Please revise your message before resending.
  550 rejected by spam filter
  550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.
  550 5.7.1 Mail appears to be unsolicited
  550 5.7.1 ESA rejected: senderbase reputation
  550 Unable to accept: bulk mail
  550 5.7.1 Email quarantined as bulk
  550 Please use the SMTP server of your ISP
  550 571 Message Refused
  550 "The mail server detected your message as spam and has prevented delivery."
  550-"JunkMail rejected"
  550 Administrative prohibition
  550 Message rejected for policy reasons
  550 5.7.1 Rule imposed as sender blocked
  554 5.7.1 You tried to send to a honeypot
  550 5.7.1 Banned
  550 Policy rejection
  571 5.7.1 Delivery refused
  550 5.7.25 Client host rejected: cannot find your hostname
  450 4.7.1 Client host rejected: cannot find your reverse hostname
  421 4.7.1 Sender IP must resolve
  550 Host 192.0.2.9 is not permitted to send mail for domain example.org
  host mx.example.com[192.0.2.9] said: 554 5.7.1 blocked (in reply to MAIL FROM command)
  SMTP error from remote mail server after initial connection: host mx.example.com [192.0.2.9]: 554 no thanks
  SMTP error from remote mail server after end of data: host mx.example.com [192.0.2.9]: 550 spam
  host mx.example.com refused to talk to me: 554 5.7.1 Access denied
  host mx.example.com[192.0.2.9] refused to talk to me: 550 blocked
  550 CXBL The sending IP address has been blocked by Cox due to exhibiting spam-like behavior
  421 CXDNS There was an issue with the connecting IP address Domain Name System
  554 IPBL0001 The sending IP address is listed in the Spamhaus Zen DNSBL
  552 URLBL011 A URL within the body of the message was found on blocklist SURBL and Spamhaus DBL
  554 5.7.1 (CON:B1) The IP address has been blocked due to a spike in unfavorable e-mail statistics
  554 (HVU:B1) The URL contained in this message has generated high volume of complaints
  421 4.7.1 (DYN:T1) http://postmaster.info.example/errors/421dynt1.html
  554 (RTR:BB) The IP address has been blocked
  550 5.7.1 (RLY:NW) The user has blocked mail from you
  554 RLY:B1 dynamic/residential IP relay blocked
  554 POL-P1 The recipient's mail policy refuses this sender
  550 DNS-P1 Your MAIL FROM domain does not exist
  554 IB105. Connection refused. 192.0.2.9 is listed on the Exploits Block List
  554 IB108 Temporarily rejected. Reverse DNS for 192.0.2.9 failed
  552 IB212 This message has been blocked due to content
  554 IB607 Connection refused. 192.0.2.9 has a poor reputation on Cloudmark
  550 Suspected bounce attacks
  550 MI:NHD http://mail.163.example/help
  501 Mail from address must be same as authorization user
  554 5.1.8 Email Outgoing Blocked
  553 Attachment not allowed
  550 5.1.20 Multiple From addresses are not allowed without a Sender address
  550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's recipient domain. Rejecting
  550 5.7.193 UnifiedGroupAgent; Delivery failed because the sender isn't a group member or external senders aren't permitted to send to this group
  550 5.7.12 SMTP; Unable to send. Sender was not authenticated by organization
  550 5.7.1 Message rejected as spam by Content Filtering
  550 5.7.1 This message was rejected by our content filter (ASF)
  550 5.7.1 Message blocked due to security reason
  554 5.7.1 message contains unwanted content
  550 mail from your host is not accepted
  550 Spam is not tolerated
  550 bad sender
  550 Sender not allowed
  550 mail not accepted from blacklisted IP address
  421 Server refusing connection: 192.0.2.9
  554 Connection refused, bad reputation
  554 The IP address you are using to connect is in our reputation blacklist
  550 sender authentication failed
  550 forged HELO
  550 bad HELO name
  554 5.7.1 invalid HELO
  450 4.7.1 Helo command rejected: Domain not found
  554 5.7.1 Sender address not verified
  550 5.1.8 sender domain must resolve
  550 envelope sender domain must exist
  451 4.1.8 Domain of sender address does not resolve
  550 5.7.1 Message content not acceptable
  552 Rejected: suspicious attachment
  550 5.7.1 URL blacklisted
  550 Message violates our terms of use
  550 5.7.1 Recipient not accepting mail from your domain
  550 You are blocked by this recipient
  550 The sender address is on the recipient's block list
  550 5.7.1 Your mail was refused because of its content
  554 Virus scan: infected message rejected
  554 5.7.1 Forbidden for policy reasons
  550 We do not accept mail from your ISP
  554 Not accepting mail from this host
  550 5.7.1 Authentication-Results: dkim=fail
  550 Too many spam complaints
  550 5.7.1 Contact the postmaster of this system, your IP is banned
  554 5.7.1 Mail appears to be spam
  550 Message failed DNSBL checks
  554 HELO rejected
  554 5.7.9 Message considered as bulk email
  550 Access restricted
  550 Unauthorized sender
  550 Disallowed by recipient's settings
  550 5.7.1 Our system has detected that this message is 550-5.7.1 likely unsolicited mail.
  554 5.7.1 [192.0.2.9] is listed on Mail Baby IP blacklist
  550 5.7.1 Mail from IP 192.0.2.9 was rejected due to listing in Spamhaus SBL
  550 Connections from the host out.example.org (192.0.2.9), originating from SpamCop... are blocked
  550-5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/192.0.2.9
  554 Your email is considered spam (5.3 spam-hits)
  550 This message was identified as spam with score 17
  550 5.7.1 Message rejected due to spam content
  554 5.7.1 Message cannot be accepted, spam rejection
  550 rejected because of unacceptable content
  554 5.6.0 Message contains viruses
  550 5.7.1 Rejected for policy reasons
  550 5.0.0 Sorry, your message was rejected by the user's filter
  554 Refused. Your reverse DNS entry does not resolve.
  550 Cannot resolve your domain
  553 <app@example.org>: Sender address rejected: Your domain does not exist
  550 your mail system isn't RFC compliant -- mail refused
  553 Invalid sender domain
  554 5.7.1 Spoofed sender
  550 SPF Fail
  550-5.7.26 DMARC quarantine/reject
  554 5.7.5 DKIM body hash did not verify
  554 mx.example.net : Access to this service has been denied
  550 Your IP has been manually blocked
  554 You are on our blacklist, contact us
  550 Spammers not welcome
  550 sender IP not allowed in this domain
  550 The sender did not meet Exchange Server sender authentication requirements to send to this recipient
  554 5.7.1 The file invoice.xls has been blocked. File quarantined as: b1.
  554 5.7.1 mail refused: attachment type not permitted
  550 Message rejected by FortiMail: antispam
  550 5.7.1 delivery not authorized
  550 5.7.1 Requested action not taken: message refused
  550 Blocked by Trend Micro Email Reputation Service
  550 5.7.1 Email rejected - ProtectService: content
  550 5.7.364 Remote server returned invalid or missing PTR
  550 recipient only accepts mail from authenticated users
  571 <app@example.org>: message rejected by administrator
  550 5.7.1 The recipient does not accept mail from you
  554 email rejected: your account was reported for abuse
  550 User jane has blocked your address
  Your message has been blocked: too many links
  The message you sent was rejected because it was classified as bulk mail
  Your email was rejected due to our security policy
  Message blocked: the response was: 550 5.7.1 Sender IP is listed at SpamCop
  The recipient's server did not accept your request: Blocked as spam
  Content filter has rejected the message
  This message was blocked as it contains a banned file name
  The message was quarantined because of a virus
  Mail server 192.0.2.9 is blocked because of abuse. Visit https://example.net/unblock
  you are not permitted to send to this address from outside the organisation
  Delivery not allowed: moderated recipient, sender has no permission
  Your domain has no SPF record
  DKIM: invalid signature
  Not delivered: DMARC reject by recipient policy
  we don't accept mail from consumer connections
  5.7.1 Client does not have permission to submit mail to this server
  Group only accepts messages from people in its organization
  You can't send to this group; your message wasn't delivered because you aren't allowed to post messages
  550 5.7.1 Suspicious origin
  spamassassin identified this message as spam, rejected
  550 ACL: sender listed as bad
  554 Transaction failed: message marked as spam
  550 Message blocked. Please see the bounce reference
  554 5.7.1 Message refused by DNSBL
  `,
)

table(
  'infra',
  `
  451 4.3.0 content scanner timeout
  421 4.3.2 system going down
  450 4.4.1 backend timed out
  550 5.3.0 mail storage offline
  451 cannot write to disk
  554 5.4.0 too many hops in header
  550 internal processing fault
  454 4.7.0 cannot negotiate TLS
  502 command not available
  501 wrong number of arguments
  550 5.4.7 gave up after 5 days
  421 connection lost to storage
  451 queue full, try again later
  421 cannot fork
  550 5.3.5 mail server misconfigured
  450 4.3.0 temporary failure in delivery
  554 no route to mail host
  550 delivery agent crashed
  503 need MAIL before RCPT
  451 lookup timed out
  550 5.4.6 recursive forwarding detected
  421 out of memory
  450 temporary database outage
  554 processing failed
  451 DNS server did not answer
  500 bad syntax
  421 shutting down
  550 5.4.7 undelivered for 48 hours
  554 5.4.14 Hop count exceeded - possible mail loop
  451 4.7.0 Temporary server error. Please try again later. PRX2
  451 4.3.2 Internal error reading data
  451 4.0.0 collect: I/O error on connection
  554 5.3.2 too many hops, this message is looping (#5.4.6)
  421 4.4.2 Connection dropped due to SocketError
  421 Temporary failure (OpenSMTPD) expired
  454 4.7.5 Certificate verification failed
  451 4.3.0 Mail server temporarily rejected message (#4.3.0)
  421 4.2.1 Unable to append message to mailbox, try again later
  441 4.4.1 No answer from host
  442 Bad connection
  550 5.4.6 Routing loop detected
  471 4.7.1 local problem
  451 4.4.0 Primary target IP address responded with: "421 4.4.1 Connection timed out." Attempted failover to alternate host, but that did not succeed.
  431 4.3.1 mail system full
  432 4.3.2 recipient's incoming mail queue has been stopped
  451 4.3.0 milter unavailable
  554 5.3.0 Internal error while storing message
  500 5.5.1 Command unrecognized: "XXXX"
  503 5.5.1 RCPT first
  421 4.4.2 mx.y.example Error: timeout exceeded
  454 4.4.4 mail for y.example loops back to myself
  450 4.4.3 DNS temporary failure
  554 Configuration is invalid for this certificate
  432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded
  550 5.3.5 System incorrectly configured
  454 4.4.317 Cannot connect to remote server [Message=451 5.7.3 STARTTLS is required to send mail]
  550 5.4.316 Message expired, connection refused(Socket error code 10061)
  450 4.4.312 DNS query failed
  550 5.0.350 Remote server returned an error -> 550 non-ascii
  451 our database is down
  421 server is shutting down for maintenance
  450 4.2.0 mailbox locked by another session
  451 4.4.1 next hop does not answer
  550 5.3.0 cannot write spool file
  554 5.4.6 message loops: 30 hops
  451 antivirus scanner not available, try later
  554 5.3.0 program mailer exited with EX_TEMPFAIL
  500 line not understood
  421 timeout waiting for your next command
  454 TLS handshake failure
  451 disk failure
  554 message could not be delivered for 5 days
  domain has null MX
  example.com does not accept mail (nullMX)
  550 Domain example.com does not accept email
  DNS Error: DNS type 'mx' lookup of exmaple.com responded with code NXDOMAIN
  DNS Error: Domain name not found
  450 4.1.2 <jane@exmaple.com>: Recipient address rejected: Domain not found
  connect to mx.example.com[192.0.2.9]:25: Connection timed out
  connect to mx.example.com[192.0.2.9]:25: Connection refused
  connect to mx.example.com[192.0.2.9]:25: No route to host
  connect to mx.example.com[2001:db8::1]:25: Network is unreachable
  lost connection with mx.example.com[192.0.2.9] while sending end of data -- message may be sent more than once
  lost connection with mx.example.com[192.0.2.9] while receiving the initial server greeting
  conversation with mx.example.com[192.0.2.9] timed out while receiving the initial server greeting
  timed out while sending MAIL FROM
  mail for example.com loops back to myself
  mail forwarding loop for jane@example.com
  554 5.4.6 Too many hops
  554 Too many hops 26 (25 max)
  554 too many Received headers
  Too many "Received" headers - suspected mail loop
  SMTP: hop count exceeded
  550 5.4.14 Hop count exceeded - possible mail loop
  retry timeout exceeded
  retry time not reached for any host after a long failure period
  retry time not reached for any host
  message expired
  550 4.4.7 QUEUE.Expired; message expired
  delivery temporarily suspended: connect to mx.example.com[192.0.2.9]:25: Connection timed out
  delivery temporarily suspended: lost connection with mx.example.com
  Remote host did not respond
  remote host said: 421 service not available (connect failed)
  SMTP connection timed out
  Deferred: Connection reset by mx.example.com
  Deferred: Operation timed out with mx.example.com
  unable to connect to remote server
  Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
  Connected to 192.0.2.9 but connection died. (#4.4.2)
  Connected to 192.0.2.9 but greeting failed.
  I'm not going to try again; this message has been in the queue too long.
  451 4.3.0 Temporary lookup failure
  451 4.3.0 <jane@example.com>: Temporary lookup failure
  450 4.1.1 <jane@example.com>: Recipient address rejected: unverified address: Address verification in progress
  451 4.3.5 Server configuration error
  451 4.3.5 Server configuration problem
  451 4.3.0 Error: queue file write error
  451 Temporary local problem - please try later
  451 Temporary authentication failure
  421 4.3.2 Service not available
  421 Service not available, closing transmission channel
  421 Service unavailable, closing channel
  421 4.3.0 Server busy
  451 4.7.500 Server busy
  421 mx.example.com Error: timeout exceeded
  421 4.4.2 mx.example.com Error: timeout exceeded
  421 SMTP incoming data timeout - closing connection
  452 4.3.1 Insufficient system storage
  452 4.3.1 Insufficient system resources
  452 4.3.1 Out of memory
  431 The recipient's mail server is experiencing a Disk Full condition
  432 The recipient's Exchange Server incoming mail queue has been stopped
  441 The recipient's server is not responding
  442 The connection was dropped during the transmission
  446 The maximum hop count was exceeded for the message: an internal loop has occurred
  447 Your outgoing message timed out
  451 4.4.0 Primary target IP address responded with: 421 4.2.1 Unable to connect
  554 5.3.0 unknown mailer error 1
  unknown mailer error 255
  Command died with status 1: "/usr/bin/procmail"
  Command time limit exceeded: "/usr/bin/procmail"
  command died with signal 11
  Child process of virtual_transport transport returned 127 from command
  pipe to |/usr/bin/vacation
  local delivery failed
  mail system configuration error
  550 5.3.5 System configuration error
  554 5.3.5 Local configuration error
  554 5.3.5 config error: mail loops back to me (MX problem?)
  553 5.3.5 system config error
  451 Internal server error
  451 internal error
  550 Internal server error
  554 5.3.0 Internal error
  451 4.3.2 System not accepting network messages
  421 System shutting down
  451 Requested action aborted: local error in processing
  451 Requested action aborted: error in processing
  451 Local error
  451 qqt failure (#4.3.0)
  451 qq write error or disk full (#4.3.0)
  451 mail server out of memory (#4.3.0)
  451 Unable to fork (#4.3.0)
  452 4.3.1 Mail system full
  cannot update mailbox /var/mail/jane for user jane. unable to create lock file
  unable to open mailbox /var/mail/jane: Permission denied
  Unable to open maildir
  can't open mailbox
  procmail: Lock failure on "/var/mail/jane.lock"
  procmail: Error while writing to "/var/mail/jane"
  mail.local: cannot open mailbox
  local configuration error
  503 5.5.1 Bad sequence of commands
  503 sender not yet given
  500 5.5.1 Command unrecognized
  500 unrecognized command
  502 5.5.2 Error: command not recognized
  501 5.5.4 Syntax: MAIL FROM:<address>
  501 5.5.4 Invalid arguments
  555 5.5.4 Unsupported option: SIZE
  504 Command parameter not implemented
  550 5.5.2 Syntax error
  500 Syntax error, command unrecognized
  550 5.4.318 Message expired, connection reset
  550 5.4.316 Message expired, connection refused
  550 5.4.317 Message expired, cannot connect to remote server
  550 5.4.300 Message expired
  550 5.0.350 Remote server returned an error -> 421 try later
  451 4.4.3 Temporary server error. Please try again later
  451 4.4.4 Mail received as unauthenticated, incoming to a recipient domain configured in a hosted tenant which has no mail-enabled subscriptions
  451 4.4.1 [internal] No answer from host
  451 4.4.2 [internal] connection dropped
  421 4.4.1 Connection timed out
  421 4.4.0 [internal] no MXs for this domain could be reached at this time
  454 4.7.0 TLS not available due to temporary reason
  454 TLS not available due to local problem
  TLS is required, but was not offered by host mx.example.com[192.0.2.9]
  Cannot start TLS: handshake failure
  SSL_connect error to mx.example.com
  Server certificate not verified
  421 Unable to deliver to backend server
  421 4.3.0 backend error
  451 4.3.0 Mail server temporarily rejected message
  450 4.3.0 Internal error, please try again later
  451 Mail server is busy
  421 Downstream server error
  451 Downstream server temporarily unavailable
  451 LDAP error
  451 4.3.0 database error
  451 Error while writing spool file
  451 Could not load DRD for domain (example.com)
  453 4.3.2 No system resources
  421 Overloaded
  421 load average too high
  451 Load too high, try later
  Remote server is misconfigured
  delivery attempts will continue to be made
  Delivery time expired
  host not reachable
  host unreachable
  Message timed out
  message has been delayed
  unable to deliver message after multiple retries
  Your message was not delivered within 3 days. Host mx.example.com is not responding.
  Vorübergehender Fehler
  451 Bitte später erneut versuchen
  451 Zeitüberschreitung
  451 Erreur temporaire
  451 Service indisponible
  451 Error temporal
  451 Servicio no disponible
  451 errore temporaneo
  451 servizio non disponibile
  451 erro temporário
  451 tente novamente mais tarde
  451 tijdelijke fout
  451 tillfälligt fel
  451 tymczasowy błąd
  451 dočasná chyba
  451 Временная ошибка
  451 Повторите попытку позже
  451 geçici hata
  451 系统繁忙
  451 请稍后再试
  451 一時的なエラー
  451 일시적 오류
  450 4.0.0 hmm
  421 mx.example.com closing connection
  421 4.4.2 Connection dropped
  451 Failed to process the message
  451 4.3.0 Message temporarily rejected
  450 mailbox temporarily unavailable
  450 4.2.1 Mailbox busy
  450 Requested mail action not taken: mailbox unavailable
  450 4.2.0 mailbox is locked by another process
  550 5.4.11 Agent generated message depth exceeded
  451 4.7.0 Temporary server error. Please try again later. PRX5
  550 5.7.322 certificate-expired: destination mail server's certificate is expired
  550 5.2.14 Misconfigured forwarding address
  503 5.5.2 Send hello first
  432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded
  451 4.7.700 Access denied, please try again later
  Mail loop detected
  554 routing loop detected
  Delivery failed after 3 days
  451 Resources temporarily not available - Please try again later
  421 Closing connection due to inactivity
  421 timeout
  451 Unable to complete command, DNS not available or timed out
  452 Try again later
  421 Unexpected failure, please try later
  451 Please try again
  451 Temporary failure, please try again later.
  454 Temporary failure
  4.4.1 No answer from host
  Mail server at example.com is unreachable
  451 aborted, local error
  550 5.3.0 Requested action aborted: system failure
  554 mail server permanently misconfigured
  550 Unexpected end of data
  500 command not recognized
  421 4.4.2 idle timeout
  451 Cannot open spool file
  Mail delivery failed: maximum retry time exceeded
  Host unreachable for too long
  4.4.7 Delivery time expired
  550 process died
  451 4.3.0 Temporary system problem. Try again later
  421 4.4.2 Connection timed out
  451 4.4.2 Timeout - closing connection
  400 Timeout
  450 4.4.2 [192.0.2.9] Connection reset
  Connection closed by remote host
  554 5.4.0 Too many hops
  554 5.4.12 SMTP; Hop count exceeded
  loop detected: message already has Delivered-To
  This message is looping: it already has my Delivered-To line. (#5.4.6)
  451 4.3.5 Improper use of SMTP command pipelining
  503 5.5.0 polite people say HELO first
  500 5.5.2 unrecognized command
  delivery temporarily suspended: host mx.example.com[192.0.2.9] refused to talk to me: 421 too busy
  451 mailbox server unreachable
  451 4.3.0 Mail transport unavailable
  mail transport unavailable
  450 4.1.1 <jane@example.com>: Recipient address rejected: unverified address: connect to mx: Connection refused
  Message could not be delivered for 5 days
  4.4.7 message not delivered within 3 days
  Could not send message for past 2 days
  Giving up after 10 attempts
  452 4.2.1 mailbox temporarily unavailable
  451 4.7.1 Server configuration problem
  450 4.7.1 Service unavailable
  550 5.4.1 connection refused
  421 4.3.0 collect: Cannot write to spool
  service "smtp" unavailable: unable to allocate memory
  The server for example.com did not respond within the time allowed
  Delivery incomplete: There was a temporary problem delivering your message. Gmail will retry for 46 more hours.
  The recipient server did not accept our requests to connect. [mx.example.com 192.0.2.9: timed out]
  The remote server was unable to accept the mail at this time; giving up
  Message not delivered: mail loop, hop limit reached
  unable to deliver this message after 4 days; the destination server is down
  transport error 41: SMTP transport failure
  The mail system was unable to deliver: I/O error
  451 Cannot process message at this time
  Connection was dropped before the server greeting
  mailbox locked by pop server
  A problem occurred during the delivery: internal software error
  LMTP error from dovecot: 451 4.2.0 Internal error occurred
  deferral: Connected to 192.0.2.9 but connection died
  Could not connect to SMTP host
  The host is temporarily down
  Mail for example.com loops back
  `,
)

table(
  'unknown',
  `
  550 5.0.0 xkcd
  554 Transaction failed
  550 Requested action not taken
  554 delivery error
  550 Failed
  550
  550 Error
  `,
)

/** Permanent refusals that speak of mailboxes, users and addresses and are nevertheless about us, the mail or the machine. */
const NOT_THE_RECIPIENT = `
  552 5.2.2 sender over quota
  552 5.2.2 Sender's mailbox is full
  550 Unknown host in HELO
  550 5.1.1 user unknown (LDAP lookup failure)
  550 5.1.1 unknown user: alias database unavailable
  550 5.1.1 recipient requires authentication
  550 you are not logged in
  550 account not used for sending before, verify first
  550 Reverse DNS nicht eingerichtet
  550 Relay nicht eingerichtet
  550 无此权限
  550 此用户不接受您的邮件
  550 l'IP non risulta autorizzato
  550 su dominio no esta registrado
  550 su servidor no esta registrado
  550 recipient missing in To header
  550 your e-mail service has been cancelled
  550 votre adresse ip n'a pas de nom
  550 user barred from sending
  550 domain of your server is suspended
  525 user account disabled
  550 temporarily suspended user of your network
  550 mailbox of the sender missing
  550 message identical to one from a deleted account
  550 Sender's account has lapsed
  550 Ihr Konto wird nicht mehr verwendet
  550 5.1.1 your domain is unknown to us, mail refused
  550 5.1.1 unknown sender, user must be registered first
  550 5.1.1 we don't know the user who sent this
  550 No such user in your From address
  550 5.1.1 Sender address does not exist
  550 User of the sending account is suspended
  550 Sending account disabled because of spam
  550 5.2.1 Account sending limits: your account has been disabled for sending
  550 Address 192.0.2.1 not found in DNS
  550 Client host address invalid: no such name
  550 invalid address literal in HELO
  550 5.1.1 Recipient rejected your IP
  550 recipient address rejected: policy (spf) not met
  550 Recipient address rejected: sender unknown
  550 5.1.1 <jane@example.com>: Recipient address rejected: SPF fail, user unknown sender
  550 mailbox does not accept mail from unverified senders
  550 user x does not accept mail from your country
  550 mailbox unavailable: your message looks like spam
  550 mailbox unavailable - IP listed in SBL
  550 No such user or you are blacklisted
  550 address rejected: From: header invalid
  550 5.1.1 unknown client host
  550 unknown reverse DNS name; user should contact admin
  550 the account you send from is not known
  550 invalid account credentials
  535 user unknown or wrong password
  550 user lookup failed: LDAP server not found
  550 unable to find the user database
  550 recipient's server does not exist in our routing table
  550 recipient verification failed temporarily
  451 user unknown at the moment, try later
  550 mailbox store unavailable
  554 could not open mailbox: no such file
  554 the mailbox host is unknown state
  550 user has received too many mails; account limited
  550 your account exceeded the number of recipients that do not exist
  550 too many nonexistent users from your host
  550 excessive user unknown errors from 192.0.2.1
  550 rejected after too many invalid recipients
  554 dictionary attack: no such users
  550 mail from inactive domain not accepted
  550 sender mailbox is full
  550 return address mailbox does not exist
  550 The mailbox of the sender has been disabled
  550 reply-to address not found
  550 DKIM key not found for user
  550 the certificate of user is not valid
  550 user authentication not found
  550 your subscription is expired
  550 your account is not active, please contact support
  550 relay account disabled
  550 address in message header not valid
  550 link to nonexistent address in message
  550 5.7.1 access list: address not known
  550 Absenderadresse existiert nicht
  550 Benutzerkonto des Absenders gesperrt
  550 adresse de l'expediteur inconnue
  550 la cuenta del remitente no existe
  550 送信元アドレスが存在しません
  550 User not authorized to send to this mailbox
  550 5.7.1 User not allowed to send mail to this recipient
  550 Your account is not allowed to send here
  550 Your mailbox is not authorized to relay
  554 5.7.1 Sender's account is suspended
  550 The sending account has been disabled
  550 account has been disabled from sending due to spam
  550 Your account is suspended
  550 The IP address is unknown
  550 Unknown sender address
  550 Unknown client address
  550 Invalid EHLO address
  550 Address of sender not found
  550 Sender mailbox unavailable
  550 Sender mailbox does not exist
  550 Return path mailbox not found
  550 reply-to address invalid
  550 From address does not exist
  550 5.7.1 recipient policy: invalid HELO
  550 User authentication failed: unknown user
  535 5.7.8 Invalid user or password
  550 Recipient requires TLS, not available
  550 5.7.1 Recipient server unavailable
  550 user database not available
  554 account database not found
  550 mailbox server not available
  550 no such host for recipient
  550 the recipient's mail server is not available
  550 recipient domain temporarily not available
  550 Message for unknown destination host
  550 your address is not in recipient's address book
  550 This address only accepts mail from known users
  550 address list not allowed
  550 Recipient list too long
  550 no such policy for user
  550 attachment not allowed for user
  550 user jane has exceeded daily receive limit
  550 Certificate for user not valid
  550 invalid character in address header
  550 invalid message: no To address
  550 bad address in From header
  550 mailing list closed
  550 Mailbox is restricted
  550 mailbox not accepting messages from you
  550 mailbox not accepting messages from outside
  550 account not permitted to receive external mail
  550 user has not opted in
  550 recipient has not whitelisted you
  550 recipient not accepting bulk mail
  550 recipient did not accept the content
  550 user filter rejected the message
  550 rejected by recipient's spam filter, message not valid
  550 user quota for sending exceeded; account not available
  550 Ihre Absenderadresse ist unbekannt
  550 Absender existiert nicht
  550 Votre adresse IP est inconnue
  550 L'adresse de l'expéditeur n'existe pas
  550 La dirección del remitente no existe
  550 IP adresse gesperrt
  550 La dirección IP está bloqueada
  550 L'indirizzo IP non valido
  550 адрес отправителя не существует
  550 发件人地址不存在
  550 発信者のアドレスが存在しません
  550 送信者アドレスが不明です
  550 您的IP地址被禁用
  550 帐户认证无效
  550 Ihr Konto wurde gesperrt wegen Spamversand
  550 Votre compte est suspendu, envoi interdit
  550 5.1.1 The message could not be delivered due to spam
  550 5.1.1 message contains a virus
  550 5.1.1 Blocked by SpamAssassin
  550 5.1.1 too many connections
  550 5.2.1 Service not available
  550 5.1.1 Greylisted, try again
  550 5.1.1 Relay denied
  550 5.2.1 Message rejected as spam
  550 5.1.1 Access denied
  550 5.1.1 Rejected by policy
  550 5.1.1 Your IP is blocked
  550 5.2.1 your message looks suspicious
  550 5.1.1 delivery failed
  550 5.1.3 sender syntax invalid
  550 Nutzer des Servers: Zugriff nicht erlaubt
  550 Domain unknown: your HELO domain not found
  550 mail box service is inactive at the moment
  550 connection closed: user timeout, inactive session
  550 user session expired
  550 account login expired
  550 closed for maintenance: mailbox server
  550 mailbox temporarily closed for migration
  550 user password expired
  550 password of the account is invalid
  550 recipient's mail host is suspended
  550 deleted: message to mailbox removed by filter
  550 Account blocked for sending too much spam
  550 User is blocked because of spam complaints
  550 locked: mailbox in use
`

describe('never blames the recipient', () => {
  test.each(
    NOT_THE_RECIPIENT.split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  )('%s', (text) => {
    const verdict = classifier.classify({ cause: { kind: 'reply', command: 'RCPT', reply: replyFrom(text) } })
    expect(verdict.kind, verdict.rule).not.toBe('hard')
  })
})
