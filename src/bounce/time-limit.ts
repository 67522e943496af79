// Runs code that may never end by itself: patterns that operators wrote, against text that strangers wrote. JavaScript
// cannot interrupt a pattern; a script of node:vm can be, and with it what it calls.

import { createContext, Script } from 'node:vm'

const CONTEXT: { run: () => unknown } = { run: () => undefined }
const SCRIPT = new Script('run()')
createContext(CONTEXT)

/** What `run` returns; undefined when it took longer than `limitMs`. `run` must leave nothing half done when it is cut. */
export function withinTime<T>(limitMs: number, run: () => T): { readonly value: T } | undefined {
  CONTEXT.run = run
  try {
    return { value: SCRIPT.runInContext(CONTEXT, { timeout: limitMs }) as T }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}
