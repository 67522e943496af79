// SMTP dialogs as fixtures (test/dialogs/*.smtp). One line each:
//   C: text      send the line with CRLF          C*N: text   the same N times in one write
//   C\ text      send exactly this: \r \n \0 \xNN \\ and \{N*text} (repeat) are understood, no CRLF is added
//   S: text      the next line is exactly this    S~ regex    … matches this      S*N: text   the next N lines are this
//   S* regex     skip lines until one matches     S$          the server closes the connection
//   TLS          do the TLS handshake now
//   A: N         so many messages have been accepted    A~ regex / A! regex   the last one matches / does not
//   D: N         so many bodies have been discarded
// `# text` is a comment; `listener: name`, `config: {json}`, `suppressed: address reason`, `nullmx: domain` come first.
// With `listener: bounces` what is accepted are reports, and words such as {token} stand for addresses made for the run.

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface Dialog {
  readonly listener: string
  readonly config: Record<string, unknown>
  readonly suppressed: Readonly<Record<string, string>>
  readonly nullMx: readonly string[]
  readonly steps: readonly Step[]
}

interface Step {
  readonly line: number
  readonly verb: string
  readonly count: number
  readonly text: string
}

export interface Accepted {
  readonly messages: readonly { readonly wire: string }[]
  readonly discarded: number
}

const STEP = /^(C:|C\\|S:|S~|S\$|TLS|A:|A~|A!|D:|[CS]\*(\d+):|S\*)(?: (.*))?$/

export function parseDialog(source: string, words: Readonly<Record<string, string>> = {}): Dialog {
  const replaced = source.replace(/(?<!\\)\{([a-z-]+)\}/g, (whole, word: string) => words[word] ?? whole)
  const dialog = { listener: 'trusted', config: {}, suppressed: {} as Record<string, string>, nullMx: [] as string[] }
  const steps: Step[] = []
  for (const [index, line] of replaced.split('\n').entries()) {
    const setting = /^(listener|config|suppressed|nullmx): (.*)$/.exec(line)
    const step = STEP.exec(line)
    if (setting !== null) set(dialog, setting[1] ?? '', setting[2] ?? '')
    else if (step !== null) {
      const verb = step[2] === undefined ? (step[1] ?? '') : (step[1] ?? '').replace(/\*\d+/, '')
      steps.push({ line: index + 1, verb, count: Number(step[2] ?? 1), text: step[3] ?? '' })
    } else if (line.trim() !== '' && !line.startsWith('#'))
      throw new Error(`line ${index + 1}: not understood: ${line}`)
  }
  return { ...dialog, steps }
}

function set(
  dialog: { listener: string; config: object; suppressed: Record<string, string>; nullMx: string[] },
  key: string,
  value: string,
) {
  if (key === 'listener') dialog.listener = value
  if (key === 'config') dialog.config = JSON.parse(value)
  if (key === 'nullmx') dialog.nullMx.push(value)
  const [address = '', reason = ''] = value.split(' ')
  if (key === 'suppressed') dialog.suppressed[address] = reason
}

export function unescaped(text: string): Buffer {
  const repeated = text.replace(/\\\{(\d+)\*([^}]*)\}/g, (_, count: string, what: string) => what.repeat(Number(count)))
  const bytes = repeated.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex: string | undefined, character: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return { r: '\r', n: '\n', '0': '\0', '\\': '\\' }[character] ?? character
  })
  return Buffer.from(bytes, 'latin1')
}

/** A client that reads replies line by line. */
export class LineClient {
  socket: Socket
  #text = ''
  #isClosed = false
  #wake = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    this.#listen()
  }

  static async open(port: number): Promise<LineClient> {
    const socket = connect(port, '127.0.0.1')
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new LineClient(socket)
  }

  static async openTls(port: number): Promise<LineClient> {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return new LineClient(socket)
  }

  #listen(): void {
    this.socket.setNoDelay(true)
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.#text += text
      this.#wake()
    })
    const closed = (): void => {
      this.#isClosed = true
      this.#wake()
    }
    this.socket.on('close', closed)
    this.socket.on('end', closed)
    this.socket.on('error', closed)
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes)
  }

  /** The next line without CRLF; undefined when the server has closed. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end !== -1) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      if (this.#isClosed) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** A whole reply: its last line, after the continuation lines. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const line = await this.line()
      if (line === undefined || !/^\d{3}-/.test(line)) return line
    }
  }

  /** Sends a command and gives its reply. */
  async command(text: string): Promise<string | undefined> {
    this.send(`${text}\r\n`)
    return this.reply()
  }

  async startTls(): Promise<void> {
    this.socket.removeAllListeners()
    const socket = connectTls({ socket: this.socket, rejectUnauthorized: false })
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    this.socket = socket
    this.#listen()
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Throws with the line of the fixture at the first difference. */
export async function playDialog(dialog: Dialog, client: LineClient, accepted: Accepted): Promise<void> {
  for (const step of dialog.steps) {
    const problem = await play(step, client, accepted)
    if (problem !== undefined) throw new Error(`line ${step.line}: ${problem}`)
  }
}

async function play({ verb, text, count }: Step, client: LineClient, accepted: Accepted): Promise<string | undefined> {
  const last = accepted.messages.at(-1)?.wire ?? ''
  switch (verb) {
    case 'C:':
      client.send(Buffer.from(`${text}\r\n`.repeat(count)))
      return undefined
    case 'C\\':
      client.send(unescaped(text))
      return undefined
    case 'S:':
      for (let n = 0; n < count; n++) {
        const line = await client.line()
        if (line !== text) return `expected ${text}\n     got ${line}`
      }
      return undefined
    case 'S~': {
      const line = await client.line()
      return line !== undefined && new RegExp(text).test(line) ? undefined : `expected /${text}/\n     got ${line}`
    }
    case 'S*':
      for (;;) {
        const line = await client.line()
        if (line === undefined) return `closed before /${text}/`
        if (new RegExp(text).test(line)) return undefined
      }
    case 'S$': {
      const line = await client.line()
      return line === undefined ? undefined : `expected the end, got ${line}`
    }
    case 'TLS':
      await client.startTls()
      return undefined
    case 'A:':
      return accepted.messages.length === Number(text) ? undefined : `${accepted.messages.length} messages accepted`
    case 'D:':
      return accepted.discarded === Number(text) ? undefined : `${accepted.discarded} bodies discarded`
    case 'A~':
      return new RegExp(text).test(last) ? undefined : `the message does not match:\n${last}`
    case 'A!':
      return new RegExp(text).test(last) ? `the message matches:\n${last}` : undefined
    default:
      return `no such step: ${verb}`
  }
}
