// DMARC: whether a policy is there and can be read, and whether what we send passes it. It passes by either of two: a DKIM
// signature of the From domain, or SPF of a return path that is aligned with it.

import { about, type Diagnosis } from './diagnosis.ts'
import { type DmarcRecord, organizationalDomain, walkDmarc } from './dmarc.ts'
import type { Lookup } from './lookup.ts'
import type { Sender } from './sender.ts'

export async function checkDmarc(sender: Sender, lookup: Lookup): Promise<Diagnosis[]> {
  const { domain } = sender
  const dmarc = about('dmarc', `_dmarc.${domain}`)
  const walk = await walkDmarc(domain, lookup)
  const cure = 'look at the name servers of the domain, and ask again'
  if (walk.kind === 'failed') return [about('dmarc', walk.name).unknown({ message: walk.detail, cure })]
  const expected = `v=DMARC1; p=none; rua=mailto:dmarc@${domain}`
  const [several] = walk.ambiguous
  if (several !== undefined) {
    const message = 'there are several DMARC records: receivers take none of them'
    return [about('dmarc', `_dmarc.${several}`).different({ message, cure: 'remove all but one' })]
  }
  const [broken] = walk.broken
  if (broken !== undefined) {
    const message = 'receivers cannot read this record'
    return [about('dmarc', `_dmarc.${broken.at}`).different({ message, expected, found: broken.text, cure: 'mend it' })]
  }
  const [record] = walk.records
  if (record === undefined) {
    const message = 'there is no DMARC record; large receivers want one of everybody who sends much'
    return [
      dmarc.missing({ severity: 'warning', message, expected, cure: `publish it as a TXT record of _dmarc.${domain}` }),
    ]
  }
  const policy = policyOf(record, domain)
  if (policy === undefined) {
    const message = 'the record has no policy of "none", "quarantine" or "reject"'
    return [
      about('dmarc', `_dmarc.${record.at}`).different({
        severity: 'warning',
        message,
        expected,
        found: record.text,
        cure: 'correct p=',
      }),
    ]
  }
  return [...(await checkAlignment({ sender, record, records: walk.records, lookup })), ...checkReports(record, policy)]
}

/** What is asked for mail of `domain`: sp= where the record is that of a parent. */
function policyOf({ at, tags }: DmarcRecord, domain: string): string | undefined {
  const p = tags.get('p')?.toLowerCase()
  const policy = at === domain ? p : (tags.get('sp')?.toLowerCase() ?? p)
  return policy !== undefined && ['none', 'quarantine', 'reject'].includes(policy) ? policy : undefined
}

interface Alignment {
  readonly sender: Sender
  readonly record: DmarcRecord
  readonly records: readonly DmarcRecord[]
  readonly lookup: Lookup
}

async function checkAlignment({ sender, record, records, lookup }: Alignment): Promise<Diagnosis[]> {
  const { domain, subdomains, returnPath, keys } = sender
  const dmarc = about('dmarc', `_dmarc.${record.at}`)
  const isStrict = (tag: 'adkim' | 'aspf'): boolean => record.tags.get(tag)?.toLowerCase() === 's'
  const byDkim = keys.some(({ state }) => state === 'sign')
  const bySpf =
    returnPath !== undefined && (await isAligned({ domain, returnPath, isStrict: isStrict('aspf'), records, lookup }))
  const found = record.text
  if (!byDkim && !bySpf) {
    const message =
      'mail of this domain does not pass: nothing signs it, and the return path is ' +
      (returnPath === undefined ? "the app's own" : `not aligned (${returnPath})`)
    return [dmarc.different({ message, found, cure: `sign it: studs dkim gen ${domain}` })]
  }
  if (subdomains && isStrict('adkim')) {
    const message = `adkim=s: mail from subdomains, which ${domain} signs, is not aligned`
    return [
      dmarc.different({
        severity: 'warning',
        message,
        found,
        cure: 'take adkim=s out, or give the subdomains their own [[domain]]',
      }),
    ]
  }
  if (byDkim && !bySpf && returnPath !== undefined) {
    const message = `only DKIM is aligned, SPF of ${returnPath} is not${isStrict('aspf') ? ' (aspf=s)' : ''}`
    return [
      dmarc.different({ severity: 'note', message, found, cure: `a return path below ${domain} would align both` }),
    ]
  }
  return [dmarc.ok(`aligned by ${[byDkim && 'DKIM', bySpf && 'SPF'].filter(Boolean).join(' and ')}`, found)]
}

async function isAligned(given: {
  domain: string
  returnPath: string
  isStrict: boolean
  records: readonly DmarcRecord[]
  lookup: Lookup
}): Promise<boolean> {
  const { domain, returnPath, isStrict, records, lookup } = given
  if (isStrict || returnPath === domain) return returnPath === domain
  const walk = await walkDmarc(returnPath, lookup)
  if (walk.kind === 'failed') return false
  return organizationalDomain(domain, records) === organizationalDomain(returnPath, walk.records)
}

function checkReports({ at, tags, text }: DmarcRecord, policy: string): Diagnosis[] {
  const dmarc = about('dmarc', `_dmarc.${at}`)
  if (!tags.has('rua')) {
    const message = 'nobody gets the reports: add rua= to learn who sends as this domain'
    return [dmarc.different({ severity: 'note', message, found: text, cure: `add rua=mailto:dmarc@${at}` })]
  }
  if (policy !== 'none') return []
  const message = 'the policy is "none": reports only, forged mail is not stopped'
  return [
    dmarc.different({
      severity: 'note',
      message,
      found: text,
      cure: 'go on to p=quarantine and p=reject when the reports look right',
    }),
  ]
}
