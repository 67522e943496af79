// Plays every dialog of test/dialogs against submission or the bounce listener. A new protocol bug is a new file there, and no code here.

import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { hashPassword } from '../src/inbound/password.ts'
import type { Suppression } from '../src/suppression/suppression.ts'
import { ADDRESSES, startBounces } from './inbound/bounce-harness.ts'
import { startSubmission } from './inbound/harness.ts'
import { type Accepted, type Dialog, LineClient, parseDialog, playDialog } from './support/dialog.ts'

const files = globSync(join(import.meta.dirname, 'dialogs', '*.smtp')).sort()
// The cheapest cost: these dialogs are about words, not about how hard guessing is.
const password = await hashPassword('correct horse', { N: 2, r: 1, p: 1 })

/** What every dialog can count on besides its own `config:` line. */
const COMMON = {
  tenant: [
    { name: 'default', any_sender: true },
    { name: 'acme' },
    { name: 'auto', any_sender: true, suppression_mode: 'auto' },
    { name: 'reject', any_sender: true, suppression_mode: 'reject' },
  ],
  credential: [
    { name: 'app', tenant: 'acme', password },
    { name: 'auto', tenant: 'auto', password },
    { name: 'reject', tenant: 'reject', password },
    { name: 'gone', tenant: 'acme', password, disabled: true },
  ],
  domain: [
    { name: 'acme.test', tenant: 'acme' },
    { name: 'wide.test', tenant: 'acme', subdomains: true },
  ],
  pool: [
    { name: 'default', sources: [{ source: 'default' }] },
    { name: 'bulk', sources: [{ source: 'default' }] },
  ],
}

function suppressions(dialog: Dialog): Record<string, Suppression> {
  const createdAt = Date.UTC(2026, 10, 2)
  const entries = Object.entries(dialog.suppressed).map(([target, reason]) => {
    const entry = { scope: '*', target, reason: reason as Suppression['reason'], createdAt, who: 'studs' }
    return [target, entry] as const
  })
  return Object.fromEntries(entries)
}

test('there are dialogs', () => {
  expect(files.length).toBeGreaterThan(25)
})

interface Stage extends AsyncDisposable {
  port(listener: string): number
  readonly accepted: Accepted
}

async function setStage(dialog: Dialog): Promise<Stage> {
  if (dialog.listener === 'bounces') {
    const bounces = await startBounces({ config: dialog.config })
    return Object.assign(bounces, { accepted: bounces.desk })
  }
  const config = { ...COMMON, ...dialog.config }
  const submission = await startSubmission({ config, suppressed: suppressions(dialog), nullMx: dialog.nullMx })
  return Object.assign(submission, { accepted: submission.acceptor })
}

test.for(files.map((file) => [basename(file, '.smtp'), file] as const))('%s', async ([, file]) => {
  const dialog = parseDialog(readFileSync(file, 'utf8'), ADDRESSES)
  await using stage = await setStage(dialog)
  const port = stage.port(dialog.listener)
  const client = dialog.listener === 'submissions' ? await LineClient.openTls(port) : await LineClient.open(port)
  try {
    await playDialog(dialog, client, stage.accepted)
  } finally {
    client.close()
  }
})
