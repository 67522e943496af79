// The cross checks: what no single option can know. Pure: settings in, findings out; every check runs, so that all that is
// wrong is said at once. Errors stop the start (and a reload); warnings are told.

import { checkAccess } from './check-access.ts'
import { checkDelivery } from './check-delivery.ts'
import { checkHealth } from './check-health.ts'
import { checkIdentity } from './check-identity.ts'
import { checkLimits } from './check-limits.ts'
import { checkListeners } from './check-listeners.ts'
import { checkMailboxes } from './check-mailboxes.ts'
import { checkNames } from './check-names.ts'
import { checkRoutes } from './check-routes.ts'
import { checkTls } from './check-tls.ts'
import { checkUnsubscribe } from './check-unsubscribe.ts'
import { checkWarmUp } from './check-warm-up.ts'
import type { Check, Finding } from './finding.ts'
import type { Settings } from './schema.ts'

export type { Finding } from './finding.ts'

const CHECKS: readonly Check[] = [
  checkListeners,
  checkAccess,
  checkNames,
  checkRoutes,
  checkDelivery,
  checkWarmUp,
  checkTls,
  checkLimits,
  checkMailboxes,
  checkUnsubscribe,
  checkIdentity,
  checkHealth,
]

export function check(settings: Settings): Finding[] {
  return CHECKS.flatMap((one) => [...one(settings)])
}
