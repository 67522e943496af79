// Report entries as tests need them: everything a report has, and what the case is about given.

import type { ParsedReport } from '../../src/bounce/report.ts'
import type { EmailAddress } from '../../src/mail/address.ts'
import type { About, ReportEntry } from '../../src/reports/report-entry.ts'

export function parsedReport(given: Partial<ParsedReport> = {}): ParsedReport {
  return {
    kind: 'dsn',
    family: 'rfc3464',
    recipients: [
      {
        address: 'jane@example.net',
        action: 'failed',
        status: '5.1.1',
        code: 550,
        command: 'RCPT',
        diagnostic: '550 5.1.1 No such user',
        remoteMta: 'mx.example.net',
      },
    ],
    subject: 'Undelivered Mail Returned to Sender',
    from: 'mailer-daemon@example.net',
    references: [],
    tokens: [],
    ...given,
  }
}

export function about(given: Partial<Omit<About, 'recipient'>> & { readonly recipient?: string } = {}): About {
  return {
    tenant: 'default',
    message: '0000000000001',
    n: 0,
    evidence: 'return-path',
    confidence: 'certain',
    ...given,
    recipient: (given.recipient ?? 'jane@example.net') as EmailAddress,
  }
}

export function reportEntry(given: Partial<ReportEntry> & { readonly id: string }): ReportEntry {
  return {
    at: Date.UTC(2026, 10, 22),
    origin: { kind: 'ingest', who: 'cli ann' },
    to: '',
    sizeBytes: 1200,
    isCut: false,
    report: parsedReport(),
    outcome: 'noted',
    ...given,
  }
}
