import { expect, test } from 'vitest'
import { compareKey } from './dkim-record.ts'

const KEY = `MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A${'MIIBCgKCAQEAvBYWACRbIlcn'.repeat(12)}IDAQAB`
const EXPECTED = `v=DKIM1; k=rsa; p=${KEY}`

test.each([
  ['as printed', EXPECTED],
  ['without what is the default', `p=${KEY}`],
  ['in another order of the tags behind v=', `v=DKIM1; p=${KEY}; k=rsa`],
  ['with white space and a last semicolon', ` v = DKIM1 ;  k = rsa;p=${KEY.slice(0, 70)} ${KEY.slice(70)} ; `],
  ['with notes and limits that fit', `v=DKIM1; h=sha1:sha256; s=email; t=s; n=a note; p=${KEY}`],
  ['with s=*', `v=DKIM1; s=*; p=${KEY}`],
])('the same: %s', (_, published) => {
  expect(compareKey([published], EXPECTED)).toEqual({ kind: 'same', isTesting: false })
})

test('beside a text that is no key', () => {
  expect(compareKey(['v=spf1 -all', EXPECTED], EXPECTED).kind).toBe('same')
})

test('testing is told of', () => {
  expect(compareKey([`v=DKIM1; t=y:s; p=${KEY}`], EXPECTED)).toEqual({ kind: 'same', isTesting: true })
})

test.each<[what: string, published: readonly string[], message: RegExp]>([
  ['revoked', ['v=DKIM1; p='], /revoked/],
  ['revoked with a blank', ['v=DKIM1; k=rsa; p= ;'], /revoked/],
  ['another key', [`v=DKIM1; p=${KEY.toLowerCase()}`], /another private key/],
  ['cut off', [EXPECTED.slice(0, 255)], /cut off after \d+ of \d+ characters/],
  ['damaged', [EXPECTED.replace('MIIB', 'MI…B')], /no base64/],
  ['another type', [`v=DKIM1; k=ed25519; p=${KEY}`], /k=ed25519, but the key is of type rsa/],
  ['another version', [`v=DKIM2; p=${KEY}`], /v=DKIM1 must be the first tag/],
  ['the version in the middle', [`k=rsa; v=DKIM1; p=${KEY}`], /v=DKIM1 must be the first tag/],
  ['SHA-1 only', [`v=DKIM1; h=sha1; p=${KEY}`], /does not allow SHA-256/],
  ['not for mail', [`v=DKIM1; s=tlsrpt; p=${KEY}`], /does not allow the key for mail/],
  ['two keys', [EXPECTED, `v=DKIM1; p=${KEY}`], /2 keys under one selector/],
  ['a tag twice', [`v=DKIM1; p=${KEY}; p=${KEY}`], /no DKIM key/],
  ['quotes that were taken in', [`"v=DKIM1; p=${KEY}"`], /no DKIM key/],
  ['no tags', ['hello'], /no DKIM key/],
  ['nothing', [''], /no DKIM key/],
  ['binary', ['\u0001\u00ff;;==p'], /no DKIM key/],
])('different: %s', (_, published, message) => {
  const comparison = compareKey(published, EXPECTED)
  expect(comparison).toEqual({
    kind: 'different',
    message: expect.stringMatching(message),
    cure: expect.stringMatching(/\S/),
  })
})
