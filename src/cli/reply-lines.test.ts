import { describe, expect, test } from 'vitest'
import { ReplyLineError, replyLines } from './reply-lines.ts'

describe('many replies in one text', () => {
  test.each([
    ['one per line', '550 a\n\n450 b\r\n', ['550 a', '450 b']],
    ['words without a code', 'User unknown\nMailbox full', ['User unknown', 'Mailbox full']],
    ['a multiline reply is one', '550-a\n550-b\n550 c\n421 d', ['550-a\n550-b\n550 c', '421 d']],
    ['a dash without a next line', '550-a\n450 b', ['550-a', '450 b']],
    ['nothing', '\n \n', []],
  ])('%s', (_, input, replies) => {
    expect(replyLines(input).map(({ reply }) => reply)).toEqual(replies)
  })

  test.each([
    [{ text: '550 5.1.1 x' }, '550 5.1.1 x', undefined],
    [{ text: 'x', code: '550', enhanced: '5.1.1' }, '550 5.1.1 x', undefined],
    [{ text: 'x', code: 550, enhanced: '' }, '550 x', undefined],
    [{ text: '550 x', code: '550', enhanced: '5.2.2' }, '550 5.2.2 x', undefined],
    [{ text: '550 5.0.0 x', enhanced: '5.2.2' }, '550 5.0.0 x', undefined],
    [{ text: '550 x', command: 'mail from' }, '550 x', 'MAIL'],
    [{ text: '550 x', command: 'CONN' }, '550 x', 'banner'],
    [{ text: '550 x', command: 'whatever' }, '550 x', undefined],
    [{ text: '550 x', command: null, more: 1 }, '550 x', undefined],
  ])('%j', (given, reply, command) => {
    expect(replyLines(JSON.stringify(given))).toEqual([
      { text: given.text, reply, isJson: true, ...(command === undefined ? {} : { command }) },
    ])
  })

  test.each([['{"text": '], ['{"code": "550"}'], ['{"text": 7}']])('%s is refused, with its line', (line) => {
    expect(() => replyLines(`550 a\n${line}`)).toThrow(ReplyLineError)
    expect(() => replyLines(`550 a\n${line}`)).toThrow(/Line 2/)
  })
})
