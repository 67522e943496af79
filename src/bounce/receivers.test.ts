// More of what receivers say, in the words of many: the cases where ours and the recipient's fault look alike, and other
// languages. The principle behind every row: in doubt between the person and us, it is us.

import { describe, expect, test } from 'vitest'
import { enhancedCodeOf, type SmtpCommand } from '../mail/reply.ts'
import { createClassifier } from './classify.ts'
import { shippedRules } from './rules.ts'
import type { Category } from './verdict.ts'

const classifier = createClassifier(shippedRules())
const M365 = 'example-com.mail.protection.outlook.com'
const MIMECAST = 'eu-smtp-inbound-2.mimecast.com'
const YAHOO = 'mta7.am0.yahoodns.net'
const GOOGLE = 'alt1.aspmx.l.google.com'

type Row = readonly [category: Category, text: string, mx?: string | undefined, command?: SmtpCommand]

function verdictOf([, text, mx, command = 'RCPT']: Row) {
  const code = Number(text.slice(0, 3))
  const line = text.slice(4)
  const enhanced = enhancedCodeOf(code, line)
  const reply = { code, lines: [line], ...(enhanced === undefined ? {} : { enhanced }) }
  return classifier.classify({ cause: { kind: 'reply', command, reply }, ...(mx === undefined ? {} : { mx }) })
}

function table(rows: readonly Row[]): void {
  const cases = rows.map((row) => ({ category: row[0], text: row[1], row }))
  test.each(cases)('$category: $text', ({ category, row }) => {
    const verdict = verdictOf(row)
    expect(verdict.category, verdict.rule).toBe(category)
  })
}

describe('all that we sent there, not this address', () => {
  table([
    ['spam-related', '451 VS1-MF Excessive unknown recipients - possible Open HTTP Proxy (#4.1.8)', YAHOO],
    ['spam-related', '550 VS99-MF Excessive unknown recipients - possible Open HTTP Proxy 192.0.2.9', YAHOO],
    ['spam-related', '550 Too many invalid recipients'],
    ['spam-related', '421 4.7.0 Too many bad recipients, closing connection'],
    ['spam-related', '550 5.7.1 Too many unknown users from your IP; blocked'],
    ['spam-related', '550 5.7.1 Directory harvest attack detected'],
    ['spam-related', '550 5.7.1 Your IP address rejected'],
    ['spam-related', '550 5.7.1 Client IP address rejected'],
    ['spam-related', '550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.', M365],
    ['spam-related', '550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold.', M365],
    ['policy-related', '550 Mail from your network is no longer accepted here'],
    ['policy-related', '550 5.7.1 TLSv1.0 connections are no longer accepted'],
    ['policy-related', '550 5.7.1 We no longer accept mail from this provider'],
  ])
})

describe('our address, not theirs', () => {
  table([
    ['invalid-sender', '554 Sender email address is invalid', MIMECAST],
    ['invalid-sender', '550 5.7.1 From address rejected'],
    ['invalid-sender', '550 Return address does not exist'],
    ['invalid-sender', '550 Reply address not valid'],
    ['invalid-sender', '550 invalid originator address'],
    ['invalid-sender', '550 5.1.7 <app@example.org>: unknown originator'],
    ['invalid-sender', "550 5.1.7 The sender's address was not found"],
    ['invalid-sender', '550 5.7.1 The address you sent from is not a valid mailbox'],
    ['invalid-sender', '554 5.7.1 The account you are sending from is not known here'],
    ['invalid-sender', '550 5.7.1 Recipient address rejected: Your message was rejected; sender address unknown'],
    ['invalid-sender', '550 5.7.1 Forged sender: account does not exist in our domain'],
    ['invalid-sender', '554 5.7.1 Your address is not a valid address'],
    ['invalid-sender', '550 You must be a local user to send mail: unknown user'],
    ['invalid-sender', '550 This account has been temporarily suspended from sending', undefined, 'dot'],
    ['rate-limited', '550 5.7.1 User quota for sending exceeded', undefined, 'dot'],
    ['authentication', '550 5.7.1 Mail from unknown host to this user refused'],
    ['authentication', '550 5.7.1 HELO name has no address record'],
    ['authentication', '550 5.7.1 Mail refused: your host has no address record in DNS'],
    [
      'relaying-issues',
      '551 This mail server requires authentication when attempting to send to a non-local e-mail address.',
    ],
    [
      'relaying-issues',
      '503 This mail server requires authentication when attempting to send to a non-local e-mail address.',
    ],
  ])
})

describe('the receiver and its rules, not the mailbox', () => {
  table([
    [
      'policy-related',
      '451 Account inbounds disabled - https://community.mimecast.example/docs/DOC-1369#451',
      MIMECAST,
    ],
    [
      'policy-related',
      '550 Account inbounds disabled - https://community.mimecast.example/docs/DOC-1369#550',
      MIMECAST,
    ],
    ['transient', '450 4.7.1 <jane@example.com>: Recipient address rejected: Service is unavailable'],
    ['transient', '554 5.7.1 <jane@example.com>: Recipient address rejected: Service is unavailable'],
    ['transient', '550 Cannot verify recipient: directory server unavailable'],
    ['transient', '550 5.1.1 Recipient verification server unavailable, try later'],
    ['transient', '550 user lookup failed: unknown database error'],
    ['transient', '554 5.3.0 unknown mailer error 2 delivering to mailbox'],
    ['policy-related', '450 4.2.0 <jane@example.com>: Recipient address rejected: Policy server unavailable'],
    ['policy-related', '550 5.7.0 Invalid TLS certificate for this recipient'],
    ['policy-related', '550 5.7.1 This domain does not accept mail sent over unencrypted connections'],
    ['message-too-large', '550 5.7.1 Recipient domain does not accept messages larger than 10 MB'],
    ['policy-related', '550 5.7.1 Recipient is closed to external senders'],
    ['policy-related', '554 Service unavailable; mailbox policy: account closed to external senders'],
    ['policy-related', '550 mailbox is closed for messages from unknown senders'],
    ['policy-related', '550 5.1.1 Blocked by recipient'],
    ['policy-related', '550 5.7.1 recipient not available for your IP'],
    ['policy-related', '550 Your country is not allowed to mail this user. Account invalid for policy'],
    ['policy-related', '550 5.7.1 User has blocked you'],
    ['policy-related', '550 5.1.1 Denied by recipient filter'],
    ['policy-related', '550 5.1.1 Message refused', undefined, 'dot'],
    ['policy-related', '550 5.1.1 Message refused'],
    ['policy-related', "551 Sorry, I don't deliver such mail", undefined, 'dot'],
    ['policy-related', '551 Message rejected: poor quality', undefined, 'dot'],
    ['rate-limited', '550 5.2.1 User is out of quota for incoming messages this hour'],
    ['protocol-errors', '554 5.5.1 Error: no valid recipients', undefined, 'DATA'],
    ['protocol-errors', '503 5.5.1 RCPT first: no recipients', undefined, 'DATA'],
    ['protocol-errors', '550 5.1.1 no valid recipients', undefined, 'DATA'],
    ['content-related', '553 Invalid recipient header: To address list not valid', undefined, 'dot'],
  ])
})

describe('and still the mailbox', () => {
  table([
    ['bad-mailbox', '550 5.4.1 All recipient addresses rejected : Access denied', M365],
    [
      'bad-mailbox',
      '550 The recipient cannot be verified. Please check all recipients of this message to verify they are valid.',
    ],
    [
      'inactive-mailbox',
      '550 5.5.0 Boite du destinataire archivee. Archived recipient. OFR_417 [417]',
      'smtp-in.orange.fr',
    ],
    ['quota-issues', '552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]', 'smtp-in.orange.fr'],
    ['bad-mailbox', '550 5.1.1 <spf.admin@example.com>: user unknown'],
    ['bad-mailbox', '550 5.1.1 <jane@example.com> User unknown; rejecting'],
    ['inactive-mailbox', '554 5.7.1 The recipient account is closed'],
    ['inactive-mailbox', '550 Account has been blocked due to inactivity'],
    ['inactive-mailbox', '550 5.1.1 This address is no longer in use'],
    ['bad-mailbox', '551 User not local; please try <jane@elsewhere.example>'],
  ])
})

describe('blocks', () => {
  table([
    [
      'spam-related',
      '554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using b.barracudacentral.org',
      undefined,
      'RCPT',
    ],
    ['spam-related', '550 5.7.1 Refused: 192.0.2.9 is on our local blocklist, contact postmaster@example.com'],
    ['spam-related', '521 5.2.1 Your server 192.0.2.9 is listed in bl.spamcop.net'],
    ['spam-related', '554 mx.example.com ESMTP not accepting messages from your IP', undefined, 'banner'],
    ['spam-related', '550 5.7.1 Email rejected because 192.0.2.9 is listed by zen.spamhaus.org'],
    ['spam-related', '554 5.7.1 Rejected: sending host 192.0.2.9 has a poor reputation'],
    ['spam-related', '550 5.7.1 Votre adresse IP est sur liste noire (192.0.2.9 blacklisted)'],
    ['spam-related', '550 Ihre IP-Adresse 192.0.2.9 steht auf einer Blacklist'],
    ['spam-related', '550 5.7.1 Su IP 192.0.2.9 se encuentra en lista negra'],
    ['spam-related', "550 L'indirizzo IP 192.0.2.9 è in una blacklist"],
    ['policy-related', '554 5.7.1 Mail from this country is not permitted for this recipient'],
    ['policy-related', '550 5.7.1 Die Annahme dieser Nachricht wurde aus Richtliniengründen abgelehnt (policy)'],
  ])
})

describe('rates and greylists', () => {
  table([
    ['rate-limited', '421 4.7.0 Too many messages from 192.0.2.9 in the last hour'],
    ['rate-limited', '450 4.7.1 You have sent too many mails, slow down please'],
    ['rate-limited', '452 4.5.3 Your domain has exceeded its hourly message limit for this server'],
    ['rate-limited', '421 4.4.5 Zu viele gleichzeitige Verbindungen von 192.0.2.9'],
    ['rate-limited', '421 4.7.0 Demasiadas conexiones desde 192.0.2.9'],
    ['rate-limited', '421 Troppe connessioni da 192.0.2.9, riprovare'],
    ['rate-limited', '421 4.7.28 Gmail has detected an unusual rate of mail from your DKIM domain.', GOOGLE],
    ['greylisted', '451 4.7.1 You have been greylisted, please retry in a few minutes'],
    ['greylisted', '450 4.2.0 Graylisted: new sender triplet, come back later'],
    ['greylisted', '451 Sie wurden per Greylisting temporaer abgewiesen'],
    ['greylisted', '451 4.7.1 Temporairement refuse (greylisting), veuillez reessayer'],
    ['greylisted', '451 4.7.1 Please try again in 5 minutes'],
  ])
})

describe('content', () => {
  table([
    ['content-related', '554 5.7.1 Rejected: message looks like spam (score 14.2)', undefined, 'dot'],
    ['content-related', '550 5.7.1 Nachricht als Spam eingestuft', undefined, 'dot'],
    ['content-related', '550 5.7.1 Message refusé : contenu indésirable (spam)', undefined, 'dot'],
    ['content-related', '554 El mensaje fue clasificado como spam', undefined, 'dot'],
    ['content-related', '554 Messaggio rifiutato: contenuto ritenuto spam', undefined, 'dot'],
    ['virus-related', '550 5.7.1 Virus in der Nachricht gefunden: Eicar', undefined, 'dot'],
    ['prohibited-attachment', '554 5.7.1 Attachment of type .exe is not allowed', undefined, 'dot'],
    ['content-related', '554 5.6.0 Message has a malformed MIME structure', undefined, 'dot'],
  ])
})

describe('authentication and names', () => {
  table([
    ['authentication', '550 5.7.1 Rejected by the DMARC policy of example.org', undefined, 'dot'],
    ['authentication', '550 5.7.23 SPF check failed: 192.0.2.9 may not send for example.org', undefined, 'MAIL'],
    ['authentication', '554 5.7.20 No passing DKIM signature found', undefined, 'dot'],
    ['authentication', '450 4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.9]'],
    ['authentication', '554 Kein gültiger PTR-Eintrag für 192.0.2.9', undefined, 'banner'],
    ['authentication', '550 5.7.1 Pas de reverse DNS pour 192.0.2.9', undefined, 'banner'],
    ['authentication', '550 5.7.9 This mail has been blocked because the sender is unauthenticated.', GOOGLE, 'dot'],
    ['authentication', '550 El remitente no cumple con SPF', undefined, 'MAIL'],
  ])
})

describe('quota in other words', () => {
  table([
    ['quota-issues', '552 5.2.2 Das Postfach ist voll'],
    ['quota-issues', '552 5.2.2 Speicherplatz des Postfachs überschritten'],
    ['quota-issues', '550 Postfach des Empfängers ist überfüllt'],
    ['quota-issues', '552 La boîte aux lettres du destinataire est pleine'],
    ['quota-issues', '552 Le quota de la boite est depasse'],
    ['quota-issues', '552 Buzón lleno'],
    ['quota-issues', '452 El buzón del usuario ha excedido su cuota'],
    ['quota-issues', '552 La casella del destinatario è piena'],
    ['quota-issues', '452 Casella di posta piena, quota superata'],
    ['quota-issues', '552 5.2.2 A caixa postal está cheia'],
    ['quota-issues', '552 5.2.2 <jane@example.jp> mailbox is full (over the capacity of mailbox)'],
    ['quota-issues', '550 Mail data refused because the mailbox of user is full'],
  ])
})

describe('unknown users in other words', () => {
  table([
    ['bad-mailbox', '550 5.1.1 Unbekannter Benutzer'],
    ['bad-mailbox', '550 Empfänger unbekannt'],
    ['bad-mailbox', '550 5.1.1 Dieses Postfach existiert nicht'],
    ['bad-mailbox', '550 Die Adresse jane@example.de ist unbekannt'],
    ['bad-mailbox', '550 5.1.1 Utilisateur inconnu'],
    ['bad-mailbox', '550 Destinataire inconnu dans ce domaine'],
    ['bad-mailbox', "550 5.1.1 Cette adresse n'existe pas"],
    ['bad-mailbox', '550 5.1.1 Usuario desconocido'],
    ['bad-mailbox', '550 El destinatario no existe'],
    ['bad-mailbox', '550 La cuenta jane@example.es no existe'],
    ['bad-mailbox', '550 5.1.1 Utente sconosciuto'],
    ['bad-mailbox', '550 La casella di posta non esiste'],
    ['bad-mailbox', '550 5.1.1 Usuário desconhecido'],
    ['bad-mailbox', '550 5.1.1 Gebruiker onbekend'],
    ['bad-mailbox', '550 5.1.1 Nieznany użytkownik'],
    ['bad-mailbox', '550 5.1.1 Okänd mottagare'],
    ['bad-mailbox', '550 5.1.1 <jane@docomo.example>: Unknown user at this domain'],
    ['bad-mailbox', '550 Invalid recipient: <jane@ezweb.example>'],
    ['inactive-mailbox', '550 5.2.1 Das Konto ist deaktiviert'],
    ['inactive-mailbox', '550 5.2.1 La cuenta está deshabilitada'],
    ['inactive-mailbox', '550 5.2.1 Le compte est désactivé'],
  ])
})

describe('passing troubles in other words', () => {
  table([
    ['transient', '451 4.3.0 Vorübergehender Fehler, bitte später erneut versuchen'],
    ['transient', '451 4.3.0 Erreur temporaire, réessayez plus tard'],
    ['transient', '451 Error temporal, intente más tarde'],
    ['transient', '421 4.3.2 System going down for maintenance'],
    ['transient', '451 4.3.5 Server configuration problem'],
  ])
})
