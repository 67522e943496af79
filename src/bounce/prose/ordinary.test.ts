// Mail that speaks of failures, or is written by machines, and reports none. Not one of it may become a bounce.

import { expect, test } from 'vitest'
import { proseOf, type Sample } from '../../../test/support/prose.ts'
import { readProse } from './readers.ts'

const MAILS: readonly { name: string; sample: Sample }[] = [
  {
    name: 'vacation with null sender',
    sample: {
      from: 'Jane Roe <jane@example.org>',
      subject: 'Out of office: Hello',
      header: { 'Auto-Submitted': 'auto-replied', 'Return-Path': '<>' },
      text: `
I am out of the office until Monday. In urgent cases write to bob@example.org. Your message was not delivered to anybody else.
`,
    },
  },
  {
    name: 'left company',
    sample: {
      from: 'Jane Roe <jane@example.org>',
      subject: 'Automatic reply: mailbox unavailable',
      header: { 'Auto-Submitted': 'auto-replied', 'Return-Path': '<>' },
      text: `
Jane Roe no longer works here. jane@example.org is not monitored. Mail bob@example.org instead.
`,
    },
  },
  {
    name: 'parcel',
    sample: {
      from: 'DHL <noreply@parcel.example.com>',
      subject: 'Delivery failed: your parcel',
      header: { 'Auto-Submitted': 'auto-generated' },
      text: `
Dear customer,
your parcel 123456550 could not be delivered to the following address:
Main Street 5. Please contact help@parcel.example.com.
This mail was sent to sender@example.com by info@parcel.example.com
`,
    },
  },
  {
    name: 'person quoting',
    sample: {
      from: 'Bob <bob@example.org>',
      subject: 'Undelivered mail?',
      text: `
Hi, I got this back, why?

> This is the mail system at host mx.example.net.
>
> <jdoe@example.org>: host mx.example.org[192.0.2.5] said: 550 5.1.1 unknown
`,
    },
  },
  {
    name: 'person pasting',
    sample: {
      from: 'Bob <bob@example.org>',
      subject: 'Undelivered mail?',
      header: { 'User-Agent': 'Mozilla Thunderbird' },
      text: `
Hi, I got this back, why?

This is the mail system at host mx.example.net.

<jdoe@example.org>: host mx.example.org[192.0.2.5] said: 550 5.1.1 unknown
`,
    },
  },
  {
    name: 'reply of a person',
    sample: {
      from: 'Bob <bob@example.org>',
      subject: 'Re: Mail delivery failed: returning message to sender',
      text: `
The following address(es) failed:

  jdoe@example.org
    550 unknown

what shall I do?
`,
    },
  },
  {
    name: 'newsletter',
    sample: {
      from: 'News <news@shop.example.com>',
      subject: 'Your mailbox is full of offers',
      header: { 'List-Unsubscribe': '<mailto:u@shop.example.com>' },
      text: `
Not delivered? Write to help@shop.example.com. 550 offers!
`,
    },
  },
  {
    name: 'quarantine digest',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Quarantine summary',
      text: `
The following messages were blocked as spam:

  spammer@example.org  Viagra  550 points
  other@example.org    Rolex
`,
    },
  },
  {
    name: 'dmarc-like',
    sample: {
      from: 'postmaster@mx.example.net',
      subject: 'Weekly statistics',
      text: `
Top senders: jane@example.org 551 messages, bob@example.org 12 rejected
`,
    },
  },
  {
    name: 'phishing',
    sample: {
      from: 'Mail Delivery System <info@phish.example.com>',
      subject: 'Undelivered mail: 5 messages blocked',
      text: `
You have 5 undelivered messages for victim@example.org
Your mailbox is full. Click here to release: http://phish.example.com/x
`,
    },
  },
  {
    name: 'mailman held',
    sample: {
      from: 'list-bounces@lists.example.org',
      subject: 'Your message to List awaits moderator approval',
      text: `
Your mail to 'List' with the subject

    Hello

Is being held until the list moderator can review it for approval.

The reason it is being held:

    Post by non-member to a members-only list

If you would like to cancel this posting, please visit http://x
`,
    },
  },
  {
    name: 'mailman rejected',
    sample: {
      from: 'list-bounces@lists.example.org',
      subject: 'Request to mailing list List rejected',
      text: `
Your request to the List mailing list

    Posting of your message titled "Hello"

has been rejected by the list moderator.  The moderator gave the
following reason for rejecting your request:

"No."

Any questions or comments should be directed to the list administrator
at:

    list-owner@lists.example.org
`,
    },
  },
  {
    name: 'ezmlm warning',
    sample: {
      from: 'list-help@lists.example.org',
      subject: 'ezmlm warning',
      header: { 'Return-Path': '<>' },
      text: `
Hi! This is the ezmlm program. I'm managing the
list@lists.example.org mailing list.

Messages to you from the list mailing list seem to
have been bouncing. I've attached a copy of the first bounce
message I received.

--- Enclosed is a copy of the bounce message I received.

Return-Path: <>
Received: (qmail 1 invoked by uid 1)
From: MAILER-DAEMON@mx.example.net
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.

<sender@example.com>:
Sorry, no mailbox here by that name.
`,
    },
  },
  {
    name: 'bugzilla',
    sample: {
      from: 'bugzilla-daemon@bugs.example.org',
      subject: '[Bug 123] Mail delivery failed for jane',
      header: { 'Auto-Submitted': 'auto-generated' },
      text: `
jane@example.org changed:

What    |Removed |Added
Comment #3 from jane@example.org: 550 5.1.1 unknown user bob@example.net when I test
`,
    },
  },
  {
    name: 'cron',
    sample: {
      from: 'root@mx.example.net',
      subject: 'Cron <root@mx> mailq: delivery failed',
      text: `
ABC123 1234 Thu Apr 29 sender@example.com
 (host mx.example.org said: 550 5.1.1 unknown)
     jdoe@example.org
`,
    },
  },
  {
    name: 'logwatch',
    sample: {
      from: 'logwatch@mx.example.net',
      subject: 'Logwatch for mx',
      text: `
550 5.1.1 rejected: jdoe@example.org
`,
    },
  },
  {
    name: 'absence from a daemon',
    sample: {
      from: 'Mail System <mailer-daemon@example.org>',
      subject: 'Undeliverable: Hello',
      header: { 'Return-Path': '<>' },
      text: `
I am out of the office and mail to jane@example.org is not delivered until Monday. Meanwhile bob@example.org has a mailbox.
`,
    },
  },
]

test.each(MAILS)('$name', ({ sample }) => {
  expect(readProse(proseOf(sample))).toBeUndefined()
})
