// An obedient server with TLS from the first byte, in a thread of its own: it answers while this side's event loop is
// busy with something else. Tells its port.

import { parentPort } from 'node:worker_threads'
import { ScriptedServer, selfSigned } from './scripted-server.ts'

const server = await ScriptedServer.start({}, selfSigned('mx.test'))
parentPort?.postMessage(server.port)
