// `studs bounce …`: what came back, the rules that judge it, and what their verdicts mean. One file per kind of command.

import type { Command } from 'commander'
import { addClassifyCommand } from './bounce-classify.ts'
import { addExplainCommand } from './bounce-explain.ts'
import { addParseCommand } from './bounce-parse.ts'
import { addReportCommands } from './bounce-report.ts'
import { addRulesCommands } from './bounce-rules.ts'
import type { Io } from './io.ts'
import type { Tools } from './session.ts'

export function addBounceCommands(program: Command, io: Io, tools: Tools): void {
  const bounce = program.command('bounce').description('What came back, and the rules that judge it')
  addReportCommands(bounce, io, tools)
  addParseCommand(bounce, io)
  addClassifyCommand(bounce, io)
  addExplainCommand(bounce, io)
  addRulesCommands(bounce, io, tools)
}
