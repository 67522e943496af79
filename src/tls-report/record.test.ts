import { expect, test } from 'vitest'
import { reportTargets } from './record.ts'

const shown = (records: readonly string[]) =>
  reportTargets(records).map((target) => (target.kind === 'mail' ? target.to.text : target.url.href))

test.each([
  ['a mailbox', ['v=TLSRPTv1; rua=mailto:tls@example.com'], ['tls@example.com']],
  ['a mailbox with a comma in disguise', ['v=TLSRPTv1;rua=mailto:a%2Cb@example.com?subject=x'], []],
  ['a page', ['v=TLSRPTv1; rua=https://example.com/tls?x=1;'], ['https://example.com/tls?x=1']],
  [
    'both, among other records',
    ['hello', 'v=TLSRPTv1; rua=mailto:a@example.com, https://example.com/'],
    ['a@example.com', 'https://example.com/'],
  ],
  ['two records', ['v=TLSRPTv1; rua=mailto:a@example.com', 'v=TLSRPTv1; rua=mailto:b@example.com'], []],
  ['another version', ['v=TLSRPTv2; rua=mailto:a@example.com'], []],
  ['no target', ['v=TLSRPTv1'], []],
  ['plain HTTP', ['v=TLSRPTv1; rua=http://example.com/'], []],
  ['a password in the URL', ['v=TLSRPTv1; rua=https://a:b@example.com/'], []],
  ['header lines in the address', ['v=TLSRPTv1; rua=mailto:a@example.com%0d%0aBcc:b@example.com'], []],
  ['a stray %', ['v=TLSRPTv1; rua=mailto:a%@example.com'], ['a%@example.com']],
])('%s', (_, records, targets) => expect(shown(records)).toEqual(targets))
