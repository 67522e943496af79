// An Exim of the test's own. The package would remove Postfix from the machine, so it is only unpacked, into a folder that
// later runs use again, and its user comes from nss_wrapper instead of /etc/passwd. Nothing is installed, no bit is
// set-uid: Exim does without root once it listens.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  type FSWatcher,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeSelfSigned } from '../../src/inbound/self-signed.ts'
import { runs } from './installed.ts'
import { freePort, LineLog } from './line-log.ts'
import { type StoredMail, storedMail } from './stored-mail.ts'

const PACKAGES = ['exim4-daemon-light', 'libidn12', 'libgnutls-dane0', 'libnss-wrapper']
const UNPACKED = join(tmpdir(), 'studs-exim-unpacked')
const BINARY = join(UNPACKED, 'usr/sbin/exim4')
const USER_ID = 65_533
const DAY = 86_400_000

/** Why there can be no Exim here; undefined where there can. Unpacks it the first time. */
export function whyNoExim(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can give its mailboxes to another user'
  // Another user may have put something there: that is not run.
  if (existsSync(BINARY)) return statSync(BINARY).uid === 0 ? undefined : `${UNPACKED} is not root's`
  if (!runs('apt-get', '--version') || !runs('dpkg', '--version')) return 'it is unpacked from Debian packages'
  const folder = mkdtempSync(join(tmpdir(), 'studs-exim-'))
  try {
    execFileSync('apt-get', ['download', '-q', ...PACKAGES], { cwd: folder, stdio: 'ignore', timeout: 20_000 })
    const root = join(folder, 'root')
    for (const file of readdirSync(folder)) execFileSync('dpkg', ['-x', join(folder, file), root])
    chmodSync(join(root, 'usr/sbin/exim4'), 0o755)
    chmodSync(root, 0o755)
    renameSync(root, UNPACKED)
    return undefined
  } catch (error) {
    return `its packages could not be had: ${(error as Error).message}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const configOf = (directory: string, known: readonly string[]): string => `
primary_hostname = exim.test
local_interfaces = 127.0.0.1
spool_directory = ${directory}/spool
log_file_path = ${directory}/spool/%slog
pid_file_path = ${directory}/spool/pid
keep_environment = LD_PRELOAD : LD_LIBRARY_PATH : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
deliver_drop_privilege
domainlist local_domains = exim.test
tls_advertise_hosts = *
tls_certificate = ${directory}/tls.pem
tls_privatekey = ${directory}/tls.pem
dsn_advertise_hosts = *
host_lookup =
rfc1413_hosts =
smtp_accept_max = 50
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
message_size_limit = 1M
begin acl
rcpt:
  require domains = +local_domains
  require verify = recipient
  accept
begin routers
mailbox:
  driver = accept
  domains = +local_domains
  local_parts = ${known.join(' : ')}
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = ${directory}/mail/\${local_part_data}
  return_path_add
`

const running = new Set<Exim>()

/** For afterAll: ends every Exim that was started, and removes what it left. */
export async function stopExim(): Promise<void> {
  for (const each of [...running]) await each.remove()
}

export class Exim {
  readonly port: number
  readonly log = new LineLog()
  readonly #directory: string
  readonly #child: ChildProcess
  readonly #watcher: FSWatcher

  private constructor(directory: string, port: number) {
    this.port = port
    this.#directory = directory
    this.#watcher = watch(join(directory, 'spool'), () => this.#readLog())
    this.log.begin()
    const libraries = join(UNPACKED, 'usr/lib/x86_64-linux-gnu')
    this.#child = spawn(BINARY, ['-C', join(directory, 'exim.conf'), '-bdf', '-oX', `${port}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        LD_LIBRARY_PATH: libraries,
        LD_PRELOAD: join(libraries, 'libnss_wrapper.so'),
        NSS_WRAPPER_PASSWD: join(directory, 'passwd'),
        NSS_WRAPPER_GROUP: join(directory, 'group'),
      },
    })
    this.#child.once('close', () => this.log.end())
  }

  /** `known`: local parts at exim.test that have a mailbox. */
  static async start(known: readonly string[]): Promise<Exim> {
    const directory = mkdtempSync(join(tmpdir(), 'studs-exim-'))
    writeFiles(directory, known)
    const exim = new Exim(directory, await freePort())
    running.add(exim)
    await exim.log.line(/daemon started/)
    return exim
  }

  /** The only message of a mailbox, as soon as it is there. */
  async mail(local: string): Promise<StoredMail> {
    await this.log.line(new RegExp(`=> ${local} <`))
    const folder = join(this.#directory, 'mail', local, 'new')
    const [name = '', ...others] = readdirSync(folder)
    if (others.length > 0) throw new Error(`${local} has ${others.length + 1} messages`)
    return storedMail(readFileSync(join(folder, name), 'latin1'))
  }

  async remove(): Promise<void> {
    running.delete(this)
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const closed = once(this.#child, 'close')
      this.#child.kill('SIGTERM')
      await closed
    }
    this.#watcher.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #readLog(): void {
    const file = join(this.#directory, 'spool', 'mainlog')
    if (!existsSync(file)) return
    const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    for (const line of whole.slice(this.log.lines.length)) this.log.add(line)
  }
}

function writeFiles(directory: string, known: readonly string[]): void {
  chmodSync(directory, 0o755)
  for (const name of ['spool', 'mail']) {
    mkdirSync(join(directory, name))
    chownSync(join(directory, name), USER_ID, USER_ID)
  }
  const pair = makeSelfSigned(['somebody-else.invalid'], { from: Date.now() - 2 * DAY, to: Date.now() - DAY })
  writeFileSync(join(directory, 'tls.pem'), pair.key + pair.cert, { mode: 0o600 })
  chownSync(join(directory, 'tls.pem'), USER_ID, USER_ID)
  writeFileSync(join(directory, 'passwd'), `root:x:0:0::/:/bin/sh\nDebian-exim:x:${USER_ID}:${USER_ID}::/:/bin/false\n`)
  writeFileSync(join(directory, 'group'), `root:x:0:\nDebian-exim:x:${USER_ID}:\n`)
  writeFileSync(join(directory, 'exim.conf'), configOf(directory, known))
}
