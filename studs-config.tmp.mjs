import { Command } from 'commander'
import { addConfigCommands } from './src/cli/config.ts'
const p = new Command('studs'); addConfigCommands(p, { out: t => process.stdout.write(t), err: t => process.stderr.write(t), fail: c => { process.exitCode = c } })
await p.parseAsync()
