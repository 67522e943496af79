// From file and environment to settings: raw TOML, overrides, secret files, schema, cross checks; in this order, and with
// everything that is wrong reported at once. The only file that looks at process.env.

import { existsSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { check, type Finding } from './check.ts'
import { type Document, emptyDocument, fillDefaults, type Origin, originOf, placeOf, readDocument } from './document.ts'
import { problemsOf } from './issue.ts'
import { applyOverrides, type Environment } from './override.ts'
import { ConfigError, type Place, type Problem } from './problem.ts'
import { type Settings, schema } from './schema.ts'
import { readSecretFiles } from './secret.ts'
import { isTable, type Path, root } from './shape.ts'

export { ConfigError, formatProblem, type Place, type Problem } from './problem.ts'

export interface LoadedSettings {
  readonly settings: Settings
  /** Absolute name of the file; undefined when there is none and the defaults hold. */
  readonly file: string | undefined
  /** Base of every relative path. */
  readonly directory: string
  /** What is allowed but probably not meant. */
  readonly warnings: readonly Problem[]
  /** The effective options as they would stand in a file: snake_case, units for people, secrets in clear. */
  readonly tree: Readonly<Record<string, unknown>>
  /** Where the value at a path of `tree` came from. */
  origin(path: Path): Origin
  /** Where to look for the cause of a problem at a path. */
  place(path: Path): Place
}

export interface LoadOptions {
  /** A file that must exist. Default: $STUDS_CONFIG, ./config/studs.toml, /etc/studs/studs.toml, or none. */
  readonly file?: string | undefined
  readonly env: Environment
  /** Default: the working directory of the process. */
  readonly cwd?: string
}

const SYSTEM_FILE = '/etc/studs/studs.toml'

/** The environment of this process. Everything that wants a variable gets it from here. */
export function environment(): Environment {
  return process.env
}

/** Throws a ConfigError with every problem found. Reads the files named, and nothing else. */
export function loadSettings({ file, env, cwd = process.cwd() }: LoadOptions): LoadedSettings {
  const found = findFile({ file, env, cwd })
  const document = found === undefined ? emptyDocument() : readDocument(found, shownName(found, cwd))
  const directory = baseDirectory(found, cwd)
  const problems = [
    ...applyOverrides(document, env),
    ...readSecretFiles(document, { directory, credentialsDirectory: env.CREDENTIALS_DIRECTORY }),
  ].map((problem) => placed(document, problem))
  const tree = absolutePaths(withDefaultTenant(fillDefaults(root, document.tree)), directory)
  const parsed = schema.safeParse(tree)
  if (!parsed.success) {
    const issues = parsed.error.issues.flatMap((issue) => problemsOf(issue, valueAt(tree, issue.path.map(String))))
    problems.push(...issues.map((problem) => placed(document, problem)))
  }
  const place = (path: Path): Place => placeOf(document, path)
  const settings = parsed.success ? settingsOf(tree) : settingsWithout(tree, problems)
  const findings = settings === undefined ? [] : check(settings)
  const errors = findings
    .filter(({ severity, path }) => severity === 'error' && !isTouched(path, problems))
    .map((finding) => placed(document, finding))
  const all = [...problems, ...errors]
  if (all.length > 0 || settings === undefined)
    throw new ConfigError(inOrder(all), settings === undefined ? undefined : { settings, place })
  const warnings = inOrder(findings.map((finding) => placed(document, finding)))
  return { settings, file: found, directory, warnings, tree, origin: (path) => originOf(document, path), place }
}

/** What is left when everything wrong is left out; undefined when that is no configuration. Only to find more problems. */
function settingsWithout(tree: Readonly<Record<string, unknown>>, problems: readonly Problem[]): Settings | undefined {
  const rest = problems.reduce<unknown>((left, { path }) => withoutValueAt(left, path.split('.')), tree)
  const parsed = schema.safeParse(isTable(rest) ? fillDefaults(root, rest) : rest)
  return parsed.success ? (camelKeys(parsed.data) as Settings) : undefined
}

/** Copied along the path only: garbage may be nested deeper than the stack. */
function withoutValueAt(tree: unknown, [key = '', ...below]: Path): unknown {
  if (Array.isArray(tree))
    return tree.map((entry: unknown, at) =>
      String(at) === key && below.length > 0 ? withoutValueAt(entry, below) : entry,
    )
  if (!isTable(tree) || !Object.hasOwn(tree, key)) return tree
  if (below.length > 0) return { ...tree, [key]: withoutValueAt(tree[key], below) }
  const { [key]: _, ...rest } = tree
  return rest
}

/** In the same table or entry something is wrong already: what else is found there may only follow from that. */
function isTouched(path: string, problems: readonly Problem[]): boolean {
  const tableOf = (dotted: string): string => /^[^.]+(?:\.\d+)?/.exec(dotted)?.[0] ?? ''
  return problems.some((problem) => tableOf(problem.path) === tableOf(path))
}

/** The settings of a tree that the schema takes; throws when it does not. */
export function settingsOf(tree: Readonly<Record<string, unknown>>): Settings {
  return camelKeys(schema.parse(tree)) as Settings
}

function findFile({ file, env, cwd }: { file: string | undefined; env: Environment; cwd: string }): string | undefined {
  const named = file ?? env.STUDS_CONFIG
  if (named !== undefined && named !== '') return resolve(cwd, named)
  return [join(cwd, 'config', 'studs.toml'), SYSTEM_FILE].find((candidate) => existsSync(candidate))
}

/** The folder of the file. Where that is called `config`, its parent: config/, certs/ and data/ lie side by side. */
function baseDirectory(file: string | undefined, cwd: string): string {
  if (file === undefined) return cwd
  const folder = dirname(file)
  return basename(folder) === 'config' ? dirname(folder) : folder
}

function shownName(file: string, cwd: string): string {
  const name = relative(cwd, file)
  return name.startsWith('..') || isAbsolute(name) ? file : name
}

// There is always a tenant "default": the trusted networks and everything that names none belong to it.
function withDefaultTenant(tree: Record<string, unknown>): Record<string, unknown> {
  const { tenant } = tree
  if (!Array.isArray(tenant) || tenant.some((entry) => isTable(entry) && entry.name === 'default')) return tree
  const fallback = fillDefaults(root, { tenant: [{ name: 'default' }] }).tenant
  return { ...tree, tenant: [...tenant, ...(Array.isArray(fallback) ? fallback : [])] }
}

// Twins of secrets are made absolute where they are read; certificate and key are relative to tls.directory.
function absolutePaths(tree: Record<string, unknown>, directory: string): Record<string, unknown> {
  const data = withPath(tree.data, 'directory', directory)
  const dataDirectory = isTable(data) && typeof data.directory === 'string' ? data.directory : directory
  return {
    ...tree,
    data,
    tls: withPath(tree.tls, 'directory', directory),
    bounce: withPath(tree.bounce, 'rules', directory),
    delivery: withPath(tree.delivery, 'shaping', directory),
    api: withPath(tree.api, 'socket', dataDirectory),
    domain: mapEntries(tree.domain, (entry) => ({
      ...entry,
      dkim: mapEntries(entry.dkim, (key) => withPath(key, 'key_file', directory)),
    })),
  }
}

function withPath<T>(table: T, key: string, base: string): T | Record<string, unknown> {
  if (!isTable(table)) return table
  const path = table[key]
  return typeof path === 'string' && path !== '' ? { ...table, [key]: resolve(base, path) } : table
}

function mapEntries(entries: unknown, change: (entry: Record<string, unknown>) => unknown): unknown {
  return Array.isArray(entries) ? entries.map((entry: unknown) => (isTable(entry) ? change(entry) : entry)) : entries
}

function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)]
    return isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }, tree)
}

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (!isTable(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [camelCase(key), camelKeys(item)]))
}

function camelCase(key: string): string {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

function placed(
  document: Document,
  { severity: _, ...problem }: Problem & Partial<Pick<Finding, 'severity'>>,
): Problem {
  return problem.variable === undefined ? { ...problem, ...placeOf(document, problem.path.split('.')) } : problem
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
}
