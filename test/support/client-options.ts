// What most tests of the SMTP client ask for: short waits, one small message.

import { type ClientSettings, type ConnectOptions, type Mail, SmtpClient } from '../../src/delivery/client.ts'
import { systemClock } from '../../src/util/clock.ts'

const PLENTY = 20_000
const PATIENT: ClientSettings = {
  connectTimeout: PLENTY,
  greetingTimeout: PLENTY,
  commandTimeout: PLENTY,
  dataTimeout: PLENTY,
  blockTimeout: PLENTY,
  dotTimeout: PLENTY,
}

export function connectOptions(
  server: { readonly port: number },
  changes: Partial<Omit<ConnectOptions, 'settings'>> & { readonly settings?: Partial<ClientSettings> } = {},
): ConnectOptions {
  return {
    target: { host: 'mx.test', address: '127.0.0.1', port: server.port },
    ehlo: 'relay.test',
    tls: 'opportunistic',
    verify: true,
    clock: systemClock,
    ...changes,
    settings: { ...PATIENT, ...changes.settings },
  }
}

export async function connected(
  server: { readonly port: number },
  changes?: Parameters<typeof connectOptions>[1],
): Promise<SmtpClient> {
  const result = await SmtpClient.connect(connectOptions(server, changes))
  if (!result.ok) throw new Error(`no connection: ${JSON.stringify(result.cause)}`)
  return result.client
}

export function mailOf(
  content: string | Mail['content'] = 'Subject: hi\r\n\r\nhello\r\n',
  envelope: Partial<Mail['envelope']> = {},
): Mail {
  const whole = typeof content === 'string' ? { prefix: '', body: Buffer.from(content, 'latin1') } : content
  return {
    envelope: {
      sender: 'from@a.test',
      recipient: 'to@b.test',
      sizeBytes: typeof content === 'string' ? content.length : 0,
      body: '7bit',
      smtpUtf8: false,
      ...envelope,
    },
    content: whole,
  }
}

/** Done when the client has let go of its connection. */
export function closed(client: SmtpClient): Promise<void> {
  return new Promise((resolve) => client.onClose(resolve))
}
