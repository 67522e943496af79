// A configuration file in a folder of its own, gone when the test is over.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConfigError, type LoadedSettings, loadSettings } from '../../src/config/load.ts'

export interface Folder {
  readonly path: string
  write(name: string, content: string | Uint8Array): string
}

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'studs-config-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return {
    path,
    write(name, content) {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      return file
    },
  }
}

/** Loads `toml` as `studs.toml` of a new folder. */
export function load(toml: string, env: Record<string, string> = {}, folder = temporaryFolder()): LoadedSettings {
  return loadSettings({ file: folder.write('studs.toml', toml), env, cwd: folder.path })
}

/** The problems that loading `action` ends with, one line each; fails the test when it does not end so. */
export function problemsOf(action: () => unknown): string[] {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  throw new Error('expected a ConfigError, but it loaded')
}
