// qmail, Exim, Postfix, sendmail, Gmail and their relatives. Samples are
// written for these tests; `told` is `address action status code command | diagnostic`.

import { expect, test } from 'vitest'
import { type Sample, toldBy } from '../../../test/support/prose.ts'

const SAMPLES: readonly { name: string; family: string; sample: Sample; told: readonly string[] }[] = [
  {
    name: 'yahoo',
    family: 'qsbmf',
    sample: {
      subject: 'Failure Notice',
      text: `
Sorry, we were unable to deliver your message to the following address.

<jdoe@example.org>:
Remote host said: 550 5.1.1 <jdoe@example.org>... User unknown [RCPT_TO]

--- Below this line is a copy of the message.

Received: from [10.0.0.1] by n1.example.com
From: x@example.com
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 <jdoe@example.org>... User unknown [RCPT_TO]'],
  },
  {
    name: 'yahoo2',
    family: 'qsbmf',
    sample: {
      from: 'MAILER-DAEMON@yahoo.com',
      subject: 'Failure Notice',
      text: `
Sorry, we were unable to deliver your message to the following address.

<jdoe@example.org>:
This user doesn't have a yahoo.com account (jdoe@example.org) [0]

--- Original message follows.
`,
    },
    told: ["jdoe@example.org failed | This user doesn't have a yahoo.com account (jdoe@example.org) [0]"],
  },
  {
    name: 'sbcglobal',
    family: 'qsbmf',
    sample: {
      from: 'MAILER-DAEMON@example.com',
      subject: 'failure delivery',
      text: `
Message from  example.com.
Unable to deliver message to the following address(es).

<jdoe@example.org>:
Sorry, I couldn't find any host by that name. (#4.1.2)
<jane@example.org>:
10.1.1.1 does not like recipient.
Remote host said: 550 unknown

--- Original message follows.
`,
    },
    told: [
      "jdoe@example.org failed 4.1.2 | Sorry, I couldn't find any host by that name. (#4.1.2)",
      'jane@example.org failed 550 RCPT | 550 unknown',
    ],
  },
  {
    name: 'newmail.ru',
    family: 'qsbmf',
    sample: {
      from: 'MAILER-DAEMON@newmail.example.ru',
      subject: 'failure notice',
      text: `
This is the machine generated message from mail service.

<jdoe@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below the next line is a copy of the message.
Received: x
`,
    },
    told: ['jdoe@example.org failed 5.1.1 | Sorry, no mailbox here by that name. (#5.1.1)'],
  },
  {
    name: 'demon',
    family: 'general',
    sample: {
      from: 'Mail Delivery System <postmaster@demon.example.net>',
      subject: 'Mail delivery failure',
      text: `
This message was created automatically by mail delivery software.

A message that you sent addressed to 'jdoe@example.org' could not be delivered.
  
---- START OF RETURNED MESSAGE ----
Received: x
`,
    },
    told: ["jdoe@example.org failed | A message that you sent addressed to 'jdoe@example.org' could not be delivered."],
  },
  {
    name: 'gmail new',
    family: 'gmail',
    sample: {
      from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
      subject: 'Delivery Status Notification (Failure)',
      text: `
Address not found

Your message wasn't delivered to jdoe@example.org because the address couldn't be found, or is unable to receive mail.

Learn more here: https://support.google.com/mail/?p=NoSuchUser

The response was:

The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces.
`,
    },
    told: [
      "jdoe@example.org failed | The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces.",
    ],
  },
  {
    name: 'gmail es',
    family: 'general',
    sample: {
      from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
      subject: 'Delivery Status Notification (Failure)',
      text: `
No se ha encontrado la dirección

Tu mensaje no se ha entregado a jdoe@example.org porque no se ha encontrado la dirección o esta no puede recibir correo.

La respuesta fue:

550 5.1.1 The email account that you tried to reach does not exist.
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 | Tu mensaje no se ha entregado a jdoe@example.org porque no se ha encontrado la dirección o esta no puede recibir correo. La respuesta fue: 550 5.1.1 The email account that you tried to reach does not exist.',
    ],
  },
  {
    name: 'gmail delay',
    family: 'gmail',
    sample: {
      from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
      subject: 'Delivery Status Notification (Delay)',
      header: { 'X-Failed-Recipients': 'jdoe@example.org' },
      text: `
Delivery incomplete

There was a temporary problem delivering your message to jdoe@example.org. Gmail will retry for 47 more hours. You'll be notified if the delivery fails permanently.

The response was:

The recipient server did not accept our requests to connect.
`,
    },
    told: ['jdoe@example.org delayed | The recipient server did not accept our requests to connect.'],
  },
  {
    name: 'exim delay',
    family: 'exim',
    sample: {
      from: 'Mail Delivery System <Mailer-Daemon@mx.example.net>',
      subject: 'Warning: message 1abcde-000000-00 delayed 24 hours',
      text: `
This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.example.net.

The message identifier is:     1abcde-000000-00
The subject of the message is: Hello
The date of the message is:    Thu, 29 Apr 2010 23:34:45 +0900

The address to which the message has not yet been delivered is:

  jdoe@example.org
    host mx.example.org [192.0.2.5]
    Delay reason: SMTP error from remote mail server after RCPT TO:<jdoe@example.org>:
    451 4.7.1 Greylisted

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered. Eventually the mail delivery software will give up,
and when that happens, the message will be returned to you.
`,
    },
    told: ['jdoe@example.org delayed 4.7.1 451 RCPT | 451 4.7.1 Greylisted'],
  },
  {
    name: 'exim two',
    family: 'exim',
    sample: {
      from: 'Mail Delivery System <Mailer-Daemon@mx.example.net>',
      subject: 'Mail delivery failed: returning message to sender',
      text: `
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jdoe@example.org
    host mx.example.org [192.0.2.5]
    SMTP error from remote mail server after RCPT TO:<jdoe@example.org>:
    550 5.1.1 unknown or illegal alias:
    jdoe@example.org
  jane@example.org
    (ultimately generated from list@example.com)
    mailbox is full: retry timeout exceeded

------ This is a copy of the message, including all the headers. ------
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 unknown or illegal alias: jdoe@example.org',
      'jane@example.org failed | mailbox is full: retry timeout exceeded',
    ],
  },
  {
    name: 'ionos de',
    family: 'ionos',
    sample: {
      from: 'Mail Delivery System <mailer-daemon@kundenserver.de>',
      subject: 'Mail delivery failed: returning message to sender',
      text: `
Diese Nachricht wurde automatisch von der Mailserver-Software erzeugt.

Eine Nachricht, die Sie gesendet haben, konnte nicht an einen oder mehrere Empfänger zugestellt werden. Die folgende Adresse konnte nicht erreicht werden:

jdoe@example.org:
SMTP error from remote server for RCPT TO command, host: mx.example.org (192.0.2.5) reason: 550 5.1.1 unknown
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 unknown'],
  },
  {
    name: 'postfix old',
    family: 'postfix',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net (Mail Delivery System)',
      subject: 'Undelivered Mail Returned to Sender',
      text: `
This is the Postfix program at host mx.example.net.

I'm sorry to have to inform you that the message returned
below could not be delivered to one or more destinations.

For further assistance, please send mail to <postmaster>

If you do so, please include this problem report. You can
delete your own text from the message returned below.

			The Postfix program

<jdoe@example.org>: host mx.example.org[192.0.2.5] said: 550 5.1.1
    <jdoe@example.org>: Recipient address rejected: User unknown (in reply to
    RCPT TO command)

<jane@example.org> (expanded from <team@example.com>): mail for
    example.org loops back to myself
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 <jdoe@example.org>: Recipient address rejected: User unknown',
      'jane@example.org failed | mail for example.org loops back to myself',
    ],
  },
  {
    name: 'postfix delayed',
    family: 'postfix',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net (Mail Delivery System)',
      subject: 'Delayed Mail (still being retried)',
      text: `
This is the mail system at host mx.example.net.

####################################################################
# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
####################################################################

Your message could not be delivered for more than 4 hour(s).
It will be retried until it is 5 day(s) old.

For further assistance, please send mail to postmaster.

                   The mail system

<jdoe@example.org>: connect to mx.example.org[192.0.2.5]:25: Connection
    timed out
`,
    },
    told: ['jdoe@example.org delayed | connect to mx.example.org[192.0.2.5]:25: Connection timed out'],
  },
  {
    name: 'sendmail',
    family: 'sendmail',
    sample: {
      from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>',
      subject: 'Returned mail: see transcript for details',
      text: `
The original message was received at Thu, 29 Apr 2010 23:34:45 +0900
from localhost [127.0.0.1]

   ----- The following addresses had permanent fatal errors -----
<jdoe@example.org>
    (reason: 550 5.1.1 <jdoe@example.org>... User Unknown)
"|/usr/bin/procmail jane"
    (expanded from: <jane@example.org>)

   ----- Transcript of session follows -----
... while talking to mx.example.org.:
>>> DATA
<<< 550 5.1.1 <jdoe@example.org>... User Unknown
550 5.1.1 <jdoe@example.org>... User unknown
<<< 503 5.0.0 Need RCPT (recipient)
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 | 550 5.1.1 <jdoe@example.org>... User Unknown',
      'jane@example.org failed | The following addresses had permanent fatal errors -----',
    ],
  },
  {
    name: 'sendmail warn',
    family: 'sendmail',
    sample: {
      from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>',
      subject: 'Warning: could not send message for past 4 hours',
      text: `
    **********************************************
    **      THIS IS A WARNING MESSAGE ONLY      **
    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **
    **********************************************

The original message was received at Thu, 29 Apr 2010 23:34:45 +0900
from localhost [127.0.0.1]

   ----- The following addresses had transient non-fatal errors -----
<jdoe@example.org>

   ----- Transcript of session follows -----
<jdoe@example.org>... Deferred: Connection timed out with mx.example.org.
Warning: message still undelivered after 4 hours
Will keep trying until message is 5 days old
`,
    },
    told: ['jdoe@example.org delayed | <jdoe@example.org>... Deferred: Connection timed out with mx.example.org.'],
  },
  {
    name: 'sendmail 8.7 unknown',
    family: 'sendmail',
    sample: {
      from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>',
      subject: 'Returned mail: User unknown',
      text: `
The original message was received at Thu, 29 Apr 2010 23:34:45 +0900
from sender@example.com

   ----- The following addresses have delivery notifications -----
jdoe@example.org  (unrecoverable error)

   ----- Transcript of session follows -----
... while talking to mx.example.org.:
>>> RCPT To:<jdoe@example.org>
<<< 550 <jdoe@example.org>... User unknown
550 jdoe@example.org... User unknown

   ----- Original message follows -----
Received: x
`,
    },
    told: ['jdoe@example.org failed 550 RCPT | 550 <jdoe@example.org>... User unknown'],
  },
  {
    name: 'exim local part',
    family: 'exim',
    sample: {
      from: 'Mail Delivery System <Mailer-Daemon@mx.example.net>',
      subject: 'Mail delivery failed: returning message to sender',
      header: { 'X-Failed-Recipients': 'jdoe@example.org' },
      text: `
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jdoe
    SMTP error from remote mail server after MAIL FROM:<sender@example.com> SIZE=1543:
    host mx.example.org [192.0.2.20]: 550 5.7.0 <sender@example.com>... refused

------ This is a copy of the message, including all the headers. ------
`,
    },
    told: ['jdoe@example.org failed 5.7.0 550 MAIL | 550 5.7.0 <sender@example.com>... refused'],
  },
  {
    name: 'exim pipe',
    family: 'exim',
    sample: {
      from: 'Mail Delivery System <Mailer-Daemon@mx.example.net>',
      subject: 'Mail delivery failed: returning message to sender',
      text: `
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  pipe to |/usr/local/bin/reader
    generated by jdoe@example.org
    local delivery failed

The following text was generated during the delivery attempt:

------ pipe to |/usr/local/bin/reader
       generated by jdoe@example.org ------

reader: cannot open file
`,
    },
    told: [
      'jdoe@example.org failed | pipe to |/usr/local/bin/reader generated by jdoe@example.org local delivery failed The following text was generated during the delivery attempt: ------ pipe to |/usr/local/bin/reader generated by jdoe@example.org ------ reader: cannot open file',
    ],
  },
  {
    name: 'gmail group',
    family: 'google-groups',
    sample: {
      from: 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
      subject: 'Delivery Status Notification (Failure)',
      header: { 'X-Failed-Recipients': 'team@googlegroups.com' },
      text: `
Hallo sender@example.com,

Sie erhalten diese E-Mail, weil die Gruppe, die Sie kontaktieren möchten (team), möglicherweise nicht vorhanden ist.

Besuchen Sie die Hilfe unter https://groups.google.com/support/.
`,
    },
    told: [
      'team@googlegroups.com failed | Google Groups: the group may not exist, or you may not have permission to post messages to it. Hallo sender@example.com, Sie erhalten diese E-Mail, weil die Gruppe, die Sie kontaktieren möchten (team), möglicherweise nicht vorhanden ist. Besuchen Sie die Hilfe unter https://groups.google.com/support/.',
    ],
  },
  {
    name: 'sendmail 5',
    family: 'sendmail',
    sample: {
      from: 'Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>',
      subject: 'Returned mail: User unknown',
      text: `
   ----- Transcript of session follows -----
While talking to mx.example.org:
>>> DATA
<<< 550 No thanks
421 mx.example.org (smtp)... Deferred: Connection reset by peer
554 <jdoe@example.org>... Remote protocol error
550 example.com (smtp)... 550 Host unknown
554 <jane@example.com>... 550 Host unknown (Authoritative answer from name server)

   ----- Unsent message follows -----
Received: x
`,
    },
    told: [
      'jdoe@example.org failed 550 DATA | 550 No thanks',
      'jane@example.com failed 554 | 554 <jane@example.com>... 550 Host unknown (Authoritative answer from name server)',
    ],
  },
  {
    name: 'yandex ru',
    family: 'general',
    sample: {
      from: 'mailer-daemon@yandex.example.ru',
      subject: 'Недоставленное сообщение',
      text: `
Это письмо отправлено почтовым сервером yandex.example.ru.

К сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может
быть отправлено одному или нескольким адресатам. Технические подробности можно найти ниже.

Возможные причины недоставки указаны по адресу:
http://help.example.ru/

Пожалуйста, не отвечайте на это сообщение.

<jdoe@example.org>: host mx.example.org[192.0.2.5] said: 550 5.1.1 User
    unknown (in reply to RCPT TO command)
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 User unknown'],
  },
]

test.each(SAMPLES)('$name', ({ sample, family, told }) => {
  expect(toldBy(sample)).toEqual({ family, recipients: told })
})
