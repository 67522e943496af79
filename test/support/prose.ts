// A report in free text, as the readers get it, from the few words that a sample needs.

import type { Headers, Prose, ProseFinding } from '../../src/bounce/prose/prose.ts'
import { readProse } from '../../src/bounce/prose/readers.ts'

export interface Sample {
  readonly from?: string
  readonly subject?: string
  readonly header?: Readonly<Record<string, string>>
  readonly returned?: Readonly<Record<string, string>>
  /** The margin of its first line is taken off all lines. */
  readonly text: string
}

export function headersOf(fields: Readonly<Record<string, string>>): Headers {
  const entries = Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value] as const)
  const all = (name: string): string[] =>
    entries.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value)
  return { get: (name) => all(name)[0], all, names: entries.map(([name]) => name) }
}

export function proseOf(sample: Sample): Prose {
  const from = sample.from ?? 'Mail Delivery System <MAILER-DAEMON@mx.example.net>'
  const subject = sample.subject ?? 'Undelivered Mail Returned to Sender'
  const lines = sample.text.replace(/^\n/, '').split('\n')
  const margin = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0
  return {
    headers: headersOf({ From: from, Subject: subject, To: 'sender@example.com', ...sample.header }),
    subject,
    from: /<([^<>]*)>/.exec(from)?.[1] ?? from,
    lines: lines.map((line) => line.slice(Math.min(margin, line.search(/\S|$/)))),
    ...(sample.returned === undefined ? {} : { returned: headersOf(sample.returned) }),
  }
}

/** `address action status code command | diagnostic`, the parts that are not there left out. */
export function toldBy(sample: Sample): { family: string | undefined; recipients: string[] } {
  const finding: ProseFinding | undefined = readProse(proseOf(sample))
  return {
    family: finding?.family,
    recipients: (finding?.recipients ?? []).map(({ address, action, status, code, command, diagnostic }) =>
      [
        [address, action, status, code, command].filter((part) => part !== undefined && part !== '').join(' '),
        diagnostic,
      ].join(' | '),
    ),
  }
}
