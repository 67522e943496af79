// The cross checks of what comes back: mailboxes and unsubscribe links.

import { describe, expect, test } from 'vitest'
import { formatProblem } from '../src/config/load.ts'
import { load, problemsOf } from './support/config-file.ts'

const HASH = 'scrypt:16384:8:1:c2FsdA:aGFzaA'
const MAILBOX = '[[mailbox]]\nname = "m"\nhost = "imap.example.com"\nuser = "u"\npassword = "p"\n'
const NEWS = `[[credential]]\nname = "news"\npassword = "${HASH}"\nlist_unsubscribe = true\n`
const DOMAIN = '[[domain]]\nname = "example.com"\nreturn_path = "bounce.example.com"\n'
const SIGNED = `${DOMAIN}dkim = [{ selector = "s1", key_file = "k.pem" }]\n`
const OFFER = '[unsubscribe]\nurl = "https://mail.example.com/u"\nport = 2580\n'

const warningsOf = (toml: string): string[] => load(toml).warnings.map(formatProblem)

describe('mailboxes', () => {
  test.each<[string, string]>([
    [MAILBOX.replace('password = "p"\n', ''), 'mailbox.0.password: mailbox "m" has no password'],
    [`${MAILBOX}tls = "none"`, 'mailbox.0.tls: the password and all mail would be sent in clear'],
    [MAILBOX.replace('imap.example.com', 'a b'), 'mailbox.0.host: "a b" is not a host name'],
    [`${MAILBOX}done = "move"`, 'mailbox.0.done: done = "move" needs a folder'],
    [`${MAILBOX}done = "move"\nmove_to = "INBOX"`, 'mailbox.0.move_to: this is the folder that is read'],
    [`${MAILBOX}poll = "1s"`, 'mailbox.0.poll: an IMAP server asked this often'],
    [`${MAILBOX}poll = "30d"`, 'mailbox.0.poll: a wait may be at most 24 d'],
    [`${MAILBOX}folder = "inbox"\n${MAILBOX.replace('"m"', '"n"')}`, 'mailbox.1.folder: "m" reads the same folder'],
    [`${MAILBOX}${MAILBOX.replace('"u"', '"v"')}`, 'mailbox.1.name: mailbox "m" stands twice'],
  ])('%s', (toml, expected) => {
    const problems = problemsOf(() => load(toml))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })

  test('what is allowed', () => {
    const local = MAILBOX.replace('imap.example.com', '127.0.0.1')
    expect(warningsOf(`${local}tls = "none"\nport = 143`)).toEqual([])
    expect(warningsOf(MAILBOX.replace('imap.example.com', 'localhost').concat('tls = "none"'))).toEqual([])
    expect(warningsOf(`${MAILBOX}folder = "A"\n${MAILBOX.replace('"m"', '"n"')}folder = "B"`)).toEqual([])
    expect(warningsOf(`${MAILBOX}done = "move"\nmove_to = "Done"`)).toEqual([])
  })

  test('what is probably not meant', () => {
    expect(warningsOf(`${MAILBOX}move_to = "Done"`)).toEqual([expect.stringContaining('nothing is moved')])
    expect(warningsOf(`${MAILBOX}port = 143`)).toEqual([
      expect.stringContaining('tls = "implicit" is usually on port 993'),
    ])
    expect(warningsOf(`${MAILBOX}tls = "starttls"`)).toEqual([expect.stringContaining('usually on port 143')])
  })
})

describe('unsubscribe links', () => {
  test('a whole offer is fine', () => {
    expect(warningsOf(`${OFFER}${NEWS}${SIGNED}`)).toEqual([])
    expect(warningsOf('')).toEqual([])
  })

  test.each<[string, string, string]>([
    ['no return path', NEWS, 'credential.0.list_unsubscribe: no sender domain of tenant "default" has a return path'],
    [
      'the return path of another tenant',
      `${NEWS}${SIGNED}tenant = "other"\n[[tenant]]\nname = "other"\n`.replace('dkim', 'subdomains = true\ndkim'),
      'has a return path, so no unsubscribe address can be made',
    ],
    ['a domain that does not sign', `${OFFER}${NEWS}${DOMAIN}`, 'mail from "example.com" is not signed'],
    ['a URL without a port', OFFER.replace('port = 2580', ''), 'lead to an endpoint that is off'],
    ['a port without a URL', '[unsubscribe]\nport = 2580', 'no mail has a link to it'],
    ['a URL without TLS', OFFER.replace('https', 'http'), 'only for https (RFC 8058 §3.1)'],
  ])('%s is told', (_, toml, expected) => {
    expect(warningsOf(toml)).toEqual([expect.stringContaining(expected)])
  })

  test.each<[string, string]>([
    ['[unsubscribe]\naddress = "localhost"', 'unsubscribe.address: "localhost" is not an IP address'],
    ['[unsubscribe]\nport = 2580\nurl = "https://é.example/u"', 'cannot stand in a header'],
    ['[unsubscribe]\nport = 2580\nurl = "https://a.example/<u>"', 'cannot stand in a header'],
    ['[unsubscribe]\nport = 2580\nurl = "https://a:b:c/u"', 'cannot stand in a header'],
    [
      '[unsubscribe]\nport = 2587\nurl = "https://a.example/u"',
      'unsubscribe.port: port 2587 on 127.0.0.1 is already taken by listener "submission"',
    ],
  ])('%s is refused', (toml, expected) => {
    const problems = problemsOf(() => load(toml))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })
})
