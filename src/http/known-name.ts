// Names that a request gives of tenants, sources and providers. One that nobody has is an error, not an empty answer: who
// has mistyped it would take "nothing" for the truth.

import { nearest } from '../config/suggest.ts'
import { OperationError } from './problem.ts'

type Kind = 'tenant' | 'source' | 'provider'

export interface GivenName {
  readonly kind: Kind
  readonly name: string
  readonly known: Iterable<string>
  /** What names it in the request; absent where that is the address of the request itself. */
  readonly pointer?: string
}

export function assertNamed(given: GivenName): void {
  for (const each of given.known) if (each === given.name) return
  throw unknownName(given)
}

export function unknownName({ kind, name, known, pointer }: GivenName): OperationError {
  const near = nearest(name, [...known])
  const sentence = `There is no ${kind} ${name}${near === undefined ? '' : `; did you mean ${near}?`}`
  const detail = sentence.endsWith('?') ? sentence : `${sentence}.`
  return pointer === undefined
    ? new OperationError('not-found', detail)
    : new OperationError('unknown-name', detail, [{ pointer, detail }])
}

export function namesOf(all: readonly { readonly name: string }[]): string[] {
  return all.map(({ name }) => name)
}
