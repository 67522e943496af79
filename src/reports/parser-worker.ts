// The parser thread. Keeps nothing: what it was given is parsed again elsewhere when it dies.

import { parentPort } from 'node:worker_threads'
import { parseReport } from '../bounce/parse.ts'
import { serveParser } from './parser-messages.ts'

if (parentPort !== null) serveParser(parentPort, parseReport)
