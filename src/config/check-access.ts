// Who may send: Studs refuses to be an open relay. Without AUTH a client must come from a trusted network, so a listener
// that others than this machine can reach is safe when AUTH is required there, or when every trusted network is really
// somebody's own. Each refusal says which option to change.

import type { Finding } from './finding.ts'
import { doubtful, quoted, wrong } from './finding.ts'
import { isLoopback, isLoopbackNetwork, isPublicAtLarge } from './network.ts'
import type { ListenerSettings, Settings } from './schema.ts'

export function* checkAccess(settings: Settings): Iterable<Finding> {
  for (const [index, listener] of settings.listener.entries()) {
    yield* checkTls(listener, `listener.${index}`)
    yield* checkOpenRelay(settings, { listener, path: `listener.${index}` })
  }
  for (const [index, { cidr }] of settings.network.entries()) {
    if (!isPublicAtLarge(cidr)) continue
    const message = `${shown(cidr)} is much of the internet, and all of it may send without AUTH wherever a listener is reached`
    yield doubtful(`network.${index}.cidr`, { message, cure: 'name only networks of your own' })
  }
  yield* checkCredentials(settings)
}

/** AUTH is offered only under TLS, so a listener without TLS has none, whatever its `auth` says. */
function isWithoutAuth(listener: ListenerSettings): boolean {
  return listener.auth === 'none' || listener.tls === 'none'
}

function* checkTls(listener: ListenerSettings, path: string): Iterable<Finding> {
  if (listener.tls !== 'none' || listener.auth === 'none') return
  if (listener.auth === 'optional') {
    yield doubtful(`${path}.auth`, {
      message: 'AUTH is never offered here, because it needs TLS',
      cure: 'set tls = "starttls", or auth = "none"',
    })
    return
  }
  const message = 'AUTH is required but can never be given: it is offered only under TLS, and tls is "none"'
  yield wrong(`${path}.tls`, { message, cure: 'set tls = "starttls" or "implicit"' })
}

interface Listener {
  readonly listener: ListenerSettings
  readonly path: string
}

function* checkOpenRelay(settings: Settings, { listener, path }: Listener): Iterable<Finding> {
  if (listener.auth === 'required' || isLoopback(listener.address)) return
  const everybody = settings.network.filter(({ cidr }) => isPublicAtLarge(cidr)).map(({ cidr }) => shown(cidr))
  if (everybody.length > 0) {
    const message = `"${listener.name}" on ${listener.address} would be an open relay: everybody in ${quoted(everybody)} may send without AUTH`
    yield wrong(`${path}.address`, {
      message,
      cure: 'set auth = "required", listen on 127.0.0.1, or trust only networks of your own',
    })
    return
  }
  const hasOwnNetwork = settings.network.some(({ cidr }) => !isLoopbackNetwork(cidr))
  if (hasOwnNetwork || !isWithoutAuth(listener)) return
  const message = `"${listener.name}" on ${listener.address} has neither AUTH nor a trusted network that could reach it`
  const cure =
    'set auth = "required" with tls = "starttls", listen on 127.0.0.1, or add a [[network]] with the addresses of your apps'
  yield wrong(`${path}.address`, { message, cure })
}

function* checkCredentials(settings: Settings): Iterable<Finding> {
  for (const [index, { name, password, disabled }] of settings.credential.entries()) {
    if (password !== undefined || disabled) continue
    const message = `credential "${name}" has no password`
    yield wrong(`credential.${index}.password`, {
      message,
      cure: 'give password (made by `studs credential hash`) or password_file, or set disabled = true',
    })
  }
  const usable = settings.credential.some(({ disabled }) => !disabled)
  for (const [index, listener] of settings.listener.entries()) {
    if (usable || listener.auth !== 'required' || isLoopback(listener.address)) continue
    const message = `"${listener.name}" requires AUTH, but there is no credential: it will refuse everybody`
    yield doubtful(`listener.${index}.auth`, { message, cure: 'add a [[credential]]' })
  }
}

function shown({ address, prefix }: { address: string; prefix: number }): string {
  return `${address}/${prefix}`
}
