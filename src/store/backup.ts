// A copy of the store and its large bodies while both are in use: what was committed when it began, complete and flushed when it
// has ended. Half of one is never left behind: some day it would be taken for a whole one.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BodyDirectory, flushDirectory } from './body-files.ts'
import { copyEnvironment, type Environment, filesNamedIn } from './environment.ts'

export async function backUp(given: {
  readonly root: Environment['root']
  readonly bodies: BodyDirectory
  /** Empty, or not there yet. */
  readonly directory: string
}): Promise<void> {
  const { root, bodies, directory } = given
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new Error(`${directory} is not empty: a backup needs an empty or new directory`)
  }
  const target = join(directory, 'store')
  mkdirSync(target, { recursive: true, mode: 0o700 })
  // What the copy names must still be there when its turn comes.
  const letGo = bodies.hold()
  try {
    await copyEnvironment(root, target)
    await bodies.copy(await filesNamedIn(target), directory)
    flushDirectory(dirname(directory))
  } catch (error) {
    for (const part of ['store', 'body']) rmSync(join(directory, part), { recursive: true, force: true })
    throw error
  } finally {
    letGo()
  }
}
