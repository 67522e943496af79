import { expect, test } from 'vitest'
import { replyFrom } from './pasted.ts'

test.each([
  ['a plain reply', '550 5.1.1 No such user', { code: 550, enhanced: '5.1.1', lines: ['5.1.1 No such user'] }],
  [
    'several lines',
    '550-5.1.1 No such\r\n550 5.1.1 user',
    { code: 550, enhanced: '5.1.1', lines: ['5.1.1 No such', '5.1.1 user'] },
  ],
  [
    'as a DSN quotes it',
    'smtp; 452 4.2.2 Mailbox full',
    { code: 452, enhanced: '4.2.2', lines: ['4.2.2 Mailbox full'] },
  ],
  ['a bare code', ' 421 ', { code: 421, lines: [''] }],
  ['words without a code', 'User unknown', { code: 0, lines: ['User unknown'] }],
  ['a number that is no code', '5500 items', { code: 0, lines: ['5500 items'] }],
])('%s', (_, text, reply) => {
  expect(replyFrom(text)).toEqual(reply)
})
