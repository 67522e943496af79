// A delivery thread: one courier, fed over the port. Keeps nothing that matters: when it dies, the main thread answers
// for what was under way and starts another one.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Settings } from '../config/schema.ts'
import { systemClock } from '../util/clock.ts'
import { Courier } from './courier.ts'
import type { ChunkReader } from './delivery.ts'
import { Batch, type FromWorker, type ToWorker } from './thread-messages.ts'
import type { TlsResult } from './tls-result.ts'
import type { WorkPlace } from './work.ts'

export interface WorkerStart {
  readonly settings: Settings['delivery']
}

interface Reading {
  readonly resolve: (bytes: Uint8Array | undefined) => void
  readonly reject: (error: Error) => void
}

function serve(port: MessagePort, start: WorkerStart): void {
  const say = (message: FromWorker): void => port.postMessage(message)
  const readings = new Map<number, Reading>()
  let lastReading = 0
  const readChunk: ChunkReader = (message, index) =>
    new Promise((resolve, reject) => {
      readings.set(++lastReading, { resolve, reject })
      say({ kind: 'read', id: lastReading, message, index })
    })
  const results = new Batch<TlsResult>((items) => say({ kind: 'tls', items }))
  const courier = new Courier({
    settings: start.settings,
    clock: systemClock,
    readChunk,
    random: Math.random,
    onTls: (result) => results.add(result),
    onError: (error, { attempt }) => {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
      say({ kind: 'error', problem, message: attempt.message, n: attempt.n })
    },
  })
  const outcomes = new Batch<Extract<FromWorker, { kind: 'outcomes' }>['items'][number]>((items) =>
    say({ kind: 'outcomes', items }),
  )

  const places = new Map<number, WorkPlace>()
  function carry({ forget, told, items }: Extract<ToWorker, { kind: 'work' }>): void {
    if (forget) places.clear()
    for (const { number, place } of told) places.set(number, place)
    for (const { id, place: number, attempt } of items) {
      const place = places.get(number)
      if (place === undefined) throw new RangeError(`nobody has told of place ${number}`)
      courier.carry({ ...place, attempt }).then((outcome) => outcomes.add({ id, outcome }))
    }
  }

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'work':
        carry(message)
        return
      case 'chunk': {
        const reading = readings.get(message.id)
        readings.delete(message.id)
        if (message.problem !== undefined) return reading?.reject(new Error(message.problem))
        return reading?.resolve(message.bytes)
      }
      case 'settings':
        return courier.reconfigure(message.settings)
      case 'paths':
        courier.paths().then((paths) => say({ kind: 'paths', id: message.id, paths }))
        return
      case 'close':
        // After the outcomes of this turn: the batch was set up before this.
        courier.close(message.graceMs).then(() => setImmediate(() => setImmediate(() => say({ kind: 'closed' }))))
    }
  })
}

if (parentPort !== null) serve(parentPort, workerData as WorkerStart)
