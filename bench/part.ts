// What a part of the benchmark is and what it is given.

import type { Fleet } from './fleet.ts'
import type { Lab } from './lab.ts'
import type { Node } from './studs.ts'

export interface Plan extends Node {
  readonly rounds: number
  /** Of a round, or of a figure taken in this process. */
  readonly seconds: number
  readonly latencyMessages: number
  readonly bigMessages: number
  readonly waiting: number
  readonly entries: number
  readonly lookups: number
  readonly reports: number
  readonly mutations: number
  /** Messages of the simulation of limits. */
  readonly shaped: number
  readonly seed: number
  /** File that names the mails of the corpus to take, one a line; all of them without it. */
  readonly corpusList: string | undefined
}

export interface Stage {
  readonly lab: Lab
  readonly fleet: Fleet
  readonly plan: Plan
}

export interface Part {
  readonly title: string
  /** Needs the machine for itself: the systems that stand ready are stopped before. */
  readonly alone?: true
  run(stage: Stage): Promise<{ readonly result: unknown; readonly text: string }>
}
