import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

const HOSTILE = 'a\u001b[31m\u009b31m\u202egnp\u2028\u2066\ufeff\u200b\u007f\r\nINFO: forged "q" \\n \\u001b end'

/** What is written by the time of the next turn; pino-pretty writes through a stream. */
async function written(format: 'json' | 'pretty', log: (logger: ReturnType<typeof createLogger>) => void) {
  let text = ''
  const lines: (() => void)[] = []
  const output = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      for (const wake of lines) wake()
      done()
    },
  })
  const wrote = new Promise<void>((resolve) => lines.push(resolve))
  log(createLogger({ level: 'info', format }, output))
  await wrote
  return text
}

const error = Object.assign(new Error(HOSTILE), { stack: `Error: ${HOSTILE}\n    at here (file:1:2)\n    at there` })

test.each(['json', 'pretty'] as const)(
  '%s: nothing a stranger writes reaches the terminal as itself',
  async (format) => {
    const text = await written(format, (logger) =>
      logger
        .child({ listener: HOSTILE })
        .error({ subject: HOSTILE, [HOSTILE]: 1, deep: { user: HOSTILE }, err: error }),
    )
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/)
    expect(text).not.toMatch(/^\s*INFO: forged/m)
    expect(text).toContain('\\u009b31m\\u202egnp')
  },
)

test('json: the escapes mean what was written', async () => {
  const text = await written('json', (logger) => logger.warn({ subject: HOSTILE }))
  expect(text.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(text)).toMatchObject({ level: 'warn', subject: HOSTILE })
})

test('pretty: a stack keeps its lines, text beyond ASCII its letters', async () => {
  const text = await written('pretty', (logger) => logger.error({ err: error, subject: 'Größe 漢字 🙂' }))
  expect(text).toMatch(/\n +at here \(file:1:2\)\n +at there\n/)
  expect(text).toContain('Größe 漢字 🙂')
})
