// A stopped relay: its store, opened by the command itself, with the same operations on it. The store's lock keeps two
// processes from having it at one time, so a relay that runs but does not answer is not worked around.

import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Settings } from '../config/schema.ts'
import { createDelivery } from '../delivery/create-delivery.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Operations } from '../http/operations.ts'
import { createOperations } from '../http/relay-operations.ts'
import { silentLogger } from '../observe/logger.ts'
import { type Core, type CoreParts, createCore } from '../queue/core.ts'
import { storedReturnPathKeys } from '../queue/return-path-keys.ts'
import { storedPolicies } from '../relay/tls-policies.ts'
import { createCoreDesk } from '../reports/core-desk.ts'
import { createParserThread } from '../reports/parser-thread.ts'
import { openStore } from '../store/lmdb.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../util/clock.ts'

export class StoreMissing extends Error {
  override readonly name = 'StoreMissing'
}

export class StoreInUse extends Error {
  override readonly name = 'StoreInUse'
}

export interface StoppedRelay {
  readonly operations: Operations
  close(): Promise<void>
}

export function openStopped({
  settings,
  originOf,
  version,
  clock,
}: {
  settings: Settings
  originOf?: CoreParts['originOf']
  version: string
  clock: Clock
}): StoppedRelay {
  const store = openExistingStore(settings.data.directory, { mapSize: settings.data.mapSize, clock })
  const logger = silentLogger()
  const core = createCore({
    store,
    settings,
    ...(originOf !== undefined && { originOf }),
    hostname: settings.node.hostname ?? hostname(),
    clock,
    logger,
  })
  const parser = createParserThread({ logger })
  const desk = createCoreDesk({
    core,
    store,
    parser,
    keys: storedReturnPathKeys(store),
    settings: () => settings,
    clock,
  })
  const finder = finderOf({ settings, store, core, clock })
  return {
    operations: createOperations({
      core,
      store,
      desk,
      settings: () => settings,
      clock,
      version,
      ...(finder !== undefined && { finder }),
    }),
    close: async () => {
      await finder?.close(0)
      await parser.close()
      await store.close()
    },
  }
}

/** Asks DNS and never sends: undefined in the sandbox, whose names nobody knows while the relay is stopped. */
function finderOf(parts: { settings: Settings; store: Store; core: Core; clock: Clock }): Delivery | undefined {
  const { settings, store, core, clock } = parts
  if (settings.delivery.mode === 'sandbox') return undefined
  // What is in force after the next start. What is fetched only to be shown is not kept.
  const { load } = storedPolicies({ store, clock, logger: silentLogger() })
  return createDelivery({
    settings: { ...settings, delivery: { ...settings.delivery, workers: 0 } },
    shaping: core.shaping(),
    clock,
    readChunk: async () => undefined,
    policies: { load, save: () => undefined },
    logger: silentLogger(),
  })
}

/** Never makes a new store: one in the wrong place would hide the right one. */
export function openExistingStore(
  directory: string,
  options: { readonly mapSize: number; readonly clock: Clock },
): Store {
  if (!holdsStore(directory)) {
    throw new StoreMissing(
      `The relay is not running, and there is no store in ${directory}. Is this the right configuration? (--config FILE)`,
    )
  }
  try {
    return openStore({ directory, ...options })
  } catch (cause) {
    throw new StoreInUse(`The relay does not answer, and its store cannot be opened: ${(cause as Error).message}.`, {
      cause,
    })
  }
}

export function holdsStore(directory: string): boolean {
  return existsSync(join(directory, 'store'))
}
