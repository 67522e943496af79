// Reports of many forms, whole as they come from a server, for whoever damages them or sends them in masses. Written for
// this purpose; nobody's mail.

const crlf = (text: string): string => text.replaceAll('\n', '\r\n')

const RETURN_PATH = 'b-0123456789abcdefghijklmnopqrstuv01234567@bounce.example.com'
const RECIPIENT = 'jane.doe@example.org'

const original = (recipient: string): string => `Received: from app.example.com (app.example.com [192.0.2.7])
	by relay.example.com with ESMTPSA id 0hq3k5m2p0001; Sun, 01 Nov 2026 08:00:00 +0000
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; t=1793520000;
	h=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
	b=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6
	 cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4
From: Example Shop <shop@example.com>
To: ${recipient}
Subject: =?utf-8?q?Your_order_at_the_Caf=C3=A9?=
Message-ID: <order-1@example.com>
Date: Sun, 01 Nov 2026 08:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
`

/** RFC 3464 as most servers write it, about 3 KB, with the header of the mail given back. */
export function deliveryReport({
  returnPath = RETURN_PATH,
  recipient = RECIPIENT,
}: {
  returnPath?: string
  recipient?: string
} = {}): string {
  return crlf(`Return-Path: <>
Received: by mx.example.net (Postfix)
	id 4F1D2C0A77; Sun, 01 Nov 2026 08:00:02 +0000 (UTC)
Date: Sun, 01 Nov 2026 08:00:02 +0000 (UTC)
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: ${returnPath}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="4F1D2C0A77.1793520002/mx.example.net"
Message-Id: <20261101080002.4F1D2C0A77@mx.example.net>

This is a MIME-encapsulated message.

--4F1D2C0A77.1793520002/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

                   The mail system

<${recipient}>: host mail.example.org[192.0.2.25] said: 550 5.1.1
    <${recipient}>: Recipient address rejected: User unknown in virtual
    mailbox table (in reply to RCPT TO command)

--4F1D2C0A77.1793520002/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4F1D2C0A77
X-Postfix-Sender: rfc822; ${returnPath}
Arrival-Date: Sun, 01 Nov 2026 08:00:01 +0000 (UTC)

Final-Recipient: rfc822; ${recipient}
Original-Recipient: rfc822;${recipient}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 5.1.1 <${recipient}>: Recipient address
    rejected: User unknown in virtual mailbox table

--4F1D2C0A77.1793520002/mx.example.net
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <${returnPath}>
${original(recipient)}
--4F1D2C0A77.1793520002/mx.example.net--
`)
}

const base64 = (text: string): string =>
  (
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\n')

const ENCODED = `From: Postmaster <postmaster@example.net>
Subject: =?iso-2022-jp?B?GyRCR1s/LkUmTUEbKEI=?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/report; report-type=delivery-status; boundary="inner"

--inner
Content-Type: multipart/alternative; boundary="deep"

--deep
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Ihre Nachricht an <${RECIPIENT}> konnte nicht zugestellt werden: Postfach =FCberf=FCllt.
--deep
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

${base64(`<html><body><p>Ihre Nachricht an &lt;${RECIPIENT}&gt; konnte nicht zugestellt werden.</p></body></html>`)}
--deep--
--inner
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

${base64(`Reporting-MTA: dns; a.example.net\n\nFinal-Recipient: rfc822; ${RECIPIENT}\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\n`)}
--inner
Content-Type: message/rfc822

${original(RECIPIENT)}
Hello
--inner--
--outer--
`

const COMPLAINT = `From: Feedback <fbl@example.org>
Subject: FW: Your order
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report for a message received from 192.0.2.7.
--b1
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Example/1.0
Version: 1
Original-Mail-From: <${RETURN_PATH}>
Original-Rcpt-To: <${RECIPIENT}>
Source-IP: 192.0.2.7
--b1
Content-Type: message/rfc822

${original(RECIPIENT)}
Hello
--b1--
`

const EXIM = `Return-Path: <>
From: Mail Delivery System <Mailer-Daemon@mx.example.net>
To: ${RETURN_PATH}
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ${RECIPIENT}
    host mail.example.org [192.0.2.25]
    SMTP error from remote mail server after RCPT TO:<${RECIPIENT}>:
    550 5.1.1 <${RECIPIENT}>: no such user here

------ This is a copy of the message, including all the headers. ------

${original(RECIPIENT)}
Hello
`

const QMAIL = `Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: ${RETURN_PATH}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<${RECIPIENT}>:
192.0.2.25 does not like recipient.
Remote host said: 550 sorry, no mailbox here by that name (#5.1.1)
Giving up on 192.0.2.25.

--- Below this line is a copy of the message.

${original(RECIPIENT)}
Hello
`

const SENDMAIL = `Return-Path: <MAILER-DAEMON>
From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>
Subject: Returned mail: see transcript for details
Content-Type: multipart/report; report-type=delivery-status; boundary="x1.y2/mx"

--x1.y2/mx

The original message was received at Sun, 1 Nov 2026 08:00:00 GMT

   ----- The following addresses had permanent fatal errors -----
<${RECIPIENT}>
    (reason: 550 5.7.1 Access denied)

   ----- Transcript of session follows -----
... while talking to mail.example.org.:
>>> RCPT To:<${RECIPIENT}>
<<< 550 5.7.1 Access denied
550 5.1.1 <${RECIPIENT}>... User unknown

--x1.y2/mx
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: RFC822; ${RECIPIENT}
Action: failed
Status: 5.7.1
Diagnostic-Code: SMTP; 550 5.7.1 Access denied

--x1.y2/mx--
`

const ABSENCE = `From: Jane Doe <${RECIPIENT}>
To: ${RETURN_PATH}
Subject: =?utf-8?Q?Abwesenheitsnotiz=3A_Ihre_Bestellung?=
Auto-Submitted: auto-replied
In-Reply-To: <order-1@example.com>
Content-Type: text/html; charset=windows-1252
Content-Transfer-Encoding: quoted-printable

<html><head><style>p { margin: 0 }</style></head><body><p>Ich bin bis zum 15. November nicht im B=FCro.</p></body></html>
`

const ANSWER = `From: Jane Doe <${RECIPIENT}>
To: shop@example.com
Subject: Re: Your order
In-Reply-To: <order-1@example.com>
References: <order-1@example.com>
Content-Type: text/plain; charset=utf-8; format=flowed

Thank you! One question: could it not be delivered on Monday?

On Sun, 1 Nov 2026, Example Shop wrote:
> Your order has been sent.
`

export const REPORT_SAMPLES: readonly string[] = [
  deliveryReport(),
  ...[ENCODED, COMPLAINT, EXIM, QMAIL, SENDMAIL, ABSENCE, ANSWER].map(crlf),
]
