// Receivers that are far away: a sink in a network namespace behind 20 ms of delay each way, reached over 20
// connections. Here the rate is what connections and round trips allow, not what the processor does.

import type { Lab } from './lab.ts'
import { command, isRoot, Missing, need } from './lab.ts'

const OUTSIDE = '10.231.77.1'
const INSIDE = '10.231.77.2'

export interface Distance {
  readonly namespace: string
  readonly host: string
}

/** Makes the namespace; rejects with Missing where the machine does not permit it. */
export async function makeDistance(lab: Lab, delayMs: number): Promise<Distance> {
  if (!isRoot()) throw new Missing('network namespaces need root')
  await need('ip', 'Debian: iproute2')
  await need('tc', 'Debian: iproute2')
  const namespace = `studs-bench-${process.pid}`
  const [near, far] = [`sb${process.pid}a`, `sb${process.pid}b`]
  try {
    await command('ip', 'netns', 'add', namespace)
    // Takes the pair of devices along.
    lab.defer(() => command('ip', 'netns', 'del', namespace))
    await command('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', namespace)
    await command('ip', 'addr', 'add', `${OUTSIDE}/30`, 'dev', near)
    await command('ip', 'link', 'set', near, 'up')
    const inside = (...args: readonly string[]): Promise<string> => command('ip', 'netns', 'exec', namespace, ...args)
    await inside('ip', 'addr', 'add', `${INSIDE}/30`, 'dev', far)
    await inside('ip', 'link', 'set', far, 'up')
    const netem = ['root', 'netem', 'limit', '100000', 'delay', `${delayMs}ms`]
    await command('tc', 'qdisc', 'add', 'dev', near, ...netem)
    await inside('tc', 'qdisc', 'add', 'dev', far, ...netem)
  } catch (error) {
    throw new Missing(`no network namespace with delay here (${(error as Error).message.trim().split('\n').at(-1)})`)
  }
  return { namespace, host: INSIDE }
}
