import { expect, test } from 'vitest'
import { receivedHeader, withProtocol } from './trace.ts'

const hop = { id: '0123456789abc', hostname: 'relay.test', protocol: 'ESMTP', at: Date.UTC(2026, 10, 2, 3, 4, 5) }

test('RFC 5321 §4.4', () => {
  expect(receivedHeader({ ...hop, helo: 'app.test', address: '192.0.2.1' })).toBe(
    'Received: from app.test ([192.0.2.1])\r\n\tby relay.test with ESMTP id 0123456789abc;\r\n\tMon, 02 Nov 2026 03:04:05 +0000\r\n',
  )
})

test('IPv6, TLS, and a name that would break the header', () => {
  const header = receivedHeader({ ...hop, helo: 'a;b (c', address: '2001:db8::1', tls: 'TLSv1.3 X' })
  expect(header).toContain('from unknown ([IPv6:2001:db8::1])\r\n\t(using TLSv1.3 X)\r\n')
})

test.each([
  [{ esmtp: false, tls: false, auth: false, utf8: false }, 'SMTP'],
  [{ esmtp: true, tls: false, auth: false, utf8: false }, 'ESMTP'],
  [{ esmtp: true, tls: true, auth: false, utf8: false }, 'ESMTPS'],
  [{ esmtp: true, tls: true, auth: true, utf8: false }, 'ESMTPSA'],
  [{ esmtp: true, tls: true, auth: true, utf8: true }, 'UTF8SMTPSA'],
])('%j is said as %s', (session, expected) => {
  expect(withProtocol(session)).toBe(expected)
})
