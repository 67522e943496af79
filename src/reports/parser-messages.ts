// What the main thread and the parser thread say to each other, and the thread's side of it. Several reports go over in one
// message; each answer comes back by itself, so that the main thread always knows which report is being parsed.

import type { MessagePort } from 'node:worker_threads'
import type { ParsedReport } from '../bounce/report.ts'

export interface ToParser {
  readonly items: readonly { readonly id: number; readonly raw: Uint8Array }[]
}

export type FromParser =
  /** The parser is loaded; from here on time counts. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'parsed'; readonly id: number; readonly report: ParsedReport }
  /** An exception: an error of ours. */
  | { readonly kind: 'problem'; readonly id: number; readonly problem: string }

export type Parse = (raw: Uint8Array) => ParsedReport

/** Runs in the thread. */
export function serveParser(port: MessagePort, parse: Parse): void {
  const say = (message: FromParser): void => port.postMessage(message)
  port.on('message', ({ items }: ToParser) => {
    for (const { id, raw } of items) say(answer(id, raw, parse))
  })
  say({ kind: 'ready' })
}

function answer(id: number, raw: Uint8Array, parse: Parse): FromParser {
  try {
    return { kind: 'parsed', id, report: parse(raw) }
  } catch (error) {
    return { kind: 'problem', id, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
