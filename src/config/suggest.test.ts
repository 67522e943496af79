import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from './suggest.ts'

const KEYS = ['connect_timeout', 'command_timeout', 'connections', 'port', 'tls', 'mode', 'ipv6']

describe('nearest', () => {
  test.each([
    ['conect_timeout', 'connect_timeout'],
    ['connectTimeout', 'connect_timeout'],
    ['connect-timeout', 'connect_timeout'],
    ['CONNECT_TIMEOUT', 'connect_timeout'],
    ['comand_timeout', 'command_timeout'],
    ['conections', 'connections'],
    ['prot', 'port'],
    ['tsl', 'tls'],
    ['ipv4', 'ipv6'],
  ])('%s means %s', (word, meant) => expect(nearest(word, KEYS)).toBe(meant))

  test.each(['', 'banana', 'x', 'timeout_of_the_connection', 'm'.repeat(5000)])('"%s" means nothing known', (word) =>
    expect(nearest(word, KEYS)).toBeUndefined(),
  )

  test('of two equally near ones the first', () => expect(nearest('aa', ['ab', 'ac'])).toBe('ab'))
  test('nothing is near to nothing', () => expect(nearest('port', [])).toBeUndefined())
})

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['abc', '', 3],
  ['kitten', 'sitting', 3],
  ['ab', 'ba', 1],
  ['abc', 'abc', 0],
])('editDistance(%s, %s) = %i', (from, to, distance) => expect(editDistance(from, to)).toBe(distance))
