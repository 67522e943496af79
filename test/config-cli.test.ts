import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { addConfigCommands } from '../src/cli/config.ts'
import { tomlReference } from '../src/config/describe-toml.ts'
import { type Folder, temporaryFolder } from './support/config-file.ts'

/** Runs `studs config …` in `folder`; gives what was printed and the exit code. */
async function config(
  folder: Folder,
  words: readonly string[],
  env: Record<string, string> = {},
  globals: readonly string[] = [],
) {
  const printed = { out: '', err: '', code: 0 }
  const program = new Command('studs').exitOverride().option('--config <file>')
  addConfigCommands(program, {
    out: (text) => (printed.out += text),
    err: (text) => (printed.err += text),
    fail: (code) => (printed.code = code),
    env,
    cwd: folder.path,
  })
  await program.parseAsync([...globals, 'config', ...words], { from: 'user' })
  return printed
}

describe('check', () => {
  test('says that all is well', async () => {
    const folder = temporaryFolder()
    folder.write('config/studs.toml', '')
    expect(await config(folder, ['check'])).toEqual({
      out: `${folder.path}/config/studs.toml: valid\n`,
      err: '',
      code: 0,
    })
  })

  test('tells warnings without failing', async () => {
    const folder = temporaryFolder()
    folder.write('a.toml', '[queue]\nlifetime = "5m"')
    const { out, err, code } = await config(folder, ['check', '--file', 'a.toml'])
    expect(out).toContain('a.toml: valid (1 warning)')
    expect(err).toMatch(/^warning: a\.toml:2: queue\.lifetime: .*\n$/)
    expect(code).toBe(0)
  })

  test('fails with every problem on a line of its own', async () => {
    const folder = temporaryFolder()
    folder.write('config/studs.toml', '[delivery]\nconect_timeout = "1s"\n[node]\nid = -1')
    expect(await config(folder, ['check'], { STUDS__LOG__LEVEL: 'loud' })).toEqual({
      out: '',
      err: [
        'environment variable STUDS__LOG__LEVEL: log.level: expected one of "debug", "info", "warn", "error", not "loud"\n',
        'config/studs.toml:2: delivery.conect_timeout: unknown key "conect_timeout" in [delivery]; did you mean "connect_timeout"?\n',
        'config/studs.toml:4: node.id: must be at least 0, not -1\n',
      ].join(''),
      code: 1,
    })
  })

  test('finds what the schema, the cross checks, the rules and the keys have to say in one go', async () => {
    const folder = temporaryFolder()
    folder.write('own.toml', '[[rule]]\nid = "a"\nmatch = "x"\ncategory = "bad-malbox"\nsamples = ["550 x"]\n')
    folder.write(
      'studs.toml',
      [
        '[bounce]',
        'rules = "own.toml"',
        '[delivery]',
        'conect_timeout = "1s"',
        '[[listener]]',
        'name = "submission"',
        'port = 2525',
        '[[bounce_listener]]',
        'name = "bounces"',
        'port = 2525',
        '[[credential]]',
        'name = "app"',
        'password = "plain"',
        '[[domain]]',
        'name = "example.com"',
        'dkim = [{ selector = "s1", key_file = "no.pem" }]',
      ].join('\n'),
    )
    const { err, code } = await config(folder, ['check', '--file', 'studs.toml'])
    expect(code).toBe(1)
    for (const part of [
      /^studs\.toml:4: delivery\.conect_timeout: unknown key/m,
      /^studs\.toml:10: bounce_listener\.0\.port: port 2525 on \S+ is already taken by listener "submission"/m,
      /^studs\.toml:13: credential\.0\.password: /m,
      /^studs\.toml:2: bounce\.rules: the rules in \S+own\.toml are not valid/m,
      /^studs\.toml:16: domain\.0\.dkim\.0\.key_file: .*no\.pem.*cannot be read/m,
    ])
      expect(err).toMatch(part)
  })

  test('takes the global --config too, and --file before it', async () => {
    const folder = temporaryFolder()
    folder.write('a.toml', 'node.id = 1')
    folder.write('b.toml', 'node.id = "b"')
    expect(await config(folder, ['check'], {}, ['--config', 'b.toml'])).toMatchObject({ code: 1 })
    expect(await config(folder, ['check', '--file', 'a.toml'], {}, ['--config', 'b.toml'])).toMatchObject({ code: 0 })
  })

  test('fails for a file that is not there', async () => {
    expect(await config(temporaryFolder(), ['check', '--file', 'no.toml'])).toEqual({
      out: '',
      err: 'no.toml: there is no such file\n',
      code: 1,
    })
  })
})

describe('show', () => {
  const TOML = '[node]\nid = 4\n[[route]]\ndomain = "*"\nto = "smtps://mx.example"\nuser = "u"\npassword = "hunter2"'

  test('tells value and origin, and no secret', async () => {
    const folder = temporaryFolder()
    folder.write('a.toml', TOML)
    const { out, code } = await config(folder, ['show', '--file', 'a.toml'], { STUDS__DELIVERY__CONNECTIONS: '20' })
    expect(out).toMatch(/^node\.id = 4 +# line 2$/m)
    expect(out).toMatch(/^delivery\.connections = 20 +# \$STUDS__DELIVERY__CONNECTIONS$/m)
    expect(out).toMatch(/^delivery\.connect_timeout = "30s" +# default$/m)
    expect(out).toMatch(/^route\.\*\.password = "\*\*\*" +# line 7$/m)
    expect(out).not.toContain('hunter2')
    expect(code).toBe(0)
  })

  test('as JSON lines', async () => {
    const folder = temporaryFolder()
    folder.write('a.toml', TOML)
    const { out } = await config(folder, ['show', '--file', 'a.toml', '--json'])
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows).toContainEqual({ key: 'node.id', value: 4, origin: { kind: 'file', line: 2 } })
    expect(rows).toContainEqual({ key: 'queue.lifetime', value: '72h', origin: { kind: 'default' } })
    expect(rows).toContainEqual({ key: 'route.*.password', value: '***', origin: { kind: 'file', line: 7 } })
    expect(out).not.toContain('hunter2')
  })

  test('of a file that is wrong is a usage error', async () => {
    const folder = temporaryFolder()
    folder.write('a.toml', 'nod = 1')
    expect(await config(folder, ['show', '--file', 'a.toml'])).toMatchObject({ out: '', code: 2 })
  })
})

describe('describe', () => {
  test.each([
    [[], '[delivery]'],
    [['delivery.mode'], 'STUDS__DELIVERY__MODE'],
    [['--markdown'], '# Configuration'],
  ])('%j', async (words, text) => {
    const { out, code } = await config(temporaryFolder(), ['describe', ...words])
    expect(out).toContain(text)
    expect(code).toBe(0)
  })

  test('--toml prints a configuration that passes the check', async () => {
    const folder = temporaryFolder()
    const { out } = await config(folder, ['describe', '--toml'])
    expect(out).toBe(tomlReference())
    folder.write('studs.toml', out)
    expect(await config(folder, ['check', '--file', 'studs.toml'])).toMatchObject({ err: '', code: 0 })
  })

  test('an unknown section is not found', async () => {
    expect(await config(temporaryFolder(), ['describe', 'delivry'])).toEqual({
      out: '',
      err: 'There is no section or option "delivry"; did you mean "delivery"?\n',
      code: 3,
    })
  })
})
