// Where an option of the configuration file comes from, in the words of the shaping.

import type { LoadedSettings } from '../config/load.ts'
import type { Origin } from './shaping.ts'

export function originIn(
  loaded: Pick<LoadedSettings, 'file' | 'origin'>,
): (option: readonly [string, string]) => Origin {
  return (option) => {
    const origin = loaded.origin(option)
    switch (origin.kind) {
      case 'env':
        return origin
      case 'file':
        return {
          kind: 'config',
          option: option.join('.'),
          line: origin.line,
          ...(loaded.file !== undefined && { file: loaded.file }),
        }
      case 'default':
        return { kind: 'config', option: option.join('.') }
    }
  }
}
