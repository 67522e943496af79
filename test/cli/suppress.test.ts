import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { refusal, type Served, serveFixture } from '../http/fixture.ts'
import { type CliOptions, type CliResult, runCli } from './run-cli.ts'

let relay: Served
beforeEach(async () => {
  relay = await serveFixture()
})
afterEach(() => relay.close())

const run = (words: string[], more: Partial<CliOptions> = {}): Promise<CliResult> =>
  runCli(words, { clock: relay.clock, configFile: relay.configFile, width: 90, ...more })
const suppress = (...words: string[]): Promise<CliResult> => run(['suppress', ...words])

/** The import waits for turns of the event loop by the clock; the clock of these tests must be moved for that. */
async function moved<T>(work: Promise<T>): Promise<T> {
  let isOver = false
  const over = work.finally(() => {
    isOver = true
  })
  while (!isOver) await relay.clock.advance(0)
  return over
}

describe('studs suppress', () => {
  test('add, again, list, check, rm', async () => {
    expect(await suppress('add', 'Jane@Example.net', '--note', 'asked by phone')).toEqual({
      code: 0,
      out: 'jane@example.net is suppressed for the tenant default.\n',
      err: '',
    })
    expect((await suppress('add', 'jane@example.net', '--reason', 'complaint')).out).toBe(
      'jane@example.net was suppressed already for the tenant default (manual, 2026-11-21).\n',
    )
    expect((await suppress('add', '@example.org', '--everybody', '--expires', '30d')).out).toBe(
      '@example.org is suppressed for everybody until 2026-12-21.\n',
    )
    expect((await suppress('list')).out).toMatch(
      /^ADDRESS +FOR +REASON +SINCE +UNTIL +BECAUSE\n@example\.org +everybody +manual +2026-11-21 +2026-12-21 +cli:.*\njane@example\.net +default +manual +2026-11-21 +for good +asked by phone \(cli:.*\)\n$/,
    )
    expect((await suppress('check', 'JANE@example.net', 'x@example.org', 'bob@example.net', 'nonsense')).out).toBe(`\
ADDRESS           RESULT      FOR        REASON  SINCE
JANE@example.net  suppressed  default    manual  2026-11-21
x@example.org     suppressed  everybody  manual  2026-11-21
bob@example.net   clear
nonsense          invalid
`)
    expect((await suppress('rm', 'jane@example.net')).out).toBe(
      'jane@example.net may be mailed again for the tenant default.\n',
    )
    expect(await suppress('rm', 'jane@example.net')).toEqual({
      code: 3,
      out: '',
      err: 'error: jane@example.net is not suppressed for any tenant.\n',
    })
  })

  test('belongs to a tenant', async () => {
    await suppress('add', 'jane@example.net', '--tenant', 'shop')
    expect((await suppress('check', 'jane@example.net', '--tenant', 'default', '--json')).out).toContain(
      '"result":"clear"',
    )
    expect((await suppress('check', 'jane@example.net', '--tenant', 'shop', '--json')).out).toContain(
      '"result":"suppressed"',
    )
    expect(await suppress('add', 'jane@example.net', '--tenant', 'shpo')).toMatchObject({
      code: 3,
      err: 'error: There is no tenant shpo; did you mean shop?\n',
    })
    expect((await suppress('check', 'jane@example.net', '--everybody')).code).toBe(2)
    expect((await suppress('list', '--tenant', 'shop', '--everybody')).code).toBe(2)
  })

  test('without --tenant all tenants are looked at, and the answer names them', async () => {
    await suppress('add', 'jane@example.net', '--tenant', 'shop')
    expect((await suppress('check', 'jane@example.net')).out).toMatch(/suppressed +shop +manual/)
    expect((await suppress('why', 'jane@example.net')).out).toMatch(
      /^jane@example\.net is suppressed \(manual\) for the tenant shop\.\n/,
    )
    expect((await suppress('why', 'jane@example.net', '--tenant', 'default')).out).toBe(
      'jane@example.net is not suppressed for the tenant default.\n',
    )
    expect((await suppress('rm', 'jane@example.net')).out).toBe(
      'jane@example.net may be mailed again for the tenant shop.\n',
    )
    await suppress('add', 'jane@example.net', '--tenant', 'shop')
    await suppress('add', 'jane@example.net')
    expect(
      (await suppress('why', 'jane@example.net')).out.match(/is suppressed \(manual\) for the tenant \w+/g),
    ).toEqual(['is suppressed (manual) for the tenant default', 'is suppressed (manual) for the tenant shop'])
    expect((await suppress('check', 'jane@example.net')).out).toContain('default, shop')
    expect(await suppress('rm', 'jane@example.net')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/suppressed for several: default, shop\. .*--tenant/s),
    })
    expect((await suppress('rm', 'jane@example.net', '--tenant', 'default')).code).toBe(0)
    expect((await suppress('check', 'jane@example.net')).out).toMatch(/suppressed +shop /)
    await suppress('add', 'bob@example.net', '--everybody')
    expect((await suppress('why', 'bob@example.net')).out).toMatch(
      /^bob@example\.net is suppressed \(manual\) for everybody/,
    )
  })

  test.each([
    [['check', 'jane@example.net']],
    [['why', 'jane@example.net']],
    [['rm', 'jane@example.net']],
    [['list']],
    [['undo', '--since', '1h']],
  ])('%j of a tenant that there is not is an error', async (words) => {
    expect(await suppress(...words, '--tenant', 'shpo')).toMatchObject({
      code: 3,
      out: '',
      err: 'error: There is no tenant shpo; did you mean shop?\n',
    })
  })

  test('why tells of what was removed by hand and taken back', async () => {
    const { flights } = await relay.accept({ to: ['jane@example.net'] })
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user'))
    await suppress('undo', '--since', '1h', '--yes', '--reason', 'their outage')
    await suppress('add', 'jane@example.net', '--note', 'asked by phone')
    await suppress('rm', 'jane@example.net', '--reason', 'asked again')
    const { out } = await suppress('why', 'jane@example.net')
    expect(out).toMatch(/^jane@example\.net is not suppressed for the tenant default\.\n/)
    expect(out).toMatch(
      /by cli:\S+ +suppression-removed for the tenant default: taken\s+back: their\s+outage\n.*suppression-added.*suppression-removed.*asked\s+again/s,
    )
    expect(await suppress('undo', '--since', '1h')).toEqual({
      code: 0,
      out: 'Nothing that Studs learned fits.\n',
      err: '',
    })
  })

  test('who complained goes only by force', async () => {
    await suppress('add', 'jane@example.net', '--reason', 'complaint')
    expect(await suppress('rm', 'jane@example.net')).toMatchObject({
      code: 1,
      err: expect.stringContaining('needs force and a reason (--force --reason WHY)'),
    })
    expect(await suppress('rm', 'jane@example.net', '--force')).toMatchObject({
      code: 2,
      err: expect.stringContaining('needs a --reason'),
    })
    expect((await suppress('rm', 'jane@example.net', '--force', '--reason', 'she wrote to us')).code).toBe(0)
  })

  test('check reads addresses from standard input', async () => {
    const { out } = await run(['suppress', 'check', '--json'], { input: 'jane@example.net\r\n\n  bob@example.net\n' })
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).address),
    ).toEqual(['jane@example.net', 'bob@example.net'])
    expect((await run(['suppress', 'check'], { input: '\n' })).code).toBe(2)
  })

  test('why tells the evidence', async () => {
    const { id, flights } = await relay.accept({ to: ['jane@example.net'] })
    await relay.settle(flights[0], refusal(550, '5.1.1 No such user'))
    const { out } = await suppress('why', 'jane@example.net')
    // The version of a rule goes up whenever it learns something.
    expect(out.replace(/@\d+$/m, '@N')).toBe(`\
jane@example.net is suppressed (hard_bounce) for the tenant default.

jane@example.net for default: hard_bounce, since 2026-11-21 23:20:11 UTC, for good, by
    studs
  550 5.1.1 No such user
  → bad-mailbox (10) by mailbox-unknown@N
  said by mx1.example.net, source default, message ${id}

What happened last:
  2026-11-21 23:20:11  ${id}.0  accepted
  2026-11-21 23:20:11  ${id}.0  failed  550 5.1.1 No such user  → bad-mailbox
  2026-11-21 23:20:11  ${id}.0  suppression-added  → bad-mailbox
`)
    expect((await suppress('why', 'bob@example.net')).out).toBe('bob@example.net is not suppressed for any tenant.\n')
    expect((await suppress('why', 'nonsense')).code).toBe(2)
  })

  test('import looks first and changes nothing without --yes', async () => {
    const file = join(relay.directory, 'old.csv')
    await writeFile(
      file,
      'status,reason,email,created\n5.1.1,550 5.1.1 no such user,jane@example.net,1735787045\n5.1.1,x,nonsense,1735787045\n',
    )
    const look = await moved(suppress('import', file))
    expect(look).toMatchObject({ code: 0, err: 'Nothing was changed yet. Add --yes to import.\n' })
    expect(look.out).toMatch(
      /^A look at the list \(\w+\) for the tenant default:\n +1 to change\n +1 not readable\n {2}line 3: not a mail address: nonsense\n$/,
    )
    expect((await suppress('list')).out).toBe('Nobody.\n')
    expect((await moved(suppress('import', file, '--yes'))).out).toMatch(/^Done with the list/)
    expect((await suppress('list', '--json')).out).toContain('"who":"import:old.csv"')
    expect((await moved(suppress('import', file, '--yes', '--delete'))).out).toMatch(/ 1 changed\n/)
    expect((await suppress('list')).out).toBe('Nobody.\n')
  })

  test('import of a file that is not there fails before the relay is asked anything', async () => {
    expect(await suppress('import', '/nonexistent/list.csv')).toMatchObject({
      code: 3,
      err: expect.stringContaining('no such file'),
    })
  })

  test('export', async () => {
    await suppress('add', 'jane@example.net')
    await suppress('add', 'bob@example.net', '--tenant', 'shop')
    const { out } = await suppress('export')
    expect(out.split('\r\n')).toHaveLength(4)
    expect((await suppress('export', '--tenant', 'shop', '--format', 'ses')).out).toBe('bob@example.net,BOUNCE\n')
    expect((await suppress('export', '--format', 'xls')).code).toBe(2)
  })

  test.each([
    [['add']],
    [['add', 'nonsense']],
    [['add', 'jane@example.net', '--reason', 'because']],
    [['add', 'jane@example.net', '--expires', 'soon']],
    [['rm', 'nonsense']],
    [[]],
  ])('suppress %j is a usage error', async (words) => {
    expect((await suppress(...words)).code).toBe(2)
  })
})
