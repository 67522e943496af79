// The `*_file` twins of secrets: `password_file` names a file whose content stands in for `password`, so that secrets
// need not lie in the configuration (Docker and Kubernetes secrets, systemd LoadCredential=).

import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { type Document, readFailure } from './document.ts'
import type { Problem } from './problem.ts'
import { isTable, type Path, root, type TableNode } from './shape.ts'

export interface SecretPlaces {
  /** Base of relative names. */
  readonly directory: string
  /** $CREDENTIALS_DIRECTORY of systemd; relative names that exist there win. */
  readonly credentialsDirectory: string | undefined
}

/** Reads every twin in `document` and writes its content beside it; returns what is wrong. */
export function readSecretFiles(document: Document, places: SecretPlaces): Problem[] {
  return visit({ table: root, tree: document.tree, path: [], places, document })
}

interface Visit {
  readonly table: TableNode
  readonly tree: Record<string, unknown>
  readonly path: Path
  readonly places: SecretPlaces
  readonly document: Document
}

function visit({ table, tree, path, ...rest }: Visit): Problem[] {
  const problems: Problem[] = []
  for (const { key, node } of table.fields.values()) {
    const value = Object.hasOwn(tree, key) ? tree[key] : undefined
    const below = [...path, key]
    if (node.kind === 'table' && isTable(value))
      problems.push(...visit({ table: node, tree: value, path: below, ...rest }))
    if (node.kind === 'tables' && Array.isArray(value)) {
      for (const [index, entry] of value.entries()) {
        if (isTable(entry))
          problems.push(...visit({ table: node.item, tree: entry, path: [...below, String(index)], ...rest }))
      }
    }
    if (table.fields.has(`${key}_file`)) problems.push(...readTwin({ tree, path, ...rest }, key))
  }
  return problems
}

function readTwin({ tree, path, places, document }: Omit<Visit, 'table'>, key: string): Problem[] {
  const twin = `${key}_file`
  const name = Object.hasOwn(tree, twin) ? tree[twin] : undefined
  if (typeof name !== 'string' || name === '') return []
  const at = [...path, twin].join('.')
  if (Object.hasOwn(tree, key))
    return [{ path: at, message: `both ${key} and ${twin} are given`, cure: 'keep one of them' }]
  const file = placeOfSecret(name, places)
  tree[twin] = file
  const content = readSecret(file)
  if (typeof content !== 'string') return [{ path: at, ...content }]
  if (content === '') return [{ path: at, message: `${file}: the file is empty` }]
  tree[key] = content
  inheritOrigin(document, { from: at, to: [...path, key].join('.') })
  return []
}

// The secret comes from wherever its file was named: problems with it are looked for there.
function inheritOrigin({ lines, variables }: Document, { from, to }: { from: string; to: string }): void {
  const line = lines.get(from)
  const variable = variables.get(from)
  if (line !== undefined) lines.set(to, line)
  if (variable !== undefined) variables.set(to, variable)
}

function placeOfSecret(name: string, { directory, credentialsDirectory }: SecretPlaces): string {
  if (isAbsolute(name) || credentialsDirectory === undefined) return resolve(directory, name)
  const credential = join(credentialsDirectory, name)
  return existsSync(credential) ? credential : resolve(directory, name)
}

function readSecret(file: string): string | Pick<Problem, 'message' | 'cure'> {
  try {
    // Editors and `echo` end a file with a line break that is no part of the secret.
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const { message, ...cure } = readFailure(error)
    return { message: `${file}: ${message}`, ...cure }
  }
}
