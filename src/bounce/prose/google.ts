// Gmail, Workspace and Groups. X-Failed-Recipients names the addresses in every language; the oldest notices only have the
// sentence and the address below it. Any other system that adds that header is read here too, last.

import { mailboxesIn } from '../mailboxes.ts'
import type { ReportedRecipient } from '../report.ts'
import { addressesIn } from './address.ts'
import { recipientFrom } from './facts.ts'
import { saysDelay } from './phrases.ts'
import type { ProseReader, Words } from './prose.ts'
import { entriesOf, finding } from './section.ts'

const OPENING =
  /Delivery to the following recipients?(?: has been| have been| was| were)? (?:failed|delayed|aborted)[^:]{0,60}:|(?:message|mail) (?:wasn(?:'|’)?t|was not|couldn(?:'|’)?t be|could not be|has not been) delivered to/i
const GOOGLE = /@(?:googlemail|gmail|google)\.com|google/i
const GROUP = /groups\.google\.com/i
/** "…/groups.google.com/support" says nothing of the failure; neither do greetings and thanks. */
const NO_REASON = /^\s*(?:[*•]|Technical details|----|https?:)/i
const FIRST_WORDS = 3
/** Said in forty languages, and always this. */
const GROUP_SAYS = 'Google Groups: the group may not exist, or you may not have permission to post messages to it.'

export const google: ProseReader = {
  family: 'gmail',
  read(words) {
    if (!words.machine || !GOOGLE.test(words.headers.get('from') ?? words.from)) return undefined
    const action = saysDelay(words.subject, words.flow) ? 'delayed' : 'failed'
    const named = mailboxesIn(words.headers.all('x-failed-recipients').join(','))
    const family = GROUP.test(words.flow) ? 'google-groups' : 'gmail'
    if (named.length > 0) return finding({ family, recipients: named.map((name) => about(words, name, action)), words })
    const opening = OPENING.exec(words.flow)
    if (opening === null) return undefined
    const start = words.lineAt(opening.index + opening[0].length - 1)
    const listed = entriesOf(words.own.slice(start + 1), {}).map(({ address }) => about(words, address, action))
    const inline = addressesIn(words.flow.slice(opening.index + opening[0].length, opening.index + 500))[0]
    const recipients = listed.length > 0 || inline === undefined ? listed : [about(words, inline, action)]
    return recipients.length === 0 ? undefined : finding({ family, recipients, words })
  },
}

export const failedRecipientsHeader: ProseReader = {
  family: 'x-failed-recipients',
  read(words) {
    const named = mailboxesIn(words.headers.all('x-failed-recipients').join(','))
    if (named.length === 0) return undefined
    const action = saysDelay(words.subject, words.flow) ? 'delayed' : 'failed'
    const recipients = named.map((name) => about(words, name, action))
    return finding({ family: 'x-failed-recipients', recipients, words })
  },
}

/** What the text has for an address: from the line that names it on, else its first words. */
function about(words: Words, address: string, action: 'failed' | 'delayed'): ReportedRecipient {
  const at = words.own.findIndex((line) => line.toLowerCase().includes(address.toLowerCase()))
  const lines = words.own.slice(at + 1).filter((line) => line.trim() !== '')
  const others = lines.findIndex((line) => /^\s{2,}[^\s@]{1,128}@[^\s@]{1,255}$/.test(line))
  const details = (others < 0 ? lines : lines.slice(0, others)).filter((line) => !NO_REASON.test(line))
  const first = words.own.filter((line) => line.trim() !== '').slice(0, FIRST_WORDS)
  if (GROUP.test(words.flow)) return recipientFrom({ address, words: [GROUP_SAYS, ...first], action })
  return recipientFrom({ address, words: details.length > 0 ? details : first, action })
}
