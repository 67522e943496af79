// The corpus of real reports beside the checkout, where it is. It never enters the checkout: licences differ, and people's
// addresses occur in it.

import { existsSync, readFileSync } from 'node:fs'
import { Missing } from './lab.ts'

export interface CorpusMail {
  readonly name: string
  readonly raw: Buffer
}

export interface CorpusReply {
  readonly text: string
  readonly command: string
}

const CORPUS = new URL('../../shared/ndr/', import.meta.url)

/** `list`: file that names the mails to take. Throws Missing without the corpus. */
export function corpusMails(list?: string): CorpusMail[] {
  const names = list === undefined ? labelled<{ file: string }>('labels.jsonl').map(({ file }) => file) : linesOf(list)
  return names.map((name) => {
    const url = new URL(name, CORPUS)
    return { name: url.pathname.slice(CORPUS.pathname.length), raw: readFileSync(url) }
  })
}

export function corpusReplies(): CorpusReply[] {
  return labelled<{ text: string; command?: string }>('replies.jsonl').map(({ text, command = '' }) => ({
    text,
    command,
  }))
}

function labelled<Line>(name: string): Line[] {
  const url = new URL(name, CORPUS)
  if (!existsSync(url)) throw new Missing(`the corpus of reports is not here (${name})`)
  return linesOf(url).map((line) => JSON.parse(line) as Line)
}

function linesOf(file: string | URL): string[] {
  return readFileSync(file, 'utf8').trim().split('\n')
}
