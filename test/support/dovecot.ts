// A Dovecot of the test's own: configuration, mail and sockets in a temporary directory, one master in the foreground whose
// log is read, IMAP with implicit TLS, with STARTTLS and in clear on free loopback ports. Mail is delivered by writing
// it into the Maildir, as an LDA does. Nothing of the machine's own Dovecot is read or changed.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { ImapFlow } from 'imapflow'
import { makeSelfSigned } from '../../src/inbound/self-signed.ts'
import { freePorts, LineLog } from './line-log.ts'

const DOVECOT = '/usr/sbin/dovecot'
// It lives as long as our end of a pipe is open: it ends with the test also when that is killed. All at once, because asked
// to end it waits 10 s for clients that idle.
const HOLD = `
setsid ${DOVECOT} -F -c "$1" 2>&1 < /dev/null &
cat > /dev/null
kill -s KILL -- -$!
wait
`
const DAY = 86_400_000
/** Owner of the mail where root starts it: `nobody`. */
const MAIL_OWNER = 65_534

/** Why there can be no Dovecot here; undefined where there can. */
export const noDovecot: string | undefined = existsSync('/usr/lib/dovecot/imap')
  ? undefined
  : 'Dovecot (dovecot-imapd) is not installed'

export const USER = 'jane'
export const PASSWORD = 'secret'

export interface DovecotOptions {
  /** More of dovecot.conf. */
  readonly config?: string
}

const running = new Set<Dovecot>()

/** For afterAll: ends every Dovecot that was started, and removes what it left. */
export async function stopDovecot(): Promise<void> {
  for (const each of [...running]) await each.remove()
}

export class Dovecot {
  readonly directory: string
  readonly ports: { readonly implicit: number; readonly starttls: number; readonly none: number }
  /** PEM; made for `localhost`. */
  readonly certificate: string
  readonly log = new LineLog()
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined
  #delivered = 0

  private constructor(directory: string, [implicit, starttls, none]: readonly number[], options: DovecotOptions) {
    this.directory = directory
    this.ports = { implicit: implicit!, starttls: starttls!, none: none! }
    const pair = makeSelfSigned(['localhost'], { from: Date.now() - DAY, to: Date.now() + DAY })
    this.certificate = pair.cert
    this.#writeFiles(pair, options)
  }

  static async start(options: DovecotOptions = {}): Promise<Dovecot> {
    const directory = mkdtempSync(join(tmpdir(), 'studs-dovecot-'))
    const dovecot = new Dovecot(directory, await freePorts(3), options)
    running.add(dovecot)
    await dovecot.start()
    return dovecot
  }

  /** Starts it again after stop(), on the same ports. Resolves when it listens. */
  async start(): Promise<void> {
    const from = this.log.lines.length
    const child = spawn('/bin/sh', ['-c', HOLD, 'sh', join(this.directory, 'dovecot.conf')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child = child
    this.log.begin()
    const lines = createInterface({ input: child.stdout }).on('line', (line) => this.log.add(line))
    lines.once('close', () => this.log.end())
    await this.log.line(/starting up/, from)
  }

  /** Nobody listens any more and all connections are closed when it resolves; the mail stays. */
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

  /** Puts a mail into a folder as a delivery agent does: whole and at once. */
  deliver(mail: string | Buffer, folder = 'INBOX'): void {
    const home = join(this.directory, 'mail', USER, ...(folder === 'INBOX' ? [] : [`.${folder}`]))
    for (const name of ['', 'tmp', 'new', 'cur']) this.#ownedDirectory(join(home, name))
    const name = `${Date.now()}.M${String(++this.#delivered).padStart(6, '0')}.test`
    writeFileSync(join(home, 'tmp', name), mail)
    if (process.getuid?.() === 0) chownSync(join(home, 'tmp', name), MAIL_OWNER, MAIL_OWNER)
    renameSync(join(home, 'tmp', name), join(home, 'new', name))
  }

  /** The folder as another mail program sees it: subject and flags of each mail, oldest first. */
  async contents(folder = 'INBOX'): Promise<{ subject: string; flags: string[] }[]> {
    return this.as((client) => listed(client, folder))
  }

  /** Does something as the user with a mail program of the test's own. */
  async as<T>(action: (client: ImapFlow) => Promise<T>): Promise<T> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: this.ports.none,
      secure: false,
      doSTARTTLS: false,
      auth: { user: USER, pass: PASSWORD },
      logger: false,
    })
    await client.connect()
    try {
      return await action(client)
    } finally {
      await client.logout()
    }
  }

  #ownedDirectory(path: string): void {
    if (existsSync(path)) return
    mkdirSync(path, { mode: 0o700 })
    if (process.getuid?.() === 0) chownSync(path, MAIL_OWNER, MAIL_OWNER)
  }

  #writeFiles(pair: { key: string; cert: string }, { config = '' }: DovecotOptions): void {
    const { directory, ports } = this
    const isRoot = process.getuid?.() === 0
    chmodSync(directory, 0o755)
    for (const name of ['mail', 'run', 'state']) mkdirSync(join(directory, name), { mode: 0o755 })
    if (isRoot) chownSync(join(directory, 'mail'), MAIL_OWNER, MAIL_OWNER)
    writeFileSync(join(directory, 'tls.pem'), pair.cert)
    writeFileSync(join(directory, 'tls.key'), pair.key, { mode: 0o600 })
    writeFileSync(join(directory, 'users'), `${USER}:{PLAIN}${PASSWORD}\n`)
    const [uid, gid] = isRoot ? [MAIL_OWNER, MAIL_OWNER] : [process.getuid?.(), process.getgid?.()]
    // Without root all processes are one user, and none can chroot.
    const ownUser = `default_internal_user = ${process.env.USER}\ndefault_login_user = ${process.env.USER}\n`
    const chroot = isRoot ? '' : 'chroot ='
    writeFileSync(
      join(directory, 'dovecot.conf'),
      `
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = /dev/stderr
listen = 127.0.0.1
protocols = imap
ssl = yes
ssl_cert = <${directory}/tls.pem
ssl_key = <${directory}/tls.key
mail_location = maildir:${directory}/mail/%u
mail_debug = no
auth_failure_delay = 0
disable_plaintext_auth = no
${isRoot ? '' : ownUser}
passdb {
  driver = passwd-file
  args = ${directory}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${directory}/mail/%u
}
service anvil {
  ${chroot}
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  ${chroot}
  inet_listener imap {
    port = ${ports.starttls}
  }
  inet_listener imaps {
    port = ${ports.implicit}
    ssl = yes
  }
  inet_listener imap-clear {
    port = ${ports.none}
  }
}
namespace inbox {
  inbox = yes
}
${config}
`,
    )
  }
}

async function listed(client: ImapFlow, folder: string): Promise<{ subject: string; flags: string[] }[]> {
  await client.mailboxOpen(folder, { readOnly: true })
  if (client.mailbox === false || client.mailbox.exists === 0) return []
  const found = await client.fetchAll('1:*', { flags: true, envelope: true })
  return found.map(({ envelope, flags }) => ({
    subject: envelope?.subject ?? '',
    flags: [...(flags ?? [])].filter((flag) => flag !== '\\Recent').sort(),
  }))
}
