// Everything that decides about TLS on loopback: a name server, MX hosts with and without certificates, a policy host, and a
// delivery that trusts the test's own authority.

import type { Settings } from '../../src/config/schema.ts'
import { createDelivery } from '../../src/delivery/create-delivery.ts'
import type { Delivery } from '../../src/delivery/delivery.ts'
import type { PolicyMemory } from '../../src/delivery/mta-sts.ts'
import type { TlsResult } from '../../src/delivery/tls-result.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { type Clock, systemClock } from '../../src/util/clock.ts'
import { Authority, tlsaData } from '../support/authority.ts'
import { settingsWith } from '../support/delivery-settings.ts'
import { DnsServer, type Zones } from '../support/dns-server.ts'
import { PolicyHost } from '../support/policy-host.ts'
import { type Certificate, type Peer, type Script, ScriptedServer } from '../support/scripted-server.ts'

export const authority = Authority.make()
export const goodMx = authority.issue(['mx.example.com'])
export const wrongMx = authority.issue(['mail.other.example'])
export const expiredMx = authority.issue(['mx.example.com'], { expired: true })
export const policyCertificate = authority.issue(['mta-sts.example.com'])

/** Offers STARTTLS with this certificate. */
export function tlsScript(certificate: Certificate, more: Script = {}): Script {
  return {
    EHLO: (peer: Peer) => peer.say(peer.secured ? '250-mx\r\n250 PIPELINING' : '250-mx\r\n250 STARTTLS'),
    STARTTLS: (peer: Peer) => peer.secure(certificate),
    ...more,
  }
}

/** The MX host without STARTTLS, as it looks behind somebody who strips it. */
export const PLAIN: Script = { EHLO: '250-mx\r\n250 PIPELINING' }

export class TlsWorld implements AsyncDisposable {
  readonly #open = new AsyncDisposableStack()
  readonly dns: DnsServer
  port = 0

  private constructor(dns: DnsServer) {
    this.dns = this.#open.use(dns)
  }

  static async start(): Promise<TlsWorld> {
    return new TlsWorld(await DnsServer.start())
  }

  /** The first one chooses the port for all. */
  async mx(script: Script, address = '127.0.0.1'): Promise<ScriptedServer> {
    const server = this.#open.use(await ScriptedServer.start(script, undefined, { address, port: this.port }))
    this.port = server.port
    return server
  }

  async policyHost(page: PolicyHost['page'], certificate = policyCertificate): Promise<PolicyHost> {
    return this.#open.use(await PolicyHost.start(certificate, page))
  }

  /** example.com with mx.example.com at 127.0.0.1, and what else is given. */
  publish(zones: Zones = {}): void {
    this.dns.zones = {
      'example.com': { mx: [[10, 'mx.example.com']] },
      'mx.example.com': { a: ['127.0.0.1'] },
      ...zones,
    }
  }

  /** The same, signed, with these TLSA records for mx.example.com. */
  publishSigned(tlsa: NonNullable<Zones[string]['tlsa']>, zones: Zones = {}): void {
    this.publish({
      '.': { secure: true },
      'example.com': { mx: [[10, 'mx.example.com']], secure: true },
      [`_${this.port}._tcp.mx.example.com`]: { tlsa },
      ...zones,
    })
  }

  /** The same, with an MTA-STS policy on a host of this world. */
  publishPolicy(id = '1', zones: Zones = {}): void {
    this.publish({
      '_mta-sts.example.com': { txt: [`v=STSv1; id=${id};`] },
      'mta-sts.example.com': { a: ['127.0.0.1'] },
      ...zones,
    })
  }

  delivery(
    given: {
      readonly settings?: Partial<Settings['delivery']>
      readonly tlsPolicy?: readonly unknown[]
      readonly policyHost?: { readonly port: number }
      readonly policies?: PolicyMemory
      readonly logger?: Logger
      readonly clock?: Clock
      readonly allowed?: readonly string[]
      readonly onTls?: (result: TlsResult) => void
    } = {},
  ): Delivery {
    const { settings, tlsPolicy = [], policyHost, policies, logger = silentLogger(), clock = systemClock } = given
    const { allowed = [], onTls } = given
    const made = createDelivery({
      settings: settingsWith({
        tlsPolicy,
        delivery: {
          workers: 0,
          allowPrivate: true,
          port: this.port,
          resolvers: [this.dns.address],
          dnsTimeout: 300,
          ca: authority.cert,
          ...settings,
        },
      }),
      clock,
      readChunk: async () => undefined,
      logger,
      allowed,
      ...(onTls !== undefined && { onTls }),
      ...(policyHost !== undefined && { policyPort: policyHost.port }),
      ...(policies !== undefined && { policies }),
    })
    this.#open.defer(() => made.close(0))
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync()
  }
}

/** Whether a mail went to this server. */
export function gotMail(server: ScriptedServer): boolean {
  return server.peers.some((peer) => peer.contents.length > 0)
}

/** Whether anything of a mail was said in the clear. */
export function saidInClear(server: ScriptedServer): boolean {
  return server.peers.some((peer) => !peer.secured && peer.commands.some((line) => line.startsWith('MAIL')))
}

export const ee = (pem: string): readonly [number, number, number, string] => [3, 1, 1, tlsaData(pem, 1, 1)]
