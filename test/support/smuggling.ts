// What might be taken for an end of data by a laxer server, and how to send it in pieces.

import type { LineClient } from './dialog.ts'

/** What stands between the text and the smuggled commands. */
export const SHAPES: Readonly<Record<string, string>> = {
  'LF . LF': '\n.\n',
  'LF . CRLF': '\n.\r\n',
  'CRLF . LF': '\r\n.\n',
  'CR . CR': '\r.\r',
  'CR . CRLF': '\r.\r\n',
  'CRLF . CR': '\r\n.\r',
  'CR . LF': '\r.\n',
  'LF . CR': '\n.\r',
  'LFLF . LFLF': '\n\n.\n\n',
  'CRCRLF . CRCRLF': '\r\r\n.\r\r\n',
  'CRLF NUL . CRLF': '\r\n\0.\r\n',
  'CRLF . NUL CRLF': '\r\n.\0\r\n',
  'CRLF . SP CRLF': '\r\n. \r\n',
  'CRLF . VT': '\r\n.\v\r\n',
  'CRLF . FF': '\r\n.\f\r\n',
  'NEL . NEL': '\x85.\x85',
  'U+2028 . U+2028': '\xe2\x80\xa8.\xe2\x80\xa8',
  'LF .. CRLF': '\n..\r\n',
  'CR .. CR': '\r..\r',
  'CRLF .. CRLF': '\r\n..\r\n',
  'CRLF CR . CRLF': '\r\n\r.\r\n',
  'CRLF . CRCRLF': '\r\n.\r\r\n',
}
/** A segment of its own, as far as that can be had: the next one is sent when the event loop has turned. */
export async function sendIn(client: LineClient, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    if (piece === '') continue
    await new Promise<void>((resolve) => client.socket.write(piece, 'latin1', () => resolve()))
    await new Promise(setImmediate)
  }
}
