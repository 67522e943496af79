// DKIM keys in DNS: for each key we have, whether its selector says just that.

import { about, type Diagnosis } from './diagnosis.ts'
import { compareKey } from './dkim-record.ts'
import { absence, type Lookup } from './lookup.ts'
import { dkimName } from './record.ts'
import type { Sender, SenderKey } from './sender.ts'

export async function checkDkim(sender: Sender, lookup: Lookup): Promise<Diagnosis[]> {
  const findings = await Promise.all(sender.keys.map((key) => checkKey({ key, domain: sender.domain, lookup })))
  if (sender.keys.some(({ state }) => state === 'sign')) return findings
  return [
    ...findings,
    about('dkim', sender.domain).missing({
      message: 'no key signs: mail of this domain goes out without a DKIM signature',
      cure:
        sender.keys.length === 0
          ? `make one: studs dkim gen ${sender.domain}`
          : 'set state = "sign" for a key whose record is published',
    }),
  ]
}

/** What it costs when DNS does not have the key. */
const SEVERITY = { sign: 'error', publish: 'warning', retired: 'note' } as const

export async function checkKey(given: { key: SenderKey; domain: string; lookup: Lookup }): Promise<Diagnosis> {
  const { key: signing, domain, lookup } = given
  const { selector, state, key, problem, file } = signing
  const name = dkimName(selector, domain)
  const dkim = about('dkim', name)
  const severity = SEVERITY[state]
  if (key === undefined)
    return dkim.unknown({
      severity,
      message: `its private key ${file} ${problem}`,
      cure: 'correct key_file, or remove the key',
    })
  const answer = await lookup.txt(name)
  if (answer.kind === 'failed')
    return dkim.unknown({
      severity,
      message: answer.detail,
      cure: 'look at the name servers of the domain, and ask again',
    })
  if (answer.kind !== 'ok') {
    const message = await absence(lookup, name)
    return dkim.missing({
      severity,
      message,
      expected: key.record,
      cure: `publish it: studs dkim txt ${domain} ${selector}`,
    })
  }
  const found = answer.items.join(' | ')
  const comparison = compareKey(answer.items, key.record)
  if (comparison.kind === 'different') {
    const { message, cure } = comparison
    return dkim.different({ severity, message, expected: key.record, found, cure })
  }
  if (comparison.isTesting && state === 'sign') {
    const message = 't=y says that the domain only tests DKIM: receivers may ignore the signatures'
    return dkim.different({ severity: 'warning', message, expected: key.record, found, cure: 'take t=y out' })
  }
  const kind = key.bits === undefined ? 'Ed25519' : `RSA of ${key.bits} bits`
  return dkim.ok(`${kind}, the key is the one ${WORDS[state]}`, found)
}

const WORDS = { sign: 'that signs', publish: 'that is to sign next', retired: 'that used to sign' } as const
