// Times and sizes that are right one by one and wrong together, or that would do harm at zero or without end.

import { DAY, MINUTE, SECOND } from '../util/clock.ts'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import type { Settings } from './schema.ts'

// The longest that a timer can wait; a longer one would fire at once.
const LONGEST_TIMER = 2 ** 31 - 1
const SHORTEST_RETRY = 10 * SECOND
// RFC 5321 §4.5.3.1.7: every server must take 64 KiB; §4.5.3.2.6: ten minutes for the reply to the final dot.
const LEAST_MESSAGE = 64 * 1024
const DOT_PATIENCE = 10 * MINUTE
const LEAST_MAP = 2 ** 20
// Of the 48 bits of an address a process has 47.
const MOST_MAP = 2 ** 46

export function* checkLimits(settings: Settings): Iterable<Finding> {
  yield* checkTimeouts(settings)
  yield* checkRetry(settings)
  yield* checkRetention(settings)
  yield* checkSizes(settings)
}

function timeouts({ submission, delivery }: Settings): readonly (readonly [path: string, ms: number])[] {
  return [
    ['submission.idle_timeout', submission.idleTimeout],
    ['submission.transaction_timeout', submission.transactionTimeout],
    ['submission.auth_timeout', submission.authTimeout],
    ['delivery.dns_timeout', delivery.dnsTimeout],
    ['delivery.connect_timeout', delivery.connectTimeout],
    ['delivery.greeting_timeout', delivery.greetingTimeout],
    ['delivery.command_timeout', delivery.commandTimeout],
    ['delivery.data_timeout', delivery.dataTimeout],
    ['delivery.block_timeout', delivery.blockTimeout],
    ['delivery.dot_timeout', delivery.dotTimeout],
    ['delivery.attempt_timeout', delivery.attemptTimeout],
  ]
}

function* checkTimeouts(settings: Settings): Iterable<Finding> {
  for (const [path, ms] of timeouts(settings)) {
    if (ms === 0)
      yield wrong(path, {
        message: 'a timeout of 0 ends everything at once',
        cure: 'remove the option for its default',
      })
    if (ms > LONGEST_TIMER) yield wrong(path, { message: 'a timeout may be at most 24 d' })
  }
  const { dotTimeout, attemptTimeout, idleTimeout } = settings.delivery
  if (idleTimeout > LONGEST_TIMER) yield wrong('delivery.idle_timeout', { message: 'a timeout may be at most 24 d' })
  if (dotTimeout < DOT_PATIENCE) {
    const message = 'a receiver may take 10 min to answer the final dot; giving up earlier makes duplicates'
    yield doubtful('delivery.dot_timeout', { message, cure: 'remove the option for its default' })
  }
  if (attemptTimeout < dotTimeout) {
    const message = 'an attempt ends before dot_timeout does, which makes duplicates'
    yield doubtful('delivery.attempt_timeout', { message, cure: 'make it longer than dot_timeout' })
  }
}

function* checkRetry({ queue, tenant, delivery }: Settings): Iterable<Finding> {
  for (const [index, wait] of queue.retry.entries()) {
    const path = `queue.retry.${index}`
    if (wait === 0) yield wrong(path, { message: 'a wait of 0 tries again without end', cure: 'begin with "5m"' })
    else if (wait < SHORTEST_RETRY && delivery.mode === 'internet') {
      yield doubtful(path, { message: 'waits this short hammer receivers until they refuse', cure: 'begin with "5m"' })
    }
    if (wait < (queue.retry[index - 1] ?? 0))
      yield doubtful(path, { message: 'this wait is shorter than the one before it' })
  }
  if (queue.lifetime === 0) yield wrong('queue.lifetime', { message: 'with a life of 0 no mail would be tried' })
  const first = queue.retry[0] ?? 0
  if (queue.lifetime > 0 && queue.lifetime <= first) yield onlyOneAttempt('queue.lifetime')
  for (const [index, { lifetime }] of tenant.entries()) {
    const path = `tenant.${index}.lifetime`
    if (lifetime === 0) yield wrong(path, { message: 'with a life of 0 no mail would be tried' })
    else if (lifetime !== undefined && lifetime <= first) yield onlyOneAttempt(path)
  }
}

function onlyOneAttempt(path: string): Finding {
  return doubtful(path, {
    message: 'mail expires before its first retry: there is only one attempt',
    cure: 'make it longer than the first wait of queue.retry',
  })
}

function* checkRetention({ queue }: Settings): Iterable<Finding> {
  if (queue.keepJournal < queue.returnPathDays * DAY) {
    const message = `late bounces are accepted for ${queue.returnPathDays} days (return_path_days), but by then their message is forgotten`
    yield doubtful('queue.keep_journal', { message, cure: 'make it at least as long as return_path_days' })
  }
  if (queue.keepJournal < queue.keepBody) {
    yield doubtful('queue.keep_body', {
      message: 'bodies cannot be kept longer than the messages they belong to (keep_journal)',
    })
  }
  if (queue.returnPathDays * DAY < queue.lifetime) {
    const message = 'return paths expire before the mail does: bounces of late deliveries would be refused'
    yield doubtful('queue.return_path_days', { message, cure: 'make it longer than queue.lifetime' })
  }
}

function* checkSizes({ submission, data }: Settings): Iterable<Finding> {
  if (submission.maxSize === 0) yield wrong('submission.max_size', { message: 'with 0 no message would be accepted' })
  else if (submission.maxSize < LEAST_MESSAGE) {
    yield doubtful('submission.max_size', { message: 'below 64 KiB many ordinary messages are refused' })
  }
  if (data.mapSize < LEAST_MAP)
    yield wrong('data.map_size', {
      message: 'the store needs at least 1 MiB',
      cure: 'remove the option for its default',
    })
  if (data.mapSize > MOST_MAP)
    yield wrong('data.map_size', { message: 'a process has no more than 64 TiB of address space to reserve' })
}
