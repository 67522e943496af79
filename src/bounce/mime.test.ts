import { describe, expect, test } from 'vitest'
import { decodeBytes } from './charset.ts'
import { decodeWords, readHeaders } from './headers.ts'
import { htmlText } from './html-text.ts'
import { mailboxesIn } from './mailboxes.ts'
import { contentOf, contentType, freshBudget, leavesOf, MAX_PARTS, readMail, textOf } from './mime.ts'
import { decodeTransfer, withLf } from './transfer-encoding.ts'

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const headersOf = (text: string) => readHeaders(text, { start: 0, end: text.length, isLoose: true })

/** The leaves as `type: content`. */
function leaves(mail: string): readonly string[] {
  const budget = freshBudget()
  return leavesOf(readMail(mail, 0, budget)).map((part) => `${part.type}: ${contentOf(part, budget).trim()}`)
}

describe('parts', () => {
  const body = '--b\nContent-Type: text/plain\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\nepilogue\n'
  test.each([
    ['as declared', 'Content-Type: multipart/mixed; boundary=b\n\n', body],
    ['boundary in quotes', 'Content-Type: multipart/mixed; boundary="b"\n\npreamble\n', body],
    ['boundary not declared', 'Content-Type: multipart/mixed\n\n', body],
    ['boundary wrong', 'Content-Type: multipart/mixed; boundary=other\n\n', body],
    ['boundary in quotes that never close', 'Content-Type: multipart/mixed; boundary="b\n\n', body],
    ['boundary split (RFC 2231)', 'Content-Type: multipart/mixed;\n boundary*0="";\n boundary*1=b\n\n', body],
    ['boundary folded without white space', 'Content-Type: multipart/mixed;\nboundary="b"\n\n', body],
    ['no end', 'Content-Type: multipart/mixed; boundary=b\n\n', body.replace('--b--\nepilogue\n', '')],
    [
      'mbox line before the header',
      'From a Thu Oct  1 10:00:00 2026\nContent-Type: multipart/mixed; boundary=b\n\n',
      body,
    ],
    ['blank line lost', 'Content-Type: multipart/mixed; boundary=b\n', body],
    [
      'white space behind boundary lines',
      'Content-Type: multipart/mixed; boundary=b\n\n',
      body.replaceAll('--b\n', '--b  \n'),
    ],
  ])('%s', (_name, header, content) => {
    expect(leaves(header + content)).toEqual(['text/plain: one', 'text/html: two'])
  })

  test('an outer boundary that begins like the inner one', () => {
    const mail =
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b-1\n\n--b-1\n\none\n--b-1\n\ntwo\n--b-1--\n--b\n\nthree\n--b--\n'
    expect(leaves(mail)).toEqual(['text/plain: one', 'text/plain: two', 'text/plain: three'])
  })

  test('words before a boundary that was guessed', () => {
    const mail = 'Content-Type: multipart/mixed; boundary=lost\n\nwords\n\n--b\nContent-Type: text/html\n\none\n--b--\n'
    expect(leaves(mail)).toEqual(['text/plain: words', 'text/html: one'])
  })

  test('parts whose mail lost its MIME fields, but not those of a mail given back in its text', () => {
    expect(leaves('To: a@example.org\n\n--b\nContent-Type: text/html\n\none\n--b--\n')).toEqual(['text/html: one'])
    const text = `${'words\n'.repeat(100)}--b\nContent-Type: text/html\n\none\n--b--`
    expect(leaves(`To: a@example.org\n\n${text}`)).toEqual([`text/plain: ${text}`])
  })

  test('a multipart without any part is read as text', () => {
    expect(leaves('Content-Type: multipart/report; boundary=x\n\nwords\n')).toEqual(['text/plain: words'])
  })

  test('no more than its limits', () => {
    const budget = freshBudget()
    const many = `Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\nx\n'.repeat(5000)}`
    expect(leavesOf(readMail(many, 0, budget))).toHaveLength(MAX_PARTS)
    expect(budget.limit).toBe('parts')

    const deep = freshBudget()
    const nested = Array.from({ length: 50 }, (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\n\n--b${n}\n`)
    expect(leavesOf(readMail(`${nested.join('')}\nx`, 0, deep))).toHaveLength(1)
    expect(deep.limit).toBe('depth')

    const wide = freshBudget()
    readMail(`${'X-Field: value\n'.repeat(20_000)}\nbody`, 0, wide)
    expect(wide.limit).toBe('headers')
  })

  test('text in its charset, HTML as text', () => {
    const mail =
      'Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<p>Gr=FC=DFe</p>\n<p>a =\nb</p>'
    expect(
      textOf(readMail(mail, 0, freshBudget()), freshBudget())
        .split('\n')
        .filter(Boolean),
    ).toEqual(['Grüße', 'a b'])
  })
})

describe('header', () => {
  test('is read leniently', () => {
    const block = headersOf('\n>From a\nSubject : one\n two\nnot a field\nTo: b@example.org\n\nbody')
    expect(block.headers.get('subject')).toBe('one two')
    expect(block.headers.get('to')).toBe('b@example.org')
  })

  test('ends where the body begins without a blank line', () => {
    const source = 'To: b@example.org\nThis is text.\nAnd more.'
    expect(source.slice(headersOf(source).bodyAt)).toBe('This is text.\nAnd more.')
  })

  test.each([
    ['=?UTF-8?Q?Gr=C3=BC=C3=9Fe_an?= alle', 'Grüße an alle'],
    ['=?utf-8?b?R3LDvA==?= =?utf-8?b?w59l?=', 'Grüße'],
    ['=?utf-8?b?R3LD?= =?utf-8?b?vMOfZQ==?=', 'Grüße'],
    ['=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=', '日本語'],
    ['=?iso-8859-1*en?Q?caf=E9?=', 'café'],
    ['=?x-unknown?Q?plain?=', 'plain'],
    ['=?utf-8?q?never closed', '=?utf-8?q?never closed'],
  ])('decodes %s', (value, expected) => {
    expect(decodeWords(value)).toBe(expected)
  })
})

test.each([
  ['Jane Roe <jane@example.org>', ['jane@example.org']],
  ['"Roe, Jane" <jane@example.org>, bob@example.net (Bob)', ['jane@example.org', 'bob@example.net']],
  ['jane@example.org (a, b)', ['jane@example.org']],
  ['"a@b" <jane@example.org>', ['jane@example.org']],
  ['<"jane roe"@example.org>', ['"jane roe"@example.org']],
  ['undisclosed-recipients:;', []],
  ['Friends: a@example.org, b@example.org;', ['a@example.org', 'b@example.org']],
  ['"broken <jane@example.org>, bob@example.net', ['jane@example.org', 'bob@example.net']],
  ['MAILER-DAEMON', []],
])('mailboxes in %s', (value, expected) => {
  expect(mailboxesIn(value)).toEqual(expected)
})

describe('charsets', () => {
  test.each([
    ['utf-8', [0xc3, 0xa9], 'é'],
    ['iso-8859-15', [0xa4], '€'],
    ['koi8-r', [0xf0, 0xd2], 'Пр'],
    ['windows-1251', [0xcf, 0xf0], 'Пр'],
    ['shift_jis', [0x93, 0xfa, 0x96, 0x7b], '日本'],
    ['euc-jp', [0xc6, 0xfc, 0xcb, 0xdc], '日本'],
    ['gb2312', [0xd6, 0xd0], '中'],
    ['big5', [0xa4, 0xa4], '中'],
    ['ks_c_5601-1987', [0xc7, 0xd1], '한'],
    ['us-ascii', [0xc3, 0xa9], 'é'],
    ['no-such-charset', [0xe9], 'é'],
    [undefined, [0xe9], 'é'],
  ])('%s', (charset, codes, expected) => {
    expect(decodeBytes(String.fromCharCode(...codes), charset)).toBe(expected)
  })
})

test.each([
  ['a\r\nb\r\n', 'a\nb\n'],
  ['a\rb\r\rc', 'a\nb\n\nc'],
  ['a\r\r\nb', 'a\nb'],
  ['a\nb', 'a\nb'],
])('line ends of %j', (given, expected) => {
  expect(withLf(given)).toBe(expected)
})

test('transfer encodings', () => {
  expect(decodeTransfer('a=3Db=\nc=E4=ZZ', 'quoted-printable')).toBe('a=bc\xe4=ZZ')
  expect(decodeTransfer('aGVs\nbG8=\n\n-- added by a list', 'base64')).toBe('hello')
  expect(decodeTransfer('a=3D', '7bit')).toBe('a=3D')
})

test.each([
  ['<p>one<br>two</p><style>p{}</style>three', ['one', 'two', 'three']],
  ['a &lt;b@example.org&gt; &amp; &#65;&#x42;&nbsp;c', ['a <b@example.org> & AB c']],
  ['to <jane@example.org> it', ['to <jane@example.org> it']],
  ['<style>never closed <b>text', ['never closed text']],
  ['<a href="x', []],
])('HTML %s', (html, expected) => {
  expect(
    htmlText(html)
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  ).toEqual(expected)
})

test('content type', () => {
  const { type, parameters } = contentType('Multipart/Report; report-type=delivery-status;\n boundary="a;b=\\"c"')
  expect([type, parameters.get('report-type'), parameters.get('boundary')]).toEqual([
    'multipart/report',
    'delivery-status',
    'a;b="c',
  ])
  expect(contentType(bytes('nonsense')).type).toBe('text/plain')
})
