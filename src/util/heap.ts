// A binary min-heap of things by a number, mostly the time they are due. The numbers lie side by side in an array of their own,
// so that finding a place among tens of thousands touches a few pieces of memory and none of the things themselves. What
// something counts as is read when it is pushed.

export class MinHeap<T> {
  readonly #keys: number[] = []
  readonly #items: T[] = []
  readonly #keyOf: (item: T) => number

  constructor(keyOf: (item: T) => number) {
    this.#keyOf = keyOf
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  /** What the first counts as; infinity when there is none. */
  get firstKey(): number {
    return this.#keys[0] ?? Number.POSITIVE_INFINITY
  }

  push(item: T): void {
    const key = this.#keyOf(item)
    this.#rise(this.#items.length, item, key)
  }

  /** Drops what does not fit. Costs as much as pushing the rest anew. */
  retain(fits: (item: T) => boolean): void {
    const kept = this.#items.splice(0).filter(fits)
    this.#keys.length = 0
    for (const item of kept) this.push(item)
  }

  pop(): T | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    const key = this.#keys.pop()
    if (items.length > 0 && last !== undefined && key !== undefined) this.#sink(last, key)
    return top
  }

  /** From the place `at`, which is free, upwards. */
  #rise(from: number, item: T, key: number): void {
    const keys = this.#keys
    const items = this.#items
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = keys[parent] as number
      if (key >= above) break
      keys[at] = above
      items[at] = items[parent] as T
      at = parent
    }
    keys[at] = key
    items[at] = item
  }

  /** From the top, which is free, downwards. */
  #sink(item: T, key: number): void {
    const keys = this.#keys
    const items = this.#items
    const size = items.length
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && (keys[child + 1] as number) < (keys[child] as number)) child++
      const below = keys[child] as number
      if (below >= key) break
      keys[at] = below
      items[at] = items[child] as T
      at = child
    }
    keys[at] = key
    items[at] = item
  }
}
