// Microsoft and Lotus, old and new, and the headings in all their languages. Samples are
// written for these tests; `told` is `address action status code command | diagnostic`.

import { expect, test } from 'vitest'
import { type Sample, toldBy } from '../../../test/support/prose.ts'

const SAMPLES: readonly { name: string; family: string; sample: Sample; told: readonly string[] }[] = [
  {
    name: 'notes',
    family: 'notes',
    sample: {
      from: 'Mail Router <Mailer-Daemon@mx.example.net>',
      subject: 'Undeliverable message',
      text: `
------- Failure Reasons  --------

User not listed in public Name & Address Book
jdoe@notes.example.org

------- Returned Message --------

Received: x
`,
    },
    told: ['jdoe@notes.example.org failed | User not listed in public Name & Address Book'],
  },
  {
    name: 'domino de',
    family: 'domino',
    sample: {
      from: 'Postmaster@mx.example.net',
      subject: 'ZUSTELLUNGSFEHLER: User jdoe (jdoe@example.org) nicht im Domino-Verzeichnis',
      text: `
Ihre Nachricht

  Subject: Hallo

wurde nicht zugestellt an:

  jdoe@example.org

weil:

  User jdoe (jdoe@example.org) nicht im Domino-Verzeichnis aufgeführt
`,
    },
    told: ['jdoe@example.org failed | User jdoe (jdoe@example.org) nicht im Domino-Verzeichnis aufgeführt'],
  },
  {
    name: 'domino name',
    family: 'domino',
    sample: {
      from: 'Postmaster@mx.example.net',
      subject: 'DELIVERY FAILURE: User jdoe (jdoe@example.org) not listed in Domino Directory',
      text: `
Your message

  Subject: Hello

was not delivered to:

  CN=John Doe/O=ACME@ACME

because:

  User jdoe (jdoe@example.org) not listed in Domino Directory
`,
    },
    told: ['jdoe@example.org failed | User jdoe (jdoe@example.org) not listed in Domino Directory'],
  },
  {
    name: 'exchange 5.5',
    family: 'exchange',
    sample: {
      from: 'System Administrator <postmaster@mx.example.net>',
      subject: 'Undeliverable: Hello',
      text: `
Your message

  To:      jdoe@example.org
  Subject: Hello
  Sent:    Thu, 29 Apr 2010 23:00:00 -0400

did not reach the following recipient(s):

jdoe@example.org on Thu, 29 Apr 2010 23:00:00 -0400
    The recipient name is not recognized
	The MTS-ID of the original message is: c=us;a= ;p=acme;l=SERVER0104292300
    MSEXCH:IMS:ACME:HQ:SERVER 3550 (000B09B6) 550 5.1.1 <jdoe@example.org>... User unknown
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 | The recipient name is not recognized The MTS-ID of the original message is: c=us;a= ;p=acme;l=SERVER0104292300 MSEXCH:IMS:ACME:HQ:SERVER 3550 (000B09B6) 550 5.1.1 <jdoe@example.org>... User unknown',
    ],
  },
  {
    name: 'exchange 2003 name',
    family: 'exchange',
    sample: {
      from: 'System Administrator <postmaster@mx.example.net>',
      subject: 'Undeliverable: Hello',
      text: `
Your message did not reach some or all of the intended recipients.

      Subject:	Hello
      Sent:	4/29/2010 11:34 PM

The following recipient(s) could not be reached:

      'John Doe' on 4/29/2010 11:34 PM
            There was a SMTP communication problem with the recipient's email server.  Please contact your system administrator.
            <mx.example.net #5.5.0 smtp;550 5.1.1 <jdoe@example.org>... User unknown>
`,
    },
    told: [
      "jdoe@example.org failed 5.5.0 550 | 'John Doe' on 4/29/2010 11:34 PM There was a SMTP communication problem with the recipient's email server. Please contact your system administrator. <mx.example.net #5.5.0 smtp;550 5.1.1 <jdoe@example.org>... User unknown>",
    ],
  },
  {
    name: 'exchange 2003 de',
    family: 'exchange',
    sample: {
      from: 'Systemadministrator <postmaster@mx.example.net>',
      subject: 'Unzustellbar: Hallo',
      text: `
Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.

      Betreff:	Hallo
      Gesendet am:	29.04.2010 23:34

Folgende(r) Empfänger konnte(n) nicht erreicht werden:

      jdoe@example.org am 29.04.2010 23:34
            Das E-Mail-Konto ist in der Organisation, an die diese Nachricht gesendet wurde, nicht vorhanden.
            <mx.example.net #5.1.1>
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 | Das E-Mail-Konto ist in der Organisation, an die diese Nachricht gesendet wurde, nicht vorhanden. <mx.example.net #5.1.1>',
    ],
  },
  {
    name: 'exchange 2010',
    family: 'exchange',
    sample: {
      from: '<postmaster@mx.example.net>',
      subject: 'Undeliverable: Hello',
      text: `
Delivery has failed to these recipients or distribution lists:

jdoe@example.org<mailto:jdoe@example.org>
The recipient's e-mail address was not found in the recipient's e-mail system. Microsoft Exchange will not try to redeliver this message for you.

________________________________
Sent by Microsoft Exchange Server 2007

Diagnostic information for administrators:

Generating server: mx.example.net

jdoe@example.org
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##

Original message headers:

Received: from x
From: sender@example.com
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'],
  },
  {
    name: 'exchange 2010 nodiag',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@mx.example.net>',
      subject: 'Undeliverable: Hello',
      text: `
Delivery has failed to these recipients or groups:

jdoe@example.org (jdoe@example.org)
Your message couldn't be delivered because the recipient's mailbox is full.

jane@example.org (jane@example.org)
The email address you entered couldn't be found.
`,
    },
    told: [
      "jdoe@example.org failed | Your message couldn't be delivered because the recipient's mailbox is full.",
      "jane@example.org failed | The email address you entered couldn't be found.",
    ],
  },
  {
    name: 'exchange delayed',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@mx.example.net>',
      subject: 'Delivery delayed: Hello',
      text: `
Delivery is delayed to these recipients or groups:

jdoe@example.org (jdoe@example.org)

Subject: Hello

This message hasn't been delivered yet. Delivery will continue to be attempted.

The server will keep trying to deliver this message for the next 1 days, 19 hours and 56 minutes. You'll be notified if the message can't be delivered by that time.
`,
    },
    told: [
      "jdoe@example.org delayed | Delivery is delayed to these recipients or groups: This message hasn't been delivered yet. Delivery will continue to be attempted.",
    ],
  },
  {
    name: 'exchange fr',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@mx.example.net>',
      subject: 'Non remis : Bonjour',
      text: `
Échec de la remise à ces destinataires ou groupes :

jdoe@example.org
L'adresse de messagerie que vous avez entrée est introuvable.

Informations de diagnostic pour les administrateurs :

Serveur de génération : mx.example.net

jdoe@example.org
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'],
  },
  {
    name: 'exchange es',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@mx.example.net>',
      subject: 'No se puede entregar: Hola',
      text: `
Error de entrega a estos destinatarios o grupos:

jdoe@example.org
No se encontró la dirección de correo electrónico que especificó.
`,
    },
    told: ['jdoe@example.org failed | No se encontró la dirección de correo electrónico que especificó.'],
  },
  {
    name: 'exchange it',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Non recapitabile: Ciao',
      text: `
Recapito non riuscito per i seguenti destinatari o gruppi:

jdoe@example.org
L'indirizzo di posta elettronica immesso non è stato trovato.
`,
    },
    told: ["jdoe@example.org failed | L'indirizzo di posta elettronica immesso non è stato trovato."],
  },
  {
    name: 'exchange pt',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Não Entregue: Ola',
      text: `
Falha na entrega a estes destinatários ou grupos:

jdoe@example.org
O endereço de email inserido não foi encontrado.
`,
    },
    told: ['jdoe@example.org failed | O endereço de email inserido não foi encontrado.'],
  },
  {
    name: 'exchange nl',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Onbestelbaar: Hoi',
      text: `
De bezorging aan deze geadresseerden of groepen is mislukt:

jdoe@example.org
Het door u ingevoerde e-mailadres is niet gevonden.
`,
    },
    told: ['jdoe@example.org failed | Het door u ingevoerde e-mailadres is niet gevonden.'],
  },
  {
    name: 'exchange sv',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Kunde inte levereras: Hej',
      text: `
Leveransen till dessa mottagare eller grupper misslyckades:

jdoe@example.org
E-postadressen du angav hittades inte.
`,
    },
    told: ['jdoe@example.org failed | E-postadressen du angav hittades inte.'],
  },
  {
    name: 'exchange da',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Kan ikke leveres: Hej',
      text: `
Levering til disse modtagere eller grupper mislykkedes:

jdoe@example.org
Den angivne mailadresse blev ikke fundet.
`,
    },
    told: ['jdoe@example.org failed | Den angivne mailadresse blev ikke fundet.'],
  },
  {
    name: 'exchange fi',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Toimitus epäonnistui: Hei',
      text: `
Toimitus näille vastaanottajille tai ryhmille epäonnistui:

jdoe@example.org
Antamaasi sähköpostiosoitetta ei löytynyt.
`,
    },
    told: ['jdoe@example.org failed | Antamaasi sähköpostiosoitetta ei löytynyt.'],
  },
  {
    name: 'exchange pl',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Niedostarczone: Czesc',
      text: `
Dostarczenie do następujących adresatów lub grup nie powiodło się:

jdoe@example.org
Nie można znaleźć wprowadzonego adresu e-mail.
`,
    },
    told: ['jdoe@example.org failed | Nie można znaleźć wprowadzonego adresu e-mail.'],
  },
  {
    name: 'exchange cs',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Nedoručitelné: Ahoj',
      text: `
Doručení těmto příjemcům nebo skupinám se nezdařilo:

jdoe@example.org
Zadaná e-mailová adresa nebyla nalezena.
`,
    },
    told: ['jdoe@example.org failed | Zadaná e-mailová adresa nebyla nalezena.'],
  },
  {
    name: 'exchange ru',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Не доставлено: Привет',
      text: `
Сбой доставки следующим получателям или группам:

jdoe@example.org
Введенный адрес электронной почты не найден.
`,
    },
    told: ['jdoe@example.org failed | Введенный адрес электронной почты не найден.'],
  },
  {
    name: 'exchange tr',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: 'Teslim Edilemedi: Selam',
      text: `
Bu alıcılara veya gruplara teslim edilemedi:

jdoe@example.org
Girdiğiniz e-posta adresi bulunamadı.
`,
    },
    told: ['jdoe@example.org failed | Girdiğiniz e-posta adresi bulunamadı.'],
  },
  {
    name: 'exchange ja',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: '配信不能: こんにちは',
      text: `
次の受信者またはグループへの配信に失敗しました:

jdoe@example.org
入力した電子メール アドレスが見つかりませんでした。
`,
    },
    told: ['jdoe@example.org failed | 入力した電子メール アドレスが見つかりませんでした。'],
  },
  {
    name: 'exchange zh',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: '无法传递: 你好',
      text: `
向以下收件人或组传递邮件失败:

jdoe@example.org
找不到你输入的电子邮件地址。
`,
    },
    told: ['jdoe@example.org failed | 找不到你输入的电子邮件地址。'],
  },
  {
    name: 'exchange ko',
    family: 'exchange',
    sample: {
      from: 'Microsoft Outlook <postmaster@mx.example.net>',
      subject: '배달되지 않음: 안녕',
      text: `
다음 받는 사람 또는 그룹에 배달하지 못했습니다:

jdoe@example.org
입력한 전자 메일 주소를 찾을 수 없습니다.
`,
    },
    told: ['jdoe@example.org failed | 입력한 전자 메일 주소를 찾을 수 없습니다.'],
  },
  {
    name: 'office365 new html',
    family: 'general',
    sample: {
      from: 'Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.onmicrosoft.com>',
      subject: 'Undeliverable: Hello',
      text: `
Your message to jdoe@example.org couldn't be delivered.
jdoe wasn't found at example.org.
sender
Office 365
jdoe
Action Required
Recipient
Unknown To address
How to Fix It
The address may be misspelled or may not exist.
More Info for Email Admins
Status code: 550 5.1.10
This error occurs because the sender sent a message to an email address hosted by Office 365 but the address is incorrect.
Original Message Details
Created Date: 4/29/2018 11:34:45 PM
Sender Address: sender@example.com
Recipient Address: jdoe@example.org
Subject: Hello
Error Details
Reported error: 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
DSN generated by: NEKO.example.prod.outlook.com
`,
    },
    told: [
      'jdoe@example.org failed 5.1.10 550 | 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    ],
  },
]

test.each(SAMPLES)('$name', ({ sample, family, told }) => {
  expect(toldBy(sample)).toEqual({ family, recipients: told })
})
