// What servers do that the book does not allow, and what the client makes of it: the right class of outcome, the
// connection over, and never an exception.

import { describe, expect, test } from 'vitest'
import { type ClientFailure, type ClientSettings, SmtpClient } from '../../src/delivery/client.ts'
import { connectOptions, mailOf } from '../support/client-options.ts'
import { type Peer, type Script, ScriptedServer, selfSigned } from '../support/scripted-server.ts'

const certificate = selfSigned('mx.test')
const STARTTLS = '250-mx.test\r\n250 STARTTLS'
const PLAIN_EHLO = '250-mx.test\r\n250 SIZE'
const SHORT = 120
const silence = (): void => {}
const close = (peer: Peer): void => peer.close()
const reset = (peer: Peer): void => peer.reset()
const silenceAfter = (words: string) => (peer: Peer) => {
  peer.stopReading()
  return peer.say(words)
}
const closeAfter = (words: string) => (peer: Peer) => peer.close(words)

interface Case {
  readonly name: string
  readonly script: Script
  readonly kind: ClientFailure['kind']
  readonly command?: string
  /** Code of the refusal, or a part of the detail. */
  readonly says?: number | RegExp
  readonly settings?: Partial<ClientSettings>
  readonly tls?: 'opportunistic' | 'required'
  readonly content?: string
}

const greeting: readonly Case[] = [
  { name: '554 greeting', script: { banner: '554 5.7.1 go away' }, kind: 'reply', command: 'banner', says: 554 },
  { name: '421 greeting', script: { banner: '421 4.3.2 busy' }, kind: 'reply', command: 'banner', says: 421 },
  { name: '500 greeting', script: { banner: '500 eh' }, kind: 'reply', command: 'banner', says: 500 },
  { name: '221 greeting', script: { banner: '221 bye' }, kind: 'protocol', command: 'banner', says: /221 bye/ },
  { name: '354 greeting', script: { banner: '354 go' }, kind: 'protocol', command: 'banner' },
  { name: 'two greetings', script: { banner: '220 a\r\n220 b' }, kind: 'protocol', says: /without being asked/ },
  {
    name: 'malformed greeting',
    script: { banner: 'SSH-2.0-OpenSSH_9.2' },
    kind: 'protocol',
    command: 'banner',
    says: /malformed/,
  },
  {
    name: 'no greeting',
    script: { banner: silence },
    kind: 'timeout',
    command: 'banner',
    settings: { greetingTimeout: SHORT },
  },
  {
    name: 'dripping greeting',
    script: { banner: (peer) => peer.drip('220-', 5) },
    kind: 'timeout',
    command: 'banner',
    settings: { greetingTimeout: SHORT },
  },
  { name: 'close for a greeting', script: { banner: close }, kind: 'connect', command: 'banner', says: /closed/ },
  { name: 'reset for a greeting', script: { banner: reset }, kind: 'connect', says: /ECONNRESET/ },
  {
    name: '554 without a line end, then close',
    script: { banner: closeAfter('554 no') },
    kind: 'connect',
    command: 'banner',
    says: /middle of a reply/,
  },
  {
    name: '554, then close',
    script: { banner: closeAfter('554 no\r\n') },
    kind: 'reply',
    command: 'banner',
    says: 554,
  },
]

const hello: readonly Case[] = [
  { name: 'EHLO 421', script: { EHLO: '421 4.3.2 no' }, kind: 'reply', command: 'EHLO', says: 421 },
  { name: 'EHLO 451', script: { EHLO: '451 later' }, kind: 'reply', command: 'EHLO', says: 451 },
  { name: 'EHLO 354', script: { EHLO: '354 what' }, kind: 'protocol', command: 'EHLO' },
  {
    name: 'EHLO and HELO 5xx',
    script: { EHLO: '502 no', HELO: '550 5.7.1 nor this' },
    kind: 'reply',
    command: 'HELO',
    says: 550,
  },
  {
    name: 'EHLO 554, then close',
    script: { EHLO: closeAfter('554 5.7.1 listed\r\n') },
    kind: 'reply',
    command: 'EHLO',
    says: 554,
  },
  {
    name: 'silence after EHLO',
    script: { EHLO: silence },
    kind: 'timeout',
    command: 'EHLO',
    settings: { commandTimeout: SHORT },
  },
  {
    name: 'drips EHLO',
    script: { EHLO: (peer) => peer.drip('250-a\r\n250-b\r\n', 5) },
    kind: 'timeout',
    command: 'EHLO',
    settings: { commandTimeout: SHORT },
  },
  { name: 'close at EHLO', script: { EHLO: close }, kind: 'connect', command: 'EHLO' },
  { name: 'reset at EHLO', script: { EHLO: reset }, kind: 'connect', command: 'EHLO' },
  {
    name: '10,000 lines',
    script: { EHLO: `${'250-a\r\n'.repeat(10_000)}250 b` },
    kind: 'protocol',
    command: 'EHLO',
    says: /lines/,
  },
  {
    name: 'a line of 2 MB',
    script: { EHLO: `250 ${'x'.repeat(2_000_000)}` },
    kind: 'protocol',
    command: 'EHLO',
    says: /longer/,
  },
  {
    name: 'mixed codes',
    script: { EHLO: '250-mx.test\r\n550 no' },
    kind: 'protocol',
    command: 'EHLO',
    says: /250 and 550/,
  },
  { name: 'NULs', script: { EHLO: '\0'.repeat(1000) }, kind: 'protocol', command: 'EHLO', says: /malformed/ },
]

const tls: readonly Case[] = [
  {
    name: 'STARTTLS stripped',
    script: {},
    tls: 'required',
    kind: 'tls',
    command: 'STARTTLS',
    says: /offers no STARTTLS/,
  },
  { name: 'STARTTLS stripped by HELO', script: { EHLO: '502 no' }, tls: 'required', kind: 'tls', command: 'STARTTLS' },
  {
    name: 'STARTTLS 454',
    script: { EHLO: STARTTLS, STARTTLS: '454 4.7.0 later' },
    tls: 'required',
    kind: 'tls',
    command: 'STARTTLS',
    says: /454/,
  },
  {
    name: 'STARTTLS 421',
    script: { EHLO: STARTTLS, STARTTLS: '421 no' },
    kind: 'reply',
    command: 'STARTTLS',
    says: 421,
  },
  { name: 'STARTTLS 221', script: { EHLO: STARTTLS, STARTTLS: '221 bye' }, kind: 'protocol', command: 'STARTTLS' },
  { name: 'STARTTLS 354', script: { EHLO: STARTTLS, STARTTLS: '354 go' }, kind: 'protocol', command: 'STARTTLS' },
  {
    name: 'replies injected behind STARTTLS',
    script: {
      EHLO: STARTTLS,
      STARTTLS: (peer) => peer.secure(certificate, '220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n'),
    },
    kind: 'protocol',
    command: 'STARTTLS',
  },
  {
    name: 'half a reply injected behind STARTTLS',
    script: { EHLO: STARTTLS, STARTTLS: (peer) => peer.secure(certificate, '220 go\r\n250-ev') },
    kind: 'protocol',
    command: 'STARTTLS',
    says: /plaintext/,
  },
  {
    name: 'garbage for a handshake',
    script: {
      EHLO: STARTTLS,
      STARTTLS: async (peer) => {
        await peer.say('220 go')
        peer.socket.once('data', () => peer.write('\x16\x03\x01garbage'.repeat(50)))
      },
    },
    kind: 'tls',
    command: 'STARTTLS',
  },
  {
    name: 'SMTP for a handshake',
    script: {
      EHLO: STARTTLS,
      STARTTLS: async (peer) => {
        await peer.say('220 go')
        peer.socket.once('data', () => peer.say('500 what?'))
      },
    },
    kind: 'tls',
    command: 'STARTTLS',
  },
  {
    name: 'silence for a handshake',
    script: { EHLO: STARTTLS, STARTTLS: silenceAfter('220 go') },
    kind: 'tls',
    command: 'STARTTLS',
    settings: { commandTimeout: SHORT },
    says: /no answer/,
  },
  {
    name: 'close in the handshake',
    script: { EHLO: STARTTLS, STARTTLS: closeAfter('220 go\r\n') },
    kind: 'tls',
    command: 'STARTTLS',
  },
  {
    name: 'reset in the handshake',
    script: {
      EHLO: STARTTLS,
      STARTTLS: async (peer) => {
        await peer.say('220 go')
        peer.socket.once('data', () => peer.reset())
      },
    },
    kind: 'tls',
    command: 'STARTTLS',
  },
  {
    name: 'an unknown certificate',
    script: { EHLO: STARTTLS, STARTTLS: (peer) => peer.secure(certificate) },
    tls: 'required',
    kind: 'tls',
    command: 'STARTTLS',
    says: /self-signed/,
  },
]

const transaction: readonly Case[] = [
  { name: 'MAIL 550', script: { MAIL: '550 5.7.1 no' }, kind: 'reply', command: 'MAIL', says: 550 },
  { name: 'MAIL 354', script: { MAIL: '354 go' }, kind: 'protocol', command: 'MAIL' },
  { name: 'MAIL 421', script: { MAIL: '421 4.7.0 slow down' }, kind: 'reply', command: 'MAIL', says: 421 },
  {
    name: 'RCPT 551, then close',
    script: { RCPT: closeAfter('551 5.1.6 moved\r\n') },
    kind: 'reply',
    command: 'RCPT',
    says: 551,
  },
  {
    name: 'RCPT 551 without a line end, then close',
    script: { RCPT: closeAfter('551 5.1.6 moved') },
    kind: 'connect',
    command: 'RCPT',
  },
  { name: 'RCPT 354', script: { RCPT: '354 go' }, kind: 'protocol', command: 'RCPT' },
  { name: 'RCPT 2hello', script: { RCPT: '2hello' }, kind: 'protocol', command: 'RCPT' },
  {
    name: 'silence at MAIL',
    script: { MAIL: silence, RCPT: silence, DATA: silence },
    kind: 'timeout',
    command: 'MAIL',
    settings: { commandTimeout: SHORT },
  },
  {
    name: 'silence at RCPT',
    script: { RCPT: silence, DATA: silence },
    kind: 'timeout',
    command: 'RCPT',
    settings: { commandTimeout: SHORT },
  },
  {
    name: 'silence at DATA',
    script: { DATA: silence },
    kind: 'timeout',
    command: 'DATA',
    settings: { dataTimeout: SHORT },
  },
  {
    name: 'silence at DATA, one by one',
    script: { EHLO: PLAIN_EHLO, DATA: silence },
    kind: 'timeout',
    command: 'DATA',
    settings: { dataTimeout: SHORT },
  },
  { name: 'close at MAIL', script: { MAIL: close }, kind: 'connect', command: 'MAIL' },
  { name: 'reset at RCPT', script: { RCPT: reset }, kind: 'connect', command: 'RCPT' },
  { name: 'close at DATA', script: { DATA: close }, kind: 'connect', command: 'DATA' },
  { name: 'DATA 250', script: { DATA: '250 ok' }, kind: 'protocol', command: 'DATA', says: /250 ok/ },
  { name: 'DATA 220', script: { DATA: '220 hello' }, kind: 'protocol', command: 'DATA' },
  { name: 'unsolicited 250s', script: { RCPT: '250 ok\r\n250 ok\r\n250 ok' }, kind: 'protocol', command: 'DATA' },
  {
    name: 'unsolicited 250 behind 354',
    script: { DATA: '354 go\r\n250 taken' },
    kind: 'protocol',
    command: 'DATA',
    says: /without being asked/,
  },
  {
    name: 'unsolicited 550 behind 354',
    script: { DATA: '354 go\r\n550 no' },
    kind: 'protocol',
    command: 'DATA',
    says: /without being asked/,
  },
]

const BIG = `Subject: big\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(110_000)}`
const content: readonly Case[] = [
  {
    name: '552 before the end, then close',
    script: { content: closeAfter('552 5.3.4 too big\r\n') },
    content: BIG,
    kind: 'reply',
    command: 'dot',
    says: 552,
  },
  {
    name: '451 before the end, open',
    script: {
      content: async (peer) => {
        await peer.say('451 4.3.0 no room')
        peer.stopReading()
      },
    },
    content: BIG,
    kind: 'reply',
    command: 'dot',
    says: 451,
  },
  {
    name: '250 before the end',
    script: {
      content: async (peer) => {
        peer.stopReading()
        await peer.say('250 taken')
      },
    },
    content: BIG,
    kind: 'protocol',
    command: 'DATA',
  },
  { name: 'close before the end', script: { content: close }, content: BIG, kind: 'connect', command: 'DATA' },
  { name: 'reset before the end', script: { content: reset }, content: BIG, kind: 'connect', command: 'DATA' },
  {
    name: 'reads nothing',
    script: { content: (peer) => peer.stopReading() },
    content: BIG,
    kind: 'timeout',
    command: 'DATA',
    settings: { blockTimeout: SHORT },
  },
]

const dot: readonly Case[] = [
  { name: 'dot 550', script: { dot: '550 5.7.1 spam' }, kind: 'reply', command: 'dot', says: 550 },
  { name: 'dot 421', script: { dot: '421 4.3.0 later' }, kind: 'reply', command: 'dot', says: 421 },
  {
    name: 'dot 554, then close',
    script: { dot: closeAfter('554 5.7.1 spam\r\n') },
    kind: 'reply',
    command: 'dot',
    says: 554,
  },
  {
    name: 'silence',
    script: { dot: silence },
    kind: 'ambiguous',
    settings: { dotTimeout: SHORT },
    says: /no answer within 0.12 s/,
  },
  {
    name: 'drips 250',
    script: { dot: (peer) => peer.drip('250-', 5) },
    kind: 'ambiguous',
    settings: { dotTimeout: SHORT },
  },
  { name: 'close', script: { dot: close }, kind: 'ambiguous', says: /closed/ },
  { name: 'reset', script: { dot: reset }, kind: 'ambiguous', says: /ECONNRESET/ },
  {
    name: '250 without a line end, then close',
    script: { dot: closeAfter('250 ok') },
    kind: 'ambiguous',
    says: /middle of a reply/,
  },
  {
    name: '550 without a line end, then close',
    script: { dot: closeAfter('550 no') },
    kind: 'ambiguous',
    says: /middle of a reply/,
  },
  {
    name: 'half of a reply, then close',
    script: { dot: closeAfter('250-ok\r\n') },
    kind: 'ambiguous',
    says: /middle of a reply/,
  },
  { name: '250 and 550 in one', script: { dot: '250-ok\r\n550 no' }, kind: 'ambiguous', says: /250 and 550/ },
  { name: '2hello', script: { dot: '2hello' }, kind: 'ambiguous', says: /malformed/ },
  { name: '299999 hi', script: { dot: '299999 hi' }, kind: 'ambiguous', says: /malformed/ },
  { name: '354', script: { dot: '354 go on' }, kind: 'ambiguous', says: /354 go on/ },
  { name: 'bytes', script: { dot: '\xff\xfe\0\x01' }, kind: 'ambiguous', says: /malformed/ },
]

async function outcomeOf(server: ScriptedServer, { settings, tls: mode, content: text }: Case): Promise<ClientFailure> {
  const options = connectOptions(server, { ...(settings && { settings }), ...(mode && { tls: mode }) })
  const result = await SmtpClient.connect(options)
  if (!result.ok) return result.cause
  const sent = await result.client.send(mailOf(text))
  if (sent.ok) throw new Error(`delivered: ${JSON.stringify(sent.reply)}`)
  expect(sent.reusable).toBe(result.client.usable)
  await result.client.quit()
  return sent.cause
}

describe.each([
  ['greeting', greeting],
  ['EHLO', hello],
  ['TLS', tls],
  ['envelope', transaction],
  ['content', content],
  ['final dot', dot],
])('%s', (_phase, cases) => {
  test.each(cases)('$name', async (row) => {
    await using server = await ScriptedServer.start(row.script)
    const cause = await outcomeOf(server, row)
    expect(cause).toMatchObject({ kind: row.kind, ...(row.command !== undefined && { command: row.command }) })
    if (typeof row.says === 'number') expect(cause).toMatchObject({ reply: { code: row.says } })
    else if (row.says !== undefined) expect(cause).toMatchObject({ detail: expect.stringMatching(row.says) })
    server.peer.socket.resume()
    await server.peer.gone
  })
})
