// studs bounce parse: one answer per mail, also for files that are no mail at all, and without relay or configuration.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/util/clock.ts'
import { type CliOptions, type CliResult, runCli } from './run-cli.ts'

const NDR = `\
Return-Path: <>
From: Mail Delivery System <mailer-daemon@mx.example.net>
To: b-1@bounce.shop.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

It could not be delivered.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; jane@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; inner.example.net
Diagnostic-Code: smtp; 550 5.1.1 No such user

--x--
`.replaceAll('\n', '\r\n')
const LETTER = 'From: bob@example.org\r\nTo: shop@shop.example\r\nSubject: Re: order\r\n\r\nThank you!\r\n'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'studs-parse-'))
})
afterEach(() => rm(directory, { recursive: true }))

const parse = (words: string[], more: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli(['bounce', 'parse', ...words], { clock: systemClock, ...more })
const file = async (name: string, content: string | Buffer): Promise<string> => {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}
const lines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test("the operator's own rules are asked first: those of the configuration, or of a file", async () => {
  const ndr = await file('ndr.eml', NDR)
  const rule = (category: string) =>
    `[[rule]]\nid = "own"\nmatch = "no such user"\ncategory = "${category}"\nsamples = ["550 5.1.1 No such user"]\n`
  const [one, other] = [await file('one.toml', rule('greylisted')), await file('other.toml', rule('spam-related'))]
  const configFile = await file('studs.toml', `[bounce]\nrules = "${one}"\n`)
  const categoryOf = async (words: string[]) =>
    lines((await parse([ndr, '--json', ...words], { configFile })).out)[0].recipients[0].category
  expect(await categoryOf([])).toBe('greylisted')
  expect(await categoryOf(['--rules', other])).toBe('spam-related')
  const wrong = await parse([ndr, '--rules', await file('wrong.toml', rule('nonsense'))])
  expect(wrong).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Nothing was read') })
})

describe('for machines', () => {
  test('one line per mail, named as on the command line', async () => {
    const ndr = await file('ndr.eml', NDR)
    const letter = await file('letter.eml', LETTER)
    const odd = join(directory, '.', '..', directory.split('/').at(-1) ?? '', 'ndr.eml')
    const { code, out, err } = await parse([ndr, letter, odd, '--json'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(lines(out)).toEqual([
      {
        file: ndr,
        kind: 'dsn',
        recipients: [
          {
            address: 'jane@example.net',
            action: 'failed',
            status: '5.1.1',
            reply: '550',
            category: 'bad-mailbox',
            code: 10,
            hard: true,
            reason: 'recipient',
            diagnostic: '550 5.1.1 No such user',
          },
        ],
      },
      { file: letter, kind: 'none', recipients: [] },
      { file: odd, kind: 'dsn', recipients: [expect.objectContaining({ address: 'jane@example.net' })] },
    ])
  })

  test('names from a list, after those on the command line, with any line ends', async () => {
    const ndr = await file('ndr.eml', NDR)
    const letter = await file('letter ä.eml', LETTER)
    const list = await file('list', `${letter}\r\n\n${ndr}\n${letter}\r`)
    const named = (out: string): string[] => lines(out).map((line) => line.file)
    expect(named((await parse(['--json', ndr, '--files-from', list])).out)).toEqual([ndr, letter, ndr, letter])
    expect(named((await parse(['--json', '--files-from', '-'], { input: `${ndr}\n${letter}` })).out)).toEqual([
      ndr,
      letter,
    ])
  })

  test('names that arrive in pieces, cut in the middle of a character', async () => {
    const letter = await file('letter ä.eml', LETTER)
    const bytes = Buffer.from(`${letter}\n${letter}\n`)
    const pieces = Array.from(bytes, (byte) => Buffer.from([byte]))
    const { out } = await parse(['--json', '--files-from', '-'], { input: pieces })
    expect(lines(out).map((line) => line.file)).toEqual([letter, letter])
  })

  test('standard input is one mail', async () => {
    expect(lines((await parse(['-', '--json'], { input: Buffer.from(NDR) })).out)).toMatchObject([
      { file: '-', kind: 'dsn' },
    ])
  })

  test('what cannot be read is named, the others go on, and the first decides the exit code', async () => {
    const first = await file('first.eml', NDR)
    const last = await file('last.eml', LETTER)
    const folder = join(directory, 'folder')
    await mkdir(folder)
    const { code, out, err } = await parse([first, '/nonexistent/x.eml', folder, last, '--json'])
    expect(code).toBe(3)
    expect(lines(out).map((line) => line.file)).toEqual([first, last])
    expect(err).toMatch(/^error: \/nonexistent\/x\.eml: .*no such file.*\nerror: .*folder: .*directory.*\n$/)
  })

  test('a list that is not there is exit code 3', async () => {
    expect(await parse(['--files-from', '/nonexistent/list', '--json'])).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringContaining('/nonexistent/list'),
    })
  })

  test.each([[[]], [['-', '--files-from', '-']], [['--colour']]])('%j is a usage error', async (words) => {
    expect(await parse(words)).toMatchObject({ code: 2, out: '' })
  })

  test('anything at all gets an answer', async () => {
    const files = [
      await file('empty', ''),
      await file('zeroes', Buffer.alloc(100_000)),
      await file('bytes', Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 7919) % 256))),
      await file('long', Buffer.concat([Buffer.from(NDR), Buffer.alloc(20 * 1024 * 1024, 'x\r\n')])),
    ]
    const { code, out } = await parse([...files, '--json'])
    expect(code).toBe(0)
    expect(lines(out).map((line) => line.file)).toEqual(files)
  })

  test('ends between two files when it is interrupted', async () => {
    const ndr = await file('ndr.eml', NDR)
    const stop = new AbortController()
    let seen = 0
    const { code, err } = await parse(['--json', ...new Array<string>(100).fill(ndr)], {
      signal: stop.signal,
      onOut: () => {
        // As a signal comes: between two turns of the event loop.
        if (++seen === 3) setImmediate(() => stop.abort())
      },
    })
    expect({ code, err }).toEqual({ code: 1, err: 'error: Interrupted.\n' })
    expect(seen).toBeLessThan(10)
  })
})

describe('for people', () => {
  test('what it is, whom it names, what was said, what that means', async () => {
    const ndr = await file('ndr.eml', NDR)
    const letter = await file('letter.eml', LETTER)
    expect((await parse([ndr, letter])).out).toBe(`\
${ndr}  delivery report (dsn, rfc3464)
  Undelivered Mail Returned to Sender
  jane@example.net  failed 5.1.1
    550 5.1.1 No such user
    said by inner.example.net
    → bad-mailbox (10, hard)

${letter}  ordinary mail
  Re: order

`)
  })

  test('what strangers wrote cannot steer the terminal', async () => {
    const evil = '\u001b[2J\u001b]0;owned\u0007\u202eexe'
    const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/
    const mail = await file(
      `evil${evil.replaceAll('/', '')}.eml`,
      NDR.replaceAll('No such user', `No ${evil}`).replace('Undelivered', evil),
    )
    for (const words of [[mail], [mail, '--json'], [`/nonexistent/${evil}`]]) {
      const { out, err } = await parse(words)
      expect({ words, steers: steering.test(out + err), isEmpty: out + err === '' }).toEqual({
        words,
        steers: false,
        isEmpty: false,
      })
    }
  })
})
