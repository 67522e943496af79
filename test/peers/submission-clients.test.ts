// The whole way of a mail between programs of others: swaks, nodemailer, Python's smtplib and a Postfix with a relayhost
// log in to Studs with STARTTLS or implicit TLS, and another Postfix stores what they sent, or refuses it.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasSaslPlain, runs } from '../support/installed.ts'
import { PASSWORD, type PeerRelay, startPeerRelay, stopPeerRelays, USER } from '../support/peer-relay.ts'
import { noPostfix, Postfix, stopPostfix } from '../support/postfix.ts'

const run = promisify(execFile)
const KNOWN = ['starttls', 'implicit', 'nodemailer', 'python', 'relayhost', 'many'].map((name) => `${name}@good.test`)

let postfix: Postfix
let peer: PeerRelay

const leftOut = noPostfix === undefined ? '' : ` (left out: ${noPostfix})`
describe.skipIf(noPostfix !== undefined)(`from a client to Postfix${leftOut}`, () => {
  beforeAll(async () => {
    postfix = await Postfix.start({
      services: { mx: { smtpd_tls_security_level: 'may' } },
      mailboxes: [...KNOWN, 'app@sender.test'],
    })
    const routes = ['good.test', 'sender.test'].map((domain) => ({ domain, port: postfix.port('mx') }))
    peer = await startPeerRelay({ routes, delivery: 'workers = 1' })
  })
  afterAll(async () => {
    await stopPeerRelays()
    await stopPostfix()
  })

  /** What Studs made for itself at its start. */
  const certificate = (): string => join(peer.directory, 'certs', 'relay.crt')

  /** Expects the mail in its mailbox, and how Studs got it. */
  async function arrived(to: string): Promise<void> {
    const delivered = await peer.record('delivered', { recipient: to })
    expect(delivered.way?.tls).toMatch(/^TLSv1\.3 /)
    const accepted = peer.records.find(({ kind, message }) => kind === 'accepted' && message === delivered.message)
    expect(accepted).toMatchObject({ credential: USER, sender: 'app@sender.test' })
    const [byPostfix, byStuds] = (await postfix.mail(to)).header('Received')
    expect(byPostfix).toContain('by mx.good.test (Postfix) with ESMTPS')
    expect(byStuds).toMatch(/by relay\.test .*with (UTF8SMTP|ESMTP)SA/)
  }

  describe.skipIf(!runs('swaks', '--version') || !runs('perl', '-MNet::SSLeay', '-e1'))('swaks', () => {
    const swaks = (listener: 'submission' | 'submissions', to: string, words: readonly string[]) =>
      run('swaks', [
        ...['--server', '127.0.0.1', '--port', String(peer.port(listener)), '--from', 'app@sender.test', '--to', to],
        ...['--auth-user', USER, '--auth-password', PASSWORD, ...words],
      ]).then(
        ({ stdout }) => ({ code: 0, stdout }),
        (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
      )

    test.each([
      ['587, STARTTLS, AUTH PLAIN', 'submission', 'starttls@good.test', ['--tls', '--auth', 'PLAIN']],
      ['465, implicit TLS, AUTH LOGIN', 'submissions', 'implicit@good.test', ['--tlsc', '--auth', 'LOGIN']],
    ] as const)('%s', async (_, listener, to, words) => {
      const { code, stdout } = await swaks(listener, to, [...words, '--body', 'Hello from swaks.'])
      expect(code).toBe(0)
      expect(stdout).toMatch(/<~ {2}235 2\.7\.0 /)
      expect(stdout).toMatch(/<~ {2}250 2\.0\.0 queued as [0-9a-v]{13}/)
      await arrived(to)
      expect((await postfix.mail(to)).body).toContain('Hello from swaks.\r\n')
    })

    test('to a Postfix that refuses the user: failed, suppressed, reported to the sender; then not relayed', async () => {
      const to = 'nobody@good.test'
      expect((await swaks('submission', to, ['--tls', '--auth', 'PLAIN'])).code).toBe(0)
      const failed = await peer.record('failed', { recipient: to })
      expect(failed).toMatchObject({
        verdict: { category: 'bad-mailbox', code: 10 },
        cause: { reply: { code: 550, enhanced: '5.1.1' }, command: 'RCPT' },
      })
      await peer.record('suppression-added', { recipient: to })
      const report = await postfix.mail('app@sender.test')
      expect(report.body).toMatch(/^Status: 5\.1\.1\r$/m)
      const unfolded = report.body.replace(/\r\n(?=[ \t])/g, '')
      expect(unfolded).toMatch(
        /^Diagnostic-Code: smtp; 550 5\.1\.1 <nobody@good\.test>: Recipient address rejected: User unknown/m,
      )

      expect((await swaks('submission', to, ['--tls', '--auth', 'PLAIN'])).code).toBe(0)
      await peer.record('suppressed', { recipient: to })
    })

    test('hears a wrong password, and that AUTH needs TLS', async () => {
      const wrong = await swaks('submission', KNOWN[0]!, ['--tls', '--auth', 'PLAIN', '--auth-password', 'wrong'])
      expect(wrong.stdout).toMatch(/<~\* 535 5\.7\.8 /)
      const plaintext = await swaks('submission', KNOWN[0]!, ['--auth', 'PLAIN'])
      expect(plaintext.stdout).not.toMatch(/ 235 /)
      expect([wrong.code, plaintext.code]).toEqual([28, 28])
    })
  })

  test('nodemailer', async () => {
    const auth = { user: USER, pass: PASSWORD }
    const tls = { ca: readFileSync(certificate()), servername: 'relay.test' }
    const transport = createTransport({ host: '127.0.0.1', port: peer.port('submission'), requireTLS: true, tls, auth })
    await transport.sendMail({
      from: 'Åsa <app@sender.test>',
      to: 'nodemailer@good.test',
      subject: 'Köp nu: 50 %',
      text: 'Hej\n.\n..\nslut\n',
      attachments: [{ filename: 'a.bin', content: Buffer.alloc(300_000, 7) }],
    })
    transport.close()
    await arrived('nodemailer@good.test')
    const mail = await postfix.mail('nodemailer@good.test')
    expect(mail.body).toContain('Hej\r\n.\r\n..\r\nslut\r\n')
    expect(mail.body.replace(/\s/g, '')).toContain(Buffer.alloc(300_000, 7).toString('base64'))
  })

  test.skipIf(!runs('python3', '-c', 'import smtplib, ssl'))(
    "Python's smtplib, with the certificate checked",
    async () => {
      const script = [
        'import smtplib, ssl, sys',
        'from email.message import EmailMessage',
        'port, ca, user, password = sys.argv[1:]',
        'message = EmailMessage()',
        'message["From"], message["To"], message["Subject"] = "app@sender.test", "python@good.test", "Grüße"',
        'message.set_content("Hello from Python.\\n.\\n")',
        'with smtplib.SMTP("localhost", int(port), source_address=("127.0.0.1", 0)) as smtp:',
        '    smtp.starttls(context=ssl.create_default_context(cafile=ca))',
        '    smtp.login(user, password)',
        '    smtp.send_message(message)',
      ].join('\n')
      const words = [String(peer.port('submission')), certificate(), USER, PASSWORD]
      await run('python3', ['-c', script, ...words])
      await arrived('python@good.test')
      expect((await postfix.mail('python@good.test')).body).toContain('Hello from Python.\r\n.\r\n')
    },
  )

  test.skipIf(!hasSaslPlain())('a Postfix with Studs as its relayhost, and a certificate it checks', async () => {
    const relayhost = `[127.0.0.1]:${peer.port('submission')}`
    const client = await Postfix.start({
      main: {
        relayhost,
        smtp_sasl_auth_enable: 'yes',
        smtp_sasl_password_maps: `inline:{ { ${relayhost} = ${USER}:${PASSWORD} } }`,
        smtp_sasl_security_options: 'noanonymous',
        smtp_tls_security_level: 'secure',
        smtp_tls_secure_cert_match: 'relay.test',
        smtp_tls_CAfile: certificate(),
      },
    })
    const content = 'From: app@sender.test\nSubject: Backup done\n\nAll is well.\n.\nReally.\n'
    await client.sendmail(['-i', '-f', 'app@sender.test', 'relayhost@good.test', 'many@good.test'], content)
    expect(await client.log.line(/to=<many@good\.test>/)).toMatch(/status=sent \(250 2\.0\.0 queued as /)
    const both = ['relayhost@good.test', 'many@good.test']
    for (const to of both) {
      await arrived(to)
      expect((await postfix.mail(to)).body).toBe('All is well.\r\n.\r\nReally.\r\n')
    }
    // Both in one transaction, as one message.
    const [one, two] = await Promise.all(both.map((recipient) => peer.record('delivered', { recipient })))
    expect(one!.message).toBe(two!.message)
  })
})
