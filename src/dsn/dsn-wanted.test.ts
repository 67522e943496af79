import { describe, expect, test } from 'vitest'
import type { EmailAddress } from '../mail/address.ts'
import type { DsnRcpt, Message, Recipient } from '../mail/message.ts'
import { type DsnKind, type DsnWish, wantsDsn } from './dsn.ts'

const message: Message = {
  id: '0abcdefghijkl',
  tenant: 'default',
  sender: 'ann@example.com' as EmailAddress,
  recipients: 1,
  receivedAt: 0,
  expiresAt: 1,
  sizeBytes: 100,
  prefix: '',
  chunks: 1,
  body: '7bit',
  smtpUtf8: false,
  headers: { messageId: '<1@example.com>' },
  client: { address: '192.0.2.1', listener: 'submission' },
}
const recipient: Recipient = {
  id: message.id,
  n: 0,
  tenant: 'default',
  address: 'bob@example.net' as EmailAddress,
  state: { kind: 'failed', at: 1 },
}

interface Case {
  readonly kind?: DsnKind
  readonly setting?: DsnWish['setting']
  readonly notify?: DsnRcpt['notify']
  /** Default: by AUTH. */
  readonly from?: 'network' | 'stranger' | 'null sender'
}

function wanted({ kind = 'failed', setting = 'requested', notify, from }: Case): boolean {
  return wantsDsn({
    kind,
    setting,
    recipient: notify === undefined ? recipient : { ...recipient, dsn: { notify } },
    message: {
      ...message,
      ...(from === 'network' || from === 'stranger' ? {} : { credential: 'app' }),
      ...(from === 'null sender' ? { sender: '' as const } : {}),
    },
    authenticated: from !== 'stranger',
  })
}

describe('whether a notification is wanted', () => {
  test.each<[Case, boolean]>([
    // Without NOTIFY: only failures, only where the credential is set so.
    [{}, false],
    [{ setting: 'failures' }, true],
    [{ setting: 'never' }, false],
    [{ setting: 'failures', kind: 'delayed' }, false],
    [{ setting: 'failures', kind: 'delivered' }, false],
    [{ setting: 'failures', kind: 'relayed' }, false],
    // NOTIFY decides where it is given.
    [{ notify: ['FAILURE'] }, true],
    [{ notify: ['FAILURE'], setting: 'failures' }, true],
    [{ notify: ['FAILURE'], setting: 'never' }, false],
    [{ notify: ['FAILURE'], kind: 'delayed' }, false],
    [{ notify: ['FAILURE'], kind: 'delivered' }, false],
    [{ notify: ['DELAY'], kind: 'delayed' }, true],
    [{ notify: ['DELAY'], setting: 'failures' }, false],
    [{ notify: ['SUCCESS'], kind: 'delivered' }, true],
    [{ notify: ['SUCCESS'], kind: 'relayed' }, true],
    [{ notify: ['SUCCESS'], setting: 'failures' }, false],
    [{ notify: ['SUCCESS', 'FAILURE', 'DELAY'] }, true],
    [{ notify: ['NEVER'], setting: 'failures' }, false],
    [{ notify: ['NEVER', 'FAILURE'] }, false],
    [{ notify: [], setting: 'failures' }, false],
    // Nobody to tell, or nobody we know.
    [{ notify: ['FAILURE'], from: 'null sender' }, false],
    [{ setting: 'failures', from: 'null sender' }, false],
    [{ notify: ['FAILURE'], from: 'stranger' }, false],
    [{ setting: 'failures', from: 'stranger' }, false],
    // A trusted network: only what was asked for.
    [{ notify: ['FAILURE'], from: 'network' }, true],
    [{ notify: ['SUCCESS'], kind: 'delivered', from: 'network' }, true],
    [{ setting: 'failures', from: 'network' }, false],
  ])('%j → %s', (wish, expected) => {
    expect(wanted(wish)).toBe(expected)
  })
})
