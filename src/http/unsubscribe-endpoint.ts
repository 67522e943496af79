// The public server of the unsubscribe links (and of our own MTA-STS policies): plain HTTP, behind a proxy that ends TLS. What it
// answers is said in unsubscribe-routes.ts.

import { createEndpoint, type Endpoint } from './endpoint.ts'
import { type UnsubscribeRouteParts, unsubscribeRoutes } from './unsubscribe-routes.ts'

export function createUnsubscribeEndpoint(parts: UnsubscribeRouteParts): Endpoint {
  return createEndpoint({ ...parts, name: 'unsubscribe', app: () => unsubscribeRoutes(parts) })
}
