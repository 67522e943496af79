import { expect, test } from 'vitest'
import { hashPassword, isPasswordHash, verifyPassword } from './password.ts'

test('a hash fits its password and no other', async () => {
  const hash = await hashPassword('hemligt', { N: 1024, r: 8, p: 1 })
  expect(hash).toMatch(/^scrypt:1024:8:1:[A-Za-z0-9+/]{22}==:[A-Za-z0-9+/]{43}=$/)
  expect(await verifyPassword('hemligt', hash)).toBe(true)
  expect(await verifyPassword('Hemligt', hash)).toBe(false)
  expect(await verifyPassword('', hash)).toBe(false)
  expect(await hashPassword('hemligt', { N: 1024, r: 8, p: 1 })).not.toBe(hash)
})

test('RFC 7914 §12: the second test vector, cut to 32 bytes', async () => {
  const salt = Buffer.from('NaCl').toString('base64')
  const key = Buffer.from('fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162', 'hex').toString('base64')
  expect(await verifyPassword('password', `scrypt:1024:8:16:${salt}:${key}`)).toBe(true)
})

test('the same letters in another Unicode form are the same password', async () => {
  expect(await verifyPassword('o\u0308', await hashPassword('\u00f6', { N: 2, r: 1, p: 1 }))).toBe(true)
})

test.each([
  'scrypt:16384:8:1:AAAA',
  'scrypt:16383:8:1:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAA==',
  'scrypt:0:8:1:AAAA:AAAAAAAAAAAAAAAAAAAAAA==',
  'scrypt:1048576:99:1:AAAA:AAAAAAAAAAAAAAAAAAAAAA==',
  'scrypt:16384:8:1:AAAA:AAAA',
  'bcrypt:16384:8:1:AAAA:AAAAAAAAAAAAAAAAAAAAAA==',
  '',
])('%s is no hash', async (text) => {
  expect(isPasswordHash(text)).toBe(false)
  expect(await verifyPassword('x', text)).toBe(false)
})
