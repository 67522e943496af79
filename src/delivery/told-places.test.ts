import { expect, test } from 'vitest'
import { type Told, ToldPlaces } from './told-places.ts'
import type { WorkPlace } from './work.ts'

const destination = (site: string): WorkPlace['destination'] => ({
  site,
  hosts: [],
  port: 25,
  implicitTls: false,
  tls: 'none',
  verify: false,
  connections: 1,
})
const [one, two] = [destination('one'), destination('two')]
const [warm, cold] = [
  { name: 'warm', ehlo: 'w.example' },
  { name: 'cold', ehlo: 'c.example' },
]

test('each place is told once, and has a number of its own', () => {
  const places = new ToldPlaces()
  const told: Told[] = []
  const numberOf = (place: WorkPlace): number => places.numberOf(place, (news) => told.push(news))
  const numbers = [
    numberOf({ destination: one, source: warm }),
    numberOf({ destination: one, source: cold }),
    numberOf({ destination: two, source: warm }),
  ]
  expect(new Set(numbers).size).toBe(3)
  expect(told.map(({ place }) => [place.destination, place.source])).toEqual([
    [one, warm],
    [one, cold],
    [two, warm],
  ])
  expect(numberOf({ destination: one, source: cold })).toBe(numbers[1])
  // Equal, but perhaps changed since: another one.
  expect(numbers).not.toContain(numberOf({ destination: { ...one }, source: cold }))
  expect(told).toHaveLength(4)
})

test('what was forgotten is told again, under a number that was never used', () => {
  const places = new ToldPlaces()
  const before = places.numberOf({ destination: one, source: warm }, () => undefined)
  for (let n = 1; n < 1000; n++) {
    expect(places.isFull).toBe(false)
    places.numberOf({ destination: destination(`s${n}`), source: warm }, () => undefined)
  }
  expect(places.isFull).toBe(true)
  places.forget()
  expect(places.isFull).toBe(false)
  const told: Told[] = []
  const after = places.numberOf({ destination: one, source: warm }, (news) => told.push(news))
  expect(told.map(({ number }) => number)).toEqual([after])
  expect(after).toBeGreaterThan(before)
})
