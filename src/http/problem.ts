// Errors of the API as RFC 9457 problem documents. An OperationError says what the caller can do about it; anything
// else is ours: the caller learns only that it went wrong, the log learns everything.

import type { ContentfulStatusCode } from 'hono/utils/http-status'

const CODES = {
  invalid: { status: 422, title: 'The request is not valid' },
  /** A field names what nobody has: a tenant, a source, a provider. */
  'unknown-name': { status: 422, title: 'There is nothing of that name' },
  'not-found': { status: 404, title: 'Not found' },
  conflict: { status: 409, title: 'Not possible in this state' },
  'too-large': { status: 413, title: 'Request too large' },
  unavailable: { status: 503, title: 'Not available now' },
  /** Only ever said of a stopped relay, whose store a command has opened. */
  stopped: { status: 503, title: 'The relay is not running' },
  failed: { status: 500, title: 'Failed' },
} as const satisfies Record<string, { status: ContentfulStatusCode; title: string }>
export type OperationErrorCode = keyof typeof CODES

/** One part of a request that is wrong; `pointer` names it (`filter.domain`), `detail` is a sentence with what is allowed. */
export interface InvalidPart {
  readonly pointer: string
  readonly detail: string
}

/** Why an action was not done, in a sentence for people. Thrown by every implementation of Operations. */
export class OperationError extends Error {
  override readonly name = 'OperationError'
  readonly code: OperationErrorCode
  readonly errors: readonly InvalidPart[]
  constructor(code: OperationErrorCode, message: string, errors: readonly InvalidPart[] = []) {
    super(message)
    this.code = code
    this.errors = errors
  }
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: ContentfulStatusCode
  readonly detail?: string
  readonly code: OperationErrorCode
  readonly errors?: readonly InvalidPart[]
}

export function problemOf(error: unknown): Problem {
  if (!(error instanceof OperationError)) {
    return {
      type: 'about:blank',
      ...CODES.failed,
      code: 'failed',
      detail: 'An internal error; the log of the relay has it.',
    }
  }
  const problem = { type: 'about:blank', ...CODES[error.code], code: error.code, detail: error.message }
  return error.errors.length === 0 ? problem : { ...problem, errors: error.errors }
}

export function problemResponse(error: unknown): Response {
  const problem = problemOf(error)
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json' },
  })
}

/** The error a problem document stands for; undefined when the text is none. */
export function errorOfProblem(text: string): OperationError | undefined {
  let problem: Partial<Problem>
  try {
    problem = JSON.parse(text) as Partial<Problem>
  } catch {
    return undefined // not JSON: somebody else's server, or a broken one
  }
  if (problem === null || typeof problem !== 'object' || problem.code === undefined || !(problem.code in CODES))
    return undefined
  return new OperationError(problem.code, String(problem.detail ?? problem.title), problem.errors ?? [])
}
