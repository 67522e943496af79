import { describe, expect, test } from 'vitest'
import { needsRestart, type Reload, reloadable } from '../src/config/reload.ts'
import { load, problemsOf, temporaryFolder } from './support/config-file.ts'

const HASH = 'scrypt:16384:8:1:c2FsdA:aGFzaA'

/** Both in one folder, so that paths differ only where the texts do. */
function reload(old: string, next: string): Reload {
  const folder = temporaryFolder()
  return reloadable(load(old, {}, folder), load(next, {}, folder))
}

test('nothing changed', () => {
  expect(reload('[node]\nid = 1', '# a comment\nnode.id = 1')).toMatchObject({ changes: [], needsRestart: [] })
})

test('an entry that moved is no change', () => {
  const [a, b] = ['[[domain]]\nname = "a.b"\nsubdomains = true\n', '[[domain]]\nname = "c.d"\n']
  expect(reload(a + b, b + a).changes).toEqual([])
})

test('each difference is one sentence', () => {
  const old = `[queue]\nretry = ["5m", "10m"]\n[delivery]\nmessage_rate = "10/s"\n[[credential]]\nname = "app"\npassword = "${HASH}"\n[[domain]]\nname = "a.b"`
  const next = `[queue]\nretry = ["5m", "1h"]\n[delivery]\nconnections = 20\n[node]\nhostname = "relay.example"\n[[credential]]\nname = "app"\npassword = "scrypt:16384:8:1:c2FsdA:b3RoZXI"\n[[domain]]\nname = "c.d"\nsubdomains = true`
  const { changes, needsRestart: restart } = reload(old, next)
  expect(changes.toSorted()).toEqual([
    'credential.app.password: changed',
    'delivery.connections: 10 → 20',
    'delivery.message_rate: removed',
    'domain.a.b: removed',
    'domain.c.d: added',
    'node.hostname: set to "relay.example"',
    'queue.retry: ["5m", "10m"] → ["5m", "1h"]',
  ])
  expect(restart).toEqual(['node.hostname'])
})

test('an entry within an entry is one change', () => {
  const key = (selector: string) => `{ selector = "${selector}", key_file = "${selector}.pem" }`
  const domain = (...keys: string[]) => `[[domain]]\nname = "a.b"\ndkim = [${keys.join(', ')}]`
  expect(reload(domain(key('s1')), domain(key('s2'), key('s1'))).changes).toEqual(['domain.a.b.dkim.s2: added'])
})

test('a secret that goes or comes is not told', () => {
  const route = (lines: string) => `[[route]]\ndomain = "*"\nto = "smtps://mx.example"\n${lines}`
  const changes = reload(route(''), route('user = "u"\npassword = "hunter2"')).changes
  expect(changes).toEqual(['route.*.user: set to "u"', 'route.*.password: set to ***'])
})

describe('what waits for a restart', () => {
  const NEXT = `
    [node]
    id = 2
    [data]
    min_free = "1GiB"
    [delivery]
    mode = "internet"
    connections = 20
    workers = 0
    [sandbox]
    inbox_size = 5
    [[listener]]
    name = "submission"
    port = 587`

  test('is named', () => {
    const { needsRestart: restart } = reload('', NEXT)
    const others = ['submissions', 'trusted'].flatMap((name) =>
      ['address', 'auth', 'name', 'port', 'tls'].map((key) => `listener.${name}.${key}`),
    )
    expect(restart.toSorted()).toEqual([
      'data.min_free',
      'delivery.mode',
      'delivery.workers',
      'listener.submission.port',
      ...others,
      'node.id',
      'sandbox.inbox_size',
    ])
  })

  test('keeps its old value until then, while the rest changes', () => {
    const { settings } = reload('', NEXT).effective
    expect(settings.delivery).toMatchObject({ mode: 'sandbox', workers: 1, connections: 20 })
    expect(settings.listener.map(({ port }) => port)).toEqual([2587, 2465, 2525])
    expect(settings.node.id).toBe(0)
  })

  test('is named again by the next reload', () => {
    const folder = temporaryFolder()
    const next = load(NEXT, {}, folder)
    const { effective } = reloadable(load('', {}, folder), next)
    expect(reloadable(effective, next).changes).toContain('node.id: 0 → 2')
    expect(reloadable(effective, next).changes).not.toContain('delivery.connections: 10 → 20')
  })

  test.each([
    ['data.directory', true],
    ['api.socket', true],
    ['listener.0.port', true],
    ['listener.<name>.auth', true],
    ['node.hostname', true],
    ['delivery.mode', true],
    ['delivery.port', false],
    ['queue.retry', false],
    ['network.0.cidr', false],
  ])('%s: %s', (path, expected) => expect(needsRestart(path.split('.'))).toBe(expected))
})

describe('two configurations that are right do not mix into an open relay', () => {
  const open = '[[listener]]\nname = "l"\nport = 2525\naddress = "0.0.0.0"\nauth = "optional"\n'
  test.each([
    ['AUTH becomes required, for everybody', open.replace('optional', 'required')],
    ['the listener moves to loopback', open.replace('0.0.0.0', '127.0.0.1')],
    ['the listener goes away', '[[listener]]\nname = "m"\nport = 2526\n'],
  ])('%s', (_, listener) => {
    const folder = temporaryFolder()
    const old = load(`network = [{ cidr = "10.0.0.0/8" }]\n${open}`, {}, folder)
    const next = load(`network = [{ cidr = "0.0.0.0/0" }]\nsandbox.smtp_port = 0\n${listener}`, {}, folder)
    const problems = problemsOf(() => reloadable(old, next))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(
      /^listener\.0\.address: "l" on 0\.0\.0\.0 would be an open relay: .* restart instead of reloading$/,
    )
  })
})

test('what is wrong never gets as far as a reload', () => {
  const folder = temporaryFolder()
  const old = load('[node]\nid = 1', {}, folder)
  expect(problemsOf(() => load('[node]\nid = "x"', {}, folder))).toHaveLength(1)
  expect(old.settings.node.id).toBe(1)
})
