// Work that goes on by itself until it is ended, such as a loop that sleeps between its rounds: how it is asked to end, and
// that whoever ends it waits until it has.

export class Ongoing {
  readonly #end = new AbortController()
  #work: Promise<unknown> = Promise.resolve()

  /** Aborted when it is to end; for its sleeps. */
  get signal(): AbortSignal {
    return this.#end.signal
  }

  begin(work: (signal: AbortSignal) => Promise<unknown>): void {
    this.#work = work(this.#end.signal)
  }

  /** Resolves when nothing is under way any more; also when it never began. */
  async end(): Promise<void> {
    this.#end.abort()
    await this.#work
  }
}
