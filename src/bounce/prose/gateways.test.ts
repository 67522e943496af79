// Filters and gateways, in the form that each is known for. Samples are
// written for these tests; `told` is `address action status code command | diagnostic`.

import { expect, test } from 'vitest'
import { type Sample, toldBy } from '../../../test/support/prose.ts'

const SAMPLES: readonly { name: string; family: string; sample: Sample; told: readonly string[] }[] = [
  {
    name: 'surfcontrol',
    family: 'surfcontrol',
    sample: {
      from: 'Postmaster@mx.example.net',
      subject: 'Message Notification',
      text: `
Your message could not be sent.
A transcript of the attempts to send the message follows.
The number of attempts made: 1
Addressed To: jdoe@example.org

Thu 29 Apr 2010 23:34:45 +0900
Failed to send to identified host,
jdoe@example.org: [192.0.2.5], 550 jdoe@example.org... No such user

--- Message non-deliverable.
`,
    },
    told: ['jdoe@example.org failed 550 | 550 jdoe@example.org... No such user'],
  },
  {
    name: 'mailmarshal',
    family: 'mailmarshal',
    sample: {
      from: 'MAILMARSHAL@mx.example.net',
      subject: 'Undeliverable Mail: "Hello"',
      text: `
Your message: 
   From:    sender@example.com
   Subject: Hello

Could not be delivered because of 

550 5.1.1 User unknown 

The following recipients were affected: 
    jdoe@example.org

Additional Information
======================

Original Sender:    <sender@example.com>
Sender-MTA:         <10.11.12.13>
Remote-MTA:         <10.0.0.1>
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 User unknown'],
  },
  {
    name: 'ironport',
    family: 'ironport',
    sample: {
      from: 'Mail Delivery System <MAILER-DAEMON@mx.example.net>',
      subject: 'Delivery Status Notification (Failure)',
      text: `
The following message to <jdoe@example.org> was undeliverable.
The reason for the problem:
5.1.0 - Unknown address error 550-'5.1.1 <jdoe@example.org>... User unknown'
`,
    },
    told: [
      "jdoe@example.org failed 5.1.0 550 | 5.1.0 - Unknown address error 550-'5.1.1 <jdoe@example.org>... User unknown'",
    ],
  },
  {
    name: 'mailfoundry',
    family: 'mailfoundry',
    sample: {
      from: '"MAILER-DAEMON" <postmaster@mx.example.net>',
      subject: 'Message delivery has failed',
      text: `
Unable to deliver message to: <jdoe@example.org>
Delivery failed for the following reason:
Server mx.example.org[192.0.2.222] failed with: 550 <jdoe@example.org> No such user here

This has been a permanent failure.  No further delivery attempts will be made.
`,
    },
    told: ['jdoe@example.org failed 550 | 550 <jdoe@example.org> No such user here'],
  },
  {
    name: 'mcafee',
    family: 'mcafee',
    sample: {
      from: '<mailer-daemon@mx.example.net>',
      subject: 'Delivery Status',
      text: `
--- The following addresses had delivery problems ---

<jdoe@example.org>   (User unknown)

--------------- Returned Message ---------
`,
    },
    told: ['jdoe@example.org failed | (User unknown)'],
  },
  {
    name: 'interscan nt',
    family: 'interscan',
    sample: {
      from: 'InterScan E-Mail VirusWall NT <postmaster@mx.example.net>',
      subject: 'Mail could not be delivered',
      text: `
******** Message from InterScan E-Mail VirusWall NT ********

Sent <<< RCPT TO:<jdoe@example.org>
Received >>> 550 5.1.1 <jdoe@example.org>... user unknown

Unable to deliver message to <jdoe@example.org>.

********************   End of message   ********************
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 RCPT | 550 5.1.1 <jdoe@example.org>... user unknown'],
  },
  {
    name: 'mxlogic',
    family: 'exim',
    sample: {
      from: 'Mail Delivery System <mxl~1@mx.example.net>',
      subject: 'Mail delivery failed: returning message to sender',
      text: `
This message was created automatically by mail delivery software.

A message that you have sent could not be delivered to one or more
recipients.  This is a permanent error.  The following address failed:

  <jdoe@example.org>: 550 5.1.1 <jdoe@example.org>... User Unknown

Included is a copy of the message header:
-----------------------------------------
Received: x
`,
    },
    told: ['jdoe@example.org failed 5.1.1 550 | 550 5.1.1 <jdoe@example.org>... User Unknown'],
  },
  {
    name: 'activehunter',
    family: 'active-hunter',
    sample: {
      from: 'MAILER-DAEMON@mx.example.net',
      subject: 'FAILURE NOTICE :',
      text: `
  ----- The following addresses had permanent fatal errors -----

>>> jdoe@example.org <jdoe@example.org>

550 sorry, no mailbox here by that name (#5.1.1 - chkusr)

  ----- original message -----

Received: x
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 | <jdoe@example.org> 550 sorry, no mailbox here by that name (#5.1.1 - chkusr)',
    ],
  },
  {
    name: 'boxed status',
    family: 'boxed-status',
    sample: {
      from: 'Mail Delivery System <MAILER-DAEMON@mx.example.net>',
      subject: 'Delivery status notification',
      text: `
      This is an automatically generated Delivery Status Notification.

============================================================================
Delivery to the following recipients failed permanently:

   * jdoe@example.org

============================================================================
                             Technical details:

SMTP:RCPT host 192.0.2.8: 553 5.3.0 <jdoe@example.org>... No such user here
============================================================================
                             Signature:
`,
    },
    told: [
      'jdoe@example.org failed 5.3.0 553 RCPT | SMTP:RCPT host 192.0.2.8: 553 5.3.0 <jdoe@example.org>... No such user here',
    ],
  },
  {
    name: 'amavis',
    family: 'groupwise',
    sample: {
      from: '"Content-filter at mx.example.net" <postmaster@mx.example.net>',
      subject: 'VIRUS (EICAR) IN MAIL FROM YOU',
      text: `
A virus was found: EICAR

Your message was not delivered to the following recipients:
<jdoe@example.org>: 554 5.7.0 Reject, id=1234 - INFECTED: EICAR
`,
    },
    told: ['jdoe@example.org failed 5.7.0 554 | 554 5.7.0 Reject, id=1234 - INFECTED: EICAR'],
  },
  {
    name: 'barracuda',
    family: 'barracuda',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: '**Message you sent blocked by our bulk email filter**',
      text: `
Your message to: jdoe@example.org
was blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:

Subject: Hello
`,
    },
    told: [
      'jdoe@example.org failed | was blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED: Subject: Hello',
    ],
  },
  {
    name: 'sophos',
    family: 'general',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Non-delivery notification',
      text: `
The email message with the subject "Hello" could not be delivered to jdoe@example.org

The reason given was: 550 mailbox unavailable
`,
    },
    told: ['jdoe@example.org failed 550 | 550 mailbox unavailable'],
  },
  {
    name: 'virus',
    family: 'barracuda',
    sample: {
      from: 'Symantec Mail Security <postmaster@mx.example.net>',
      subject: 'Mail delivery failed: virus found',
      text: `
Your message to jdoe@example.org was rejected because it contained the virus EICAR.
`,
    },
    told: ['jdoe@example.org failed | was rejected because it contained the virus EICAR.'],
  },
  {
    name: 'multi reply',
    family: 'general',
    sample: {
      from: 'mailer-daemon@mx.example.net',
      subject: 'Returned mail',
      text: `
   jdoe@example.org
SMTP error from remote mailer after RCPT TO:
550 5.1.1 No such user
   jane@example.com
SMTP error from remote mailer after RCPT TO:
552 5.2.2 Mailbox full
`,
    },
    told: [
      'jdoe@example.org failed 5.1.1 550 RCPT | SMTP error from remote mailer after RCPT TO: 550 5.1.1 No such user',
      'jane@example.com failed 5.2.2 552 RCPT | SMTP error from remote mailer after RCPT TO: 552 5.2.2 Mailbox full',
    ],
  },
]

test.each(SAMPLES)('$name', ({ sample, family, told }) => {
  expect(toldBy(sample)).toEqual({ family, recipients: told })
})
