// From the app to the store: submission with a credential whose mail gets unsubscribe addresses, a signer, a queue on a
// real store. What was accepted is read back as it would go out.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { onTestFinished } from 'vitest'
import type { ReturnPathKey } from '../../src/bounce/return-path.ts'
import { openCertificates } from '../../src/inbound/certificates.ts'
import { logEvents } from '../../src/inbound/log-events.ts'
import { hashPassword } from '../../src/inbound/password.ts'
import { createSubmission } from '../../src/inbound/submission.ts'
import type { Message } from '../../src/mail/message.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { createCore } from '../../src/queue/core.ts'
import { returnPathKeys } from '../../src/queue/return-path-keys.ts'
import { readChunk } from '../../src/queue/spool.ts'
import { generateKey } from '../../src/sign/key.ts'
import { createSigner } from '../../src/sign/signer.ts'
import { decode } from '../../src/store/codec.ts'
import { idKey } from '../../src/store/keys.ts'
import { openStore } from '../../src/store/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import type { Clock } from '../../src/util/clock.ts'
import { settingsOf } from '../inbound/harness.ts'
import { FakeClock } from '../support/fake-clock.ts'

export interface Accepted {
  readonly message: Message
  /** latin1, as it goes out. */
  readonly wire: string
  /** Header fields of that name, unfolded. */
  header(name: string): string[]
}

export interface NewsletterRelay {
  readonly store: Store
  readonly keys: readonly [ReturnPathKey, ...ReturnPathKey[]]
  readonly clock: FakeClock
  /** Name of a TXT record → its value. */
  readonly zone: ReadonlyMap<string, string>
  send(mail?: Record<string, unknown>, user?: 'news' | 'plain' | 'counted'): Promise<Accepted>
}

/** news.test is signed and has a return path, unsigned.test only a return path, bare.test neither. */
export async function startNewsletterRelay(unsubscribe: Record<string, unknown> = {}): Promise<NewsletterRelay> {
  const directory = await mkdtemp(join(tmpdir(), 'studs-unsubscribe-'))
  const clock = new FakeClock(Date.UTC(2026, 10, 22, 12))
  const key = await generateKey({ algorithm: 'ed25519-sha256' })
  const keyFile = join(directory, 'key.pem')
  await writeFile(keyFile, key.privatePem, { mode: 0o600 })
  const password = await hashPassword('secret', { N: 2, r: 1, p: 1 })
  const settings = settingsOf({
    node: { hostname: 'relay.test' },
    tls: { directory },
    listener: [{ name: 'submissions', port: 0, tls: 'implicit', auth: 'required' }],
    credential: [
      { name: 'news', password, list_unsubscribe: true },
      { name: 'plain', password },
      { name: 'counted', password, feedback_id: true },
    ],
    domain: [
      {
        name: 'news.test',
        subdomains: true,
        return_path: 'bounce.news.test',
        dkim: [{ selector: 's1', key_file: keyFile }],
      },
      { name: 'unsigned.test', return_path: 'bounce.unsigned.test' },
      { name: 'bare.test' },
    ],
    unsubscribe,
  })
  const store = openStore({ directory: join(directory, 'data'), mapSize: 2 ** 28, clock })
  const core = createCore({ store, settings, hostname: 'relay.test', clock, logger: silentLogger() })
  const keys = await returnPathKeys(store)
  const events = logEvents(silentLogger())
  // Deadlines and certificates go by the real time; what is dated goes by the test's.
  const certificates = await openCertificates({ settings: settings.tls, hostname: 'relay.test', clock, events })
  const submission = createSubmission({
    settings,
    acceptor: core.queue,
    isSuppressed: core.findSuppression,
    knownNullMx: () => undefined,
    signer: createSigner({ domains: settings.domain, clock }),
    unsubscribeKey: keys[0],
    certificates,
    clock: clock satisfies Clock,
    events,
  })
  const [listening] = await submission.start()
  onTestFinished(async () => {
    certificates.close()
    const stopped = submission.stop(0)
    await clock.advance(2000)
    await stopped
    await store.close()
    await rm(directory, { recursive: true })
  })
  return {
    store,
    keys,
    clock,
    zone: new Map([['s1._domainkey.news.test', key.dnsRecord]]),
    async send(mail = {}, user = 'news') {
      const transport = createTransport({
        host: '127.0.0.1',
        port: listening!.port,
        secure: true,
        tls: { rejectUnauthorized: false },
        auth: { user, pass: 'secret' },
      })
      const sent = await transport.sendMail({
        from: 'News <app@news.test>',
        to: 'jane@example.net',
        subject: 'News',
        text: 'News.\n',
        ...mail,
      })
      transport.close()
      return accepted(store, /queued as ([0-9a-v]{13})/.exec(sent.response)![1]!)
    },
  }
}

function accepted(store: Store, id: string): Accepted {
  const message = decode<Message>(store.get('message', idKey(id))!)
  const chunks = Array.from({ length: message.chunks }, (_, index) => readChunk(store, id, index)!)
  const wire = message.prefix + Buffer.concat(chunks).toString('latin1')
  const fields = wire
    .slice(0, wire.indexOf('\r\n\r\n'))
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
  return {
    message,
    wire,
    header: (name) =>
      fields
        .filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))
        .map((field) => field.slice(name.length + 1).trim()),
  }
}

/** The token in a List-Unsubscribe field. */
export function tokenIn(sent: Accepted): string {
  return /<mailto:(u-[0-9a-v]{40})@/.exec(sent.header('List-Unsubscribe')[0] ?? '')![1]!
}
