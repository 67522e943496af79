// The real delivery thread, which dies when it is asked for its paths while it has mail for crash@.

import { parentPort } from 'node:worker_threads'
import type { ToWorker } from '../../src/delivery/thread-messages.ts'
import '../../src/delivery/worker.ts'

let isDoomed = false

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'work') isDoomed ||= message.items.some(({ attempt }) => attempt.recipient.startsWith('crash@'))
  if (message.kind === 'paths' && isDoomed) throw new Error('the thread was told to die')
})
