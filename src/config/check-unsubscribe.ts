// Unsubscribe links: what a link needs to be made, to lead somewhere, and to be taken for one-click by mail programs.

import { isIP } from 'node:net'
import type { Finding } from './finding.ts'
import { doubtful, wrong } from './finding.ts'
import type { Settings } from './schema.ts'

export function* checkUnsubscribe(settings: Settings): Iterable<Finding> {
  yield* checkCredentials(settings)
  yield* checkEndpoint(settings)
  yield* checkUrl(settings)
  yield* checkPolicies(settings)
}

function* checkCredentials({ credential, domain, unsubscribe }: Settings): Iterable<Finding> {
  const tenants = new Set<string>()
  for (const [index, { tenant, listUnsubscribe, disabled }] of credential.entries()) {
    if (!listUnsubscribe || disabled) continue
    tenants.add(tenant)
    if (domain.some((own) => own.tenant === tenant && own.returnPath !== undefined)) continue
    const message = `no sender domain of tenant "${tenant}" has a return path, so no unsubscribe address can be made`
    yield doubtful(`credential.${index}.list_unsubscribe`, {
      message,
      cure: `set return_path in a [[domain]] of that tenant`,
    })
  }
  if (unsubscribe.url === undefined) return
  for (const [index, { name, tenant, returnPath, dkim }] of domain.entries()) {
    const isSigned = dkim.some(({ state }) => state === 'sign')
    if (returnPath === undefined || isSigned || !tenants.has(tenant)) continue
    const message = `mail from "${name}" is not signed, so its unsubscribe links cannot be one-click (RFC 8058 §4)`
    yield doubtful(`domain.${index}.name`, { message, cure: 'add a [[domain.dkim]]' })
  }
}

function* checkEndpoint({ unsubscribe, domain }: Settings): Iterable<Finding> {
  const { url, address, port } = unsubscribe
  if (isIP(address) === 0) {
    const cure =
      address === 'localhost'
        ? 'write "127.0.0.1" or "::1"'
        : 'write an address of this machine, "127.0.0.1", or "0.0.0.0" for all'
    yield wrong('unsubscribe.address', { message: `"${address}" is not an IP address`, cure })
  }
  if (url !== undefined && port === undefined) {
    const message = 'unsubscribe links lead to an endpoint that is off'
    yield doubtful('unsubscribe.url', { message, cure: 'give unsubscribe.port, and let a TLS proxy lead there' })
  }
  if (url === undefined && port !== undefined && domain.every(({ mtaSts }) => mtaSts === undefined)) {
    const message = 'the unsubscribe endpoint runs, but no mail has a link to it'
    yield doubtful('unsubscribe.port', { message, cure: 'give unsubscribe.url' })
  }
}

function* checkPolicies({ unsubscribe, domain }: Settings): Iterable<Finding> {
  const modes = new Map<string, string>()
  for (const [index, { returnPath, mtaSts }] of domain.entries()) {
    if (mtaSts === undefined) continue
    const path = `domain.${index}.mta_sts`
    if (returnPath === undefined) {
      yield wrong(path, { message: 'there is no return path that the policy could be for', cure: 'set return_path' })
      continue
    }
    if (unsubscribe.port === undefined) {
      const message = `nobody serves the MTA-STS policy of ${returnPath}`
      yield doubtful(path, { message, cure: 'give unsubscribe.port, and let a TLS proxy lead there' })
    }
    const other = modes.get(returnPath)
    modes.set(returnPath, mtaSts)
    if (other !== undefined && other !== mtaSts) {
      const message = `the return path ${returnPath} has the policy "${other}" already`
      yield wrong(path, { message, cure: 'write the same in both' })
    }
  }
}

function* checkUrl({ unsubscribe: { url } }: Settings): Iterable<Finding> {
  if (url === undefined) return
  // It stands between angle brackets in a header field (RFC 2369 §2).
  if (!URL.canParse(url) || /[^!-~]|[<>"]/.test(url)) {
    const cure = 'write it with ASCII letters and %XX only, such as "https://mail.example.com/u"'
    yield wrong('unsubscribe.url', { message: `"${url}" cannot stand in a header`, cure })
  } else if (!url.startsWith('https:')) {
    const message = 'mail programs offer one-click only for https (RFC 8058 §3.1); these links open a page'
    yield doubtful('unsubscribe.url', { message, cure: 'put a TLS proxy in front and write "https://…"' })
  }
}
