// Messages as mail servers leave them in a Maildir, to be compared with what was sent.

/** One stored message: as a Maildir has it, with the CRLF line ends it had on the wire. */
export interface StoredMail {
  readonly raw: string
  /** Header fields of that name, unfolded, top first. */
  header(name: string): string[]
  readonly body: string
}

/** `file`: as on disk, with bare LF. */
export function storedMail(file: string): StoredMail {
  const raw = file.replaceAll('\n', '\r\n')
  const end = raw.indexOf('\r\n\r\n')
  const fields = (end === -1 ? raw : raw.slice(0, end)).replace(/\r\n(?=[ \t])/g, '').split('\r\n')
  return {
    raw,
    body: end === -1 ? '' : raw.slice(end + 4),
    header: (name) =>
      fields
        .filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))
        .map((field) => field.slice(name.length + 1).trim()),
  }
}
