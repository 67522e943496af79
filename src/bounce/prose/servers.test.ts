// Mail servers that write a list of addresses with reasons, in the form that each is known for. Samples are
// written for these tests; `told` is `address action status code command | diagnostic`.

import { expect, test } from 'vitest'
import { type Sample, toldBy } from '../../../test/support/prose.ts'

const SAMPLES: readonly { name: string; family: string; sample: Sample; told: readonly string[] }[] = [
  {
    name: 'courier',
    family: 'qsbmf',
    sample: {
      from: '"Courier mail server at mx.example.net" <@>',
      subject: 'NOTICE: mail delivery status.',
      header: { 'Return-Path': '<>' },
      text: `
This is a delivery status notification from mx.example.net,
running the Courier mail server, version 0.75.

The original message was received on Thu, 29 Apr 2010 23:34:45 +0900
from localhost (localhost [127.0.0.1])

---------------------------------------------------------------------------

                           UNDELIVERABLE MAIL

Your message to the following recipients cannot be delivered:

<jdoe@example.org>:
    mx.example.org [192.0.2.5]:
>>> RCPT TO:<jdoe@example.org>
<<< 550 5.1.1 <jdoe@example.org>... User Unknown

---------------------------------------------------------------------------

If your message was also sent to additional recipients, their delivery
status is not included in this report.  You may or may not receive
other delivery status notifications for additional recipients.
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 <jdoe@example.org>... User Unknown'],
  },
  {
    name: 'courier delay',
    family: 'qsbmf',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'NOTICE: mail delivery status.',
      text: `
This is a delivery status notification from mx.example.net,
running the Courier mail server, version 0.75.

                           DELAYED MAIL

THIS IS A WARNING MESSAGE ONLY.
YOU DO NOT NEED TO RESEND YOUR MESSAGE.

Your message to the following recipients has been delayed:

<jdoe@example.org>:
    Connection timed out
`,
    },
    told: ['jdoe@example.org delayed | Connection timed out'],
  },
  {
    name: 'opensmtpd',
    family: 'opensmtpd',
    sample: {
      from: 'Mailer Daemon <MAILER-DAEMON@mx.example.net>',
      subject: 'Delivery status notification: error',
      text: `
    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this email.

    An error has occurred while attempting to deliver a message for
    the following list of recipients:

jdoe@example.org: 550 5.2.2 <jdoe@example>... Mailbox Full

    Below is a copy of the original message:

Received: from x
`,
    },
    told: ['jdoe@example.org failed 5.2.2 550 | 550 5.2.2 <jdoe@example>... Mailbox Full'],
  },
  {
    name: 'opensmtpd delay',
    family: 'opensmtpd',
    sample: {
      from: 'Mailer Daemon <MAILER-DAEMON@mx.example.net>',
      subject: 'Delivery status notification: warning',
      text: `
    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this email.

    A message is delayed for more than 4 hours for the following
    list of recipients:

jdoe@example.org: 451 greylisted

    Please note that this is only a temporary failure report.
    The message is kept in the queue for up to 4 days.
`,
    },
    told: ['jdoe@example.org delayed 451 | 451 greylisted'],
  },
  {
    name: 'james',
    family: 'james',
    sample: {
      from: 'Postmaster <postmaster@mx.example.net>',
      subject: '[BOUNCE] Hello',
      text: `
Hi. This is the James mail server at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.  Below
I include the list of recipients and the reason why I was unable to deliver
your message.

Failed recipient(s):
jdoe@example.org

Error message:
550 Requested action not taken: mailbox unavailable
`,
    },
    told: ['jdoe@example.org failed 550 | 550 Requested action not taken: mailbox unavailable'],
  },
  {
    name: 'james old',
    family: 'james',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Re:Hello',
      text: `
Error: Invalid user address

Error message below:
550 - Requested action not taken: no such user here

Message details:
  Subject: Test message
  Sent date: Wed Apr 29 23:34:45 GMT 2013
  MAIL FROM: sender@example.com
  RCPT TO: jdoe@example.org
  From: sender@example.com
  CC: recipient list not shown: ;
`,
    },
    told: ['jdoe@example.org failed 550 RCPT | 550 - Requested action not taken: no such user here'],
  },
  {
    name: 'sun',
    family: 'sun-messaging',
    sample: {
      from: 'Internet Mail Delivery <postmaster@mx.example.net>',
      subject: 'Delivery Notification: Delivery has failed',
      text: `
This report relates to a message you sent with the following header fields:

  Message-id: <CD8C6134-C312-41D5-B083-366F7FA1D752@me.example.com>
  Date: Fri, 21 Nov 2014 23:34:45 +0900
  From: Shironeko <sender@example.com>
  To: jdoe@example.org
  Subject: Nyaaaaaaaaaaaaaaaaaaaaaan

Your message cannot be delivered to the following recipients:

  Recipient address: jdoe@example.org
  Reason: Remote SMTP server has rejected address
  Diagnostic code: smtp;550 5.1.1 <jdoe@example.org>... User Unknown
  Remote system: dns;mx.example.org (TCP|192.0.2.1|47323|192.0.2.225|25) (mx.example.org ESMTP SENDMAIL-VM)
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 <jdoe@example.org>... User Unknown'],
  },
  {
    name: 'pmdf delay',
    family: 'sun-messaging',
    sample: {
      from: 'PMDF e-Mail Interconnect <postmaster@mx.example.net>',
      subject: 'Delivery Notification: Delivery is delayed',
      text: `
This report relates to a message you sent with the following header fields:

  Message-id: <1@x.example.com>
  To: jdoe@example.org

Your message has been enqueued and undeliverable for 1 day
to the following recipients:

  Recipient address: jdoe@example.org
  Reason: unable to deliver this message after 1 day

The mail system will continue to try to deliver your message
for an additional 3 days.
`,
    },
    told: ['jdoe@example.org delayed | Reason: unable to deliver this message after 1 day'],
  },
  {
    name: 'powermta',
    family: 'powermta',
    sample: {
      from: '<postmaster@mx.example.net>',
      subject: 'Delivery report',
      text: `
Hello, this is the mail server on mx.example.net.

I am sending you this message to inform you on the delivery status of a
message you previously sent.  Immediately below you will find a list of
the affected recipients;  also attached is a Delivery Status Notification
(DSN) report in standard format, as well as the headers of the original
message.

  <jdoe@example.org>  delivery failed; will not continue trying
`,
    },
    told: ['jdoe@example.org failed | delivery failed; will not continue trying'],
  },
  {
    name: 'mdaemon',
    family: 'mdaemon',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net',
      subject: 'Permanent Delivery Failure',
      text: `
--------------------------------------------------------------------------
The following data may contain sections which represent BASE64 encoded
file attachments.
The attached message had PERMANENT fatal delivery errors!

After one or more unsuccessful delivery attempts the attached message has
been removed from the mail queue on this server.  The number and frequency
of delivery attempts are determined by local configuration parameters.

YOUR MESSAGE WAS NOT DELIVERED!

The following error occured when trying to deliver the attached message:

Failed address: jdoe@example.org

--- Session Transcript ---
 Mon 2010-04-29 23:34:45: Parsing message <xxxxxxxxxx\\pd50000.msg>
 Mon 2010-04-29 23:34:45: From: sender@example.com
 Mon 2010-04-29 23:34:45: To: jdoe@example.org
 Mon 2010-04-29 23:34:45: --> MAIL From:<sender@example.com>
 Mon 2010-04-29 23:34:45: <-- 250 sender ok
 Mon 2010-04-29 23:34:45: --> RCPT To:<jdoe@example.org>
 Mon 2010-04-29 23:34:45: <-- 550 5.1.1 User unknown
 Mon 2010-04-29 23:34:45: --> QUIT
--- End Transcript ---

: Message contains [1] file attachments
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 User unknown'],
  },
  {
    name: 'mdaemon old',
    family: 'mdaemon',
    sample: {
      from: 'MDaemon@mx.example.net',
      subject: 'Permanent Delivery Failure',
      text: `
The following addresses did NOT receive a copy of your message:

> jdoe@example.org

--- Session Transcript ---
Connecting to mx.example.org
`,
    },
    told: ['jdoe@example.org failed | The following addresses did NOT receive a copy of your message:'],
  },
  {
    name: 'hmail',
    family: 'hmailserver',
    sample: {
      from: 'mailer-daemon@mx.example.net',
      subject: 'Message undeliverable: Hello',
      text: `
Your message did not reach some or all of the intended recipients.

   Sent: Thu, 29 Apr 2010 23:34:45
   Subject: Hello

The following recipient(s) could not be reached:

jdoe@example.org
   Error Type: SMTP
   Remote server (192.0.2.5) issued an error.
   hMailServer sent: RCPT TO:<jdoe@example.org>
   Remote server replied: 550 5.1.1 No such user

hMailServer
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 No such user'],
  },
  {
    name: 'mailenable',
    family: 'mailenable',
    sample: {
      from: '"MailEnable" <postmaster@mx.example.net>',
      subject: 'Message Delivery Failure',
      text: `
Message could not be delivered to some recipients.
The following recipient(s) could not be reached:

	Recipient: [SMTP:jdoe@example.org]
	Reason: Remote SMTP Server Returned: 550 5.1.1 No such user

Message headers follow:

Received: from x
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 No such user'],
  },
  {
    name: 'smartermail',
    family: 'smartermail',
    sample: {
      from: 'System Administrator <postmaster@mx.example.net>',
      subject: 'Delivery Failure',
      text: `
Could not deliver message to the following recipient(s):

Failed Recipient: jdoe@example.org
Reason: Remote host said: 550 5.1.1 No such user

Failed Recipient: jane@example.org
Reason: Remote host said: 552 5.2.2 Mailbox full


   -- The header and top 20 lines of the message follows --

Received: from x
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 | 550 5.1.1 No such user',
      'jane@example.org failed 5.2.2 552 | 552 5.2.2 Mailbox full',
    ],
  },
  {
    name: 'imail',
    family: 'imail',
    sample: {
      from: '"Mail Administrator" <Postmaster@mx.example.net>',
      subject: 'Undeliverable Mail',
      text: `
Unknown user: jdoe@example.org

Original message follows.

Received: x
`,
    },
    told: ['jdoe@example.org failed | Unknown user: jdoe@example.org'],
  },
  {
    name: 'imail2',
    family: 'imail',
    sample: {
      from: 'Postmaster@mx.example.net',
      subject: 'Undeliverable Mail',
      text: `
Delivery failed 20 attempts: jdoe@example.org

Original message follows.
`,
    },
    told: ['jdoe@example.org failed | Delivery failed 20 attempts: jdoe@example.org'],
  },
  {
    name: 'imail3',
    family: 'imail',
    sample: {
      from: 'Postmaster@mx.example.net',
      subject: 'Undeliverable Mail',
      text: `
undeliverable to jdoe@example.org
Original message follows.
`,
    },
    told: ['jdoe@example.org failed | undeliverable to jdoe@example.org'],
  },
  {
    name: 'cgp',
    family: 'communigate',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net',
      subject: 'Undeliverable mail: Hello',
      text: `
Failed to deliver to 'jdoe@example.org'
SMTP module(domain example.org) reports:
 host mx.example.org says:
 550 5.1.1 unknown user
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 unknown user'],
  },
  {
    name: 'cgp delay',
    family: 'communigate',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net',
      subject: 'Mail delivery delayed: Hello',
      text: `
Message delivery to 'jdoe@example.org' delayed
SMTP module(domain example.org) reports:
 connection refused
`,
    },
    told: ['jdoe@example.org delayed | delayed SMTP module(domain example.org) reports: connection refused'],
  },
  {
    name: 'xmail',
    family: 'xmail',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Error sending message [S1.2.mx] from [mx.example.net]',
      text: `
[<00>] XMail bounce: Rcpt=[jdoe@example.org];Error=[550 5.1.1 unknown]


[<01>] Error sending message [123.x] from [mx.example.net].

ID:        <S1>
Mail From: <sender@example.com>
Rcpt To:   <jdoe@example.org>
Server:    <mx.example.org>[192.0.2.4]


[<02>] The reason of the delivery failure was:

550 5.1.1 unknown


[<05>] Here is listed the initial part of the message:

Received: from
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 unknown]'],
  },
  {
    name: 'intermail',
    family: 'icewarp',
    sample: {
      from: 'Mail Administrator <Postmaster@mx.example.net>',
      subject: 'Mail System Error - Returned Mail',
      text: `
This Message was undeliverable due to the following reason:

Each of the following recipients was rejected by a remote mail server.
The reasons given by the server are included to help you determine why
each recipient was rejected.

    Recipient: <jdoe@example.org>
    Reason:    5.1.1 <jdoe@example.org>... User unknown


Please reply to <Postmaster@mx.example.net>
if you feel this message to be in error.
`,
    },
    told: ['jdoe@example.org failed 5.1.1 | Reason: 5.1.1 <jdoe@example.org>... User unknown'],
  },
  {
    name: 'intermail2',
    family: 'intermail',
    sample: {
      from: 'Mail Administrator <Postmaster@mx.example.net>',
      subject: 'Mail System Error - Returned Mail',
      text: `
This Message was undeliverable due to the following reason:

Your message was not delivered because the destination computer was
not found.  Carefully check that it was spelled correctly and try
sending it again if there were any mistakes.

It is also possible that a network problem caused this situation,
so if you are sure the address is correct you might want to try to
send it again.  If the problem continues, contact your friendly
system administrator.

     Host example.org not found

The following recipients did not receive this message:

     <jdoe@example.org>

Please reply to <Postmaster@mx.example.net>
if you feel this message to be in error.
`,
    },
    told: [
      'jdoe@example.org failed | system administrator. Host example.org not found The following recipients did not receive this message:',
    ],
  },
  {
    name: 'intermail3',
    family: 'intermail',
    sample: {
      from: 'Mail Administrator <Postmaster@mx.example.net>',
      subject: 'Mail System Error - Returned Mail',
      text: `
This Message was undeliverable due to the following reason:

The user(s) account is temporarily over quota.

<jdoe@example.org>

Please reply to <Postmaster@mx.example.net>
if you feel this message to be in error.
`,
    },
    told: [
      'jdoe@example.org failed | This Message was undeliverable due to the following reason: The user(s) account is temporarily over quota.',
    ],
  },
  {
    name: 'netscape',
    family: 'unnamed',
    sample: {
      from: 'Postmaster@mx.example.net',
      subject: 'Mail System Error - Returned Mail',
      returned: { To: 'jdoe@example.org', From: 'sender@example.com' },
      text: `
This Message was undeliverable due to the following reason:

Your message was not delivered because the return address was refused.

The return address was '<sender@example.com>'

Please reply to <postmaster@mx.example.net>
if you feel this message to be in error.
`,
    },
    told: [
      "jdoe@example.org failed | This Message was undeliverable due to the following reason: Your message was not delivered because the return address was refused. The return address was '<sender@example.com>' Please reply to <postmaster@mx.example.net> if you feel this message to be in error.",
    ],
  },
  {
    name: 'groupwise',
    family: 'groupwise',
    sample: {
      from: 'Mailer-Daemon@mx.example.net',
      subject: 'Message status - undeliverable',
      text: `
The message that you sent was undeliverable to the following:
	jdoe@example.org (user not found)

Possibly truncated original message follows:

Received: x
`,
    },
    told: ['jdoe@example.org failed | (user not found)'],
  },
  {
    name: 'smtpsvc',
    family: 'smtpsvc',
    sample: {
      from: '<postmaster@mx.example.net>',
      subject: 'Delivery Status Notification (Failure)',
      text: `
This is an automatically generated Delivery Status Notification.

Delivery to the following recipients failed.

       jdoe@example.org
`,
    },
    told: [
      'jdoe@example.org failed | This is an automatically generated Delivery Status Notification. Delivery to the following recipients failed.',
    ],
  },
  {
    name: 'smtpsvc2',
    family: 'smtpsvc',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Undeliverable message',
      text: `
The email below could not be delivered to the following user:

<jdoe@example.org>

Old message:
From: x
`,
    },
    told: ['jdoe@example.org failed | The email below could not be delivered to the following user:'],
  },
  {
    name: 'compuserve',
    family: 'compuserve',
    sample: {
      from: 'Electronic Postmaster <POSTMASTER@compuserve.example.com>',
      subject: 'Undeliverable message',
      text: `
Your message could not be delivered for the following reason:

Invalid receiver address: jdoe@compuserve.example.com
`,
    },
    told: [
      'jdoe@compuserve.example.com failed | Your message could not be delivered for the following reason: Invalid receiver address: jdoe@compuserve.example.com',
    ],
  },
  {
    name: 'hotpop',
    family: 'usa.net',
    sample: {
      from: 'MAILER-DAEMON@hotpop.example.com',
      subject: 'Undeliverable Mail',
      text: `
Undeliverable Address: jdoe@hotpop.example.com

Reason: The mailbox is over quota.

Original message attached
`,
    },
    told: ['jdoe@hotpop.example.com failed | Reason: The mailbox is over quota.'],
  },
  {
    name: 'usa.net',
    family: 'usa.net',
    sample: {
      from: 'MAILER-DAEMON@usa.example.net',
      subject: 'Returned mail: Mailbox full',
      text: `
Intended recipient:  <jdoe@usa.example.net>

--------RETURNED MAIL FOLLOWS--------
`,
    },
    told: ['jdoe@usa.example.net failed | Intended recipient: <jdoe@usa.example.net>'],
  },
  {
    name: 'prodigy',
    family: 'general',
    sample: {
      from: 'Mail Administrator <postmaster@prodigy.example.net>',
      subject: 'Undelivered mail',
      text: `
Unable to deliver mail.

User's mailbox is full: <jdoe@prodigy.example.net>
`,
    },
    told: ['jdoe@prodigy.example.net failed | Unable to deliver mail.'],
  },
  {
    name: 'smail',
    family: 'smail',
    sample: {
      from: '<MAILER-DAEMON@mx.example.net>',
      subject: 'mail failed, returning to sender',
      text: `
|------------------------- Message log follows: -------------------------|
 no valid recipients were found for this message
|------------------------- Failed addresses follow: ---------------------|
 <jdoe@example.org> ... unknown host
|------------------------- Message text follows: ------------------------|
Received: x
`,
    },
    told: ['jdoe@example.org failed | ... unknown host'],
  },
  {
    name: 'tonline',
    family: 'smail',
    sample: {
      from: 'Mail Delivery System <mailer-daemon@t-online.example.de>',
      subject: 'Undelivered Mail Returned to Sender',
      text: `
|------------------------- Message log follows: -------------------------|
 no valid recipients were found for this message
|------------------------- Failed addresses follow: ---------------------|
<jdoe@example.org>
`,
    },
    told: [
      'jdoe@example.org failed | |------------------------- Message log follows: -------------------------| no valid recipients were found for this message |------------------------- Failed addresses follow: ---------------------|',
    ],
  },
  {
    name: 'novell',
    family: 'general',
    sample: {
      from: 'Novell Mailer <MAILER-DAEMON@novell.example.com>',
      subject: 'Message status - undeliverable',
      text: `
The attached file had the following undeliverable recipient(s):

	jdoe@example.com.invalid

Transcript of session follows:
Command: RCPT <jdoe@example.com.invalid>
Response: 550 <jdoe@example.com.invalid>... User unknown
`,
    },
    told: [
      'jdoe@example.com.invalid failed 550 | Transcript of session follows: Command: RCPT <jdoe@example.com.invalid> Response: 550 <jdoe@example.com.invalid>... User unknown',
    ],
  },
  {
    name: 'kerio',
    family: 'undeliverable-to',
    sample: {
      from: 'Kerio Connect <postmaster@mx.example.net>',
      subject: 'Undeliverable Mail',
      text: `
Your message
   To: jdoe@example.org
   Subject: Hello

could not be delivered to the following recipient:

   jdoe@example.org (550 5.1.1 User unknown)
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | (550 5.1.1 User unknown)'],
  },
  {
    name: 'zimbra delay ru',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@mx.example.ru',
      subject: 'Отложенная доставка',
      text: `
Ваше письмо пока не доставлено получателю:
  jdoe@example.ru
Сервер временно недоступен. Попытки доставки будут продолжены.
`,
    },
    told: ['jdoe@example.ru delayed | Сервер временно недоступен. Попытки доставки будут продолжены.'],
  },
  {
    name: 'icewarp',
    family: 'general',
    sample: {
      from: '<postmaster@mx.example.net>',
      subject: 'Delivery report',
      text: `
Hello, this is the mail server at mx.example.net.

Your message could not be delivered to <jdoe@example.org>.
Reason: 550 5.1.1 User unknown
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 User unknown'],
  },
  {
    name: 'ses receiving',
    family: 'general',
    sample: {
      from: 'MAILER-DAEMON@eu-west-1.amazonses.example.com',
      subject: 'Delivery Status Notification (Failure)',
      text: `
This message could not be delivered.

Recipient: jdoe@example.org
Reason: mailbox does not exist
`,
    },
    told: ['jdoe@example.org failed | Reason: mailbox does not exist'],
  },
  {
    name: 'ses',
    family: 'amazon-ses',
    sample: {
      from: 'MAILER-DAEMON@email-bounces.amazonses.example.com',
      subject: 'Delivery Status Notification (Failure)',
      text: `
An error occurred while trying to deliver the mail to the following recipients:
jdoe@example.org
jane@example.org
`,
    },
    told: [
      'jdoe@example.org failed | An error occurred while trying to deliver the mail to the following recipients:',
      'jane@example.org failed | An error occurred while trying to deliver the mail to the following recipients:',
    ],
  },
  {
    name: 'workmail',
    family: 'amazon-ses',
    sample: {
      from: 'MAILER-DAEMON@eu-west-1.amazonses.example.com',
      subject: 'Delivery Status Notification (Failure)',
      text: `
This is an automatically generated notification about an email delivery failure.

The message you sent to the following recipients could not be delivered:
 jdoe@example.org

Reason: 5.1.1 user unknown
`,
    },
    told: ['jdoe@example.org failed 5.1.1 | Reason: 5.1.1 user unknown'],
  },
  {
    name: 'x400',
    family: 'x400',
    sample: {
      from: 'Postmaster <postmaster@gw.example.net>',
      subject: 'Non-Delivery Report',
      text: `
Your message was not delivered to:
   jdoe@example.org
for the following reason:
   Unrecognised O/R name
`,
    },
    told: ['jdoe@example.org failed | for the following reason: Unrecognised O/R name'],
  },
  {
    name: 'unix mmdf',
    family: 'general',
    sample: {
      from: '"MMDF Mail System" <mmdf@mx.example.net>',
      subject: 'Failed mail (msg.aa01234)',
      text: `
Your message could not be delivered to
'jdoe@example.org (host: example.org) (queue: smtp)' for the following
reason:  ' <jdoe@example.org>... User unknown'
`,
    },
    told: [
      "jdoe@example.org failed | (host: example.org) (queue: smtp)' for the following reason: ' <jdoe@example.org>... User unknown'",
    ],
  },
  {
    name: 'zmailer',
    family: 'general',
    sample: {
      from: 'Mail Delivery Subsystem <postmaster@mx.example.net>',
      subject: 'Delivery reports about your email [FAILED(1)]',
      text: `
This is a collection of reports about email delivery
process concerning a message you originated.

FAILED:
  Original Recipient:
    rfc822;jdoe@example.org
  Control data:
    smtp example.org jdoe@example.org 99
  Diagnostic texts:
    <smtp mx.example.org 10: RCPT To: <jdoe@example.org> -> 550 5.1.1 unknown user>
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 | Control data: smtp example.org jdoe@example.org 99 Diagnostic texts: <smtp mx.example.org 10: RCPT To: <jdoe@example.org> -> 550 5.1.1 unknown user>',
    ],
  },
  {
    name: 'vms pmdf',
    family: 'sun-messaging',
    sample: {
      from: 'PMDF e-Mail Interconnect <postmaster@mx.example.net>',
      subject: 'Delivery Notification: Delivery has failed',
      text: `
Your message cannot be delivered to the following recipients:

  Recipient address: jdoe@example.org
  Reason: Illegal host/domain name found
`,
    },
    told: ['jdoe@example.org failed | Reason: Illegal host/domain name found'],
  },
]

test.each(SAMPLES)('$name', ({ sample, family, told }) => {
  expect(toldBy(sample)).toEqual({ family, recipients: told })
})
