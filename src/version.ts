// The version of this Studs, from its package.json: it lies one folder above both src/ and dist/.

import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
export const VERSION: string = (JSON.parse(text) as { version: string }).version
