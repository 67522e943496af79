// The last examination that the relay made of itself, as it is kept in the store.

import type { Section } from '../identity/doctor.ts'
import { decodeOptional, encode } from '../store/codec.ts'
import { textKey } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import type { EpochMs } from '../util/clock.ts'
import { TABLE } from './rows.ts'

export interface Examination {
  /** When it ended. */
  readonly at: EpochMs
  readonly tookMs: number
  readonly sections: readonly Section[]
}

const KEY = textKey('doctor')

export function readExamination(store: Store): Examination | undefined {
  return decodeOptional<Examination>(store.get(TABLE, KEY))
}

export async function writeExamination(store: Store, examination: Examination): Promise<void> {
  await store.write([{ table: TABLE, key: KEY, value: encode(examination) }], 'soon')
}
