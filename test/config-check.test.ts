import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { formatProblem } from '../src/config/load.ts'
import { load, problemsOf } from './support/config-file.ts'

const HASH = 'scrypt:16384:8:1:c2FsdA:aGFzaA'

/** The first block of configuration there. */
const SANDBOX_DOC =
  /```toml\n(.*?)```/s.exec(readFileSync(new URL('../docs/sandbox.md', import.meta.url), 'utf8'))?.[1] ?? ''

interface Access {
  readonly address: string
  readonly auth: 'required' | 'optional' | 'none'
  readonly tls?: 'starttls' | 'implicit' | 'none'
  /** Undefined: the default ones, which are loopback. */
  readonly networks?: readonly string[]
}

function accessToml({ address, auth, tls = 'starttls', networks }: Access): string {
  const listener = `[[listener]]\nname = "l"\nport = 2525\naddress = "${address}"\nauth = "${auth}"\ntls = "${tls}"\n`
  const list = networks?.map((cidr) => `{ cidr = "${cidr}" }`).join(', ')
  return (list === undefined ? '' : `network = [${list}]\n`) + listener
}

describe('an open relay is refused', () => {
  test.each<Access>([
    { address: '0.0.0.0', auth: 'optional', networks: ['0.0.0.0/0'] },
    { address: '0.0.0.0', auth: 'none', networks: ['0.0.0.0/0'] },
    { address: '::', auth: 'optional', networks: ['::/0'] },
    { address: '::', auth: 'optional', networks: ['::ffff:0:0/96'] },
    { address: '::', auth: 'optional', networks: ['::ffff:0.0.0.0/97'] },
    { address: '::', auth: 'optional', networks: ['64:ff9b::/96'] },
    { address: '203.0.113.10', auth: 'optional', networks: ['10.0.0.0/8', '0.0.0.0/1'] },
    { address: '203.0.113.10', auth: 'optional', networks: ['128.0.0.0/1', '0.0.0.0/1'] },
    { address: '203.0.113.10', auth: 'none', networks: ['64.0.0.0/7'] },
    { address: '10.0.0.1', auth: 'none', networks: ['0.0.0.0/0'] },
    { address: '2001:db8::1', auth: 'optional', networks: ['2000::/3'] },
    { address: '2001:db8::1', auth: 'optional', networks: ['2001::/31'] },
  ])('everybody is trusted: %j', (access) => {
    const problems = problemsOf(() => load(accessToml(access)))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(
      /^studs\.toml:5: listener\.0\.address: "l" on \S+ would be an open relay: everybody in ".*set auth = "required"/,
    )
  })

  test.each<Access>([
    { address: '0.0.0.0', auth: 'none' },
    { address: '0.0.0.0', auth: 'none', networks: [] },
    { address: '::', auth: 'none' },
    { address: '203.0.113.10', auth: 'none', networks: ['127.0.0.1', '::1'] },
    { address: '10.0.0.1', auth: 'none', networks: [] },
    { address: '0.0.0.0', auth: 'optional', tls: 'none' },
    { address: '::ffff:203.0.113.10', auth: 'none', networks: ['::ffff:127.0.0.0/104'] },
  ])('nobody is known: %j', (access) => {
    const [problem = '', ...others] = problemsOf(() => load(accessToml(access)))
    expect(others).toEqual([])
    expect(problem).toMatch(
      /listener\.0\.address: "l" on \S+ has neither AUTH nor a trusted network.*add a \[\[network\]\]/,
    )
  })

  test('each listener for itself', () => {
    const toml = `network = [{ cidr = "0.0.0.0/0" }]\n${accessToml({ address: '0.0.0.0', auth: 'required' })}`
    expect(load(toml).settings.listener).toHaveLength(1)
    const second = '[[listener]]\nname = "m"\nport = 26\naddress = "0.0.0.0"\nauth = "optional"'
    expect(problemsOf(() => load(`${toml}${second}`))[0]).toContain(
      'studs.toml:11: listener.1.address: "m" on 0.0.0.0 would be an open relay',
    )
  })

  test('by the environment too', () => {
    const env = { STUDS__LISTENER__TRUSTED__ADDRESS: '0.0.0.0', STUDS__NETWORK: '[{"cidr": "0.0.0.0/0"}]' }
    expect(problemsOf(() => load('', env))[0]).toContain(
      'environment variable STUDS__LISTENER__TRUSTED__ADDRESS: listener.2.address: "trusted" on 0.0.0.0 would be an open relay',
    )
  })
})

describe('a listener that is no open relay is taken', () => {
  test.each<Access>([
    { address: '0.0.0.0', auth: 'required' },
    { address: '::', auth: 'required', tls: 'implicit', networks: ['::/0'] },
    { address: '0.0.0.0', auth: 'optional' },
    { address: '0.0.0.0', auth: 'optional', networks: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'] },
    { address: '0.0.0.0', auth: 'none', networks: ['203.0.113.0/24'] },
    { address: '0.0.0.0', auth: 'none', tls: 'none', networks: ['10.1.2.3'] },
    { address: '::', auth: 'none', networks: ['2001:db8::/32'] },
    { address: '::', auth: 'none', networks: ['::ffff:10.0.0.0/104'] },
    { address: '127.0.0.1', auth: 'none', tls: 'none' },
    { address: '127.0.0.1', auth: 'optional', networks: ['0.0.0.0/0'] },
    { address: '::1', auth: 'optional' },
    { address: '127.0.0.53', auth: 'none', networks: [] },
  ])('%j', (access) => expect(load(accessToml(access)).settings.listener[0]?.address).toBe(access.address))
})

describe('errors', () => {
  const route = (lines: string) => `[[route]]\ndomain = "a.example"\n${lines}`
  test.each<[what: string, toml: string, problem: string]>([
    [
      'AUTH without TLS',
      accessToml({ address: '127.0.0.1', auth: 'required', tls: 'none' }),
      'listener.0.tls: AUTH is required but can never be given',
    ],
    [
      'a listener by name',
      accessToml({ address: 'localhost', auth: 'required' }),
      '"localhost" is not an IP address; write "127.0.0.1" or "::1"',
    ],
    [
      'two on one port',
      '[[listener]]\nname = "a"\nport = 2525\n[[listener]]\nname = "b"\nport = 2525',
      'studs.toml:6: listener.1.port: port 2525 on 127.0.0.1 is already taken by listener "a"',
    ],
    [
      'a wildcard over another',
      '[[listener]]\nname = "a"\nport = 25\n[[listener]]\nname = "b"\nport = 25\naddress = "::"',
      'port 25 on :: is already taken by listener "a"',
    ],
    [
      'a listener on the port of the sandbox',
      '[[listener]]\nname = "a"\nport = 2526',
      'sandbox.smtp_port: port 2526 on 127.0.0.1 is already taken by listener "a"',
    ],
    [
      'a public sandbox',
      '[sandbox]\naddress = "0.0.0.0"',
      'sandbox.address: the pretend internet may only be on a loopback address',
    ],
    ['a socket with too long a name', `[api]\nsocket = "/${'x'.repeat(120)}"`, 'api.socket: /xxx'],
    [
      'listeners of one name',
      '[[listener]]\nname = "a"\nport = 1\n[[listener]]\nname = "a"\nport = 2',
      'studs.toml:5: listener.1.name: listener "a" stands twice; remove one of them',
    ],
    ['tenants of one name', 'tenant = [{ name = "a" }, { name = "a" }]', 'tenant.1.name: tenant "a" stands twice'],
    [
      'credentials of one name',
      `credential = [{ name = "a", password = "${HASH}" }, { name = "a", password = "${HASH}" }]`,
      'credential.1.name: credential "a" stands twice',
    ],
    [
      'sources of one name',
      'source = [{ name = "default" }, { name = "default" }]',
      'source.1.name: source "default" stands twice',
    ],
    [
      'a domain twice',
      'domain = [{ name = "example.com" }, { name = "Example.COM" }]',
      'domain.1.name: domain "example.com" stands twice',
    ],
    [
      'a route twice',
      'route = [{ domain = "a.b", to = "smtp://mx.c" }, { domain = "A.B", to = "smtp://mx.d" }]',
      'route.1.domain: route "a.b" stands twice',
    ],
    [
      'a network twice',
      'network = [{ cidr = "10.0.0.0/8" }, { cidr = "10.0.0.0/8" }]',
      'network.1.cidr: network "10.0.0.0/8" stands twice',
    ],
    [
      'a selector twice',
      '[[domain]]\nname = "a.b"\ndkim = [{ selector = "s", key_file = "1" }, { selector = "s", key_file = "2" }]',
      'domain.0.dkim.1.selector: domain.0.dkim "s" stands twice',
    ],
    [
      'no such tenant',
      '[[domain]]\nname = "a.b"\ntenant = "shop"',
      'studs.toml:3: domain.0.tenant: there is no tenant "shop"; there is "default"; add a [[tenant]] of that name',
    ],
    [
      'nearly such a tenant',
      '[[domain]]\nname = "a.b"\ntenant = "defualt"',
      'there is no tenant "defualt"; did you mean "default"?',
    ],
    [
      'no such pool',
      '[[tenant]]\nname = "default"\npool = "big"',
      'studs.toml:3: tenant.0.pool: there is no pool "big"',
    ],
    [
      'no such further pool',
      '[[tenant]]\nname = "default"\npools = ["default", "big"]',
      'tenant.0.pools.1: there is no pool "big"',
    ],
    [
      'no such source',
      '[[source]]\nname = "mta1"',
      'pool.0.sources.0.source: there is no source "default"; there is "mta1"',
    ],
    [
      'a pool without weight',
      'pool = [{ name = "default", sources = [{ source = "default", weight = 0 }] }]',
      'pool.0.sources: every weight of pool "default" is 0',
    ],
    [
      'connections by the day',
      '[delivery]\nconnection_rate = "500/d"',
      'studs.toml:2: delivery.connection_rate: must be by the second or the minute, as a restart counts connections anew; message_rate is kept',
    ],
    [
      'a domain with a dot at the end',
      '[[domain]]\nname = "example.com."',
      'domain.0.name: "example.com." is not as in DNS; write "example.com"',
    ],
    [
      'a domain in its own script',
      '[[domain]]\nname = "bücher.example"',
      'is not as in DNS; write "xn--bcher-kva.example"',
    ],
    [
      'a route for a domain in its own script',
      '[[route]]\ndomain = "*.bücher.example"\nto = "smtp://mx.example"',
      'is not a domain; write "example.com"',
    ],
    [
      'a domain that is none',
      '[[domain]]\nname = "exa_mple..com"',
      'domain.0.name: "exa_mple..com" is not a domain name',
    ],
    [
      'an address for a domain',
      '[[domain]]\nname = "[192.0.2.1]"',
      'domain.0.name: "[192.0.2.1]" is not a domain name',
    ],
    [
      'a host name with a line break',
      '[node]\nhostname = "a.example\\r\\nRSET"',
      'node.hostname: "a.example\\r\\nRSET" is not a host name',
    ],
    [
      'a source called by two words',
      '[[source]]\nname = "default"\nehlo = "my host"',
      'studs.toml:3: source.0.ehlo: "my host" is not a host name',
    ],
    [
      'a credential without password',
      '[[credential]]\nname = "app"',
      'studs.toml:1: credential.0.password: credential "app" has no password',
    ],
    [
      'a route to loopback',
      route('to = "smtp://127.0.0.1:26"'),
      'studs.toml:3: route.0.to: the next hop 127.0.0.1 is a loopback or private address; set allow_private = true',
    ],
    [
      'a route to localhost',
      route('to = "smtp://localhost:26"'),
      'the next hop localhost is a loopback or private address',
    ],
    [
      'a route to a private address',
      route('to = "smtp://[10.0.0.1]:25"'),
      'the next hop 10.0.0.1 is a loopback or private address',
    ],
    [
      'a route to a mapped address',
      route('to = "smtp://[::ffff:192.168.1.1]:25"'),
      'the next hop ::ffff:192.168.1.1 is a loopback or private address',
    ],
    [
      'a route to ourselves',
      route('to = "smtp://127.0.0.1:2525"\nallow_private = true'),
      'the next hop is the listener "trusted": mail would come back for ever',
    ],
    ['a route to nowhere', route('to = "smtp://mx.example:0"'), '"smtp://mx.example:0" is not a next hop'],
    [
      'a route with a bare IPv6 address',
      route('to = "smtp://2001:db8::1:25"'),
      'is not a next hop; write smtp://host:port, with an IPv6 address in brackets',
    ],
    [
      'a route for no domain',
      '[[route]]\ndomain = "*.*.example"\nto = "smtp://mx.example"',
      '"*.*.example" is not a domain',
    ],
    ['a user without password', route('to = "smtps://mx.example"\nuser = "u"'), 'route.0.user: user without password'],
    [
      'a password without user',
      route('to = "smtps://mx.example"\npassword = "p"'),
      'route.0.password: password without user',
    ],
    [
      'AUTH at a next hop without TLS',
      route('to = "smtp://mx.example"\nuser = "u"\npassword = "p"\ntls = "none"'),
      'route.0.tls: AUTH is sent only under TLS',
    ],
    [
      'a name server by name',
      '[delivery]\nresolvers = ["192.0.2.53", "dns.example"]',
      'delivery.resolvers.1: "dns.example" is not a name server',
    ],
    ['delivery to port 0', '[delivery]\nport = 0', 'delivery.port: there is no port 0'],
    [
      'a timeout of nothing',
      '[delivery]\nconnect_timeout = "0"',
      'delivery.connect_timeout: a timeout of 0 ends everything at once',
    ],
    [
      'a timeout without end',
      '[submission]\nidle_timeout = "25d"',
      'submission.idle_timeout: a timeout may be at most 24 d',
    ],
    ['a wait of nothing', '[queue]\nretry = ["0", "5m"]', 'queue.retry.0: a wait of 0 tries again without end'],
    ['a life of nothing', '[queue]\nlifetime = "0"', 'queue.lifetime: with a life of 0 no mail would be tried'],
    ['messages of nothing', '[submission]\nmax_size = 0', 'submission.max_size: with 0 no message would be accepted'],
    ['a store without room', '[data]\nmap_size = "4KiB"', 'data.map_size: the store needs at least 1 MiB'],
    ['a store beyond all memory', '[data]\nmap_size = "999999GiB"', 'data.map_size: a process has no more than 64 TiB'],
  ])('%s', (_, toml, problem) => {
    const problems = problemsOf(() => load(toml))
    expect(problems.filter((line) => line.includes(problem))).toHaveLength(1)
  })

  test('a password in the address of a next hop is not repeated', () => {
    const problems = problemsOf(() => load(route('to = "smtp://user:hunter2@mx.example:25"')))
    expect(problems).toEqual([
      'studs.toml:3: route.0.to: a next hop holds no user name; use the options user and password_file',
    ])
  })

  test('are all reported at once', () => {
    const problems = problemsOf(() =>
      load('[queue]\nlifetime = "0"\n[sandbox]\naddress = "::"\n[[credential]]\nname = "a"\ntenant = "b"'),
    )
    expect(problems.map((line) => line.split(': ')[1])).toEqual([
      'queue.lifetime',
      'sandbox.address',
      'credential.0.password',
      'credential.0.tenant',
    ])
  })
})

describe('warnings', () => {
  const warnings = (toml: string): string[] => load(toml).warnings.map(formatProblem)
  const INTERNET = '[delivery]\nmode = "internet"\n'
  const READY = `${INTERNET}[node]\nhostname = "relay.example.com"\n[[tenant]]\nname = "default"\n[[domain]]\nname = "example.com"\nreturn_path = "b.example.com"\ndkim = [{ selector = "s", key_file = "k" }]\n`

  test('a serious sender gets none', () => expect(warnings(READY)).toEqual([]))

  test.each<[what: string, toml: string, warning: string]>([
    ['no listener', 'listener = []', 'studs.toml:1: listener: there is no listener'],
    [
      'AUTH that is never offered',
      accessToml({ address: '127.0.0.1', auth: 'optional', tls: 'none' }),
      'listener.0.auth: AUTH is never offered here',
    ],
    [
      'a wide network behind loopback',
      'network = [{ cidr = "0.0.0.0/0" }]',
      'network.0.cidr: 0.0.0.0/0 is much of the internet',
    ],
    [
      'AUTH without credentials',
      accessToml({ address: '0.0.0.0', auth: 'required' }),
      'listener.0.auth: "l" requires AUTH, but there is no credential',
    ],
    [
      'a public listener before a sandbox',
      accessToml({ address: '0.0.0.0', auth: 'optional' }),
      'delivery.mode: apps on other machines can submit mail, but all of it stays in the sandbox',
    ],
    [
      'a public listener before a sandbox that runs by itself',
      `[delivery]\nmode = "internet"\nresolvers = ["127.0.0.1:5354"]\n${accessToml({ address: '0.0.0.0', auth: 'optional' })}`,
      'delivery.mode: apps on other machines can submit mail, but all of it stays in the sandbox',
    ],
    [
      'another name server beside that of the sandbox',
      '[delivery]\nmode = "internet"\nresolvers = ["127.0.0.1:5354", "192.0.2.53"]\nport = 2526',
      'delivery.port: MX hosts listen on port 25',
    ],
    ['no name for EHLO', INTERNET, 'source.0.ehlo: source "default" has no name of its own for EHLO'],
    ['no sender domain', INTERNET, 'domain: there is no sender domain'],
    [
      'no DKIM',
      `${INTERNET}[[domain]]\nname = "a.b"`,
      'studs.toml:4: domain.0.name: mail of a.b goes out without a DKIM signature',
    ],
    [
      'no return path',
      `${INTERNET}[[domain]]\nname = "a.b"`,
      'bounces of a.b that come after delivery are not captured',
    ],
    ['another port than 25', `${INTERNET}port = 2525`, 'delivery.port: MX hosts listen on port 25, not 2525'],
    [
      'MX hosts next door',
      `${INTERNET}allow_private = true`,
      'delivery.allow_private: strangers can point their MX at this machine',
    ],
    [
      'a source on loopback',
      `${INTERNET}[[source]]\nname = "default"\nipv4 = "127.0.0.2"`,
      'source "default" sends from 127.0.0.2',
    ],
    [
      'a source in no pool',
      'source = [{ name = "default" }, { name = "spare" }]',
      'source.1.name: source "spare" is in no pool',
    ],
    ['hammering', `${INTERNET}[queue]\nretry = ["1s", "5m"]`, 'queue.retry.0: waits this short hammer receivers'],
    [
      'waits that shrink',
      '[queue]\nretry = ["1h", "5m"]',
      'queue.retry.1: this wait is shorter than the one before it',
    ],
    ['one attempt only', '[queue]\nlifetime = "5m"', 'queue.lifetime: mail expires before its first retry'],
    [
      'one attempt only of a tenant',
      'tenant = [{ name = "default", lifetime = "1m" }]',
      'tenant.0.lifetime: mail expires before its first retry',
    ],
    ['a short memory', '[queue]\nkeep_journal = "7d"', 'queue.keep_journal: late bounces are accepted for 21 days'],
    ['bodies without messages', '[queue]\nkeep_body = "60d"', 'queue.keep_body: bodies cannot be kept longer'],
    [
      'return paths that end early',
      '[queue]\nreturn_path_days = 2',
      'queue.return_path_days: return paths expire before the mail does',
    ],
    ['impatience at the dot', '[delivery]\ndot_timeout = "1m"', 'delivery.dot_timeout: a receiver may take 10 min'],
    [
      'impatience with the attempt',
      '[delivery]\nattempt_timeout = "1m"',
      'delivery.attempt_timeout: an attempt ends before dot_timeout does',
    ],
    [
      'tiny messages',
      '[submission]\nmax_size = "10KiB"',
      'submission.max_size: below 64 KiB many ordinary messages are refused',
    ],
    [
      'AUTH that may not happen',
      '[[route]]\ndomain = "a.b"\nto = "smtp://mx.example"\nuser = "u"\npassword = "p"',
      'route.0.tls: AUTH is sent only under TLS',
    ],
  ])('%s', (_, toml, warning) => {
    expect(warnings(toml).filter((line) => line.includes(warning))).toHaveLength(1)
  })

  test.each([
    ['a disabled credential needs no password', '[[credential]]\nname = "a"\ndisabled = true'],
    ['a private next hop that is meant', '[[route]]\ndomain = "*"\nto = "smtp://[::1]:26"\nallow_private = true'],
    ['short waits in the sandbox', '[queue]\nretry = ["100ms"]'],
    [
      'free ports for everybody',
      '[sandbox]\nsmtp_port = 0\ndns_port = 0\n[[listener]]\nname = "a"\nport = 0\n[[listener]]\nname = "b"\nport = 0',
    ],
    [
      'AUTH at a next hop by TLS',
      '[[route]]\ndomain = "*.a.b"\nto = "smtps://mx.example:465"\nuser = "u"\npassword = "p"',
    ],
    ['a relay that is pointed at a sandbox, as docs/sandbox.md has it', SANDBOX_DOC],
    ['name servers with ports', '[delivery]\nresolvers = ["192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53"]'],
  ])('none: %s', (_, toml) => expect(warnings(toml)).toEqual([]))
})

describe('TLS towards receivers', () => {
  test.each([
    ['[[tls_policy]]\ndomain = "a..b"', 'is not a domain'],
    ['[[tls_policy]]\ndomain = "a.test"\n[[tls_policy]]\ndomain = "a.test"', 'there are two policies for "a.test"'],
    ['[[tls_policy]]\ndomain = "a.test"\ntls = "always"', 'tls_policy.0.tls'],
    ['[tls_report]\nenabled = true', 'reports need a sender'],
    ['[tls_report]\nfrom = "a..b@c.test"', 'is not an address'],
    ['[delivery]\nca = "hello"', 'this is no PEM certificate'],
  ])('%j is refused', (toml, problem) => {
    expect(problemsOf(() => load(toml)).join('\n')).toContain(problem)
  })

  test('an oldest version where plaintext is allowed is doubtful', () => {
    const { warnings } = load('[[tls_policy]]\ndomain = "a.test"\nmin_version = "TLSv1.3"')
    expect(warnings.map(formatProblem).join('\n')).toContain('min_version counts only where TLS is demanded')
  })

  test('what means something is taken', () => {
    const { settings } = load('[[tls_policy]]\ndomain = "*.a.test"\ntls = "verify"\nmin_version = "TLSv1.3"')
    expect(settings.tlsPolicy).toEqual([
      { domain: '*.a.test', tls: 'verify', minVersion: 'TLSv1.3', dane: true, mtaSts: true },
    ])
  })
})
