// Files that people name on the command line: what keeps one from being read becomes a sentence.

import { type FileHandle, open } from 'node:fs/promises'
import { CliError, EXIT } from './io.ts'

const NOT_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])
const SENTENCES: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) => `There is no such file: ${file}`,
  ENOTDIR: (file) => `There is no such file: ${file}`,
  EACCES: (file) => `You may not read ${file}.`,
  EISDIR: (file) => `${file} is a directory.`,
}

/** Opened to be read; throws a CliError for what is no file that can be. */
export async function openFile(file: string): Promise<FileHandle> {
  const handle = await open(file).catch((cause: unknown) => {
    throw unreadable(file, cause)
  })
  if (!(await handle.stat()).isDirectory()) return handle
  await handle.close()
  throw new CliError(EXIT.failed, `${file} is a directory.`)
}

/** The error of a file that could not be opened, as a sentence. */
export function unreadable(file: string, cause: unknown): CliError {
  const { code = '', message } = cause as NodeJS.ErrnoException
  const exitCode = NOT_THERE.has(code) ? EXIT.notFound : EXIT.failed
  return new CliError(exitCode, SENTENCES[code]?.(file) ?? `${file} cannot be read: ${message}`, { cause })
}
