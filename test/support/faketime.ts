// libfaketime: another wall clock for a process, from its environment. Not the wrapper `faketime`: that leaves a semaphore
// behind when it is killed, and fails when its process id comes round.

import { existsSync } from 'node:fs'

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'

/** Why a test that needs it is skipped; undefined: it is there. */
export const noFaketime = existsSync(LIBRARY) ? undefined : 'libfaketime is not installed'

/** `+365d`, or `2020-01-01 00:00:00` to begin there. Only the wall clock: deadlines and timers go by the monotonic one. */
export const clockAt = (time: string) => ({
  LD_PRELOAD: LIBRARY,
  FAKETIME: time,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  DONT_FAKE_MONOTONIC: '1',
})
