// OpenDKIM as the judge of signatures. It asks the system's resolver on port 53, so it runs in a network of its own, with a
// name server of ours (Knot DNS) there.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quotedStrings } from '../../src/identity/zone.ts'
import { runs } from './installed.ts'
import { noKnot } from './knot.ts'

const TESTMSG = '/usr/sbin/opendkim-testmsg'

/** Why it cannot judge here; undefined where it can. */
export const noOpenDkim: string | undefined =
  noKnot ??
  (existsSync(TESTMSG) ? undefined : 'OpenDKIM (opendkim-tools) is not installed') ??
  (runs('unshare', '-r', '-n', '-m', 'true') ? undefined : 'there are no namespaces')

// Stands for the whole machine there: its own loopback, its own resolver.
const SCRIPT = `
set -e
ip link set lo up
mount --bind "$1/resolv.conf" /etc/resolv.conf
/usr/sbin/knotd -c "$1/knot.conf" > "$1/knot.log" 2>&1 &
knot=$!
trap 'kill $knot; wait $knot || true' EXIT
until grep -q 'server started' "$1/knot.log"; do kill -0 $knot; sleep 0.05; done
for mail in "$1"/*.eml; do
  if ${TESTMSG} -C < "$mail" > "$mail.said" 2>&1; then echo "$(basename "$mail") good"; else echo "$(basename "$mail") bad: $(cat "$mail.said")"; fi
done
`

export interface Judged {
  /** Files by name, latin1 with CRLF. */
  readonly mails: ReadonlyMap<string, string>
  /** Names below `domain` and their TXT records. */
  readonly records: ReadonlyMap<string, string>
  readonly domain: string
}

/** `good` or `bad: why`, by name. */
export function judgedByOpenDkim({ mails, records, domain }: Judged): ReadonlyMap<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'studs-opendkim-'))
  const file = (name: string, text: string): void => writeFileSync(join(directory, name), text, 'latin1')
  try {
    for (const [name, mail] of mails) file(`${name}.eml`, mail)
    const zone = [`${domain}. 60 IN SOA ns.invalid. h.invalid. 1 60 60 60 60`, `${domain}. 60 IN NS ns.invalid.`]
    for (const [name, text] of records) zone.push(`${name}. 60 IN TXT ${quotedStrings(text)}`)
    file(`${domain}.zone`, `${zone.join('\n')}\n`)
    file('resolv.conf', 'nameserver 127.0.0.1\n')
    file('knot.conf', configOf(directory, domain))
    const { stdout, stderr } = spawnSync('unshare', ['-r', '-n', '-m', '/bin/sh', '-c', SCRIPT, 'sh', directory], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    const answers = new Map(
      [...stdout.matchAll(/^(\S+)\.eml (.*)$/gm)].map(([, name = '', answer = '']) => [name, answer]),
    )
    if (answers.size === 0) throw new Error(`nothing was verified: ${stderr}`)
    return answers
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

const configOf = (directory: string, domain: string): string => `server:
  rundir: ${directory}
  listen: 127.0.0.1@53
database:
  storage: ${directory}
log:
  - target: stdout
    any: info
zone:
  - domain: ${domain}
    file: ${directory}/${domain}.zone
    zonefile-sync: -1
    journal-content: none
`
