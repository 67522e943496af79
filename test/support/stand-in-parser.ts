// A parser thread for tests of the thread: what a report says is what becomes of it. Parses nothing.

import { parentPort } from 'node:worker_threads'
import type { ParsedReport } from '../../src/bounce/report.ts'
import { serveParser } from '../../src/reports/parser-messages.ts'

function parse(raw: Uint8Array): ParsedReport {
  const text = Buffer.from(raw).toString('latin1')
  if (text.includes('loop for ever')) for (;;);
  if (text.includes('throw')) throw new Error('the parser was told to throw')
  const held: unknown[] = []
  if (text.includes('eat memory')) for (;;) held.push(new Array(1e4).fill(text))
  if (text.includes('end the thread')) process.exit(3)
  const nothing = { recipients: [], from: '', references: [], tokens: [] }
  return { kind: 'mail', family: 'stand-in', subject: text.slice(0, 200), ...nothing }
}

if (parentPort !== null) serveParser(parentPort, parse)
