import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MinHeap } from './heap.ts'

test('agrees with a sorted list, whatever is pushed, taken and dropped between', () => {
  const steps = fc.array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('push' as const), at: fc.integer({ min: -50, max: 50 }) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('pop' as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('retain' as const), modulus: fc.integer({ min: 2, max: 4 }) }),
      },
    ),
    { maxLength: 200, size: 'max' },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const heap = new MinHeap<{ readonly at: number; readonly n: number }>(({ at }) => at)
      let list: { readonly at: number; readonly n: number }[] = []
      for (const [n, step] of all.entries()) {
        if (step.kind === 'push') {
          heap.push({ at: step.at, n })
          list.push({ at: step.at, n })
        } else if (step.kind === 'retain') {
          heap.retain((item) => item.n % step.modulus !== 0)
          list = list.filter((item) => item.n % step.modulus !== 0)
        } else {
          const item = heap.pop()
          expect(item?.at).toBe(list.length === 0 ? undefined : Math.min(...list.map(({ at }) => at)))
          list = list.filter((each) => each.n !== item?.n)
        }
        const first = list.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...list.map(({ at }) => at))
        expect([heap.size, heap.firstKey, heap.peek()?.at ?? Number.POSITIVE_INFINITY]).toEqual([
          list.length,
          first,
          first,
        ])
      }
    }),
  )
})

test('a thing counts as what it was when it was pushed', () => {
  const heap = new MinHeap<{ at: number }>(({ at }) => at)
  const moved = { at: 5 }
  heap.push(moved)
  heap.push({ at: 3 })
  moved.at = 1
  heap.push(moved)
  expect([heap.firstKey, heap.pop() === moved, heap.firstKey]).toEqual([1, true, 3])
  heap.pop()
  expect([heap.firstKey, heap.pop() === moved, heap.size]).toEqual([5, true, 0])
})

test('thousands come out in order', () => {
  const heap = new MinHeap<number>((at) => at)
  let seed = 1
  const all = Array.from({ length: 5000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 1000
  })
  for (const at of all) heap.push(at)
  const out = Array.from({ length: all.length }, () => heap.pop())
  expect(out).toEqual(all.toSorted((a, b) => a - b))
})
