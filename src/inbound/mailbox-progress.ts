// How far a folder has been read, kept in the store so that a restart takes nothing twice and ordinary mail is not
// fetched again and again. At least once: a crash between the report and this note takes that one report again.

import type { MailboxSettings } from '../config/schema.ts'
import { decodeOptional, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'

interface Noted {
  /** UIDs mean something only together with it (RFC 3501 §2.3.1.1); a 32-bit number. */
  readonly uidValidity: number
  /** Everything up to here was taken. */
  readonly lastUid: number
  /** Taken, but perhaps not yet marked, deleted or moved. */
  readonly unmarked: readonly number[]
}

/** Where marking never works, the oldest are forgotten: they count all the same. */
const MAX_UNMARKED = 1000

export class MailboxProgress {
  readonly #store: Store
  readonly #key: Buffer
  #noted: Noted

  /** Of the folder as it is now: with another UIDVALIDITY it is another folder, and everything in it is new. */
  constructor(store: Store, { host, user, folder }: MailboxSettings, uidValidity: number) {
    this.#store = store
    this.#key = textKey('mailbox', host.toLowerCase(), user, folder)
    const noted = decodeOptional<Noted>(store.get('meta', this.#key))
    this.#noted = noted?.uidValidity === uidValidity ? noted : { uidValidity, lastUid: 0, unmarked: [] }
  }

  get lastUid(): number {
    return this.#noted.lastUid
  }

  get unmarked(): readonly number[] {
    return this.#noted.unmarked
  }

  /** Durable when it resolves. */
  async taken(uid: number, { toMark }: { readonly toMark: boolean }): Promise<void> {
    const unmarked = toMark ? [...this.unmarked, uid].slice(-MAX_UNMARKED) : this.unmarked
    this.#noted = { ...this.#noted, lastUid: uid, unmarked }
    await this.#store.write([{ table: 'meta', key: this.#key, value: encode(this.#noted) }])
  }

  /** Noted with the next one taken: marking twice does no harm. */
  marked(uid: number): void {
    this.#noted = { ...this.#noted, unmarked: this.unmarked.filter((each) => each !== uid) }
  }
}
