// The grammar of MAIL and RCPT (RFC 5321 §4.1.2, RFC 1870, 3461, 6152, 6531): a command line becomes an address with
// typed parameters, or the reply that refuses it. Pure; what a tenant may do is decided in session.ts.

import { isUtf8 } from 'node:buffer'
import { type Address, parseAddress } from '../mail/address.ts'
import type { DsnMail, DsnRcpt } from '../mail/message.ts'
import { badParameter, REPLY, type Reply, unknownParameter } from './replies.ts'

export interface MailCommand {
  /** Undefined for the null sender. */
  readonly sender: Address | undefined
  /** '' for the null sender. */
  readonly senderText: string
  readonly sizeBytes: number
  readonly smtpUtf8: boolean
  readonly dsn: DsnMail | undefined
  readonly requireTls: boolean
}

export interface RcptCommand {
  readonly recipient: Address
  readonly dsn: DsnRcpt | undefined
}

type Parameters = ReadonlyMap<string, string | undefined>

export const isReply = (value: object): value is Reply => 'code' in value && 'text' in value

/** Any sender at all is good enough for `anySender`: one that is no address comes out as text. */
export function parseMail(line: Buffer, judging: 'sender' | 'anySender' = 'sender'): MailCommand | Reply {
  const command = splitCommand(line, /^mail from:[ \t]*/i)
  if (command === undefined) return REPLY.mailSyntax
  const parameters = parseParameters(command.rest, judging === 'sender' ? SUBMISSION_PARAMETERS : MAIL_PARAMETERS)
  if (isReply(parameters)) return parameters
  const smtpUtf8 = parameters.has('SMTPUTF8')
  const sender = command.path === '' ? undefined : parsePath(command.path, smtpUtf8, REPLY.senderSyntax)
  const rest = {
    sizeBytes: Number(parameters.get('SIZE') ?? 0),
    smtpUtf8,
    dsn: mailDsn(parameters),
    requireTls: parameters.has('REQUIRETLS'),
  }
  if (sender === undefined || !isReply(sender)) return { sender, senderText: sender?.text ?? '', ...rest }
  return judging === 'sender' ? sender : { sender: undefined, senderText: printable(command.path), ...rest }
}

export function parseRcpt(line: Buffer, smtpUtf8: boolean): RcptCommand | Reply {
  const command = splitCommand(line, /^rcpt to:[ \t]*/i)
  if (command === undefined) return REPLY.rcptSyntax
  const parameters = parseParameters(command.rest, RCPT_PARAMETERS)
  if (isReply(parameters)) return parameters
  const recipient = parsePath(command.path, smtpUtf8, REPLY.recipientSyntax)
  return isReply(recipient) ? recipient : { recipient, dsn: rcptDsn(parameters) }
}

const MAX_PATH = 256
const printable = (path: string): string => path.replace(/[^\x21-\x7e\u{a0}-\u{10ffff}]/gu, '?').slice(0, MAX_PATH)

/** Splits off the path, with or without angle brackets (RFC 5321 wants them, some apps forget them). */
function splitCommand(line: Buffer, verb: RegExp): { path: string; rest: string } | undefined {
  if (!isUtf8(line)) return undefined
  const text = line.toString('utf8')
  const argument = text.replace(verb, '')
  if (argument === text) return undefined
  // A quoted local part may hold blanks and ">", so quotes are stepped over as a whole.
  const bracketed = /^<((?:"(?:[^"\\]|\\.)*"|[^"<>])*)>(?:[ \t]+(.*))?$/.exec(argument.trimEnd())
  const bare = bracketed ?? /^([^<>\s"]+)(?:[ \t]+(.*))?$/.exec(argument.trimEnd())
  return bare === null ? undefined : { path: (bare[1] ?? '').trim(), rest: bare[2] ?? '' }
}

function parsePath(path: string, smtpUtf8: boolean, refusal: Reply): Address | Reply {
  // RFC 5321 appendix C: a source route must be accepted and should be ignored. What follows is judged like any other.
  const address = parseAddress(path.replace(/^@[^\s:"]*:/, ''))
  if (address === undefined) return refusal
  // RFC 6531 §3.5: 553 with 5.6.7 for an internationalised address without SMTPUTF8.
  return smtpUtf8 || /^[\x00-\x7f]*$/.test(path) ? address : REPLY.needsSmtpUtf8
}

/** What a value of the parameter must look like; `undefined` for a keyword without value. */
type Grammar = ReadonlyMap<string, ((value: string) => boolean) | undefined>

// RFC 3461 §4: xtext is printable ASCII but "+" and "=", and "+" with two hex digits.
const XTEXT = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})+$/
// "+0A" and the like would come out as line ends wherever the value is decoded.
const XTEXT_CONTROL = /\+(?:[01][0-9A-F]|7F)/
const isXtext = (value: string): boolean => XTEXT.test(value) && !XTEXT_CONTROL.test(value)

function isOrcpt(value: string): boolean {
  const [, type, address] = /^([A-Za-z0-9-]+);(.+)$/s.exec(value) ?? []
  if (type === undefined || address === undefined || value.length > 500) return false
  // RFC 6533 §3: utf-8-addr-xtext and utf-8-addr-unitext.
  return type.toLowerCase() === 'utf-8' ? /^[^\x00-\x20\x7f-\x9f]+$/.test(address) : isXtext(address)
}

const NOTIFY = ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'] as const

function notifyOf(value: string): DsnRcpt['notify'] {
  const words = value.toUpperCase().split(',')
  return NOTIFY.filter((known) => words.includes(known))
}

function isNotify(value: string): boolean {
  const words = value.toUpperCase().split(',')
  const known = words.every((word) => (NOTIFY as readonly string[]).includes(word))
  // RFC 3461 §4.1: NEVER stands alone.
  return known && new Set(words).size === words.length && (words.length === 1 || !words.includes('NEVER'))
}

const MAIL_PARAMETERS: Grammar = new Map([
  ['SIZE', (value: string) => /^\d{1,20}$/.test(value)],
  ['BODY', (value: string) => /^(?:7bit|8bitmime)$/i.test(value)],
  ['SMTPUTF8', undefined],
  ['RET', (value: string) => /^(?:full|hdrs)$/i.test(value)],
  ['ENVID', (value: string) => value.length <= 100 && isXtext(value)],
  // RFC 4954 §5: taken and not acted on, since nobody here vouches for it.
  ['AUTH', (value: string) => value === '<>' || isXtext(value)],
])

/** What is relayed may have to be protected on its way (RFC 8689); reports end here. */
const SUBMISSION_PARAMETERS: Grammar = new Map([...MAIL_PARAMETERS, ['REQUIRETLS', undefined]])

const RCPT_PARAMETERS: Grammar = new Map([
  ['NOTIFY', isNotify],
  ['ORCPT', isOrcpt],
])

function parseParameters(rest: string, grammar: Grammar): Parameters | Reply {
  const found = new Map<string, string | undefined>()
  if (rest === '') return found
  for (const part of rest.split(/[ \t]+/)) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const keyword = (equals === -1 ? part : part.slice(0, equals)).toUpperCase()
    const value = equals === -1 ? undefined : part.slice(equals + 1)
    if (!/^[A-Z0-9][A-Z0-9-]{0,63}$/.test(keyword)) return badParameter('malformed parameter')
    if (!grammar.has(keyword)) return unknownParameter(keyword)
    if (found.has(keyword)) return badParameter(`parameter ${keyword} is given twice`)
    const isGood = grammar.get(keyword)
    if (isGood === undefined ? value !== undefined : value === undefined || !isGood(value)) {
      return badParameter(`bad value of parameter ${keyword}`)
    }
    found.set(keyword, value)
  }
  return found
}

function mailDsn(parameters: Parameters): DsnMail | undefined {
  const ret = parameters.get('RET')?.toUpperCase()
  const envid = parameters.get('ENVID')
  if (ret === undefined && envid === undefined) return undefined
  return {
    ...(ret === 'FULL' || ret === 'HDRS' ? { ret } : {}),
    ...(envid === undefined ? {} : { envid }),
  }
}

function rcptDsn(parameters: Parameters): DsnRcpt | undefined {
  const notify = parameters.get('NOTIFY')
  const orcpt = parameters.get('ORCPT')
  if (notify === undefined && orcpt === undefined) return undefined
  const words = notify === undefined ? undefined : notifyOf(notify)
  return { ...(words === undefined ? {} : { notify: words }), ...(orcpt === undefined ? {} : { orcpt }) }
}
