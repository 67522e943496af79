// How the demo shows that it goes on: a table drawn in place on a terminal, a line now and then elsewhere.

import { SECOND } from '../util/clock.ts'
import { demoFrame, type Frame, progressLine } from './demo-view.ts'
import type { Io } from './io.ts'
import type { Page } from './output.ts'

export interface Screen {
  show(frame: Frame): void
  /** Draws the last frame and leaves it standing. */
  finish(frame: Frame): void
}

const SAY_EVERY_MS = 2 * SECOND
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_LINE_END = '\u001b[K'

/** Overwrites the last frame line by line, so that nothing flickers. */
export function liveScreen(io: Io, page: Page): Screen {
  let drawn = 0
  const draw = (frame: Frame): void => {
    const lines = demoFrame(frame, page)
    const up = drawn === 0 ? HIDE_CURSOR : `\u001b[${drawn}A\r`
    io.out(`${up}${lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')}`)
    drawn = lines.length
  }
  return {
    show: draw,
    finish: (frame) => {
      draw(frame)
      io.out(SHOW_CURSOR)
    },
  }
}

export function plainScreen(io: Io, page: Page): Screen {
  let saidAt = Number.NEGATIVE_INFINITY
  return {
    show: (frame) => {
      if (frame.elapsedMs - saidAt < SAY_EVERY_MS) return
      saidAt = frame.elapsedMs
      io.out(`${progressLine(frame, page)}\n`)
    },
    finish: (frame) => io.out(`\n${demoFrame(frame, page).join('\n')}\n`),
  }
}

/** For --json: only the result is printed. */
export const noScreen: Screen = { show: () => {}, finish: () => {} }
