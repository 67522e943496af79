// The interface of the free-text readers: what they are given of a report and what they give back. Types only.
// A reader that is not sure that the words are its family's says nothing; no reader ever throws or invents an address.

import type { ReportedRecipient } from '../report.ts'

/** Header fields, names in lower case. */
export interface Headers {
  /** The first of that name, unfolded, RFC 2047 words decoded. */
  get(name: string): string | undefined
  all(name: string): readonly string[]
  /** In the order in which they stand. */
  readonly names: readonly string[]
}

/** What a free-text reader gets. */
export interface Prose {
  /** Of the report. */
  readonly headers: Headers
  readonly subject: string
  /** Address of From. */
  readonly from: string
  /**
   * The words for people: decoded, HTML turned to text, without line ends; the returned mail not among them where it
   * could be told apart.
   */
  readonly lines: readonly string[]
  /** Of the mail that is given back, if found. */
  readonly returned?: Headers
}

export interface ProseFinding {
  readonly family: string
  readonly recipients: readonly ReportedRecipient[]
  /** Where the returned mail was found inside the text. */
  readonly returned?: Headers
}

/** Prose made ready for the readers, once for all of them; made by wordsOf. */
export interface Words extends Prose {
  /** What the reporting system itself says: bounded, without quoted mail, cut before the returned message. */
  readonly own: readonly string[]
  /** The same as one text with single spaces, for phrases that are wrapped over lines. */
  readonly flow: string
  /** The index in `own` of the line that holds a place in `flow`. */
  lineAt(offset: number): number
  /** Sender, subject or header fields say that a machine wrote it about a failure. Nothing is read without it. */
  readonly machine: boolean
}

export interface ProseReader {
  readonly family: string
  read(words: Words): ProseFinding | undefined
}
