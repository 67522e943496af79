import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import type { Location } from '../delivery/delivery.ts'
import type { Domain } from '../mail/address.ts'
import { silentLogger } from '../observe/logger.ts'
import { HOUR } from '../util/clock.ts'
import { KnownPlaces } from './runner-places.ts'

const place = (site: string): Location => ({ kind: 'site', site, line: site, slots: 1, validMs: HOUR })

test('what was asked before a reload and answered after it is asked again', async () => {
  const answers: ((location: Location) => void)[] = []
  const delivery = { locate: () => new Promise<Location>((resolve) => answers.push(resolve)) }
  const places = new KnownPlaces({ delivery, clock: new FakeClock(), logger: silentLogger() })
  const domain = 'a.test' as Domain
  const located = places.locate(domain)
  places.forget()
  answers[0]!(place('old'))
  await new Promise(setImmediate)
  answers[1]?.(place('new'))
  expect(await located).toMatchObject({ site: 'new' })
  expect(places.last(domain)).toMatchObject({ site: 'new' })
})
