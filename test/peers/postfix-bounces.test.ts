// A Postfix that could not deliver what came to it with a return path of ours: it writes its report and brings it to the
// bounce listener, with STARTTLS.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADDRESSES, type BounceHarness, startBounces, tokenOf } from '../inbound/bounce-harness.ts'
import { noPostfix, Postfix, stopPostfix } from '../support/postfix.ts'

let postfix: Postfix
let harness: BounceHarness
const MAIL =
  'From: shop@sender.test\nTo: nobody@good.test\nSubject: Your order\nMessage-ID: <42@sender.test>\n\nThank you.\n'

const leftOut = noPostfix === undefined ? '' : ` (left out: ${noPostfix})`
describe.skipIf(noPostfix !== undefined)(`a report from Postfix${leftOut}`, () => {
  beforeAll(async () => {
    harness = await startBounces()
    postfix = await Postfix.start({
      main: { relayhost: `[127.0.0.1]:${harness.port()}`, smtp_tls_security_level: 'encrypt', smtp_tls_loglevel: 1 },
      mailboxes: ['somebody@good.test'],
    })
  })
  afterAll(async () => {
    await stopPostfix()
    await harness[Symbol.asyncDispose]()
  })

  const undeliverable = (sender: string): Promise<void> =>
    postfix.sendmail(['-i', '-f', sender, 'nobody@good.test'], MAIL)

  test('is taken, as it was written and under TLS', async () => {
    const sender = tokenOf(7)
    await undeliverable(sender)
    const { reports, sizeBytes } = await harness.event('reportTaken')
    const sent = await postfix.log.line(new RegExp(`to=<${sender}>.*status=`))
    expect(sent).toContain(`dsn=2.0.0, status=sent (250 2.0.0 taken as ${(reports as string[])[0]})`)
    expect(postfix.log.count(/TLS connection established to 127\.0\.0\.1.*TLSv1\.3/)).toBeGreaterThan(0)
    const [report] = harness.desk.reports
    expect(report?.origin).toMatchObject({
      kind: 'listener',
      sender: '',
      helo: 'mx.good.test',
      tls: expect.stringMatching(/^TLSv1\.3 /),
    })
    expect(report?.to).toBe(sender)
    expect(report?.sizeBytes).toBe(sizeBytes)
    const text = report!.raw.toString('latin1')
    expect(text).toHaveLength(report!.sizeBytes)
    expect(text).toContain('\r\nFinal-Recipient: rfc822; nobody@good.test\r\n')
    expect(text).toContain('\r\nStatus: 5.1.1\r\n')
    expect(text).toContain('\r\nMessage-ID: <42@sender.test>\r\n')
    expect(text.endsWith('\r\n')).toBe(true)
  })

  test('for an address that expired is refused, and it is the end of it', async () => {
    const before = harness.desk.reports.length
    const sender = ADDRESSES['expired-token']!
    await undeliverable(sender)
    const line = await postfix.log.line(new RegExp(`to=<${sender}>.*status=`))
    expect(line).toMatch(/dsn=5\.1\.1, status=bounced .* said: 550 5\.1\.1 no such address/)
    expect(harness.desk.reports).toHaveLength(before)
  })

  test('waits in its queue while there is no room, and comes again', async () => {
    const sender = tokenOf(8)
    harness.listener.pause('no room on the disk')
    await undeliverable(sender)
    const line = await postfix.log.line(new RegExp(`to=<${sender}>.*status=`))
    expect(line).toMatch(/dsn=4\.3\.1, status=deferred .* said: 452 4\.3\.1 no room for more mail/)
    harness.listener.resume()
    await postfix.flush()
    await postfix.log.line(new RegExp(`to=<${sender}>.*status=sent`))
    expect(harness.desk.reports.map(({ to }) => to)).toContain(sender)
  })
})
