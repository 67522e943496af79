import { describe, expect, test } from 'vitest'
import { parseReport } from './parse.ts'
import type { ParsedReport } from './report.ts'
import { makeToken } from './return-path.ts'

const KEY = { id: 1, secret: Buffer.alloc(32, 7) }
const TOKEN = makeToken({ key: KEY, id: '0000000000001', n: 0, expiresDay: 20_000 })

const read = (mail: string): ParsedReport => parseReport(Buffer.from(mail, 'utf8'))
const addresses = (report: ParsedReport): readonly string[] => report.recipients.map(({ address }) => address)

const STATUS = `Reporting-MTA: dns; mx.example.net
Original-Envelope-Id: env-1

Original-Recipient: rfc822;jane@example.org
Final-Recipient: rfc822;jane@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx1.example.org
Diagnostic-Code: smtp; 550 5.1.1 <jane@example.org>: No such user here
`
const WORDS = `This is the mail system at host mx.example.net.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<jane@example.org>: host mx1.example.org[192.0.2.1] said: 550 5.1.1
    <jane@example.org>: No such user here (in reply to RCPT TO command)
`
const RETURNED = `Received: from app.example.com by mx.example.net; Thu, 1 Oct 2026 10:00:00 +0000
Return-Path: <${TOKEN}@bounce.example.com>
From: Shop <shop@example.com>
To: Jane Roe <jane@example.org>
Subject: =?utf-8?q?Your_invoice_=E2=82=AC?=
Message-ID: <m1@example.com>

Dear Jane,
`
const DAEMON = `Return-Path: <>
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: ${TOKEN}@bounce.example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
`
const EXIM = `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jane@example.org
    550 no such user
`
const part = (type: string, content: string, more = ''): string => `--b1\nContent-Type: ${type}\n${more}\n${content}\n`
const report = (parts: string): string =>
  `${DAEMON}Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\n\n${parts}--b1--\n`
const NDR = report(
  part('text/plain', WORDS) + part('message/delivery-status', STATUS) + part('message/rfc822', RETURNED),
)
const base64 = (text: string): string => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n')
const person = (subject: string, body: string, more = ''): string =>
  `Return-Path: <bob@example.org>\nFrom: Bob <bob@example.org>\nTo: shop@example.com\nSubject: ${subject}\n${more}\n${body}\n`

describe('a delivery status notification', () => {
  test('tells everything that it says', () => {
    expect(read(NDR)).toEqual({
      kind: 'dsn',
      family: 'rfc3464',
      recipients: [
        {
          address: 'jane@example.org',
          action: 'failed',
          status: '5.1.1',
          code: 550,
          command: 'RCPT',
          diagnostic: '550 5.1.1 <jane@example.org>: No such user here',
          remoteMta: 'mx1.example.org',
        },
      ],
      subject: 'Undelivered Mail Returned to Sender',
      from: 'MAILER-DAEMON@mx.example.net',
      references: [],
      original: {
        messageId: 'm1@example.com',
        subject: 'Your invoice €',
        from: 'shop@example.com',
        to: ['jane@example.org'],
        envelopeId: 'env-1',
      },
      tokens: [TOKEN],
    })
  })

  test.each([
    ['CRLF', NDR.replaceAll('\n', '\r\n')],
    ['CR', NDR.replaceAll('\n', '\r')],
    ['CR CR LF', NDR.replaceAll('\n', '\r\r\n')],
    ['an mbox line', `From MAILER-DAEMON Thu Oct  1 10:00:00 2026\n${NDR}`],
  ])('reads the same with %s', (_name, mail) => {
    expect(read(mail)).toEqual(read(NDR))
  })

  const inParts = part('text/plain', WORDS) + part('message/delivery-status', STATUS)
  test.each([
    ['in multipart/mixed', NDR.replace('multipart/report; report-type=delivery-status', 'multipart/mixed')],
    ['with a wrong boundary', NDR.replace('boundary="b1"', 'boundary="other"')],
    ['without a boundary', NDR.replace('; boundary="b1"', '')],
    ['cut off', NDR.slice(0, NDR.indexOf('Dear Jane'))],
    [
      'status in base64',
      report(
        part('text/plain', WORDS) +
          part('message/delivery-status', base64(STATUS), 'Content-Transfer-Encoding: base64\n'),
      ),
    ],
    [
      'status in quoted-printable',
      report(
        part(
          'message/delivery-status',
          STATUS.replaceAll('=', '=3D').replace('No such', 'No =\nsuch'),
          'Content-Transfer-Encoding: quoted-printable\n',
        ),
      ),
    ],
    ['status called global', report(part('text/plain', WORDS) + part('message/global-delivery-status', STATUS))],
    ['status as text/plain', report(part('text/plain', WORDS) + part('text/plain', STATUS))],
    [
      'status without a blank line before it',
      report(
        `${part('text/plain', WORDS)}--b1\nContent-Type: message/delivery-status\n${STATUS.slice(STATUS.indexOf('\n\n') + 2)}`,
      ),
    ],
    ['status in the text of a plain mail', `${DAEMON}\nYour message was not delivered.\n\n${STATUS}\n`],
    [
      'inside another multipart',
      `${DAEMON}Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/report; boundary=b1\n\n${inParts}--b1--\n--o--\n`,
    ],
    [
      'attached to a forward',
      person(
        'Fwd: what is this?',
        `--o\n\nSee below.\n--o\nContent-Type: message/rfc822\n\n${NDR}\n--o--`,
        'Content-Type: multipart/mixed; boundary=o\n',
      ),
    ],
    [
      'attached in base64',
      person(
        'Fwd: what is this?',
        `--o\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${base64(NDR)}\n--o--`,
        'Content-Type: multipart/mixed; boundary=o\n',
      ),
    ],
    [
      'quoted in a forward',
      person(
        'Fwd: Undelivered Mail',
        `FYI\n\n---------- Forwarded message ----------\n${`${DAEMON}\n${WORDS}`
          .split('\n')
          .map((line) => `> ${line}`)
          .join('\n')}`,
      ),
    ],
  ])('is found %s', (_name, mail) => {
    const found = read(mail)
    expect(found.kind).toBe('dsn')
    expect(found.recipients).toMatchObject([
      { address: 'jane@example.org', action: 'failed', status: '5.1.1', code: 550 },
    ])
  })

  test('is found in a file that a forward carries, and behind header fields in another language', () => {
    const file = person(
      'Fwd: bounce',
      `--o\nContent-Type: application/octet-stream; name="bounce.eml"\nContent-Transfer-Encoding: base64\n\n${base64(NDR)}\n--o--`,
      'Content-Type: multipart/mixed; boundary=o\n',
    )
    expect(addresses(read(file))).toEqual(['jane@example.org'])
    const german = person(
      'WG: Unzustellbar',
      `-----Ursprüngliche Nachricht-----\nVon: Mail Delivery System <MAILER-DAEMON@mx.example.net>\nGesendet: Donnerstag\nBetreff: Undelivered Mail Returned to Sender\n\n${WORDS}`,
      'Content-Type: text/plain; charset=utf-8\n',
    )
    expect(addresses(read(german))).toEqual(['jane@example.org'])
  })

  test('takes the words for people where the fields say nothing', () => {
    const bare = STATUS.replace(/Diagnostic-Code.*\n/, '').replace('5.1.1', '5.0.0')
    expect(read(report(part('text/plain', WORDS) + part('message/delivery-status', bare))).recipients).toMatchObject([
      { status: '5.1.1', code: 550, command: 'RCPT', diagnostic: expect.stringContaining('No such user here') },
    ])
  })

  test('that names nobody speaks of the only addressee of the mail it gives back', () => {
    const mail = report(
      part('text/plain', 'Sorry.') +
        part('message/delivery-status', 'Reporting-MTA: dns; mx.example.net\n') +
        part('message/rfc822', RETURNED),
    )
    expect(addresses(read(mail))).toEqual(['jane@example.org'])
    const toTwo = mail.replace('To: Jane Roe <jane@example.org>', 'To: jane@example.org, joe@example.org')
    expect(addresses(read(toTwo))).toEqual([''])
  })

  test('of the other kinds is no failure', () => {
    const actions = ['delayed', 'delivered', 'relayed', 'expanded']
    const groups = actions.map((action) => `Final-Recipient: rfc822; ${action}@example.org\nAction: ${action}\n`)
    const found = read(report(part('message/delivery-status', groups.join('\n'))))
    expect(found.recipients.map(({ action }) => action)).toEqual(actions)
  })

  test('known by X-Failed-Recipients alone', () => {
    const mail = `${DAEMON}X-Failed-Recipients: jane@example.org,\n  joe@example.org\n\nQwertz uiop.\n`
    expect(addresses(read(mail))).toEqual(['jane@example.org', 'joe@example.org'])
  })
})

const FEEDBACK = `Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <shop@example.com>
Original-Rcpt-To: <jane@example.org>
Reported-Domain: Example.com
Source-IP: 192.0.2.1
`
const arf = (fields: string, returned: string): string =>
  `From: fbl@example.org\nSubject: FW: invoice\nContent-Type: multipart/report; report-type=feedback-report; boundary=b1\n\n${part('text/plain', 'This is an abuse report.')}${part('message/feedback-report', fields)}${part('message/rfc822', returned)}--b1--\n`

describe('a complaint', () => {
  test('in the abuse reporting format', () => {
    expect(read(arf(FEEDBACK, RETURNED))).toMatchObject({
      kind: 'complaint',
      family: 'arf',
      recipients: [{ address: 'jane@example.org' }],
      feedback: {
        type: 'abuse',
        userAgent: 'SomeGenerator/1.0',
        sourceIp: '192.0.2.1',
        originalMailFrom: 'shop@example.com',
        originalRcptTo: ['jane@example.org'],
        reportedDomain: 'example.com',
      },
      original: { messageId: 'm1@example.com' },
      tokens: [TOKEN],
    })
  })

  test('redacted', () => {
    const redacted = read(
      arf(
        'Feedback-Type: abuse\nVersion: 0.1\nOriginal-Rcpt-To: redacted\n',
        'Subject: [redacted]\nTo: undisclosed-recipients:;\n\nx',
      ),
    )
    expect(redacted).toMatchObject({
      kind: 'complaint',
      recipients: [],
      feedback: { type: 'abuse', originalRcptTo: [] },
    })
  })

  test.each(['not-spam', 'opt-out', 'fraud', 'auth-failure'])('of the type %s says so', (type) => {
    expect(read(arf(FEEDBACK.replace('abuse', type), RETURNED)).feedback?.type).toBe(type)
  })

  test.each([
    [
      'jmrp',
      `From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\nContent-Type: multipart/mixed; boundary=b1\n\n${part('message/rfc822', `X-HmXmrOriginalRecipient: jane@example.org\n${RETURNED}`)}--b1--\n`,
    ],
    [
      'provider-complaint',
      `From: scomp@example.org\nSubject: Spam complaint\nContent-Type: multipart/mixed; boundary=b1\n\n${part('message/rfc822', RETURNED)}--b1--\n`,
    ],
    [
      'arf',
      `From: fbl@example.org\nSubject: report\nContent-Type: multipart/report; report-type=feedback-report; boundary=b1\n\n${part('text/plain', FEEDBACK)}${part('message/rfc822', RETURNED)}--b1--\n`,
    ],
  ])('in the form %s', (family, mail) => {
    expect(read(mail)).toMatchObject({ kind: 'complaint', family, recipients: [{ address: 'jane@example.org' }] })
  })
})

describe('other kinds', () => {
  const subjects = [
    'Out of Office: invoice',
    'Automatic reply: invoice',
    'Re: Auto: away',
    'Automatische Antwort: Rechnung',
    'Abwesenheitsnotiz',
    'Réponse automatique : facture',
    'Respuesta automática: factura',
    'Resposta automática: fatura',
    'Risposta automatica: fattura',
    'Autosvar: faktura',
    'Automatisch antwoord: factuur',
    'Automatická odpověď: faktura',
    'Automatyczna odpowiedź: faktura',
    'Automatikus válasz: számla',
    'Автоответ: счет',
    '自動返信: 請求書',
    '自动回复：发票',
    'Otomatik yanıt: fatura',
    'Αυτόματη απάντηση: τιμολόγιο',
  ]
  test.each(subjects)('auto-reply by its subject: %s', (subject) => {
    expect(read(person(subject, 'I am away.')).kind).toBe('auto-reply')
  })

  test.each([
    'Auto-Submitted: auto-replied (vacation)',
    'X-Autoreply: yes',
    'X-Autorespond: Re: invoice',
    'Precedence: auto_reply',
    'X-Vacation: yes',
    'Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All',
  ])('auto-reply by %s', (field) => {
    expect(
      read(person('Re: invoice', 'The mailbox of Jane is disabled, user unknown. 550 5.1.1', `${field}\n`)).kind,
    ).toBe('auto-reply')
  })

  test.each([
    [
      'receipt',
      `From: bob@example.org\nSubject: Read: invoice\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b1\n\n${part('text/plain', 'Your message was read.')}${part('message/disposition-notification', 'Final-Recipient: rfc822;bob@example.org\nDisposition: manual-action/MDN-sent-manually; displayed\n')}--b1--\n`,
    ],
    [
      'aggregate',
      `From: noreply-dmarc@example.org\nSubject: Report domain: example.com Submitter: example.org Report-ID: 1\nContent-Type: application/zip; name="example.org!example.com!1790000000!1790086400.zip"\nContent-Transfer-Encoding: base64\n\nUEsDBAo=\n`,
    ],
    [
      'aggregate',
      `From: tls@example.org\nSubject: Report Domain: example.com\nContent-Type: multipart/report; report-type=tlsrpt; boundary=b1\n\n${part('application/tlsrpt+gzip', 'H4sI', 'Content-Transfer-Encoding: base64\n')}--b1--\n`,
    ],
    ['unsubscribe', person('unsubscribe', '')],
    ['unsubscribe', person('Abmelden', 'Abmelden')],
    ['unsubscribe', person('', 'Please remove me from your list.')],
    ['mail', person('Re: unsubscribe', 'Done, you will get no more mail.')],
    ['mail', person('Remove the second item from my order', 'Thanks')],
    ['mail', person('Urlaub in Italien ab 199 Euro', 'Buchen Sie jetzt.')],
    ['unsubscribe', `From: bob@example.org\nTo: u-${TOKEN.slice(2)}@bounce.example.com\nSubject: \n\n`],
    [
      'unsubscribe',
      person(
        'unsubscribe',
        'This mail was sent by your mail program.',
        'Auto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\n',
      ),
    ],
    ['mail', person('Re: invoice', 'Thank you, all is well. Please do not unsubscribe me.')],
    ['unknown', ''],
    ['unknown', '\n\n\n'],
  ])('%s', (kind, mail) => {
    expect(read(mail).kind).toBe(kind)
  })

  test.each([
    [
      'tmda',
      'X-TMDA-Fingerprint: abcdefghijklmnopqrstuvwxyz',
      'This message was created automatically. Your message has been held: reply to this message to confirm.',
    ],
    [
      'boxbe',
      'From: Boxbe <wl@boxbe.com>',
      'Your message about "invoice" was added to a waitlist: https://www.boxbe.com/crs?tc=1',
    ],
    [
      'spamarrest',
      'From: Jane <jane@spamarrest.com>',
      'Your message was not delivered: verify at http://www.spamarrest.com/a2?x',
    ],
    [
      'earthlink',
      'Auto-Submitted: auto-replied',
      'Your email was not delivered. Add yourself: https://webmail.earthlink.net/wam/addme?a=jane@example.org',
    ],
  ])('challenge of %s', (family, field, words) => {
    expect(read(`${field}\nSubject: Re: invoice\nTo: shop@example.com\n\n${words}\n`)).toMatchObject({
      kind: 'challenge',
      family,
    })
  })

  test('the unsubscribe button of a mail program tells itself from a person', () => {
    const mail = person(
      'Re: news',
      'Sent by your mail program.',
      'Auto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\n',
    )
    expect(read(mail)).toMatchObject({ kind: 'unsubscribe', family: 'apple', recipients: [] })
  })

  test('challenge, with the way to answer it', () => {
    const mail = person(
      'Re: invoice',
      'The message that you sent is being held because you are an unknown sender. Please click to verify that you are a real person:\nhttps://gate.example.org/verify?id=1.\n',
      'In-Reply-To: <m1@example.com>\n',
    )
    expect(read(mail)).toMatchObject({
      kind: 'challenge',
      link: 'https://gate.example.org/verify?id=1',
      references: ['m1@example.com'],
    })
  })
})

describe('ordinary mail is never a failure', () => {
  const quoted = `${DAEMON}\n${WORDS}`
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n')
  const mails: readonly (readonly [string, string])[] = [
    [
      'an answer that quotes one',
      person(
        'Re: Undelivered Mail Returned to Sender',
        `Jane has left us.\n\nOn Thursday MAILER-DAEMON wrote:\n${quoted}`,
      ),
    ],
    ['an answer with the words below', person('Re: invoice', `Jane, I got this back:\n\n${WORDS}`)],
    [
      'an answer from a postmaster',
      `From: Postmaster <postmaster@example.org>\nTo: shop@example.com\nSubject: Re: Undelivered Mail Returned to Sender\nIn-Reply-To: <x@example.com>\n\nWe have mended the address jane@example.org, please try again.\n\n${quoted}\n`,
    ],
    [
      'a list that talks about one',
      person(
        '550 User unknown: undeliverable mail',
        `${WORDS}\n${STATUS}`,
        'List-Id: <users.example.org>\nPrecedence: list\n',
      ),
    ],
    [
      'a ticket system',
      `From: support@example.org\nTo: shop@example.com\nSubject: [#123] Mail delivery failed: returning message\nAuto-Submitted: auto-generated\nList-Id: <tickets.example.org>\n\nBob wrote:\n\n${WORDS}\n`,
    ],
    [
      'a parcel',
      `From: Parcel Service <noreply@example.org>\nTo: jane@example.com\nSubject: Delivery failure: your parcel could not be delivered\n\nWe could not deliver your parcel to the following recipient: Jane Roe.\nContact help@example.org.\n`,
    ],
    [
      'a parcel without a person',
      `Return-Path: <>\nFrom: Parcel Service <noreply@example.org>\nTo: jane@example.com\nAuto-Submitted: auto-generated\nSubject: Delivery failed\n\nYour order 550 could not be delivered. Write to help@example.org.\n`,
    ],
    [
      'a newsletter about bounces',
      `From: news@example.org\nTo: jane@example.com\nSubject: What "550 5.1.1 user unknown" means\nList-Unsubscribe: <https://example.org/u>\n\nWhen the server says 550 5.1.1 <jane@example.org>: user unknown, your message could not be delivered.\n`,
    ],
    [
      'a monitor',
      `From: root@example.org\nTo: admin@example.com\nSubject: mail queue warning\n\nmailq: 3 messages deferred\njane@example.org (host mx1.example.org said: 450 4.2.1 busy)\n`,
    ],
    [
      'a forward with much to say',
      person(
        'Fwd: Undelivered Mail',
        `${'I think that we should talk about this.\n'.repeat(20)}\n---------- Forwarded message ----------\n${quoted}`,
      ),
    ],
    ["fields in a person's mail", person('status fields', STATUS)],
    [
      'a person who attaches a text',
      person(
        'see attached',
        `--o\n\nHere.\n--o\nContent-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=a.txt\n\n${STATUS}\n--o--`,
        'Content-Type: multipart/mixed; boundary=o\n',
      ),
    ],
    [
      'an attached mail of a person',
      person(
        'Fwd: hello',
        `--o\n\nHere.\n--o\nContent-Type: message/rfc822\n\n${person('hello', WORDS)}\n--o--`,
        'Content-Type: multipart/mixed; boundary=o\n',
      ),
    ],
    [
      'a person with the subject and the words of one',
      person('Mail delivery failed: returning message to sender', `Jane, any idea?\n\n${EXIM}`),
    ],
    [
      'the same as an attached mail',
      person(
        'Fwd: look',
        `--o\nContent-Type: message/rfc822\n\n${person('Mail delivery failed: returning message to sender', EXIM)}\n--o--`,
        'Content-Type: multipart/mixed; boundary=o\n',
      ),
    ],
    [
      'a carrier with its own undeliverable things',
      'From: "Parcel Delivery" <delivery@parcel.example>\nTo: jane@example.com\nSubject: Undeliverable: parcel 0034\n\nDelivery to the following recipient failed: Jane Roe, Main Street 1\nQuestions: service@parcel.example\n',
    ],
    [
      'a postmaster about a full mailbox',
      'From: Mail Administrator <postmaster@example.org>\nTo: jane@example.com\nSubject: Mailbox full\n\nThe mailbox jane@example.com is full. New mail will be rejected with 552 5.2.2.\n',
    ],
    [
      'a lure',
      'From: "Mail Delivery System" <noreply@evil.example>\nTo: jane@example.com\nSubject: Undelivered messages for jane@example.com\n\nThe following messages could not be delivered to your mailbox. Release them: http://evil.example/\n',
    ],
    [
      'somebody who left',
      `Return-Path: <>\nFrom: Jane <jane@example.org>\nTo: shop@example.com\nAuto-Submitted: auto-replied\nSubject: Re: invoice\nIn-Reply-To: <m1@example.com>\n\nI no longer work here and this mailbox is not read. Write to joe@example.org.\n`,
    ],
    ['a fake feedback type', person('report', 'Feedback-Type: abuse\nVersion: 1\n')],
  ]
  test.each(mails)('%s', (_name, mail) => {
    const found = read(mail)
    expect([found.kind, found.recipients]).toEqual([expect.not.stringMatching(/^(?:dsn|complaint)$/), []])
  })
})

describe('tokens', () => {
  test.each([
    ['upper case', `X: ${TOKEN.toUpperCase()}@bounce.example.com`],
    ['split by quoted-printable', `${TOKEN.slice(0, 20)}=\n${TOKEN.slice(20)}@bounce.example.com`],
    ['folded', `X-A: ${TOKEN.slice(0, 20)}\n ${TOKEN.slice(20)}`],
    ['with its hyphen encoded', `<${TOKEN.replace('-', '=2D')}@bounce.example.com>`],
    ['rewritten by a forwarder', `SRS0=ab=cd=bounce.example.com=${TOKEN}@example.net`],
    [
      'in base64',
      `--b1\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n${base64(`to ${TOKEN}@bounce.example.com`)}\n--b1--`,
    ],
  ])('%s', (_name, text) => {
    expect(read(`From: a@example.org\nContent-Type: multipart/mixed; boundary=b1\n\n${text}\n`).tokens).toEqual([TOKEN])
  })

  test('no part of longer words, each once, at most 20', () => {
    expect(read(`a: b\n\nx${TOKEN} ${TOKEN}0 ab-${TOKEN}`).tokens).toEqual([])
    const many = Array.from({ length: 50 }, (_, n) =>
      makeToken({ key: KEY, id: '0000000000001', n, expiresDay: 20_000 }),
    )
    expect(read(`a: b\n\n${[...many, ...many].join(' ')}`).tokens).toEqual(many.slice(0, 20))
  })
})

describe('limits', () => {
  test('what was found before them stands', () => {
    const big = read(
      report(
        part('text/plain', WORDS) +
          part('message/delivery-status', STATUS) +
          part('message/rfc822', `${RETURNED}${'x'.repeat(5_000_000)}`),
      ),
    )
    expect(big).toMatchObject({ kind: 'dsn', recipients: [{ address: 'jane@example.org' }], limit: 'size' })
    const many = read(report(part('message/delivery-status', STATUS) + part('text/plain', 'x').repeat(200)))
    expect(many).toMatchObject({ kind: 'dsn', limit: 'parts' })
    const wide = read(`${'X-A: b\n'.repeat(30_000)}${NDR}`)
    expect(wide.limit).toBe('headers')
  })

  test('a report wrapped a hundred times is not unwrapped to its end', () => {
    let mail = NDR
    for (let n = 0; n < 100; n++)
      mail = `${DAEMON}Content-Type: multipart/mixed; boundary=w${n}\n\n--w${n}\nContent-Type: message/rfc822\n\n${mail}\n--w${n}--\n`
    expect(read(mail).family).not.toBe('unreadable')
  })

  test('a subject has at most 255 characters', () => {
    expect(read(`Subject: ${'x'.repeat(1000)}\n\n`).subject).toHaveLength(255)
  })
})
