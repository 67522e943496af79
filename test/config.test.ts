import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError, loadSettings } from '../src/config/load.ts'
import { DAY, MINUTE } from '../src/util/clock.ts'
import { load, problemsOf, temporaryFolder } from './support/config-file.ts'

const HASH = 'scrypt:16384:8:1:c2FsdA:aGFzaA'

describe('finding the file', () => {
  test('the default configuration is valid, on loopback only, and delivers into the sandbox', () => {
    const loaded = load('')
    expect(loaded.warnings).toEqual([])
    expect(loaded.settings.listener.map(({ address }) => address)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
    expect(loaded.settings.delivery.mode).toBe('sandbox')
    expect(loaded.settings.network.map(({ cidr }) => cidr.address)).toEqual(['127.0.0.0', '::1'])
    expect(loaded.settings.queue.lifetime).toBe(3 * DAY)
    expect(loaded.settings.delivery.connectionRate).toEqual({ count: 100, per: MINUTE })
  })

  test('the named one, else $STUDS_CONFIG, else config/studs.toml', () => {
    const folder = temporaryFolder()
    folder.write('config/studs.toml', 'node.id = 1')
    folder.write('other.toml', 'node.id = 2')
    folder.write('third.toml', 'node.id = 3')
    const cwd = folder.path
    expect(loadSettings({ env: {}, cwd }).settings.node.id).toBe(1)
    expect(loadSettings({ env: { STUDS_CONFIG: 'other.toml' }, cwd }).settings.node.id).toBe(2)
    expect(loadSettings({ file: 'third.toml', env: { STUDS_CONFIG: 'other.toml' }, cwd }).settings.node.id).toBe(3)
  })

  test('one that was named must be there', () => {
    const { path: cwd } = temporaryFolder()
    expect(problemsOf(() => loadSettings({ file: 'no.toml', env: {}, cwd }))).toEqual([
      'no.toml: there is no such file',
    ])
    expect(problemsOf(() => loadSettings({ env: { STUDS_CONFIG: 'no.toml' }, cwd }))).toEqual([
      'no.toml: there is no such file',
    ])
  })

  test('one that is a folder, or not UTF-8', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder.path, 'folder'))
    folder.write('latin.toml', Buffer.from('node.hostname = "m\xfcller"', 'latin1'))
    const read = (file: string) => problemsOf(() => loadSettings({ file, env: {}, cwd: folder.path }))
    expect(read('folder')).toEqual(['folder: is a folder, not a file'])
    expect(read('latin.toml')).toEqual(['latin.toml: is not UTF-8 text; save it as UTF-8'])
  })

  test.skipIf(process.getuid?.() === 0)('one that may not be read', () => {
    const folder = temporaryFolder()
    chmodSync(folder.write('studs.toml', ''), 0)
    expect(problemsOf(() => loadSettings({ file: 'studs.toml', env: {}, cwd: folder.path }))[0]).toContain(
      'no permission',
    )
  })
})

describe('relative paths', () => {
  const TOML =
    '[tls]\ndirectory = "pem"\n[[domain]]\nname = "example.com"\ndkim = [{ selector = "s", key_file = "k.pem" }]'

  test('start at the folder of the file', () => {
    const folder = temporaryFolder()
    const { settings, directory } = load(TOML, {}, folder)
    expect(directory).toBe(folder.path)
    expect(settings.data.directory).toBe(join(folder.path, 'data'))
    expect(settings.tls.directory).toBe(join(folder.path, 'pem'))
    expect(settings.domain[0]?.dkim[0]?.keyFile).toBe(join(folder.path, 'k.pem'))
  })

  test('start beside the folder of the file when that is called config', () => {
    const folder = temporaryFolder()
    const file = folder.write('config/studs.toml', TOML)
    expect(loadSettings({ file, env: {}, cwd: '/' }).settings.tls.directory).toBe(join(folder.path, 'pem'))
  })

  test('the socket lies in the data directory; absolute paths stay', () => {
    expect(load('[data]\ndirectory = "/var/lib/studs"').settings.api.socket).toBe('/var/lib/studs/studs.sock')
    expect(load('[api]\nsocket = "/run/studs.sock"').settings.api.socket).toBe('/run/studs.sock')
    expect(load('', { STUDS__DATA__DIRECTORY: '/srv/studs' }).settings.data.directory).toBe('/srv/studs')
  })
})

describe('what is wrong, with its line', () => {
  test.each<[what: string, toml: string, problems: string[]]>([
    [
      'a misspelt key',
      '[delivery]\nmode = "sandbox"\nconect_timeout = "1s"',
      [
        'studs.toml:3: delivery.conect_timeout: unknown key "conect_timeout" in [delivery]; did you mean "connect_timeout"?',
      ],
    ],
    [
      'a misspelt section',
      '\n[delivry]\nmode = "sandbox"',
      ['studs.toml:2: delivry: unknown section or key "delivry"; did you mean "delivery"?'],
    ],
    [
      'a key below the wrong header',
      '[[listener]]\nname = "a"\nport = 1\nmax_size = "1MiB"',
      [
        'studs.toml:4: listener.0.max_size: unknown key "max_size" in [[listener]]; it is an option of [submission] and [bounce]',
      ],
    ],
    [
      'a misspelt key deep inside',
      'pool = [\n  { name = "default", sources = [\n    { source = "default", wieght = 2 },\n  ] },\n]',
      ['studs.toml:3: pool.0.sources.0.wieght: unknown key "wieght" in [[pool.sources]]; did you mean "weight"?'],
    ],
    [
      'a wrong type',
      '[submission]\nmax_recipients = "many"',
      ['studs.toml:2: submission.max_recipients: expected a whole number, not "many"'],
    ],
    ['a fraction', '[node]\nid = 1.5', ['studs.toml:2: node.id: expected a whole number, not 1.5']],
    ['too much', '[node]\nid = 1024', ['studs.toml:2: node.id: must be at most 1023, not 1024']],
    [
      'too little',
      '[suppression]\nsoft_strikes = 0',
      ['studs.toml:2: suppression.soft_strikes: must be at least 1, not 0'],
    ],
    [
      'a wrong choice',
      '[delivery]\nmode = "internets"',
      ['studs.toml:2: delivery.mode: expected one of "sandbox", "internet", not "internets"; did you mean "internet"?'],
    ],
    [
      'a duration without unit',
      '[queue]\nlifetime = 72',
      ['studs.toml:2: queue.lifetime: expected a duration such as "30s", "10m", "1h 20m" or "3d", not "72"'],
    ],
    [
      'one wrong item of a list',
      '[queue]\nretry = [\n  "5m",\n  "soon",\n]',
      ['studs.toml:4: queue.retry.1: expected a duration such as "30s", "10m", "1h 20m" or "3d", not "soon"'],
    ],
    ['an empty list', '[queue]\nretry = []', ['studs.toml:2: queue.retry: must not be empty']],
    [
      'a section that is a list',
      'node = [1]',
      ['studs.toml:1: node: expected a table, not a list; write the section as [name] instead of [[name]]'],
    ],
    [
      'a list that is a section',
      '[listener]\nport = 1',
      [
        'studs.toml:1: listener: expected an array of tables, [[like this]], not a table; write the section as [[name]] instead of [name]',
      ],
    ],
    ['a date for a section', 'node = 1979-05-27', ['studs.toml:1: node: expected a table, not "1979-05-27"']],
    [
      'what must be given',
      '[[listener]]\nname = "a"',
      ['studs.toml:1: listener.0.port: is missing; TCP port; 0 takes a free one.'],
    ],
    [
      'no address',
      '[[source]]\nname = "default"\nipv4 = "relay"',
      ['studs.toml:3: source.0.ipv4: expected an IP address, not "relay"'],
    ],
    ['a prototype', '__proto__ = 1', ['studs.toml:1: __proto__: unknown section or key "__proto__"']],
    [
      'a secret is not repeated',
      '[[credential]]\nname = "a"\npassword = "hunter2"',
      ['studs.toml:3: credential.0.password: expected a hash made by `studs credential hash`'],
    ],
  ])('%s', (_, toml, problems) => expect(problemsOf(() => load(toml))).toEqual(problems))

  test('all at once, in the order of the file', () => {
    const problems = problemsOf(() =>
      load('[node]\nid = -1\n[log]\nlevel = "loud"\ncolour = true\n[[route]]\ndomain = "a.example"'),
    )
    expect(problems.map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'studs.toml:2 node.id',
      'studs.toml:4 log.level',
      'studs.toml:5 log.colour',
      'studs.toml:6 route.0.to',
    ])
  })

  test.each<[toml: string, problem: string]>([
    ['[node]\nid = ', 'studs.toml:2:6: not valid TOML: invalid value; texts, durations and sizes need quotes: "10m"'],
    [
      '[queue]\nlifetime = 72h',
      'studs.toml:2:14: not valid TOML: illegal character in numeric literal; texts, durations and sizes need quotes: "10m"',
    ],
    [
      '[node]\n[node]',
      'studs.toml:2:2: not valid TOML: trying to redefine an already defined table or value; the key or section stands twice; keep one',
    ],
  ])('%j is no TOML', (toml, problem) => expect(problemsOf(() => load(toml))).toEqual([problem]))
})

describe('environment overrides', () => {
  test('outrank the file, and are typed by the option', () => {
    const { settings, origin } = load('[delivery]\nconnections = 3\n[node]\nid = 7', {
      STUDS__DELIVERY__CONNECTIONS: '20',
      STUDS__delivery__ipv6: 'false',
      STUDS__QUEUE__RETRY: '1m, 1h 20m',
      STUDS__QUEUE__JITTER: '0.25',
      STUDS__DELIVERY__RESOLVERS: '["192.0.2.53"]',
      STUDS__LOG__LEVEL: '',
      STUDS__SUBMISSION__MAX_SIZE: '1MiB',
      STUDS_TOKEN: 'not an option',
    })
    expect(settings.delivery).toMatchObject({ connections: 20, ipv6: false, resolvers: ['192.0.2.53'] })
    expect(settings.queue).toMatchObject({ retry: [MINUTE, 80 * MINUTE], jitter: 0.25 })
    expect(settings.log.level).toBe('info')
    expect(settings.submission.maxSize).toBe(2 ** 20)
    expect(origin(['delivery', 'connections'])).toEqual({ kind: 'env', variable: 'STUDS__DELIVERY__CONNECTIONS' })
    expect(origin(['node', 'id'])).toEqual({ kind: 'file', line: 4 })
    expect(origin(['delivery', 'port'])).toEqual({ kind: 'default' })
  })

  test('reach entries by index and by name, in the defaults too', () => {
    const { settings } = load('[[domain]]\nname = "shop.example"\n[[domain]]\nname = "news.example"', {
      STUDS__DOMAIN__1__RETURN_PATH: 'b.news.example',
      STUDS__DOMAIN__SHOP_EXAMPLE__RETURN_PATH: 'b.shop.example',
      STUDS__LISTENER__SUBMISSION__PORT: '587',
    })
    expect(settings.domain.map(({ returnPath }) => returnPath)).toEqual(['b.shop.example', 'b.news.example'])
    expect(settings.listener.map(({ port }) => port)).toEqual([587, 2465, 2525])
  })

  test('add entries, by name, by the next index, or whole', () => {
    const { settings } = load('', {
      STUDS__CREDENTIAL__app__PASSWORD: HASH,
      STUDS__NETWORK__2__CIDR: '10.0.0.0/8',
      STUDS__TENANT__SHOP: '{"name": "shop", "preset": "patient"}',
      STUDS__SOURCE: '[{"name": "default", "ehlo": "a.example"}, {"name": "b"}]',
      STUDS__SOURCE__1__EHLO: 'b.example',
    })
    expect(settings.credential).toMatchObject([{ name: 'app', password: HASH, tenant: 'default' }])
    expect(settings.network.map(({ cidr }) => cidr.prefix)).toEqual([8, 128, 8])
    expect(settings.tenant.map(({ name, preset }) => [name, preset])).toEqual([
      ['default', 'standard'],
      ['shop', 'patient'],
    ])
    expect(settings.source.map(({ ehlo }) => ehlo)).toEqual(['a.example', 'b.example'])
  })

  test.each<[variables: Record<string, string>, problem: string]>([
    [
      { STUDS__DELIVRY__MODE: 'x' },
      'environment variable STUDS__DELIVRY__MODE: delivry: there is no section "delivry"; did you mean STUDS__DELIVERY?',
    ],
    [
      { STUDS__DELIVERY__CONECTIONS: '1' },
      'environment variable STUDS__DELIVERY__CONECTIONS: delivery.conections: there is no option "conections"; did you mean STUDS__DELIVERY__CONNECTIONS?',
    ],
    [{ STUDS__NODE__ID: 'one' }, 'environment variable STUDS__NODE__ID: node.id: expected a whole number, not "one"'],
    [
      { STUDS__DELIVERY__IPV6: 'yes' },
      'environment variable STUDS__DELIVERY__IPV6: delivery.ipv6: expected true or false, not "yes"',
    ],
    [
      { STUDS__NODE__ID__X: '1' },
      'environment variable STUDS__NODE__ID__X: node.id: is one value and has no parts; use STUDS__NODE__ID',
    ],
    [
      { STUDS__CREDENTIAL: 'app' },
      "environment variable STUDS__CREDENTIAL: credential: expected JSON; for example STUDS__CREDENTIAL='[…]'",
    ],
    [
      { STUDS__NETWORK__9__CIDR: '::1' },
      'environment variable STUDS__NETWORK__9__CIDR: network: entry 9 would leave a gap; the next index is 2',
    ],
    [{ STUDS__: 'x' }, 'environment variable STUDS__: there is no section ""'],
    [{ STUDS____PROTO____X: 'x' }, 'environment variable STUDS____PROTO____X: there is no section ""'],
    [
      { STUDS__CONSTRUCTOR__X: 'x' },
      'environment variable STUDS__CONSTRUCTOR__X: constructor: there is no section "constructor"',
    ],
    [
      { STUDS__TENANT__SHOP: 'shop' },
      `environment variable STUDS__TENANT__SHOP: tenant.1: expected a JSON object; for example STUDS__TENANT__SHOP='{"name": "…"}'`,
    ],
    [
      { STUDS__LISTENER__TRUSTED__ADDRESS: '0.0.0.0', STUDS__LISTENER__TRUSTED__AUTH: 'none' },
      'environment variable STUDS__LISTENER__TRUSTED__ADDRESS: listener.2.address: "trusted" on 0.0.0.0 has neither AUTH nor a trusted network that could reach it',
    ],
  ])('%j', (variables, problem) => {
    const problems = problemsOf(() => load('', variables))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
  })

  test('a name that two entries share', () => {
    const toml = '[[domain]]\nname = "a-b.example"\n[[domain]]\nname = "a.b.example"'
    expect(problemsOf(() => load(toml, { STUDS__DOMAIN__A_B_EXAMPLE__SUBDOMAINS: 'true' }))[0]).toContain(
      'means more than one entry; use its index',
    )
  })
})

describe('secrets from files', () => {
  const TOML = '[[credential]]\nname = "app"\npassword_file = "app.hash"'

  test.each([HASH, `${HASH}\n`, `${HASH}\r\n`])('%j: the line break at the end is cut', (content) => {
    const folder = temporaryFolder()
    folder.write('app.hash', content)
    const { settings, origin } = load(TOML, {}, folder)
    expect(settings.credential[0]).toMatchObject({ password: HASH, passwordFile: join(folder.path, 'app.hash') })
    expect(origin(['credential', '0', 'password'])).toEqual({ kind: 'file', line: 3 })
  })

  test('$CREDENTIALS_DIRECTORY comes first, the folder of the file second', () => {
    const folder = temporaryFolder()
    folder.write('app.hash', 'scrypt:16384:8:1:c2FsdA:Zm9sZGVy')
    folder.write('credentials/app.hash', 'scrypt:16384:8:1:c2FsdA:c3lzdGVtZA')
    const at = (name: string) =>
      load(TOML, { CREDENTIALS_DIRECTORY: join(folder.path, name) }, folder).settings.credential[0]?.password
    expect(at('credentials')).toBe('scrypt:16384:8:1:c2FsdA:c3lzdGVtZA')
    expect(at('empty')).toBe('scrypt:16384:8:1:c2FsdA:Zm9sZGVy')
  })

  test('the environment replaces either form that the file gives', () => {
    const folder = temporaryFolder()
    folder.write('app.hash', 'scrypt:16384:8:1:c2FsdA:ZmlsZQ')
    folder.write('env.hash', 'scrypt:16384:8:1:c2FsdA:ZW52')
    const credential = (toml: string, env: Record<string, string>) => load(toml, env, folder).settings.credential[0]
    expect(credential(TOML, { STUDS__CREDENTIAL__APP__PASSWORD: HASH })).toMatchObject({ password: HASH })
    expect(credential(TOML, { STUDS__CREDENTIAL__APP__PASSWORD: HASH })).not.toHaveProperty('passwordFile')
    const plain = `[[credential]]\nname = "app"\npassword = "${HASH}"`
    expect(credential(plain, { STUDS__CREDENTIAL__APP__PASSWORD_FILE: 'env.hash' })).toMatchObject({
      password: 'scrypt:16384:8:1:c2FsdA:ZW52',
    })
  })

  test.each<[what: string, toml: string, content: string | undefined, problem: RegExp]>([
    [
      'both',
      `${TOML}\npassword = "${HASH}"`,
      HASH,
      /^studs\.toml:3: credential\.0\.password_file: both password and password_file are given; keep one of them$/,
    ],
    ['missing', TOML, undefined, /^studs\.toml:3: credential\.0\.password_file: .*app\.hash: there is no such file$/],
    ['empty', TOML, '\n', /^studs\.toml:3: credential\.0\.password_file: .*app\.hash: the file is empty$/],
    [
      'not a hash',
      TOML,
      'hunter2',
      /^studs\.toml:3: credential\.0\.password: expected a hash made by `studs credential hash`$/,
    ],
    [
      'no name',
      '[[credential]]\nname = "app"\npassword_file = ""',
      undefined,
      /^studs\.toml:3: credential\.0\.password_file: must not be empty$/,
    ],
    [
      'a zero byte',
      '[[credential]]\nname = "app"\npassword_file = "a\\u0000b"',
      undefined,
      /cannot be read \(ERR_INVALID_ARG_VALUE\)$/,
    ],
  ])('%s', (_, toml, content, problem) => {
    const folder = temporaryFolder()
    if (content !== undefined) folder.write('app.hash', content)
    const problems = problemsOf(() => load(toml, {}, folder))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(problem)
    expect(problems[0]).not.toContain('hunter2')
  })

  test('of routes too', () => {
    const folder = temporaryFolder()
    folder.write('r.password', ' with spaces \n')
    const toml = '[[route]]\ndomain = "*"\nto = "smtps://mx.example:465"\nuser = "u"\npassword_file = "r.password"'
    expect(load(toml, {}, folder).settings.route[0]?.password).toBe(' with spaces ')
  })
})

test('the tenant "default" is always there', () => {
  const { settings } = load('[[tenant]]\nname = "shop"')
  expect(settings.tenant.map(({ name, anySender }) => [name, anySender])).toEqual([
    ['shop', false],
    ['default', false],
  ])
})

test('a ConfigError carries its problems as data', () => {
  const folder = temporaryFolder()
  const error = (() => {
    try {
      return load('[delivery]\nmodee = 1', {}, folder)
    } catch (caught) {
      return caught
    }
  })()
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).problems).toEqual([
    {
      file: 'studs.toml',
      line: 2,
      path: 'delivery.modee',
      message: 'unknown key "modee" in [delivery]',
      cure: 'did you mean "mode"?',
    },
  ])
})
