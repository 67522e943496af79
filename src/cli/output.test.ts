// Sentences on a terminal and in a file.

import { describe, expect, test } from 'vitest'
import { systemClock } from '../util/clock.ts'
import type { Io } from './io.ts'
import { createOutput, proseLines } from './output.ts'

const SENTENCE = 'Nothing new leaves from mta3. Its mail leaves from the others.'

function printed(width: number, isTty: boolean): { readonly io: Io; readonly text: () => string } {
  const written: string[] = []
  const write = (text: string): void => void written.push(text)
  return {
    io: { out: write, err: write, width, isTty, color: false, clock: systemClock } as unknown as Io,
    text: () => written.join(''),
  }
}

describe('sentences', () => {
  test('break at spaces on a terminal, further lines moved in', () => {
    expect(proseLines(SENTENCE, { width: 30 })).toEqual([
      'Nothing new leaves from mta3.',
      '  Its mail leaves from the',
      '  others.',
    ])
    expect(proseLines('  short', { width: 30 })).toEqual(['  short'])
  })

  test('stay one line in a file', () => {
    expect(proseLines(SENTENCE, { width: 30, isFile: true })).toEqual([SENTENCE])
    const { io, text } = printed(30, false)
    createOutput(io, {}).done({}, SENTENCE)
    expect(text()).toBe(`${SENTENCE}\n`)
  })

  test('of errors too, with the word before them', () => {
    const { io, text } = printed(30, true)
    createOutput(io, {}).error(`${SENTENCE}\nerror: forged`)
    expect(text().split('\n')).toEqual([
      'error: Nothing new leaves from',
      '  mta3. Its mail leaves from',
      '  the others.',
      '  error: forged',
      '',
    ])
  })
})
