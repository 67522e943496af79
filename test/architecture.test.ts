// The house rules that imports can break: arrows only go down the floors, and every library has its own door.
// docs/architecture.md draws the same picture.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const SRC = new URL('../src', import.meta.url).pathname

/** Top to bottom. A file may import from its own folder and from the floors below. */
const FLOORS = [
  'main',
  'cli',
  'relay',
  'sandbox',
  'http',
  'inbound',
  'reports',
  'tls-report',
  'metrics',
  'dispatch',
  'queue',
  'dsn',
  'health',
  'sources',
  'throttle',
  'journal',
  'delivery',
  'pacing',
  'shaping',
  'suppression',
  'bounce',
  'identity',
  'sign',
  'observe',
  'config',
  'store',
  'mail',
  'util',
  'version',
]

/** Who may import what; a pattern ending in / is a folder. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  'smtp-server': ['inbound/'],
  nodemailer: ['dsn/dsn.ts', 'cli/demo'],
  'p-queue': ['delivery/paths.ts'],
  lmdb: ['store/'],
  pino: ['observe/'],
  'pino-pretty': ['observe/'],
  'dns-packet': ['delivery/', 'sandbox/', 'identity/validation.ts'],
  'smol-toml': ['config/', 'bounce/rule-file.ts'],
  zod: ['config/', 'http/', 'bounce/rule-file.ts', 'shaping/'],
  hono: ['http/'],
  '@hono/node-server': ['http/'],
  '@prometheus-io/client': ['metrics/'],
  commander: ['cli/'],
  imapflow: ['inbound/mailbox'],
  mailauth: ['reports/', 'identity/spf-verdict.ts', 'delivery/mta-sts'],
  'csv-parse': ['suppression/'],
  'csv-stringify': ['suppression/'],
}

/** Global doors: what only one file may say at all. */
const SAYINGS: readonly { readonly what: RegExp; readonly where: readonly string[] }[] = [
  { what: /\bprocess\.env\b/, where: ['config/load.ts'] },
  { what: /\bprocess\.(?:on|exit|exitCode)\b/, where: ['main.ts'] },
  { what: /\bDate\.now\(|(?<![.\w])set(?:Timeout|Interval)\(/, where: ['util/clock.ts'] },
]

interface Import {
  readonly file: string
  readonly target: string
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
)
const sourceOf = (file: string): string => readFileSync(join(SRC, file), 'utf8')
const codeOf = (file: string): string => sourceOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')

const imports: readonly Import[] = files.flatMap((file) =>
  [
    ...sourceOf(file).matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm),
  ].map((match) => ({
    file,
    target: match[1] ?? match[2] ?? '',
  })),
)

const floorOf = (file: string): number =>
  FLOORS.indexOf(file.includes('/') ? (file.split('/')[0] ?? '') : file.replace(/\.ts$/, ''))

test('there is something to look at', () => {
  expect(files.length).toBeGreaterThan(50)
  expect(imports.length).toBeGreaterThan(200)
})

test('every file stands on a floor', () => {
  expect(files.filter((file) => floorOf(file) === -1)).toEqual([])
})

test('imports between folders only go down', () => {
  const up = imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ file, target }) => ({ file, target: relative(SRC, join(SRC, dirname(file), target)) }))
    .filter(({ file, target }) => floorOf(target) < floorOf(file))
  expect(up).toEqual([])
})

test('every library is imported through its own door', () => {
  const foreign = imports
    .filter(({ target }) => !target.startsWith('.') && !target.startsWith('node:'))
    .filter(({ file, target }) => {
      const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? '')
      return !(DOORS[name] ?? []).some((door) => file.startsWith(door))
    })
  expect(foreign).toEqual([])
})

test.each(SAYINGS)('$what is said in $where only', ({ what, where }) => {
  expect(files.filter((file) => !where.includes(file) && what.test(codeOf(file)))).toEqual([])
})

test('no folder reaches around another: no circles between files', () => {
  const graph = new Map(files.map((file) => [file, [] as string[]]))
  for (const { file, target } of imports) {
    if (target.startsWith('.')) graph.get(file)?.push(relative(SRC, join(SRC, dirname(file), target)))
  }
  expect(findCircle(graph)).toEqual([])
})

function findCircle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] => {
    const start = path.indexOf(file)
    if (start !== -1) return [...path.slice(start), file]
    if (done.has(file)) return []
    path.push(file)
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next)
      if (circle.length > 0) return circle
    }
    path.pop()
    done.add(file)
    return []
  }
  for (const file of graph.keys()) {
    const circle = visit(file)
    if (circle.length > 0) return circle
  }
  return []
}
