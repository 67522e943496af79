// What a check says of one thing it looked at. Data for people and programs alike: the command line shows it, a timer can
// compare it with the last one.

import type { Topic as RecordTopic } from './record.ts'

export type Topic = RecordTopic | 'machine' | 'listener' | 'resolver' | 'port-25' | 'dnsbl' | 'mode'

export interface Diagnosis {
  readonly topic: Topic
  /** What was looked at: a name in DNS, a source with its address, a file. */
  readonly subject: string
  /** unknown: nobody could tell, as when a name server fails; skipped: not looked at, and why. */
  readonly state: 'ok' | 'missing' | 'different' | 'unknown' | 'skipped'
  /** How bad it is when it is not ok: an error costs mail, a warning may, a note is worth knowing. */
  readonly severity: 'error' | 'warning' | 'note'
  /** One sentence. */
  readonly message: string
  readonly expected?: string
  readonly found?: string
  /** What to do. */
  readonly cure?: string
}

type Told = Omit<Diagnosis, 'topic' | 'subject' | 'state' | 'severity'> & Partial<Pick<Diagnosis, 'severity'>>

/** Diagnoses of one subject, in the words of the trade. */
export function about(topic: Topic, subject: string) {
  const told =
    (state: Diagnosis['state'], severity: Diagnosis['severity']) =>
    (words: Told): Diagnosis => ({
      topic,
      subject,
      state,
      severity,
      ...words,
    })
  return {
    ok: (message: string, found?: string): Diagnosis =>
      told('ok', 'note')({ message, ...(found !== undefined && { found }) }),
    missing: told('missing', 'error'),
    different: told('different', 'error'),
    unknown: told('unknown', 'error'),
    skipped: (message: string): Diagnosis => told('skipped', 'note')({ message }),
  }
}

export function isOk({ state }: Diagnosis): boolean {
  return state === 'ok' || state === 'skipped'
}

/** Whether it should fail a check in CI. */
export function isError(diagnosis: Diagnosis): boolean {
  return !isOk(diagnosis) && diagnosis.severity === 'error'
}
