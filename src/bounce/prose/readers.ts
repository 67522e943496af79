// The free-text readers in the order in which they are asked: forms that only one system has, then rows of words, then what
// holds for reports of nobody in particular. The first that is sure answers.

import { domino } from './domino.ts'
import { exchange } from './exchange.ts'
import { exim } from './exim.ts'
import { gatewayReaders } from './gateways.ts'
import { general, lastResort } from './general.ts'
import { failedRecipientsHeader, google } from './google.ts'
import type { Prose, ProseFinding, ProseReader } from './prose.ts'
import { providerReaders } from './providers.ts'
import { qmail } from './qmail.ts'
import { sendmail } from './sendmail.ts'
import { serverReaders } from './servers.ts'
import { wordsOf } from './words.ts'

const READERS: readonly ProseReader[] = [
  google,
  exim,
  qmail,
  ...gatewayReaders,
  sendmail,
  ...serverReaders,
  ...providerReaders,
  domino,
  exchange,
  failedRecipientsHeader,
  general,
  lastResort,
]

export function readProse(prose: Prose): ProseFinding | undefined {
  const words = wordsOf(prose)
  if (!words.machine) return undefined
  for (const reader of READERS) {
    const finding = reader.read(words)
    if (finding !== undefined && finding.recipients.length > 0) return finding
  }
  return undefined
}
