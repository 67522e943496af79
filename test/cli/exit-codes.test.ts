// The exit codes of docs/operations.md, held against every command there is: a running relay, a stopped one, none at all.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildProgram } from '../../src/cli/program.ts'
import { type Fixture, openFixture, type Served, serveFixture } from '../http/fixture.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { runCli } from './run-cli.ts'

const NO_ID = '0000000000000'
const WHY = ['--reason', 'why']

interface Row {
  readonly command: string
  /** Words that make no sense, whatever the relay holds: 2. */
  readonly bad: readonly string[]
  /** Names what nobody has: 3. Absent: the command names nothing. */
  readonly missing?: readonly string[]
  /** Words that are right; they are given where the relay does not answer. */
  readonly right?: readonly string[]
  /** On a stopped relay with a store, with the words that are right. */
  readonly stopped?: number
  /** What it exits with when no relay answers at --endpoint; absent: it asks no relay. */
  readonly down?: number
}

const OPTION = ['--nonsense']
const ROWS: readonly Row[] = [
  { command: 'status', bad: OPTION, right: [], stopped: 0, down: 4 },
  { command: 'healthcheck', bad: OPTION, right: [], stopped: 1, down: 1 },
  { command: 'reload', bad: OPTION, right: [], stopped: 4, down: 4 },
  { command: 'top', bad: ['--interval', 'x'], right: [], stopped: 0, down: 4 },
  { command: 'message', bad: [], missing: [NO_ID], right: [NO_ID], stopped: 3, down: 4 },
  { command: 'queue list', bad: ['--limit', 'x'], missing: ['--tenant', 'nobody'], right: [], stopped: 0, down: 4 },
  { command: 'queue show', bad: [], missing: [NO_ID], right: [NO_ID], stopped: 3, down: 4 },
  { command: 'queue summary', bad: ['--by', 'x'], right: [], stopped: 0, down: 4 },
  ...['retry', 'hold', 'release', 'drop', 'bounce'].map((action) => ({
    command: `queue ${action}`,
    bad: [],
    missing: ['nonsense'],
    right: [NO_ID],
    stopped: 3,
    down: 4,
  })),
  {
    command: 'resolve',
    bad: ['not_a/domain'],
    missing: ['example.net', '--source', 'nobody'],
    right: ['example.net'],
    stopped: 4,
    down: 4,
  },
  { command: 'explain', bad: ['not_a/domain'], missing: [NO_ID], right: ['example.net'], stopped: 4, down: 4 },
  { command: 'health', bad: ['--window', 'x'], missing: ['--source', 'nobody'], right: [], stopped: 0, down: 4 },
  { command: 'health alerts', bad: OPTION, right: [], stopped: 0, down: 4 },
  {
    command: 'suspend add',
    bad: ['source', 'default', '--for', 'x', ...WHY],
    missing: ['source', 'nobody', '--for', '1h', ...WHY],
    right: ['source', 'default', '--for', '1h', ...WHY],
    stopped: 0,
    down: 4,
  },
  {
    command: 'suspend rm',
    bad: ['planet', 'x', ...WHY],
    missing: ['source', 'nobody', ...WHY],
    right: ['tenant', 'default', ...WHY],
    stopped: 3,
    down: 4,
  },
  { command: 'suspend list', bad: OPTION, right: [], stopped: 0, down: 4 },
  { command: 'source list', bad: OPTION, right: [], stopped: 0, down: 4 },
  // The source has no plan: it was understood, and cannot be done.
  { command: 'source warm-up', bad: [], missing: ['nobody'], right: ['default'], stopped: 1, down: 4 },
  {
    command: 'source drain',
    bad: ['default'],
    missing: ['nobody', ...WHY],
    right: ['default', ...WHY],
    stopped: 0,
    down: 4,
  },
  {
    command: 'source undrain',
    bad: ['default'],
    missing: ['nobody', ...WHY],
    right: ['nobody', ...WHY],
    stopped: 3,
    down: 4,
  },
  {
    command: 'suppress add',
    bad: ['no address'],
    missing: ['a@example.net', '--tenant', 'nobody'],
    right: ['a@example.net'],
    stopped: 0,
    down: 4,
  },
  {
    command: 'suppress rm',
    bad: ['no address'],
    missing: ['b@example.net'],
    right: ['b@example.net'],
    stopped: 3,
    down: 4,
  },
  {
    command: 'suppress check',
    bad: ['a@example.net', '--everybody'],
    missing: ['a@example.net', '--tenant', 'nobody'],
    right: ['a@example.net'],
    stopped: 0,
    down: 4,
  },
  { command: 'suppress list', bad: ['--since', 'x'], missing: ['--tenant', 'nobody'], right: [], stopped: 0, down: 4 },
  {
    command: 'suppress why',
    bad: ['no address'],
    missing: ['a@example.net', '--tenant', 'nobody'],
    right: ['a@example.net'],
    stopped: 0,
    down: 4,
  },
  { command: 'suppress import', bad: [], missing: ['no-such-file'], right: ['-'], stopped: 0, down: 4 },
  {
    command: 'suppress export',
    bad: ['--format', 'x'],
    missing: ['--tenant', 'nobody'],
    right: [],
    stopped: 0,
    down: 4,
  },
  {
    command: 'suppress undo',
    bad: [],
    missing: ['--rule', 'x', '--tenant', 'nobody'],
    right: ['--rule', 'x'],
    stopped: 0,
    down: 4,
  },
  { command: 'bounce list', bad: ['--outcome', 'x'], missing: ['--tenant', 'nobody'], right: [], stopped: 0, down: 4 },
  { command: 'bounce show', bad: [], missing: [NO_ID], right: [NO_ID], stopped: 3, down: 4 },
  { command: 'bounce raw', bad: [], missing: [NO_ID], right: [NO_ID], stopped: 3, down: 4 },
  { command: 'bounce ingest', bad: [], missing: ['no-such-file'], right: ['-'], stopped: 0, down: 4 },
  { command: 'bounce review list', bad: ['--limit', 'x'], right: [], stopped: 0, down: 4 },
  { command: 'bounce review accept', bad: [], missing: [NO_ID], right: [NO_ID], stopped: 3, down: 4 },
  { command: 'bounce review dismiss', bad: [], missing: [NO_ID], right: [NO_ID], stopped: 3, down: 4 },
  { command: 'bounce classify', bad: [] },
  { command: 'bounce explain', bad: OPTION, missing: ['nonsense'] },
  { command: 'bounce parse', bad: [], missing: ['no-such-file'] },
  { command: 'bounce test-rules', bad: [], missing: ['no-such-file'] },
  { command: 'bounce unknown', bad: ['--since', 'x'], right: [], stopped: 0, down: 4 },
  { command: 'backup', bad: [], right: ['%copy'], stopped: 0, down: 4 },
  { command: 'store verify', bad: OPTION, missing: ['no-such-directory'], right: [], stopped: 0 },
  { command: 'credential hash', bad: ['secret'] },
  { command: 'doctor', bad: OPTION, missing: ['--last'], right: ['--last'], stopped: 3, down: 4 },
  { command: 'dns records', bad: ['example.com', '--format', 'x'], missing: ['example.net'] },
  { command: 'dns check', bad: OPTION, missing: ['example.net'] },
  { command: 'dkim gen', bad: ['not_a/domain'], missing: ['example.net'] },
  { command: 'dkim list', bad: OPTION, missing: ['example.net'] },
  { command: 'dkim txt', bad: [], missing: ['example.net'] },
  { command: 'dkim rotate', bad: [], missing: ['example.net'] },
  { command: 'config check', bad: OPTION },
  { command: 'config show', bad: OPTION },
  { command: 'config describe', bad: OPTION, missing: ['nonsense'] },
  { command: 'sandbox', bad: ['--report-to', 'x'] },
  { command: 'sandbox behaviours', bad: OPTION },
  { command: 'sandbox inbox', bad: ['x'], missing: ['99'], right: [], stopped: 4, down: 4 },
  { command: 'demo', bad: OPTION },
  { command: 'serve', bad: OPTION },
  { command: 'version', bad: OPTION },
]

const MAIL = 'From: mailer-daemon@example.net\r\nSubject: x\r\n\r\nhello\r\n'

let directory: string
let running: Served
let stopped: Fixture
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'studs-exit-'))
  running = await serveFixture({
    inbox: () => [],
    delivery: {
      resolve: async () => ({
        kind: 'site',
        domain: 'example.net' as never,
        site: 'mx.example.net',
        routed: false,
        hosts: [],
        port: 25,
        paths: [],
      }),
      sourceOf: () => undefined,
      paths: async () => [],
    },
  })
  stopped = await openFixture()
  await stopped.store.close()
})
afterAll(async () => {
  await running.close()
  await stopped.close()
  await rm(directory, { recursive: true })
})

interface Given {
  readonly configFile: string
  readonly endpoint?: string
}

async function studs(command: string, words: readonly string[], { configFile, endpoint }: Given) {
  const all = words.map((word) =>
    word === '%copy' ? join(directory, `copy-${endpoint ?? ''}`.replaceAll('/', '_')) : word,
  )
  return runCli([...(endpoint === undefined ? [] : ['--endpoint', endpoint]), ...command.split(' '), ...all], {
    clock: new FakeClock(),
    configFile,
    input: command === 'suppress import' ? 'email\njane@example.net\n' : command === 'bounce ingest' ? MAIL : '',
  })
}

test('the table has every command', () => {
  const io = { out: () => undefined, err: () => undefined, width: 80, color: false }
  const parts = { version: '1', serve: async () => undefined, startRelay: () => Promise.reject(new Error('none here')) }
  const leaves = (command: Command, path: readonly string[]): string[] => [
    ...(command.commands.length === 0 || hasAction(command) ? [path.join(' ')] : []),
    ...command.commands.flatMap((child) => leaves(child, [...path, child.name()])),
  ]
  const found = leaves(buildProgram(io as never, parts), []).sort()
  expect(ROWS.map(({ command }) => command).sort()).toEqual(found)
})

/** Nouns that do something by themselves. */
function hasAction(command: Command): boolean {
  return ['health', 'sandbox'].includes(command.name())
}

describe('2: words that make no sense', () => {
  test.each(ROWS)('$command $bad', async ({ command, bad }) => {
    const { code, err } = await studs(command, bad, running)
    expect(err).toMatch(/^error: ./)
    expect(code).toBe(2)
  })

  test.each(ROWS.filter(({ down }) => down !== undefined))('$command, and the configuration is broken', async (row) => {
    const { code } = await studs(row.command, row.right ?? [], { configFile: join(directory, 'no-such.toml') })
    expect(code).toBe(row.command === 'healthcheck' ? 1 : 2)
  })
})

describe('3: what nobody has', () => {
  test.each(ROWS.filter(({ missing }) => missing !== undefined))('$command $missing', async ({ command, missing }) => {
    const { code, err, out } = await studs(command, missing ?? [], running)
    expect(err).toMatch(/^(?:error: |There is no )./)
    expect({ code, out }).toEqual({ code: 3, out: '' })
  })
})

describe('4: the relay does not answer', () => {
  test.each(ROWS.filter(({ down }) => down !== undefined))('$command: $down', async ({ command, right, down }) => {
    const { code, err } = await studs(command, right ?? [], { ...stopped, endpoint: join(directory, 'nobody.sock') })
    expect(err).toMatch(/^error: The relay does not answer/)
    expect(code).toBe(down)
  })

  test.each(ROWS.filter(({ stopped: code }) => code !== undefined))(
    '$command on the store of a stopped relay: $stopped',
    async ({ command, right, stopped: expected }) => {
      const { code, err } = await studs(command, right ?? [], stopped)
      expect({ code, err }).toEqual({ code: expected, err: expected === 0 ? err : expect.stringMatching(/error: ./) })
      if (expected === 4) expect(err).toContain('The relay is not running')
    },
  )
})
