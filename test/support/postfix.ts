// A Postfix of the test's own: configuration, queue and mailboxes in a temporary directory, one master in the foreground
// whose log is read from its standard output, so that tests wait for log lines and never for time. One instance has as
// many SMTP services as a test wants, each with its own options. It needs root, because master starts its daemons as
// several users; nothing of the machine's own Postfix is read or changed.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { makeSelfSigned } from '../../src/inbound/self-signed.ts'
import { freePorts, LineLog } from './line-log.ts'
import { type StoredMail, storedMail } from './stored-mail.ts'

// Postfix lives as long as our end of a pipe is open: it ends with the test also when that is killed. Its log goes through
// `cat`, because /dev/stdout cannot be opened where it is a socket, as Node's pipes are.
const HOLD = `
postfix -c "$1" start-fg 2>&1 | cat &
exec > /dev/null
cat
kill -TERM $(sed 1q "$1/queue/pid/master.pid")
wait
`
const DAEMONS = '/usr/lib/postfix/sbin'
/** Owner of the mailboxes: `nobody`. virtual(8) never writes as root. */
const MAIL_OWNER = 65_534
const DAY = 86_400_000

/** Why there can be no Postfix here; undefined where there can. */
export const noPostfix: string | undefined = !existsSync(`${DAEMONS}/master`)
  ? 'Postfix is not installed'
  : process.getuid?.() === 0
    ? undefined
    : 'Postfix can only be started by root'

export type Options = Readonly<Record<string, string | number>>

export interface PostfixOptions {
  /** SMTP services by name, each with the options of smtpd(8) that are its own. */
  readonly services?: Readonly<Record<string, Options>>
  /** Services at another loopback address; they listen on the port of the first service. */
  readonly addresses?: Readonly<Record<string, string>>
  /** More of main.cf. */
  readonly main?: Options
  /** Addresses that have a mailbox, which is named as they are; `@domain` is one that takes everything of the domain. */
  readonly mailboxes?: readonly string[]
}

const BASE: Options = {
  compatibility_level: '3.7',
  myhostname: 'mx.good.test',
  mydestination: '',
  mynetworks: '',
  inet_interfaces: '127.0.0.1',
  inet_protocols: 'ipv4',
  smtpd_peername_lookup: 'no',
  disable_dns_lookups: 'yes',
  alias_maps: '',
  local_recipient_maps: '',
  smtpd_relay_restrictions: 'reject_unauth_destination',
  virtual_minimum_uid: 1,
  virtual_uid_maps: `static:${MAIL_OWNER}`,
  virtual_gid_maps: `static:${MAIL_OWNER}`,
  maillog_file: '/dev/stdout',
  // A daemon that nobody needs any more should not be waited for when the test is over.
  max_idle: '5s',
  in_flow_delay: '0s',
}

const DAEMON_LINES = `
postlog   unix-dgram n - n - 1 postlogd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
`

const running = new Set<Postfix>()

/** For afterAll: ends every Postfix that was started, and removes what it left. */
export async function stopPostfix(): Promise<void> {
  for (const each of [...running]) await each.remove()
}

export class Postfix {
  readonly directory: string
  readonly log = new LineLog()
  readonly #ports: Readonly<Record<string, number>>
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined

  private constructor(directory: string, ports: Readonly<Record<string, number>>) {
    this.directory = directory
    this.#ports = ports
  }

  static async start(options: PostfixOptions = {}): Promise<Postfix> {
    const names = Object.keys(options.services ?? {})
    const free = await freePorts(names.length)
    const ports = Object.fromEntries(
      names.map((name, index) => [name, options.addresses?.[name] === undefined ? free[index]! : free[0]!]),
    )
    const postfix = new Postfix(mkdtempSync(join(tmpdir(), 'studs-postfix-')), ports)
    running.add(postfix)
    postfix.#writeFiles(options)
    await postfix.start()
    return postfix
  }

  port(service: string): number {
    const port = this.#ports[service]
    if (port === undefined) throw new Error(`no service ${service}`)
    return port
  }

  /** Starts it again after stop(), on the same ports. Resolves when it listens. */
  async start(): Promise<void> {
    const from = this.log.lines.length
    // What was checked at the first start need not be checked again (postfix-script).
    if (from > 0) writeFileSync(join(this.directory, 'queue', 'quick-start'), '')
    const child = spawn('/bin/sh', ['-c', HOLD, 'sh', this.directory], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child = child
    this.log.begin()
    const lines = createInterface({ input: child.stdout }).on('line', (line) => this.log.add(line))
    lines.once('close', () => this.log.end())
    await this.log.line(/daemon started/, from)
  }

  /** Nobody listens any more when it resolves; what was delivered stays. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.stdin.end()
    await closed
  }

  async remove(): Promise<void> {
    await this.stop()
    running.delete(this)
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Puts a message into its queue as cron and scripts do. */
  async sendmail(words: readonly string[], message: string): Promise<void> {
    const child = spawn('/usr/sbin/sendmail', ['-C', this.directory, ...words], {
      stdio: ['pipe', 'inherit', 'inherit'],
    })
    const ended = once(child, 'close')
    child.stdin.end(message)
    const [code] = await ended
    if (code !== 0) throw new Error(`sendmail ended with ${code}`)
  }

  /** Resolves when so many messages lie in a mailbox; in the order in which they were stored. */
  async mails(mailbox: string, count = 1): Promise<StoredMail[]> {
    const folder = join(this.directory, 'mail', mailbox, 'new')
    // A message that is announced as sent has its file already.
    await this.log.until(() => (existsSync(folder) ? readdirSync(folder).length : 0) >= count)
    const byTime = (name: string): number => Number(/M(\d+)/.exec(name)?.[1]) + Number.parseInt(name, 10) * 1e6
    return readdirSync(folder)
      .sort((a, b) => byTime(a) - byTime(b))
      .map((name) => storedMail(readFileSync(join(folder, name), 'latin1')))
  }

  /** The only message of a mailbox. */
  async mail(mailbox: string): Promise<StoredMail> {
    const [only, ...others] = await this.mails(mailbox)
    if (only === undefined || others.length > 0) throw new Error(`${mailbox} has ${others.length + 1} messages`)
    return only
  }

  /** Tries at once what waits in its queue. */
  async flush(): Promise<void> {
    const child = spawn('/usr/sbin/postqueue', ['-c', this.directory, '-f'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`postqueue ended with ${code}`)
  }

  #writeFiles({ services = {}, addresses = {}, main = {}, mailboxes = [] }: PostfixOptions): void {
    const { directory } = this
    // Daemons run as several users and pass through here.
    chmodSync(directory, 0o755)
    for (const name of ['queue', 'data', 'mail']) mkdirSync(join(directory, name))
    chownSync(join(directory, 'mail'), MAIL_OWNER, MAIL_OWNER)
    chownSync(join(directory, 'data'), ownerOf('postfix'), 0)
    const pair = makeSelfSigned(['somebody-else.invalid'], { from: Date.now() - 2 * DAY, to: Date.now() - DAY })
    writeFileSync(join(directory, 'tls.pem'), pair.key + pair.cert, { mode: 0o600 })
    writeFileSync(
      join(directory, 'mailboxes'),
      mailboxes
        .map(
          (address) => `${address} ${address}/
`,
        )
        .join(''),
    )
    const domains = new Set(mailboxes.map((address) => address.slice(address.lastIndexOf('@') + 1)))
    const all = {
      ...BASE,
      queue_directory: join(directory, 'queue'),
      data_directory: join(directory, 'data'),
      virtual_mailbox_base: join(directory, 'mail'),
      virtual_mailbox_domains: [...domains].join(' '),
      virtual_mailbox_maps: `texthash:${directory}/mailboxes`,
      smtpd_tls_chain_files: join(directory, 'tls.pem'),
      smtpd_tls_received_header: 'yes',
      ...main,
    }
    writeFileSync(
      join(directory, 'main.cf'),
      linesOf(all, ([name, value]) => `${name} = ${value}`),
    )
    const listeners = Object.entries(services).map(([name, options]) => {
      const own = Object.entries({ syslog_name: `postfix/${name}`, ...options }).map(
        ([key, value]) => ` -o { ${key} = ${value} }\n`,
      )
      return `${addresses[name] ?? '127.0.0.1'}:${this.port(name)} inet n - n - - smtpd\n${own.join('')}`
    })
    writeFileSync(join(directory, 'master.cf'), listeners.join('') + DAEMON_LINES.trimStart())
  }
}

function linesOf(entries: Readonly<Record<string, unknown>>, line: (entry: [string, unknown]) => string): string {
  return Object.entries(entries)
    .map((entry) => `${line(entry)}\n`)
    .join('')
}

function ownerOf(user: string): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`))
  return Number(line?.split(':')[2])
}
