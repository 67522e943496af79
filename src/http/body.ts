// Request bodies as JSON.

import type { Context } from 'hono'
import { OperationError } from './problem.ts'

/** An empty body is {}: every field may be left out then. */
export async function jsonBody(context: Context): Promise<unknown> {
  const text = await context.req.text()
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    // The parser's words quote the body, which may hold addresses; where it breaks is for the caller to see.
    throw new OperationError('invalid', 'The body is not JSON.')
  }
}
