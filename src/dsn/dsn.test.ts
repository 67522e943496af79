import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EmailAddress } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import type { Cause } from '../mail/outcome.ts'
import type { SmtpReply } from '../mail/reply.ts'
import { composeDsn, type DsnParts } from './dsn.ts'

const AT = Date.UTC(2026, 0, 2, 3, 4, 5)
const DAY = 86_400_000

const message = (extra: Partial<Message> = {}): Message => ({
  id: '0abcdefghijkl',
  tenant: 'default',
  credential: 'app',
  sender: 'ann@example.com' as EmailAddress,
  recipients: 1,
  receivedAt: AT,
  expiresAt: AT + 3 * DAY,
  sizeBytes: 100,
  prefix: '',
  chunks: 1,
  body: '7bit',
  smtpUtf8: false,
  headers: { messageId: '<1@example.com>', subject: 'Your order' },
  client: { address: '192.0.2.1', listener: 'submission' },
  ...extra,
})

const recipient = (address = 'bob@example.net', extra: Partial<Recipient> = {}): Recipient => ({
  id: '0abcdefghijkl',
  n: 0,
  tenant: 'default',
  address: address as EmailAddress,
  state: { kind: 'failed', at: AT },
  lastAt: AT + 60_000,
  ...extra,
})

const way = { site: 'example.net', source: 'default', mx: 'mx1.example.net', durationMs: 5 }
const unknownUser: SmtpReply = {
  code: 550,
  enhanced: '5.1.1',
  lines: ['5.1.1 <bob@example.net>: no such user', '5.1.1 try another'],
}
const refused = (reply: SmtpReply = unknownUser): Cause => ({ kind: 'reply', reply, command: 'RCPT' })

const parts = (extra: Partial<DsnParts> = {}): DsnParts => ({
  kind: 'failed',
  reportingMta: 'relay.example.com',
  message: message(),
  recipients: [{ recipient: recipient(), cause: refused(), way, status: '5.1.1' }],
  originalHeaders: 'From: ann@example.com\r\nSubject: Your order\r\n',
  now: AT + 120_000,
  id: '0aaaaaaaaaaaa',
  ...extra,
})

interface Parsed {
  readonly fields: Map<string, string>
  readonly body: string
}

function parse(text: string): Parsed {
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n')
  const fields = new Map<string, string>()
  for (const field of text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    expect(fields.has(name), `${name} twice`).toBe(false)
    fields.set(name, field.slice(colon + 1).trim())
  }
  return { fields, body: text.slice(end + 4) }
}

function decodeBody({ fields, body }: Parsed): string {
  if (fields.get('content-transfer-encoding') !== 'quoted-printable') return body
  return body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString()

/** Takes a notification apart and checks what is true of every one of them. */
function open(raw: Buffer) {
  const text = raw.toString('latin1')
  for (const line of text.split('\r\n')) {
    expect(line.length).toBeLessThanOrEqual(998)
    expect(line).not.toMatch(/[\0\r\n]/)
  }
  const whole = parse(text)
  const boundary = /^multipart\/report; report-type=delivery-status; boundary="([^"]+)"$/.exec(
    whole.fields.get('content-type')!,
  )![1]!
  const sections = `\r\n${whole.body}`.split(`\r\n--${boundary}`)
  expect(sections).toHaveLength(5)
  expect(sections[4]).toBe('--\r\n')
  const [human, status, returned] = sections.slice(1, 4).map((section) => parse(section.slice(2)))
  const [perMessage, ...perRecipient] = utf8(status!.body)
    .split('\r\n\r\n')
    .filter((group) => group.trim() !== '')
  return {
    fields: whole.fields,
    human: utf8(decodeBody(human!)),
    types: [human!, status!, returned!].map((part) => part.fields.get('content-type')),
    encodings: [human!, status!, returned!].map((part) => part.fields.get('content-transfer-encoding')),
    perMessage: parse(`${perMessage}\r\n\r\n`).fields,
    perRecipient: perRecipient.map((group) => parse(`${group}\r\n\r\n`).fields),
    returned: decodeBody(returned!),
  }
}

const report = (extra: Partial<DsnParts> = {}) => open(composeDsn(parts(extra)).raw)

describe('a failure', () => {
  const dsn = composeDsn(parts())
  const seen = open(dsn.raw)

  test('goes to the envelope sender', () => {
    expect(dsn).toMatchObject({ to: 'ann@example.com', body: '7bit', smtpUtf8: false })
  })

  test('header', () => {
    expect(Object.fromEntries(seen.fields)).toMatchObject({
      from: 'Mail Delivery System <postmaster@relay.example.com>',
      to: '<ann@example.com>',
      subject: 'Your message could not be delivered',
      date: 'Fri, 02 Jan 2026 03:06:05 +0000',
      'message-id': '<0aaaaaaaaaaaa@relay.example.com>',
      'auto-submitted': 'auto-replied',
      'in-reply-to': '<1@example.com>',
      'mime-version': '1.0',
    })
  })

  test('three parts', () => {
    expect(seen.types).toEqual(['text/plain; charset=utf-8', 'message/delivery-status', 'text/rfc822-headers'])
  })

  test('fields of the message', () => {
    expect(Object.fromEntries(seen.perMessage)).toEqual({
      'reporting-mta': 'dns; relay.example.com',
      'arrival-date': 'Fri, 02 Jan 2026 03:04:05 +0000',
    })
  })

  test('fields of the recipient', () => {
    expect(seen.perRecipient.map((fields) => Object.fromEntries(fields))).toEqual([
      {
        'final-recipient': 'rfc822; bob@example.net',
        action: 'failed',
        status: '5.1.1',
        'remote-mta': 'dns; mx1.example.net',
        'diagnostic-code': 'smtp; 550 5.1.1 <bob@example.net>: no such user 5.1.1 try another',
        'last-attempt-date': 'Fri, 02 Jan 2026 03:05:05 +0000',
      },
    ])
  })

  test('says to people who, what was said word for word, and what to do', () => {
    expect(seen.human).toContain('<bob@example.net>\r\n')
    expect(seen.human).toContain(
      'mx1.example.net answered to RCPT:\r\n    550 5.1.1 <bob@example.net>: no such user\r\n    550 5.1.1 try another\r\n',
    )
    expect(seen.human).toContain('Check the address for a typing error')
  })

  test('returns the header', () => {
    expect(seen.returned).toBe('From: ann@example.com\r\nSubject: Your order\r\n')
  })

  test('without a sender there is nobody to tell', () => {
    expect(() => composeDsn(parts({ message: message({ sender: '' }) }))).toThrow('no sender')
  })
})

describe('kinds', () => {
  test('delayed says until when it is tried, and never returns the body', () => {
    const seen = report({
      kind: 'delayed',
      message: message({ dsn: { ret: 'FULL' } }),
      originalBody: Buffer.from('secret\r\n'),
      recipients: [
        { recipient: recipient(), cause: { kind: 'connect', detail: 'connection refused' }, status: '4.4.1' },
      ],
    })
    expect(seen.perRecipient[0]!.get('action')).toBe('delayed')
    expect(seen.perRecipient[0]!.get('will-retry-until')).toBe('Mon, 05 Jan 2026 03:04:05 +0000')
    expect(seen.perRecipient[0]!.get('diagnostic-code')).toBe('X-Studs; connect 4.4.1: connection refused')
    expect(seen.perRecipient[0]!.has('remote-mta')).toBe(false)
    expect(seen.types[2]).toBe('text/rfc822-headers')
    expect(seen.human).toContain('tried until Mon, 05 Jan 2026')
  })

  test.each(['delivered', 'relayed'] as const)('%s gives the reply to the dot', (kind) => {
    const reply: SmtpReply = { code: 250, enhanced: '2.0.0', lines: ['2.0.0 Ok: queued as 4XYZ'] }
    const seen = report({ kind, recipients: [{ recipient: recipient(), reply, way, status: '2.0.0' }] })
    expect(Object.fromEntries(seen.perRecipient[0]!)).toMatchObject({
      action: kind,
      status: '2.0.0',
      'diagnostic-code': 'smtp; 250 2.0.0 Ok: queued as 4XYZ',
    })
    expect(seen.human).toContain('    250 2.0.0 Ok: queued as 4XYZ')
  })

  test('expired tells of the last attempt', () => {
    const last = refused({ code: 451, lines: ['come back later'] })
    const seen = report({
      recipients: [{ recipient: recipient(), cause: { kind: 'expired', last }, way, status: '4.4.7' }],
    })
    expect(seen.perRecipient[0]!.get('diagnostic-code')).toBe('smtp; 451 come back later')
    expect(seen.human).toContain(
      'until its time ended. The last attempt:\r\nmx1.example.net answered to RCPT:\r\n    451 come back later',
    )
  })

  test.each<[Cause, string]>([
    [{ kind: 'expired' }, 'before a first attempt'],
    [{ kind: 'dns', code: '5.1.2', detail: 'NXDOMAIN' }, 'looked up in DNS:\r\n    NXDOMAIN'],
    [{ kind: 'local', code: '5.6.7', detail: 'no SMTPUTF8' }, 'cannot be sent to this address:\r\n    no SMTPUTF8'],
    [
      { kind: 'tls', detail: 'bad certificate' },
      'The conversation with mx1.example.net failed:\r\n    bad certificate',
    ],
    [{ kind: 'ambiguous', detail: 'connection lost' }, 'did not confirm that it took the message'],
    [{ kind: 'reply', command: 'dot', reply: unknownUser }, 'answered to the message:'],
    [{ kind: 'reply', command: 'banner', reply: unknownUser }, 'answered to the connection:'],
  ])('in words: %o', (cause, expected) => {
    expect(report({ recipients: [{ recipient: recipient(), cause, way, status: '5.0.0' }] }).human).toContain(expected)
  })

  test('several recipients have a group each', () => {
    const recipients = ['a@example.net', 'b@example.net', 'c@example.net'].map((address) => ({
      recipient: recipient(address),
      cause: refused(),
      status: '5.1.1',
    }))
    const seen = report({ recipients })
    expect(seen.perRecipient.map((fields) => fields.get('final-recipient'))).toEqual(
      recipients.map((entry) => `rfc822; ${entry.recipient.address}`),
    )
  })
})

describe('what the sender asked for', () => {
  test('ENVID and ORCPT come back with their encoding undone', () => {
    const seen = report({
      message: message({ dsn: { envid: 'QQ+2B314+3D159' } }),
      recipients: [
        {
          recipient: recipient('bob@example.net', { dsn: { orcpt: 'rfc822;Bob+2Bnews@example.org' } }),
          status: '5.1.1',
        },
      ],
    })
    expect(seen.perMessage.get('original-envelope-id')).toBe('QQ+314=159')
    expect(seen.perRecipient[0]!.get('original-recipient')).toBe('rfc822; Bob+news@example.org')
  })

  test.each([
    ['FULL', 'a body', Buffer.from('Hello\r\n'), 'message/rfc822', '7bit'],
    ['FULL', 'an 8-bit body', Buffer.from('Crème\r\n'), 'message/rfc822', '8bit'],
    ['FULL', 'no body at hand', undefined, 'text/rfc822-headers', '7bit'],
    ['FULL', 'a body too large', Buffer.alloc(2 * 1024 * 1024, 'x'), 'text/rfc822-headers', '7bit'],
    ['FULL', 'a line too long', Buffer.from(`${'x'.repeat(999)}\r\n`), 'text/rfc822-headers', '7bit'],
    ['FULL', 'a NUL', Buffer.from('a\0b\r\n'), 'text/rfc822-headers', '7bit'],
    ['HDRS', 'a body', Buffer.from('Hello\r\n'), 'text/rfc822-headers', '7bit'],
    [undefined, 'a body', Buffer.from('Hello\r\n'), 'text/rfc822-headers', '7bit'],
  ] as const)('RET=%s with %s', (ret, _, originalBody, type, encoding) => {
    const dsn = composeDsn(
      parts({ message: message({ dsn: ret === undefined ? {} : { ret } }), ...(originalBody && { originalBody }) }),
    )
    const seen = open(dsn.raw)
    expect(seen.types[2]).toBe(type)
    expect(seen.encodings[2]).toBe(encoding)
    expect(dsn.body).toBe(encoding === '8bit' ? '8bitmime' : '7bit')
    if (type === 'message/rfc822')
      expect(seen.returned).toBe(`${parts().originalHeaders}\r\n${originalBody!.toString('latin1')}`)
  })
})

describe('beyond ASCII', () => {
  test('a recipient with a UTF-8 address: the global forms, in a mail that needs 8BITMIME only', () => {
    const dsn = composeDsn(
      parts({
        message: message({ smtpUtf8: true }),
        recipients: [{ recipient: recipient('用户@example.net'), cause: refused(), status: '5.1.1' }],
      }),
    )
    const seen = open(dsn.raw)
    expect(dsn).toMatchObject({ body: '8bitmime', smtpUtf8: false })
    expect(seen.types.slice(1)).toEqual(['message/global-delivery-status', 'message/global-headers'])
    expect(seen.perRecipient[0]!.get('final-recipient')).toBe('utf-8; 用户@example.net')
    expect(seen.human).toContain('<用户@example.net>')
  })

  test('a sender with a UTF-8 address needs SMTPUTF8', () => {
    const dsn = composeDsn(
      parts({ message: message({ smtpUtf8: true, sender: 'jürgen@example.com' as EmailAddress }) }),
    )
    expect(dsn).toMatchObject({ to: 'jürgen@example.com', body: '8bitmime', smtpUtf8: true })
    expect(utf8(open(dsn.raw).fields.get('to')!)).toBe('<jürgen@example.com>')
  })

  test('a message with UTF-8 headers comes back as message/global', () => {
    const seen = report({
      message: message({ smtpUtf8: true, dsn: { ret: 'FULL' } }),
      originalHeaders: Buffer.from('Subject: Grüße\r\n').toString('latin1'),
      originalBody: Buffer.from('x\r\n'),
    })
    expect(seen.types[2]).toBe('message/global')
    expect(utf8(seen.returned)).toBe('Subject: Grüße\r\n\r\nx\r\n')
  })

  test('ORCPT of type utf-8', () => {
    const entry = {
      recipient: recipient('bob@example.net', { dsn: { orcpt: 'utf-8;j\\x{FC}rgen@example.org' } }),
      status: '5.1.1',
    }
    const seen = report({ recipients: [entry] })
    expect(seen.perRecipient[0]!.get('original-recipient')).toBe('utf-8; jürgen@example.org')
    expect(seen.types[1]).toBe('message/global-delivery-status')
  })

  test('a reply in UTF-8 is whole for people and ASCII for machines', () => {
    const seen = report({
      recipients: [
        { recipient: recipient(), cause: refused({ code: 550, lines: ['Empfänger unbekannt'] }), status: '5.1.1' },
      ],
    })
    expect(seen.human).toContain('550 Empfänger unbekannt')
    expect(seen.perRecipient[0]!.get('diagnostic-code')).toBe('smtp; 550 Empf?nger unbekannt')
  })

  test('8-bit headers of a message without SMTPUTF8 are encoded', () => {
    const dsn = composeDsn(parts({ originalHeaders: 'Subject: Gr\xfc\xdfe \r\n' }))
    expect(dsn.body).toBe('7bit')
    expect(open(dsn.raw).returned).toBe('Subject: Gr\xfc\xdfe \r\n')
  })
})

describe('hostile words', () => {
  const hostile: readonly (readonly [name: string, text: string])[] = [
    ['line breaks', 'no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@y\nStatus: 2.0.0\rX: y'],
    ['control characters', 'a\0b\x07c\x1b[31md\x7fe\x85f'],
    ['a word without end', 'x'.repeat(100_000)],
    ['many words', 'word '.repeat(50_000)],
    ['white space without end', `a${' '.repeat(50_000)}b`],
    ['a multi-byte word without end', '🦌'.repeat(5000)],
    ['half characters', 'a\ud800b'],
    ['direction changes', 'a\u202eb\u2066c'],
    ['the boundary', '\r\n--=_studs-0aaaaaaaaaaaa--\r\n'],
    ['nothing', ''],
  ]

  test.each(hostile)('in a reply: %s', (_, text) => {
    const seen = report({
      recipients: [
        { recipient: recipient(), cause: refused({ code: 550, lines: [text, text] }), way, status: '5.1.1' },
      ],
    })
    expect(seen.perRecipient).toHaveLength(1)
    expect(seen.perRecipient[0]!.get('action')).toBe('failed')
    expect(seen.perRecipient[0]!.get('status')).toBe('5.1.1')
    expect(seen.perRecipient[0]!.get('diagnostic-code')).toMatch(/^smtp; 550/)
    expect(seen.human).not.toMatch(/[\0\x07\x1b\x7f\x85\u202e\u2066]/)
  })

  test.each(hostile)('everywhere else: %s', (_, text) => {
    const xtext = [...Buffer.from(text.slice(0, 200))]
      .map((byte) => `+${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join('')
    const seen = report({
      message: message({ dsn: { envid: xtext, ret: 'FULL' }, headers: { messageId: text, subject: text } }),
      recipients: [
        {
          recipient: recipient('bob@example.net', { dsn: { orcpt: `rfc822;${xtext}` } }),
          cause: { kind: 'connect', detail: text },
          way: { ...way, mx: text },
          status: text,
        },
      ],
      originalHeaders: Buffer.from(`Subject: ${text}\r\n`).toString('latin1'),
      originalBody: Buffer.from(text),
    })
    expect([...seen.fields.keys()].filter((name) => !KNOWN_FIELDS.has(name))).toEqual([])
    expect(seen.perRecipient).toHaveLength(1)
    expect(seen.perRecipient[0]!.get('status')).toBe('5.0.0')
    expect(seen.perRecipient[0]!.get('final-recipient')).toBe('rfc822; bob@example.net')
  })

  test('any reply, any header', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 })
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), text, (lines, header) => {
        const seen = report({
          recipients: [{ recipient: recipient(), cause: refused({ code: 550, lines }), status: '5.1.1' }],
          originalHeaders: `X: ${Buffer.from(header).toString('latin1')}\r\n`,
        })
        expect(seen.perRecipient[0]!.get('action')).toBe('failed')
      }),
      { seed: 3464, numRuns: 500 },
    )
  })

  test('an address of full length is never cut', () => {
    const address = `${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}example`
    expect(
      report({ recipients: [{ recipient: recipient(address), status: '5.1.1' }] }).perRecipient[0]!.get(
        'final-recipient',
      ),
    ).toBe(`rfc822; ${address}`)
  })

  test('a header without end is cut', () => {
    expect(composeDsn(parts({ originalHeaders: `X: ${'y'.repeat(1_000_000)}\r\n` })).raw.length).toBeLessThan(100_000)
    expect(composeDsn(parts({ originalHeaders: 'X: y\r\n'.repeat(100_000) })).raw.length).toBeLessThan(100_000)
  })
})

const KNOWN_FIELDS = new Set([
  'from',
  'to',
  'subject',
  'date',
  'message-id',
  'auto-submitted',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
])
