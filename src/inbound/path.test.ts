import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isReply, parseMail, parseRcpt } from './path.ts'

const mail = (text: string) => parseMail(Buffer.from(text))
const rcpt = (text: string, smtpUtf8 = false) => parseRcpt(Buffer.from(text), smtpUtf8)

describe('MAIL', () => {
  test.each([
    ['MAIL FROM:<a@X.test>', 'a@x.test'],
    ['mail from: <a@x.test>', 'a@x.test'],
    ['MAIL FROM:a@x.test', 'a@x.test'],
    ['MAIL FROM:<"a>b"@x.test> SIZE=10', '"a>b"@x.test'],
    ['MAIL FROM:<@relay.test:a@x.test>', 'a@x.test'],
    ['MAIL FROM:<a@[192.0.2.1]>', 'a@[192.0.2.1]'],
    ['MAIL FROM:<ö@bücher.test> SMTPUTF8', 'ö@xn--bcher-kva.test'],
  ])('%s', (line, sender) => {
    expect(mail(line)).toMatchObject({ sender: { text: sender } })
  })

  test('the parameters, typed; ENVID as it was given', () => {
    expect(mail('MAIL FROM:<> SIZE=7 BODY=8BITMIME RET=full ENVID=a+2Bb AUTH=<>')).toEqual({
      sender: undefined,
      senderText: '',
      sizeBytes: 7,
      smtpUtf8: false,
      dsn: { ret: 'FULL', envid: 'a+2Bb' },
      requireTls: false,
    })
    expect(mail('MAIL FROM:<>')).toMatchObject({ dsn: undefined })
  })

  test.each([
    ['MAIL FROM:<a@x.test>SIZE=1', 501],
    ['MAIL FROM:<a@x.test> SIZE=', 501],
    ['MAIL FROM:<a@x.test> NOTIFY=NEVER', 555],
    [`MAIL FROM:<a@x.test> ENVID=${'e'.repeat(101)}`, 501],
    ['MAIL FROM:<ö@x.test>', 553],
  ])('%s is refused with %d', (line, code) => {
    expect(mail(line)).toMatchObject({ code })
  })
})

describe('RCPT', () => {
  test('NOTIFY in one order, ORCPT as it was given', () => {
    expect(rcpt('RCPT TO:<b@y.test> NOTIFY=delay,success ORCPT=rfc822;b+2B@y.test')).toMatchObject({
      dsn: { notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;b+2B@y.test' },
    })
    expect(rcpt('RCPT TO:<ö@y.test> ORCPT=utf-8;ö@y.test', true)).toMatchObject({ dsn: { orcpt: 'utf-8;ö@y.test' } })
  })

  test.each([
    ['RCPT TO:<>', 501],
    ['RCPT TO:<b@y.test> NOTIFY=DELAY,DELAY', 501],
    [`RCPT TO:<b@y.test> ORCPT=rfc822;${'o'.repeat(500)}`, 501],
    ['RCPT TO:<b@y.test> SIZE=1', 555],
    ['RCPT TO:<b@y.test,c@z.test>', 501],
  ])('%s is refused with %d', (line, code) => {
    expect(rcpt(line)).toMatchObject({ code })
  })
})

test('any line gives an address or a reply of class 5, and never throws', () => {
  const line = fc.string({
    unit: fc.constantFrom('MAIL FROM:', '<', '>', '"', '\\', '@', 'a', '.', ' ', '=', 'SIZE', 'ö', ';', '+'),
    maxLength: 30,
  })
  fc.assert(
    fc.property(line, (text) => {
      const result = mail(`MAIL FROM:${text}`)
      expect(isReply(result) ? result.code >= 500 && /^5\.\d\.\d /.test(result.text) : true).toBe(true)
    }),
    { seed: 1, numRuns: 5000 },
  )
})
