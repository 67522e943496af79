// The reports that came back, as the API tells of them and as people give and judge them.

import type { Settings } from '../config/schema.ts'
import type { ReportDesk, ReportFilter } from '../reports/desk.ts'
import { checked, reportQuery } from './input.ts'
import { assertNamed, namesOf } from './known-name.ts'
import type { MailInput, Operations } from './operations.ts'
import { OperationError } from './problem.ts'
import { toWire } from './wire.ts'

export interface ReportParts {
  readonly desk: Pick<ReportDesk, 'list' | 'get' | 'raw' | 'decide' | 'take'>
  readonly settings: () => Settings
}

type ReportFunctions = Pick<Operations, 'reports' | 'report' | 'reportMail' | 'decideReport' | 'ingestReport'>

export function reportOperations({ desk, settings }: ReportParts): ReportFunctions {
  return {
    reports: async (query) => {
      const filter = checked(reportQuery, query)
      const { entries, cursor } = desk.list(filterOf(filter))
      const { tenant } = filter
      if (entries.length === 0 && tenant !== undefined)
        assertNamed({ kind: 'tenant', name: tenant, known: namesOf(settings().tenant), pointer: 'tenant' })
      return { items: entries.map(toWire), ...(cursor === undefined ? {} : { next_cursor: cursor }) }
    },
    report: async (id) => {
      const entry = desk.get(id)
      return entry === undefined ? undefined : toWire(entry)
    },
    reportMail: async (id) => desk.raw(id),
    decideReport: async (id, decision, who) => {
      const decided = await desk.decide(id, { as: decision, who })
      if (decided?.review?.decided !== undefined) return toWire(decided)
      if (decided !== undefined)
        throw new OperationError(
          'conflict',
          `Nobody was found that the report ${id} could be about, so there is nothing to accept. Dismiss it; what it says of somebody you know can be put in by hand (studs suppress add ADDRESS).`,
        )
      const entry = desk.get(id)
      if (entry === undefined) return undefined
      const by = entry.review?.decided
      throw new OperationError(
        'conflict',
        by === undefined
          ? `The report ${id} waits for nobody: there is nothing to decide.`
          : `The report ${id} was decided already, by ${by.who}.`,
      )
    },
    ingestReport: async (mail, who) => {
      const { kept, sizeBytes } = await beginningOf(mail, settings().bounce.maxSize)
      if (sizeBytes === 0) throw new OperationError('invalid', 'There is no mail: the request is empty.')
      return toWire(await desk.take({ origin: { kind: 'ingest', who }, to: '', raw: kept, sizeBytes }))
    },
  }
}

/** As on the bounce listener: what is too much is read and thrown away, so memory is bounded however long the mail is. */
async function beginningOf(mail: MailInput, maxBytes: number): Promise<{ kept: Buffer; sizeBytes: number }> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of mail) {
    if (sizeBytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - sizeBytes))
    sizeBytes += chunk.length
  }
  return { kept: Buffer.concat(chunks), sizeBytes }
}

function filterOf({
  review,
  outcome,
  tenant,
  message,
  address,
  limit,
  cursor,
}: ReturnType<typeof reportQuery.parse>): ReportFilter {
  return {
    limit,
    ...(review === true ? { review } : {}),
    ...(outcome === undefined ? {} : { outcome }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(message === undefined ? {} : { message }),
    ...(address === undefined ? {} : { address }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}
