// A reported recipient put to the classifier: the one that also judges what servers say to us directly.

import type { Cause } from '../mail/outcome.ts'
import { enhancedCodeOf } from '../mail/reply.ts'
import type { Classifier } from './classify.ts'
import type { ReportedRecipient } from './report.ts'
import { CATEGORIES, type Verdict } from './verdict.ts'

/** What was said of the recipient as the answer of a server. */
export function causeOf(recipient: ReportedRecipient): Cause {
  const code = recipient.code ?? 0
  const words = wordsOf(recipient, code)
  const enhanced = recipient.status ?? enhancedCodeOf(code, words)
  const reply = { code, lines: [words], ...(enhanced === undefined ? {} : { enhanced }) }
  // Where the command is not told it is the one that most refusals answer and that lets the words decide.
  return { kind: 'reply', reply, command: recipient.command ?? 'RCPT' }
}

/** The words without the code that they begin with; the status before them where they quote neither. */
function wordsOf({ diagnostic, status }: ReportedRecipient, code: number): string {
  const words = code > 0 && diagnostic.startsWith(String(code)) ? diagnostic.slice(3).replace(/^[ -]+/, '') : diagnostic
  return code === 0 && status !== undefined && !words.includes(status) ? `${status} ${words}`.trimEnd() : words
}

/** The verdict on a reported recipient. A delay is none on the recipient, and good news is no bounce. */
export function judged(recipient: ReportedRecipient, classifier: Classifier): Verdict {
  switch (recipient.action) {
    case 'delayed':
      return { ...CATEGORIES.delayed, category: 'delayed', action: 'retry', rule: 'report-delayed' }
    case 'delivered':
    case 'relayed':
    case 'expanded':
      return { ...CATEGORIES['non-bounce'], category: 'non-bounce', action: 'fail', rule: 'report-good-news' }
    case 'failed': {
      const { remoteMta } = recipient
      const verdict = classifier.classify({ cause: causeOf(recipient), ...(remoteMta ? { mx: remoteMta } : {}) })
      // Whatever the last reply asked for: the site that reports a failure has given up.
      return { ...verdict, action: 'fail' }
    }
  }
}
