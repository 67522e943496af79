// The classifier against replies as receivers say them (in their form, with example addresses), by command and by fault.

import { describe, expect, test } from 'vitest'
import type { Cause } from '../mail/outcome.ts'
import { enhancedCodeOf, type SmtpCommand } from '../mail/reply.ts'
import { createClassifier } from './classify.ts'
import { anonymised, masked } from './mask.ts'
import { parseRules, shippedRules } from './rules.ts'
import type { Category } from './verdict.ts'

const classifier = createClassifier(shippedRules())

function reply(text: string, command: SmtpCommand = 'RCPT'): Cause {
  const code = Number(text.slice(0, 3))
  const line = text.slice(4)
  const enhanced = enhancedCodeOf(code, line)
  return { kind: 'reply', command, reply: { code, lines: [line], ...(enhanced === undefined ? {} : { enhanced }) } }
}

describe('what receivers say', () => {
  const GOOGLE = 'gmail-smtp-in.l.google.com'
  const M365 = 'example-com.mail.protection.outlook.com'
  const OUTLOOK = 'outlook-com.olc.protection.outlook.com'
  const YAHOO = 'mta5.am0.yahoodns.net'

  test.each<[Category, SmtpCommand, string | undefined, string]>([
    [
      'bad-mailbox',
      'RCPT',
      GOOGLE,
      "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser a640c23a62f3a-aa5 - gsmtp",
    ],
    [
      'inactive-mailbox',
      'RCPT',
      GOOGLE,
      '550 5.2.1 The email account that you tried to reach is inactive. For more information, go to https://support.google.com/mail/?p=DisabledUser d2e1a72fcca58 - gsmtp',
    ],
    [
      'quota-issues',
      'RCPT',
      GOOGLE,
      "452 4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp 38308e7fff4ca - gsmtp",
    ],
    [
      'inactive-mailbox',
      'RCPT',
      GOOGLE,
      "552 5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm",
    ],
    [
      'authentication',
      'dot',
      GOOGLE,
      '550 5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM. Authentication results: DKIM = did not pass SPF [example.org] with ip: [192.0.2.9] = did not pass',
    ],
    [
      'rate-limited',
      'dot',
      GOOGLE,
      '421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail sent from your IP address has been temporarily rate limited.',
    ],
    [
      'bad-mailbox',
      'RCPT',
      M365,
      '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    ],
    [
      'bad-mailbox',
      'RCPT',
      M365,
      '550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB5EUR01FT011.eop-EUR01.prod.protection.outlook.com]',
    ],
    ['policy-related', 'RCPT', undefined, '554 5.7.1 <jane@example.com>: Recipient address rejected: Access denied'],
    [
      'spam-related',
      'MAIL',
      OUTLOOK,
      "550 5.7.1 Unfortunately, messages from [192.0.2.9] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.",
    ],
    [
      'rate-limited',
      'MAIL',
      OUTLOOK,
      '451 4.7.500 Server busy. Please try again later from [192.0.2.9]. (S77719) [DB5EUR01FT011.eop-EUR01.prod.protection.outlook.com]',
    ],
    ['bad-mailbox', 'RCPT', OUTLOOK, '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).'],
    ['quota-issues', 'RCPT', OUTLOOK, '552 5.2.2 Mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException'],
    [
      'quota-issues',
      'dot',
      M365,
      '554 5.2.2 mailbox full;STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to process message due to a permanent exception',
    ],
    [
      'bad-mailbox',
      'RCPT',
      'mx-eu.mail.am0.yahoodns.net',
      "554 delivery error: dd This user doesn't have a yahoo.com account (jane@yahoo.com) [0] - mta1234.mail.bf1.yahoo.com",
    ],
    ['bad-mailbox', 'RCPT', 'mx-eu.mail.am0.yahoodns.net', '552 1 Requested mail action aborted, mailbox not found'],
    [
      'spam-related',
      'MAIL',
      YAHOO,
      '421 4.7.0 [TSS04] Messages from 192.0.2.9 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
    ],
    [
      'spam-related',
      'MAIL',
      YAHOO,
      "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.9, because the ip is in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html",
    ],
    [
      'policy-related',
      'dot',
      YAHOO,
      '554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes',
    ],
    ['bad-mailbox', 'RCPT', 'mx01.mail.icloud.com', '550 5.1.1 <jane@icloud.com>: user does not exist'],
    ['quota-issues', 'RCPT', 'mx01.mail.icloud.com', '552 5.2.2 <jane@icloud.com>: user is over quota'],
    [
      'content-related',
      'dot',
      'mx01.mail.icloud.com',
      '554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137',
    ],
    [
      'spam-related',
      'banner',
      'mx00.t-online.de',
      '554 IP=192.0.2.9 - None/bad reputation. Ask your postmaster for help or to contact tosa@rx.t-online.de for reset. (NOWL)',
    ],
    [
      'authentication',
      'banner',
      'mx00.gmx.net',
      '554 gmx.net (mxgmx016) Nemesis ESMTP Service not available No SMTP service Bad DNS PTR resource record. For explanation visit https://www.gmx.net/mail/senderguidelines?c=rdns&i=192.0.2.9',
    ],
    [
      'bad-mailbox',
      'RCPT',
      'mx00.gmx.net',
      '550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.net/en/error-messages?ip=192.0.2.9&c=moa',
    ],
    [
      'quota-issues',
      'RCPT',
      'mx00.gmx.net',
      '552 Requested mail action aborted: exceeded storage allocation. For explanation visit http://postmaster.gmx.net/',
    ],
    ['bad-mailbox', 'RCPT', 'mx1.comcast.net', '550 5.1.1 <jane@comcast.net> Account not available'],
    ['bad-mailbox', 'RCPT', 'mx1.comcast.net', '550 5.1.1 Not our Customer'],
    [
      'spam-related',
      'banner',
      'mx1.comcast.net',
      '554 resimta-c2p-541234.sys.comcast.net resimta-c2p-541234.sys.comcast.net 192.0.2.9 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000001',
    ],
    [
      'rate-limited',
      'MAIL',
      'mx1.comcast.net',
      '421 4.1.0 192.0.2.9 Throttled - try again later. Please see http://postmaster.comcast.net/smtp-error-codes.php#RL000003',
    ],
    [
      'bad-mailbox',
      'RCPT',
      'mxs.mail.ru',
      '550 Message was not accepted -- invalid mailbox.  Local mailbox jane@mail.ru is unavailable: user not found',
    ],
    [
      'inactive-mailbox',
      'RCPT',
      'mxs.mail.ru',
      '550 Message was not accepted -- invalid mailbox. Local mailbox jane@mail.ru is unavailable: account is disabled',
    ],
    [
      'content-related',
      'dot',
      'mxs.mail.ru',
      '550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abc or report details to abuse@corp.mail.ru.',
    ],
    ['greylisted', 'RCPT', 'mxs.mail.ru', '451 4.7.1 Greylisting in effect, please come back later'],
    ['bad-mailbox', 'RCPT', 'mx.yandex.ru', '550 5.7.1 No such user!'],
    [
      'content-related',
      'dot',
      'mx.yandex.ru',
      '554 5.7.1 Message rejected under suspicion of SPAM; https://ya.cc/1IrBc 1600000000-abcdefghij',
    ],
    [
      'bad-mailbox',
      'RCPT',
      'mx3.qq.com',
      '550 Mailbox not found [abc IP: 192.0.2.9]. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000728',
    ],
    [
      'content-related',
      'dot',
      'mx3.qq.com',
      '550 Mail content denied [abc IP: 192.0.2.9].http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726',
    ],
    ['quota-issues', 'RCPT', 'mx3.qq.com', '550 Mailbox quota exceeded'],
    [
      'authentication',
      'dot',
      '163mx01.mxmail.netease.com',
      '550 MI:SPF mx14,EMCowECpB0ubpwpV4yTRDA--.114S2 1426761629 http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.9',
    ],
    ['bad-mailbox', 'RCPT', '163mx01.mxmail.netease.com', '550 User not found: jane@163.com'],
    ['bad-mailbox', 'RCPT', 'mx.zoho.com', '550 5.1.1 User does not exist - <jane@example.com>'],
    [
      'spam-related',
      'MAIL',
      'mx1.example.pphosted.com',
      '550 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.9',
    ],
    [
      'bad-mailbox',
      'RCPT',
      'mx1.example.pphosted.com',
      '550 5.1.1 <jane@example.com>: Recipient address rejected: User unknown in relay recipient table',
    ],
    [
      'bad-mailbox',
      'RCPT',
      'eu-smtp-inbound-1.mimecast.com',
      '550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [abcdefghijk.uk123]',
    ],
    [
      'greylisted',
      'RCPT',
      'eu-smtp-inbound-1.mimecast.com',
      '451 Internal resources are temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451 [abcdef-uk99]',
    ],
    ['authentication', 'RCPT', 'cluster1.eu.messagelabs.com', "553 SPF/Sender's IP (192.0.2.9) is blacklisted"],
    ['bad-mailbox', 'RCPT', 'cluster1.eu.messagelabs.com', '550 Invalid recipient <jane@example.com> (#5.1.1)'],
    [
      'bad-mailbox',
      'RCPT',
      'd12345.a.ess.barracudanetworks.com',
      '550 permanent failure for one or more recipients (jane@example.com:550 5.1.1 User unknown)',
    ],
    [
      'spam-related',
      'MAIL',
      'd12345.a.ess.barracudanetworks.com',
      '554 Service unavailable; Client host [192.0.2.9] blocked using Barracuda Reputation; https://www.barracudanetworks.com/reputation/?r=1&ip=192.0.2.9',
    ],
    [
      'spam-related',
      'banner',
      'mx1.hc123.iphmx.com',
      "554 esa1.hc123.iphmx.com Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this failure is in error, please contact the intended recipient via alternate means.",
    ],
    ['rate-limited', 'RCPT', 'mx1.hc123.iphmx.com', '452 Too many recipients received this hour'],
    ['bad-mailbox', 'RCPT', 'mx1.hc123.iphmx.com', '550 #5.1.0 Address rejected.'],
    ['rate-limited', 'banner', 'mx1.hc123.iphmx.com', '421 #4.4.5 Too many connections to this host.'],
    ['relaying-issues', 'RCPT', undefined, '454 4.7.1 <jane@example.com>: Relay access denied'],
    ['relaying-issues', 'RCPT', undefined, '550 5.7.1 Relaying denied. IP name possibly forged [192.0.2.9]'],
    [
      'relaying-issues',
      'RCPT',
      undefined,
      '550-Please turn on SMTP Authentication in your mail client. 550-out.example.org [192.0.2.9]:1234 is not permitted to relay through this server',
    ],
    [
      'transient',
      'RCPT',
      undefined,
      '450 4.1.1 <jane@example.com>: Recipient address rejected: unverified address: Address verification in progress',
    ],
    [
      'bad-mailbox',
      'RCPT',
      undefined,
      '550 5.1.1 <jane@example.com>: Recipient address rejected: undeliverable address: host mx2 said: 550 5.1.1 User unknown',
    ],
    [
      'greylisted',
      'RCPT',
      undefined,
      '450 4.7.1 <jane@example.com>: Recipient address rejected: Policy restrictions; try again later. Greylisted for 300 seconds',
    ],
    [
      'authentication',
      'RCPT',
      undefined,
      '450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.9]',
    ],
    ['invalid-sender', 'RCPT', undefined, '554 5.7.1 <app@example.org>: Sender address rejected: Access denied'],
    ['invalid-sender', 'RCPT', undefined, '550 Sender verify failed'],
    [
      'invalid-sender',
      'RCPT',
      undefined,
      '550-Verification failed for <app@example.org> 550-No Such User Here 550 Sender verify failed',
    ],
    ['bad-mailbox', 'RCPT', undefined, '550 No Such User Here'],
    ['bad-mailbox', 'RCPT', undefined, '550 Unrouteable address'],
    ['policy-related', 'RCPT', undefined, '550 Administrative prohibition'],
    ['policy-related', 'HELO', undefined, '550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)'],
    ['quota-issues', 'RCPT', undefined, '451 4.2.2 Mailbox full'],
    ['quota-issues', 'RCPT', undefined, '552 5.2.2 Over quota'],
    ['transient', 'RCPT', undefined, '452 4.3.1 Insufficient system storage'],
    ['message-too-large', 'MAIL', undefined, '552 5.3.4 Message size exceeds fixed limit'],
    ['message-too-large', 'dot', undefined, '552 Message size exceeds maximum permitted'],
    ['transient', 'dot', undefined, '451 4.3.0 Temporary lookup failure'],
    ['transient', 'RCPT', undefined, '451 Temporary local problem - please try later'],
    ['transient', 'RCPT', undefined, '451 qq temporary problem (#4.3.0)'],
    ['content-related', 'dot', undefined, '550 This message was classified as SPAM and may not be delivered'],
    ['content-related', 'dot', undefined, '554 5.7.1 Spam message rejected'],
    ['virus-related', 'dot', undefined, '550 This message contains malware (Eicar-Test-Signature)'],
    [
      'prohibited-attachment',
      'dot',
      GOOGLE,
      '552 5.7.0 This message was blocked because its content presents a potential security issue. Please visit https://support.google.com/mail/?p=BlockedMessage to review our message content and attachment content guidelines.',
    ],
    ['content-related', 'dot', undefined, '550 5.7.1 This message was blocked for containing a URL listed in SURBL'],
    ['policy-related', 'RCPT', undefined, '550 5.7.1 Service unavailable; message rejected by policy'],
    [
      'policy-related',
      'RCPT',
      undefined,
      '550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group',
    ],
    [
      'bad-mailbox',
      'RCPT',
      'mx.lotus.example',
      '554 5.1.1 User jane (jane@example.com) not listed in Domino Directory',
    ],
    ['bad-mailbox', 'RCPT', 'mx.aol.com', '550 5.1.1 <jane@aol.com>: Recipient address rejected: aol.com'],
    [
      'bad-mailbox',
      'RCPT',
      'smtp-in.orange.fr',
      '550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]',
    ],
    [
      'rate-limited',
      'banner',
      'smtp-in.orange.fr',
      '421 mwinf5c26 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104 [104]',
    ],
    ['bad-mailbox', 'RCPT', 'mx1.free.fr', '550 5.1.1 User unknown'],
    ['other', 'RCPT', undefined, '550 5.0.0 xkcd'],
    ['other', 'RCPT', undefined, '554 Transaction failed'],
    ['transient', 'RCPT', undefined, '450 4.0.0 hmm'],
    ['bad-configuration', 'AUTH', 'relay.example.com', '535 5.7.8 Error: authentication failed'],
    ['bad-configuration', 'MAIL', 'relay.example.com', '530 5.7.0 Authentication required'],
    ['protocol-errors', 'RCPT', undefined, '503 5.5.1 Error: need MAIL command'],
    ['dns-failure', 'RCPT', undefined, '550 5.1.2 <jane@example.com>... Host unknown (Name server: host not found)'],
    ['bad-domain', 'RCPT', undefined, '556 5.1.10 Recipient address has null MX'],
    [
      'invalid-sender',
      'MAIL',
      undefined,
      '553 5.1.8 <app@example.org>... Domain of sender address app@example.org does not exist',
    ],
    ['invalid-sender', 'MAIL', undefined, '550 5.1.1 User unknown'],
    ['policy-related', 'banner', undefined, '554 No SMTP service here'],
    ['policy-related', 'banner', undefined, '550 user unknown'],
    ['transient', 'banner', undefined, '421 Service not available, closing transmission channel'],
    ['too-many-recipients', 'RCPT', undefined, '552 Too many recipients'],
    ['inactive-mailbox', 'RCPT', undefined, '550 5.2.1 Mailbox disabled, not accepting messages'],
    [
      'rate-limited',
      'RCPT',
      undefined,
      '550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour',
    ],
    [
      'spam-related',
      'RCPT',
      'mx.att.net',
      '553 5.3.0 flpd123 DNSBL:ATTRBL 521< 192.0.2.9 >_is_blocked.For assistance forward this email to abuse_rbl@abuse-att.net',
    ],
    ['bad-mailbox', 'RCPT', 'mx.att.net', '550 5.1.1 <jane@att.net>... Address unknown'],
    ['policy-related', 'dot', undefined, '550 5.7.1 Your account does not have permission to send to this recipient'],
    ['bad-mailbox', 'RCPT', 'mx.docomo.ne.jp', '550 Unknown user jane@docomo.ne.jp'],
    ['bad-mailbox', 'RCPT', 'mx.au.com', '550 <jane@ezweb.ne.jp>: User unknown'],
    ['quota-issues', 'RCPT', undefined, '550 mailbox for jane@example.com is full'],
    ['bad-mailbox', 'RCPT', undefined, '550 jane@example.com is not a valid mailbox'],
    ['bad-mailbox', 'RCPT', undefined, '550 5.1.1 Mailbox "jane" does not exist'],
    ['bad-mailbox', 'RCPT', undefined, '550 invalid address'],
    ['bad-mailbox', 'RCPT', undefined, '553 5.1.3 Invalid address format'],
    ['bad-mailbox', 'RCPT', undefined, '511 sorry, no mailbox here by that name (#5.1.1 - chkuser)'],
    ['bad-mailbox', 'RCPT', 'mx.seznam.cz', '550 5.1.1 Sorry, no mailbox here by that name.'],
    ['spam-related', 'RCPT', undefined, '550 Your IP has been blocked by our spam filter'],
  ])('%s at %s of %s: %s', (category, command, mx, text) => {
    const { verdict } = classifier.explain({ cause: reply(text, command), ...(mx === undefined ? {} : { mx }) })
    expect(verdict.category, verdict.rule).toBe(category)
  })

  test('the same words mean something else elsewhere', () => {
    const cause = reply('550 5.1.0 Recipient address rejected: Access denied')
    expect(classifier.classify({ cause, mx: M365 }).category).toBe('bad-mailbox')
    expect(classifier.classify({ cause, mx: 'mx.example.com' }).category).toBe('policy-related')
  })

  test('a report without a basic code is judged by its text and enhanced code', () => {
    const cause = (line: string): Cause => ({ kind: 'reply', command: 'RCPT', reply: { code: 0, lines: [line] } })
    expect(classifier.classify({ cause: cause('smtp; 5.1.1 xyzzy') })).toMatchObject({
      category: 'bad-mailbox',
      action: 'fail',
    })
    expect(classifier.classify({ cause: cause('4.2.2 xyzzy') })).toMatchObject({
      category: 'quota-issues',
      action: 'retry',
    })
    expect(classifier.classify({ cause: cause('xyzzy') })).toMatchObject({ category: 'other' })
  })

  test('of several enhanced codes the one that says more counts', () => {
    expect(classifier.classify({ cause: reply("550 5.0.0 xyzzy 550-'5.2.2 <jane@example.com> xyzzy'") }).category).toBe(
      'quota-issues',
    )
  })
})

describe('what is refused before RCPT', () => {
  const early: readonly SmtpCommand[] = ['banner', 'EHLO', 'HELO', 'STARTTLS', 'AUTH', 'MAIL']
  const texts = [
    '550 5.1.1 User unknown',
    '550 5.2.1 Mailbox disabled',
    '552 5.2.2 Mailbox full',
    '550 5.1.2 Host unknown',
    '556 5.1.10 null MX',
    '551 x',
    '550 x',
  ]

  test.each(early.flatMap((command) => texts.map((text) => [command, text] as const)))(
    '%s "%s" is never about the recipient',
    (command, text) => {
      const verdict = classifier.classify({ cause: reply(text, command) })
      expect(verdict.kind).not.toBe('hard')
      expect(verdict.fault).not.toBe('recipient')
      expect(['quota-issues', 'dns-failure']).not.toContain(verdict.category)
    },
  )

  test('is not the end of the message before MAIL', () => {
    expect(classifier.classify({ cause: reply('554 No SMTP service here', 'banner') }).action).toBe('retry-elsewhere')
    expect(classifier.classify({ cause: reply('535 5.7.8 Authentication failed', 'AUTH') }).action).toBe('retry')
  })
})

describe('what is done with the message', () => {
  test.each([
    ['550 5.1.1 User unknown', 'fail'],
    ['450 4.1.1 User unknown', 'retry'],
    ['554 5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org', 'retry-elsewhere'],
    ['550 5.7.1 Message throttled, you send too fast', 'slow'],
    ['451 4.7.1 too many messages', 'slow'],
    ['450 4.2.0 Greylisted', 'retry'],
    ['554 5.7.1 Spam message rejected', 'fail'],
    ['550 xyzzy', 'fail'],
    ['450 xyzzy', 'retry'],
  ])('%s → %s', (text, action) => {
    expect(classifier.classify({ cause: reply(text) }).action).toBe(action)
  })
})

describe('what was no reply', () => {
  const faults: [Cause, boolean, Category, string][] = [
    [{ kind: 'dns', code: '5.1.10', detail: 'null MX' }, false, 'bad-domain', 'fail'],
    [{ kind: 'dns', code: '5.1.2', detail: 'NXDOMAIN' }, false, 'dns-failure', 'fail'],
    [{ kind: 'dns', code: '4.4.3', detail: 'SERVFAIL' }, false, 'dns-failure', 'retry'],
    [{ kind: 'connect', detail: 'refused' }, false, 'no-answer-from-host', 'retry'],
    [{ kind: 'connect', detail: 'refused' }, true, 'site-unreachable', 'retry'],
    [{ kind: 'timeout', detail: '', command: 'banner' }, true, 'site-unreachable', 'retry'],
    [{ kind: 'timeout', detail: '', command: 'dot' }, true, 'bad-connection', 'retry'],
    [{ kind: 'tls', detail: '' }, false, 'bad-configuration', 'retry'],
    [{ kind: 'protocol', detail: '' }, false, 'protocol-errors', 'retry'],
    [{ kind: 'ambiguous', detail: '' }, false, 'protocol-errors', 'retry'],
    [{ kind: 'dns', code: '4.4.3', detail: 'no name server answers', ours: true }, false, 'local-fault', 'retry'],
    [{ kind: 'connect', detail: 'bind EADDRNOTAVAIL', ours: true }, false, 'local-fault', 'retry'],
    [{ kind: 'connect', detail: 'ENETUNREACH', ours: true }, true, 'local-fault', 'retry'],
    [{ kind: 'connect', detail: 'ECONNRESET', command: 'banner' }, false, 'no-answer-from-host', 'retry'],
    [{ kind: 'connect', detail: 'ECONNRESET', command: 'RCPT' }, true, 'bad-connection', 'retry'],
    [{ kind: 'local', code: '5.4.6', detail: '' }, false, 'local-fault', 'fail'],
    [{ kind: 'local', code: '5.4.4', detail: '' }, false, 'local-fault', 'fail'],
    [{ kind: 'local', code: '5.6.7', detail: '' }, false, 'protocol-errors', 'fail'],
    [{ kind: 'local', code: '5.3.4', detail: '' }, false, 'message-too-large', 'fail'],
    [{ kind: 'local', code: '4.3.0', detail: '' }, false, 'local-fault', 'retry'],
    [{ kind: 'local', code: '4.3.5', detail: '' }, false, 'local-fault', 'retry'],
    [{ kind: 'local', code: '5.0.0', detail: '' }, false, 'other', 'fail'],
    [{ kind: 'expired' }, false, 'message-expired', 'fail'],
    [{ kind: 'expired', last: { kind: 'connect', detail: '' } }, false, 'no-answer-from-host', 'fail'],
    [{ kind: 'expired', last: { kind: 'connect', detail: '' } }, true, 'site-unreachable', 'fail'],
    [{ kind: 'expired', last: { kind: 'connect', detail: '', ours: true } }, false, 'local-fault', 'fail'],
    [{ kind: 'expired', last: reply('452 4.2.2 Mailbox full') }, false, 'quota-issues', 'fail'],
  ]
  test.each(faults)('%j (site alive: %s) → %s, %s', (cause, siteAlive, category, action) => {
    expect(classifier.classify({ cause, siteAlive })).toMatchObject({ category, action })
  })
})

describe('the cache', () => {
  test('gives the verdict it would have given', () => {
    const fresh = createClassifier(shippedRules())
    const texts = [
      '550 5.1.1 <jane@example.com> User unknown',
      '550 5.1.1 <joe@example.org> User unknown',
      '450 4.1.1 <jane@example.com> User unknown',
    ]
    const twice = [...texts, ...texts].map((text) => fresh.classify({ cause: reply(text) }))
    expect(twice.slice(3)).toEqual(twice.slice(0, 3))
    expect(twice[0]).toBe(twice[1])
    expect(twice[0]).not.toEqual(twice[2])
  })

  test('keeps commands and providers apart', () => {
    const text = '550 5.1.1 User unknown'
    expect(classifier.classify({ cause: reply(text) }).kind).toBe('hard')
    expect(classifier.classify({ cause: reply(text, 'MAIL') }).kind).toBe('block')
  })

  test('forgets: more replies than it holds do no harm', () => {
    const fresh = createClassifier(parseRules('rule = []'))
    for (let at = 0; at < 10_500; at++)
      fresh.classify({ cause: reply(`550 ${[...String(at)].map((digit) => 'abcdefghij'[Number(digit)]).join('')}`) })
    expect(fresh.classify({ cause: reply('550 a') })).toMatchObject({ category: 'other', rule: 'default' })
  })
})

describe('masking', () => {
  test.each([
    ['550 <jane@example.com>: no', '550 <{addr}>: no'],
    ['550 "a b"@example.com no', '550 {addr} no'],
    ['blocked [192.0.2.9] and [2001:db8::1]', 'blocked [{ip}] and [{ip}]'],
    ['see https://x.example/a?b=1&c=2 now', 'see https://x.example/a now'],
    ['queue 1234567 of 25', 'queue {n} of 25'],
    ['id 4fQx7k2MzNz9 here', 'id {id} here'],
    ['550 5.1.1 (S3150) [TSS04] zen.spamhaus.org', '550 5.1.1 (S3150) [TSS04] zen.spamhaus.org'],
    ['it’s\r\n\tover', "it's over"],
  ])('%j → %j', (text, expected) => {
    expect(masked(text)).toBe(expected)
  })

  test('for others it hides names too', () => {
    expect(anonymised('550 5.1.1 <jane@example.com> unknown at mx1.example.com')).toBe(
      '550 5.1.1 <{addr}> unknown at {name}',
    )
  })

  test('a very long text is cut', () => {
    expect(masked('x '.repeat(100_000)).length).toBeLessThanOrEqual(2000)
  })
})

test('the provider is told by the end of the host name, whole labels only', () => {
  expect(classifier.providerOf('ALT1.GMAIL-SMTP-IN.L.GOOGLE.COM')).toBe('google')
  expect(classifier.providerOf('mx.notgoogle.com')).toBeUndefined()
  expect(classifier.providerOf('')).toBeUndefined()
})
