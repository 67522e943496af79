// Providers and systems nobody has described, in many languages. Samples are
// written for these tests; `told` is `address action status code command | diagnostic`.

import { expect, test } from 'vitest'
import { type Sample, toldBy } from '../../../test/support/prose.ts'

const SAMPLES: readonly { name: string; family: string; sample: Sample; told: readonly string[] }[] = [
  {
    name: 'biglobe',
    family: 'sendmail',
    sample: {
      from: 'postmaster@biglobe.ne.jp',
      subject: 'Returned mail: User unknown',
      text: `
   ----- The following addresses had delivery problems -----
jdoe@example.org

   ----- Non-delivered information -----
The number of messages in recipient's mailbox exceeded the local limit.
`,
    },
    told: [
      "jdoe@example.org failed | The following addresses had delivery problems ----- ----- Non-delivered information ----- The number of messages in recipient's mailbox exceeded the local limit.",
    ],
  },
  {
    name: 'sdm',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net',
      subject: 'Mail could not be delivered',
      text: `
Here is your list of failed recipients:

<jdoe@example.org>

Here is your returned mail
`,
    },
    told: ['jdoe@example.org failed | Here is your list of failed recipients:'],
  },
  {
    name: 'aol',
    family: 'general',
    sample: {
      from: 'Mail Delivery System <MAILER-DAEMON@aol.example.com>',
      subject: 'Undeliverable',
      text: `
Your mail to the following recipients could not be delivered because they are not accepting mail from sender@example.com:
        jdoe@aol.example.com
`,
    },
    told: [
      'jdoe@aol.example.com failed | Your mail to the following recipients could not be delivered because they are not accepting mail from sender@example.com:',
    ],
  },
  {
    name: 'was bounced',
    family: 'general',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Your message was bounced',
      text: `
The message to jdoe@example.org is bounced because the mailbox is full.
`,
    },
    told: ['jdoe@example.org failed | The message to jdoe@example.org is bounced because the mailbox is full.'],
  },
  {
    name: 'netease',
    family: 'netease',
    sample: {
      from: 'Postmaster@163.example.com',
      subject: '系统退信',
      text: `
抱歉，您的邮件被退回来了……

原邮件信息：
时  间： 2010-04-29 23:34:45
主  题：Hello
收件人：jdoe@163.example.com

退信原因：
User not found: jdoe@163.example.com
收件人不存在
`,
    },
    told: ['jdoe@163.example.com failed | User not found: jdoe@163.example.com 收件人不存在'],
  },
  {
    name: 'qq',
    family: 'netease',
    sample: {
      from: 'PostMaster@qq.example.com',
      subject: '来自qq.com的退信',
      text: `
很遗憾，您的邮件未能送达。
发件人（From）: sender@example.com
收件人（To）: jdoe@qq.example.com
主题（Subject）: Hello
退信原因：收件人邮箱不存在 550 Mailbox not found
`,
    },
    told: ['jdoe@qq.example.com failed | 收件人邮箱不存在 550 Mailbox not found'],
  },
  {
    name: 'naver',
    family: 'naver',
    sample: {
      from: 'postmaster@naver.example.com',
      subject: '[반송] 메일 전송 실패 안내',
      text: `
메일 전송에 실패하였습니다.
받는사람: jdoe@naver.example.com
실패 원인: 받는 사람의 메일 주소가 존재하지 않습니다.
`,
    },
    told: ['jdoe@naver.example.com failed | 받는 사람의 메일 주소가 존재하지 않습니다.'],
  },
  {
    name: 'docomo',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@docomo.ne.jp',
      subject: 'Mail Delivery Failed',
      text: `
送信できませんでした。
宛先：jdoe@docomo.ne.jp
Unknown user
`,
    },
    told: ['jdoe@docomo.ne.jp failed | Unknown user'],
  },
  {
    name: 'generic de',
    family: 'general',
    sample: {
      from: 'Mailer-Daemon <mailer-daemon@mx.example.net>',
      subject: 'Nachricht nicht zugestellt',
      text: `
Ihre E-Mail konnte nicht zugestellt werden.
Empfänger: jdoe@example.org
Grund: Das Postfach ist voll.

Bei Fragen wenden Sie sich an hilfe@example.net.
`,
    },
    told: ['jdoe@example.org failed | Grund: Das Postfach ist voll.'],
  },
  {
    name: 'generic fr',
    family: 'general',
    sample: {
      from: 'postmaster@laposte.example.net',
      subject: 'Message non distribué',
      text: `
Votre message n'a pas pu être remis au destinataire suivant :

    jdoe@example.org

Cette boîte aux lettres n'existe pas.
`,
    },
    told: ["jdoe@example.org failed | Cette boîte aux lettres n'existe pas."],
  },
  {
    name: 'generic it',
    family: 'general',
    sample: {
      from: 'postmaster@libero.example.it',
      subject: 'Mancata consegna',
      text: `
Il messaggio non è stato consegnato al destinatario <jdoe@example.org>: casella piena.
`,
    },
    told: [
      'jdoe@example.org failed | Il messaggio non è stato consegnato al destinatario <jdoe@example.org>: casella piena.',
    ],
  },
  {
    name: 'generic ru',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@rambler.example.ru',
      subject: 'Ваше сообщение не доставлено',
      text: `
Письмо не может быть доставлено получателю jdoe@example.org
Причина: пользователь не найден
`,
    },
    told: [
      'jdoe@example.org failed | Письмо не может быть доставлено получателю jdoe@example.org Причина: пользователь не найден',
    ],
  },
  {
    name: 'zoho sendgrid',
    family: 'x400',
    sample: {
      from: 'Mail Delivery System <MAILER-DAEMON@mx.example.net>',
      subject: 'Undeliverable Mail',
      text: `
Your message could not be delivered to the following recipients:

jdoe@example.org: 550 5.1.1 Unknown user
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 Unknown user'],
  },
  {
    name: 'llnl',
    family: 'general',
    sample: {
      from: 'Mail Delivery Subsystem <MAILER-DAEMON@pierce.example.gov>',
      subject: 'Message not delivered',
      text: `
The message you sent to jdoe@example.gov could not be delivered.

User unknown at example.gov
`,
    },
    told: [
      'jdoe@example.gov failed | The message you sent to jdoe@example.gov could not be delivered. User unknown at example.gov',
    ],
  },
  {
    name: 'yale',
    family: 'general',
    sample: {
      from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.example.edu>',
      subject: 'Returned mail: user unknown',
      text: `
Message not delivered to the following:

    jdoe    No matches to nameserver query

    Error Detail (phquery V4.4):

Unable to forward to jdoe@example.edu: 550 unknown
`,
    },
    told: ['jdoe@example.edu failed 550 | Unable to forward to jdoe@example.edu: 550 unknown'],
  },
  {
    name: 'wp',
    family: 'general',
    sample: {
      from: 'Postmaster@mx.example.net',
      subject: 'Undeliverable: Czesc',
      text: `
Wiadomość nie mogła zostać dostarczona do odbiorcy:
<jdoe@wp.example.pl>
Skrzynka odbiorcy jest przepełniona.
`,
    },
    told: ['jdoe@wp.example.pl failed | Skrzynka odbiorcy jest przepełniona.'],
  },
  {
    name: 'seznam',
    family: 'general',
    sample: {
      from: 'Postmaster <postmaster@seznam.example.cz>',
      subject: 'Zpráva nedoručena',
      text: `
Vaše zpráva nemohla být doručena na adresu jdoe@seznam.example.cz, schránka neexistuje.
`,
    },
    told: [
      'jdoe@seznam.example.cz failed | Vaše zpráva nemohla být doručena na adresu jdoe@seznam.example.cz, schránka neexistuje.',
    ],
  },
  {
    name: 'terra',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@terra.example.com.br',
      subject: 'Falha na entrega',
      text: `
Sua mensagem não foi entregue para o destinatário abaixo:

jdoe@terra.example.com.br

A caixa postal está cheia.
`,
    },
    told: ['jdoe@terra.example.com.br failed | A caixa postal está cheia.'],
  },
  {
    name: 'uol antispam? challenge',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@uol.example.com.br',
      subject: 'Mail Delivery Failure',
      text: `
This is an automatically generated message.

  <jdoe@uol.example.com.br>
  Mailbox full / Caixa postal cheia
`,
    },
    told: ['jdoe@uol.example.com.br failed | Mailbox full / Caixa postal cheia'],
  },
  {
    name: 'verizon mms',
    family: 'unnamed',
    sample: {
      from: 'MMSC NDR Administrator <sysadmin@m01.vzwpix.com>',
      subject: 'Undeliverable Message',
      returned: { To: '5550000000@vzwpix.com', From: 'sender@example.com' },
      text: `
Message could not be delivered to mobile.

Error: No valid recipients for this MM

Original Message:

From: sender@example.com
To: 5550000000@vzwpix.com
`,
    },
    told: [
      '5550000000@vzwpix.com failed | Message could not be delivered to mobile. Error: No valid recipients for this MM',
    ],
  },
  {
    name: 'orange',
    family: 'general',
    sample: {
      from: 'Mail Delivery System <MAILER-DAEMON@orange.example.fr>',
      subject: 'Undelivered Mail Returned to Sender',
      text: `
Bonjour,

Votre message n'a pas pu être délivré à l'adresse suivante :
jdoe@orange.example.fr

Motif : 550 5.1.1 Adresse d au moins un destinataire invalide.
`,
    },
    told: ['jdoe@orange.example.fr failed 5.1.1 550 | Motif : 550 5.1.1 Adresse d au moins un destinataire invalide.'],
  },
  {
    name: 'apple',
    family: 'sendmail',
    sample: {
      from: 'MAILER-DAEMON@mac.example.com',
      subject: 'Returned mail: see transcript for details',
      text: `
The original message was received at Thu, 29 Apr 2010
from x

   ----- The following addresses had permanent fatal errors -----
jdoe@mac.example.com
    (reason: 550 5.7.1 blocked)
`,
    },
    told: ['jdoe@mac.example.com failed 5.7.1 550 | 550 5.7.1 blocked'],
  },
  {
    name: 'mailer daemon jp',
    family: 'domino',
    sample: {
      from: 'メール配信システム <mailer-daemon@mx.example.jp>',
      subject: 'メールを配信できませんでした',
      text: `
以下のメールアドレスにメールを配信できませんでした。
jdoe@example.jp
理由: 宛先が見つかりません
`,
    },
    told: ['jdoe@example.jp failed | 以下のメールアドレスにメールを配信できませんでした。 理由: 宛先が見つかりません'],
  },
  {
    name: 'nifty',
    family: 'general',
    sample: {
      from: 'postmaster@nifty.example.jp',
      subject: 'Returned mail: 宛先不明',
      text: `
お送りになったメールは、次の理由により配信できませんでした。
<jdoe@nifty.example.jp>... User unknown
`,
    },
    told: ['jdoe@nifty.example.jp failed | ... User unknown'],
  },
  {
    name: 'softbank',
    family: 'intermail',
    sample: {
      from: 'MAILER-DAEMON@softbank.example.jp',
      subject: 'Mail System Error - Returned Mail',
      text: `
The following recipients did not receive this message:
  <jdoe@softbank.ne.jp>
The user(s) account is temporarily limited.
`,
    },
    told: ['jdoe@softbank.ne.jp failed | The user(s) account is temporarily limited.'],
  },
  {
    name: 'turk',
    family: 'exchange',
    sample: {
      from: 'postmaster@mx.example.com.tr',
      subject: 'Teslim edilemedi',
      text: `
Mesajınız aşağıdaki alıcıya iletilemedi:
jdoe@example.com.tr
Kullanıcı bulunamadı
`,
    },
    told: ['jdoe@example.com.tr failed | Kullanıcı bulunamadı'],
  },
  {
    name: 'korean',
    family: 'naver',
    sample: {
      from: 'mailer-daemon@daum.example.net',
      subject: '메일 반송: Hello',
      text: `
보내신 메일이 다음 주소로 전달되지 못했습니다.
수신자 : jdoe@daum.example.net
사유 : 메일 용량 초과
`,
    },
    told: ['jdoe@daum.example.net failed | 메일 용량 초과'],
  },
  {
    name: 'chinese trad',
    family: 'netease',
    sample: {
      from: 'mailer-daemon@mx.example.tw',
      subject: '退信通知',
      text: `
您的郵件無法寄達以下收件者：
jdoe@mx.example.tw
原因：帳號不存在
`,
    },
    told: ['jdoe@mx.example.tw failed | 帳號不存在'],
  },
  {
    name: 'group of addresses in one line',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net',
      subject: 'Undeliverable mail',
      text: `
Your mail could not be delivered to: jdoe@example.org, jane@example.org
`,
    },
    told: [
      'jdoe@example.org failed | Your mail could not be delivered to: jdoe@example.org, jane@example.org',
      'jane@example.org failed | Your mail could not be delivered to: jdoe@example.org, jane@example.org',
    ],
  },
  {
    name: 'full mailbox own words',
    family: 'general',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Mailbox full',
      text: `
The mailbox of <jdoe@example.net> is full. Your message has been rejected.
`,
    },
    told: ['jdoe@example.net failed | The mailbox of <jdoe@example.net> is full. Your message has been rejected.'],
  },
  {
    name: 'sender only',
    family: 'unnamed',
    sample: {
      from: 'mailer-daemon@mx.example.net',
      subject: 'Returned mail: delivery failure',
      text: `
Your message from sender@example.com could not be delivered.
`,
    },
    told: ['failed | Your message from sender@example.com could not be delivered.'],
  },
  {
    name: 'table html',
    family: 'general',
    sample: {
      from: 'Mail Delivery System <mailer-daemon@mx.example.net>',
      subject: 'Delivery failure',
      text: `
Recipient
jdoe@example.org
Error
550 5.1.1 unknown
Sender
sender@example.com
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | Error 550 5.1.1 unknown Sender sender@example.com'],
  },
]

test.each(SAMPLES)('$name', ({ sample, family, told }) => {
  expect(toldBy(sample)).toEqual({ family, recipients: told })
})
