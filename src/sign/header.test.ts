import { describe, expect, test } from 'vitest'
import { signedField, signedFields, signingInput, unsignedField } from './header.ts'

const OVERSIGNED_ONLY = ['from', 'to', 'cc', 'reply-to', 'subject', 'date', 'message-id', 'content-type']

describe('fields under a signature', () => {
  test('the important ones once more than present, others as often as present', () => {
    const fields = signedFields(
      'From: a@example.com\r\nReferences: <1@a>\r\nReferences: <2@a>\r\nSender: b@example.com\r\nX-Other: x\r\n',
    )
    expect(fields?.names).toEqual(['from', ...OVERSIGNED_ONLY, 'sender', 'sender', 'references', 'references'])
  })

  test('of several with one name the lowest comes first (RFC 6376 §5.4.2)', () => {
    expect(signedFields('From: a@example.com\r\nCc: one\r\nCc: two\r\n')?.canonical).toBe(
      'from:a@example.com\r\ncc:two\r\ncc:one\r\n',
    )
  })

  test.each(['Received', 'Return-Path', 'DKIM-Signature', 'Bcc', 'X-Mailer'])('%s is not signed', (name) => {
    expect(signedFields(`From: a@example.com\r\n${name}: x\r\n`)?.names).toEqual(['from', ...OVERSIGNED_ONLY])
  })

  test.each([
    ['folding', 'Subject: one\r\n\ttwo\r\n  three\r\n', 'subject:one two three'],
    ['white space around the colon and at the ends', 'SUBJECT \t:  x\t \r\n', 'subject:x'],
    ['an empty value', 'Subject:\r\n', 'subject:'],
    ['a value that is only a fold', 'Subject:\r\n \r\n', 'subject:'],
    ['8-bit bytes, also 0xa0 at the end', 'Subject: Cr\xc3\xa8me \xc3\xa0\r\n', 'subject:Cr\xc3\xa8me \xc3\xa0'],
    ['a colon in the value', 'Subject: Re: x : y\r\n', 'subject:Re: x : y'],
  ])('canonical form: %s', (_, field, expected) => {
    expect(signedFields(`From: a@example.com\r\n${field}`)?.canonical).toBe(`from:a@example.com\r\n${expected}\r\n`)
  })

  test.each([
    ['no header', ''],
    ['no From', 'Subject: x\r\n'],
    ['From only as part of another name', 'Resent-From: x@example.com\r\nX-From: y\r\n'],
    ['From only inside a folded line', 'Subject: x\r\n From: y@example.com\r\n'],
  ])('nothing to sign: %s', (_, headers) => {
    expect(signedFields(headers)).toBeUndefined()
  })
})

describe('the DKIM-Signature field', () => {
  const unsigned = unsignedField({
    algorithm: 'rsa-sha256',
    domain: 'example.com',
    selector: 's1',
    time: 1_700_000_000,
    names: signedFields(`From: a\r\n${'Cc: b\r\n'.repeat(60)}`)?.names ?? [],
    bodyHash: 'x'.repeat(44),
  })

  test('is folded and ends in CRLF', () => {
    const lines = signedField(unsigned, Buffer.alloc(512, 7)).split('\r\n')
    expect(lines.pop()).toBe('')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78)
    expect(lines.slice(1).every((line) => /^[\t ]\s*\S/.test(line))).toBe(true)
  })

  test('has neither l= nor x=', () => {
    expect(unsigned).not.toMatch(/[;\s][lx]=/)
  })

  test('is signed with an empty b= and without a last CRLF', () => {
    expect(signingInput({ names: [], canonical: 'from:a\r\n' }, unsigned).toString()).toMatch(
      /^from:a\r\ndkim-signature:v=1; .*; b=$/,
    )
  })
})
