import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeSelfSigned } from './self-signed.ts'

test.each([
  [Date.UTC(2026, 10, 22), Date.UTC(2031, 10, 22)],
  // From 2050 on, dates are written in another form.
  [Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2055, 0, 1)],
])('a certificate that others can read, valid from %d to %d', (from, to) => {
  const pair = makeSelfSigned(['relay.test', 'localhost', '127.0.0.1', '::1', '2001:db8::5'], { from, to })
  const certificate = new X509Certificate(pair.cert)
  expect(certificate.subject).toBe('CN=relay.test')
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.checkPrivateKey(createPrivateKey(pair.key))).toBe(true)
  expect(Date.parse(certificate.validFrom)).toBe(from)
  expect(Date.parse(certificate.validTo)).toBe(to)
  expect(certificate.checkHost('relay.test')).toBe('relay.test')
  expect(certificate.checkHost('other.test')).toBeUndefined()
  expect(certificate.checkIP('2001:db8::5')).toBe('2001:db8::5')
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
})

test('every serial number is a valid one', () => {
  for (let n = 0; n < 50; n++) {
    const { cert } = makeSelfSigned(['a'.repeat(70)], { from: 0, to: Date.UTC(2030, 0, 1) })
    expect(new X509Certificate(cert).serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  }
})
