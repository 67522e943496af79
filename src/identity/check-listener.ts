// The doors of the relay from this side: whether somebody answers, whether bounces can reach the bounce listener at all,
// and whether the certificate lasts. What a firewall lets through from outside cannot be told from here.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { isLoopback, isWildcard } from '../config/network.ts'
import type { Settings } from '../config/schema.ts'
import { type Clock, DAY, type EpochMs, SECOND } from '../util/clock.ts'
import { about, type Diagnosis } from './diagnosis.ts'
import { knock } from './greeting.ts'

const TIMEOUT_MS = 5 * SECOND
const SMTP_PORT = 25
const SOON_MS = 14 * DAY

interface Door {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly tls: 'starttls' | 'implicit' | 'none'
}

export async function checkListeners(settings: Settings, clock: Pick<Clock, 'after'>): Promise<Diagnosis[]> {
  const doors: Door[] = [...settings.listener, ...settings.bounceListener]
  const answers = await Promise.all(doors.map((door) => checkDoor(door, clock)))
  return [...answers, ...checkBounceDoor(settings)]
}

async function checkDoor({ name, address, port, tls }: Door, clock: Pick<Clock, 'after'>): Promise<Diagnosis> {
  const told = about('listener', `${name} ${isIP(address) === 6 ? `[${address}]` : address}:${port}`)
  if (port === 0) return told.skipped('it takes any free port; only the running relay knows which')
  const reached = isWildcard(address) ? (isIP(address) === 6 ? '::1' : '127.0.0.1') : address
  // With TLS from the first byte it is the client who speaks first: nothing is waited for.
  const timeoutMs = tls === 'implicit' ? SECOND : TIMEOUT_MS
  const greeting = await knock({ address: reached, port, timeoutMs, clock })
  if (greeting.kind === 'failed') {
    const message = `nobody answers: ${greeting.detail}`
    return told.different({ message, cure: 'start the relay (studs serve), or look at its log' })
  }
  if (tls === 'implicit') return told.ok('takes connections')
  const line = greeting.kind === 'greeted' ? greeting.line : ''
  if (line.startsWith('220')) return told.ok('greets', line)
  const message = line === '' ? 'it takes the connection, but does not greet' : 'it greets with a refusal'
  return told.different({ message, ...(line !== '' && { found: line }), cure: 'look at the log of the relay' })
}

function checkBounceDoor({ bounceListener, domain }: Settings): Diagnosis[] {
  const paths = domain.filter(({ returnPath }) => returnPath !== undefined)
  if (paths.length === 0) return []
  const told = about('listener', 'bounces')
  if (bounceListener.every(({ address }) => isLoopback(address))) {
    const message = 'the bounce listener listens on loopback only: no bounce can reach it'
    return [told.different({ message, cure: 'set address = "0.0.0.0" (or "::") of a [[bounce_listener]]' })]
  }
  if (bounceListener.some(({ port }) => port === SMTP_PORT)) return []
  const ports = bounceListener.map(({ port }) => port).join(', ')
  const message = `bounces come to port 25, the bounce listener listens on ${ports}`
  return [
    told.different({
      severity: 'note',
      message,
      cure: 'let port 25 lead there, as docs/operations.md says, or set port = 25',
    }),
  ]
}

export async function checkCertificate(settings: Settings, now: EpochMs): Promise<Diagnosis[]> {
  const file = join(settings.tls.directory, settings.tls.certificate)
  const told = about('listener', file)
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(await readFile(file))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT')
      return [
        told.missing({ severity: 'note', message: 'there is no certificate yet; the first start makes one for trial' }),
      ]
    return [
      told.unknown({ message: `the certificate cannot be read: ${message}`, cure: 'put a PEM certificate there' }),
    ]
  }
  return judgeCertificate({ certificate, file, settings, now })
}

function judgeCertificate(given: {
  certificate: X509Certificate
  file: string
  settings: Settings
  now: EpochMs
}): Diagnosis[] {
  const { certificate, file, settings, now } = given
  const told = about('listener', file)
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  const found = `valid until ${new Date(to).toISOString().slice(0, 10)}`
  const renew = 'renew it; the relay takes the new files over by itself'
  if (now >= to) return [told.different({ message: 'the certificate has expired', found, cure: renew })]
  if (now < from)
    return [told.different({ message: 'the certificate is not valid yet, or the clock is behind', found, cure: renew })]
  if (to - now < SOON_MS)
    return [
      told.different({
        severity: 'warning',
        message: `the certificate expires in ${Math.floor((to - now) / DAY)} days`,
        found,
        cure: renew,
      }),
    ]
  const isOpen = settings.listener.some(({ address }) => !isLoopback(address))
  if (isOpen && certificate.issuer === certificate.subject) {
    const message = 'the certificate is self-signed: apps that check it refuse to submit'
    return [told.different({ severity: 'warning', message, found, cure: 'put one of an authority in its place' })]
  }
  const { hostname } = settings.node
  if (hostname !== undefined && certificate.checkHost(hostname) === undefined) {
    const message = `the certificate does not name ${hostname}`
    return [told.different({ severity: 'warning', message, found, cure: 'get one that does, if apps use that name' })]
  }
  return [told.ok('the certificate is good', found)]
}
