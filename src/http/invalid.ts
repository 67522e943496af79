// What is wrong with a request, in words of ours: for each part its name, and what is allowed there. A pure table from the
// issues that zod finds; its own words are for programmers and go to nobody.

import { z } from 'zod'
import { nearest } from '../config/suggest.ts'
import { type InvalidPart, OperationError } from './problem.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

export function invalidInput(error: z.ZodError, schema: z.ZodType, value: unknown): OperationError {
  const errors = error.issues.flatMap((issue) => partsOf(issue, schema, value))
  return new OperationError('invalid', errors.map(({ detail }) => detail).join(' '), errors)
}

function partsOf(issue: Issue, schema: z.ZodType, value: unknown): InvalidPart[] {
  const pointer = issue.path.map(String).join('.')
  const field = fieldAt(schema, issue.path)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, pointer, field))
  const name = pointer === '' ? 'The request' : pointer
  return [{ pointer, detail: sentence(name, ruleOf(issue, field, valueAt(value, issue.path))) }]
}

/** `must be …` follows the name; anything else is a sentence of its own. */
function sentence(name: string, rule: string): string {
  const isOfName = /^(?:must|may|is) /.test(rule)
  return `${isOfName ? `${name} ${rule}` : rule.charAt(0).toUpperCase() + rule.slice(1)}.`
}

function unknownKey(key: string, parent: string, field: z.ZodType | undefined): InvalidPart {
  const allowed = field instanceof z.ZodObject ? Object.keys(field.shape) : []
  const near = nearest(key, allowed)
  const shown = key.length > 64 ? `${key.slice(0, 64)}…` : key
  const pointer = parent === '' ? shown : `${parent}.${shown}`
  const meant = near === undefined ? '' : `; did you mean ${near}?`
  return {
    pointer,
    detail: `${pointer} is not known here${meant}${meant === '' ? '.' : ''} Allowed: ${listText(allowed, 'and')}.`,
  }
}

function ruleOf(issue: Issue, field: z.ZodType | undefined, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined
        ? `is missing; it must be ${allowedText(field)}`
        : `must be ${allowedText(field)}, not ${typeText(value)}`
    case 'invalid_value':
    case 'invalid_union':
      return `must be ${allowedText(field)}`
    case 'too_small':
    case 'too_big':
      return sizeRule(issue, field)
    case 'invalid_format':
      return issue.format === 'datetime' ? `must be ${allowedText(field)}` : expectedRule(issue.message)
    default:
      return expectedRule(issue.message)
  }
}

/** Messages of our own schemas: `expected the name of a tenant`, or a whole sentence. */
function expectedRule(message: string): string {
  return message.replace(/^expected /, 'must be ')
}

function sizeRule(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>, field: z.ZodType | undefined): string {
  const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum
  if (issue.origin !== 'string' && issue.origin !== 'array') return `must be ${allowedText(field)}`
  if (issue.code === 'too_small') return 'must not be empty'
  return `may have ${limit} ${issue.origin === 'string' ? 'characters' : 'entries'} at most`
}

/** What may stand there: `text`, `a whole number from 1 to 1000`, `waiting or held`. */
function allowedText(field: z.ZodType | undefined): string {
  if (field instanceof z.ZodEnum) return listText(field.options.map(String), 'or')
  if (field instanceof z.ZodLiteral) return listText([...field.values].map(String), 'or')
  if (field instanceof z.ZodNumber) return `a whole number${rangeText(field)}`
  if (field instanceof z.ZodArray) return 'a list'
  if (field instanceof z.ZodObject) return 'a JSON object'
  if (field instanceof z.ZodBoolean || field instanceof z.ZodUnion) return 'true or false'
  if (field instanceof z.ZodISODateTime) return 'a date and time with its zone, such as 2026-11-21T08:00:00Z'
  return 'text'
}

function rangeText({ minValue, maxValue }: z.ZodNumber): string {
  // Of an integer without a bound zod says the greatest that is safe.
  const isBounded = maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER
  if (minValue === null) return ''
  return isBounded ? ` from ${minValue} to ${maxValue}` : ` from ${minValue}`
}

function typeText(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return { string: 'text', number: 'a number', boolean: 'true or false' }[String(typeof value)] ?? 'that'
}

function listText(names: readonly string[], word: 'and' | 'or'): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`
}

/** The schema of a part, without what only says that it may be left out. */
function fieldAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let at: unknown = bare(schema)
  for (const key of path) {
    if (at instanceof z.ZodObject) at = bare(at.shape[String(key)])
    else if (at instanceof z.ZodArray) at = bare(at.element)
    else return undefined
  }
  return at instanceof z.ZodType ? at : undefined
}

function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return bare(schema.unwrap())
  // A text that is cut into a list first: what the list must be counts.
  return schema instanceof z.ZodPipe ? bare(schema.out) : schema
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce(
    (at: unknown, key) => (at as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key],
    value,
  )
}
