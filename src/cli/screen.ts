// A picture that is drawn again and again on the terminal until q or Ctrl-C.

import { SECOND } from '../util/clock.ts'
import type { Io } from './io.ts'
import type { Output, Page } from './output.ts'

// The alternate screen keeps what stood on the terminal; each frame overwrites the last one line by line, so that
// nothing flickers.
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE_END = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'
const USUAL_HEIGHT = 24

export async function watchScreen<Frame>(given: {
  readonly io: Io
  readonly output: Output
  readonly intervalSeconds: number
  /** `shown`: how many frames there were before, and the last of them. */
  readonly read: (shown: number, last: Frame | undefined) => Promise<Frame>
  readonly render: (frame: Frame, page: Page, height: number) => readonly string[]
}): Promise<void> {
  const { io, intervalSeconds, read } = given
  const left = new AbortController()
  const signal = AbortSignal.any([io.signal, left.signal])
  const listening = leaveOnKey(io, left)
  io.out(ENTER)
  try {
    let frame = await read(0, undefined)
    for (let shown = 1; !signal.aborted; shown++) {
      io.out(painted(given.render(frame, pageNow(given), io.height ?? USUAL_HEIGHT)))
      await io.clock.sleep(intervalSeconds * SECOND, signal)
      if (!signal.aborted) frame = await read(shown, frame)
    }
  } catch (error) {
    // Ctrl-C is how one leaves, also in the middle of a question.
    if (!signal.aborted) throw error
  } finally {
    left.abort()
    await listening
    io.out(LEAVE)
  }
}

async function leaveOnKey({ keys, signal }: Io, left: AbortController): Promise<void> {
  if (keys === undefined) return
  for await (const typed of keys(AbortSignal.any([signal, left.signal]))) if (/q/i.test(typed)) left.abort()
}

/** The terminal may have another width by now. */
function pageNow({ io, output }: { readonly io: Io; readonly output: Output }): Page {
  return { ...output.page, width: io.width, now: io.clock.now() }
}

function painted(lines: readonly string[]): string {
  return `${HOME}${lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')}${CLEAR_BELOW}`
}
