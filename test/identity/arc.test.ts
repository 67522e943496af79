// ARC fields that a forwarder before us has added (RFC 8617): they go on as they came, and no signature of ours covers them,
// since whoever seals after us changes what stands beside them (§4.1.1).

import { expect, test } from 'vitest'
import { startNewsletterRelay } from '../unsubscribe/fixture.ts'

const ARC = {
  'ARC-Seal': 'i=1; a=rsa-sha256; cv=none; d=forwarder.test; s=a; t=1700000000; b=c2VhbA==',
  'ARC-Message-Signature':
    'i=1; a=rsa-sha256; c=relaxed/relaxed; d=forwarder.test; s=a; h=from:to; bh=Ym9keQ==; b=c2ln',
  'ARC-Authentication-Results': 'i=1; mx.forwarder.test; dkim=pass header.d=shop.test',
}

test('go on as they came and are not signed', async () => {
  const relay = await startNewsletterRelay()
  const sent = await relay.send({ headers: ARC }, 'plain')
  const unfolded = (value: string): string => value.replace(/\s+/g, ' ')
  for (const [name, value] of Object.entries(ARC)) expect(sent.header(name).map(unfolded)).toEqual([value])
  const [signature = ''] = sent.header('DKIM-Signature')
  expect(signature).toMatch(/h=/)
  expect(signature.toLowerCase()).not.toContain('arc-')
})
