// The whole examination: this machine, the way out, the sources, every sender domain. Sections in the order in which a
// trouble in one explains those below it. Returns data; a timer may call it as well as a person.

import type { Settings } from '../config/schema.ts'
import type { Clock } from '../util/clock.ts'
import { checkClock, checkData } from './check-data.ts'
import { checkBlocklists } from './check-dnsbl.ts'
import { checkDomain } from './check-domain.ts'
import { checkCertificate, checkListeners } from './check-listener.ts'
import { checkPort25 } from './check-port-25.ts'
import { checkResolver } from './check-resolver.ts'
import { checkSource } from './check-source.ts'
import { checkLocalAddresses } from './check-sources-local.ts'
import { about, type Diagnosis } from './diagnosis.ts'
import { type Lookup, remembering } from './lookup.ts'
import { type SenderParts, sendersOf, sourcesOf } from './sender.ts'

export interface DoctorParts extends SenderParts {
  readonly lookup: Lookup
  /** The name servers in use. */
  readonly servers: readonly string[]
  /** Blocklists to ask; empty = none. */
  readonly blocklists: readonly string[]
  readonly clock: Clock
}

export interface Section {
  readonly title: string
  readonly diagnoses: readonly Diagnosis[]
}

/** So many domains are examined at one time: key files are read and name servers asked for each. */
const DOMAINS_AT_ONCE = 20

export async function examine(given: DoctorParts): Promise<Section[]> {
  const parts = { ...given, lookup: remembering(given.lookup) }
  const sections = await Promise.all([
    section('This machine', examineMachine(parts)),
    section('Name servers', examineResolvers(parts)),
    section('Sources', examineSources(parts)),
  ])
  const { settings } = parts
  for (let at = 0; at < settings.domain.length; at += DOMAINS_AT_ONCE) {
    const domain = settings.domain.slice(at, at + DOMAINS_AT_ONCE)
    sections.push(...(await examineDomains({ ...parts, settings: { ...settings, domain } })))
  }
  return sections
}

function examineDomains(parts: DoctorParts): Promise<Section[]> {
  const { settings, machineAddresses, lookup } = parts
  const listeners = settings.bounceListener
  return Promise.all(
    sendersOf(parts).map((sender) =>
      section(sender.domain, checkDomain({ sender, lookup, listeners, machineAddresses })),
    ),
  )
}

async function section(title: string, diagnoses: Promise<Diagnosis[]>): Promise<Section> {
  return { title, diagnoses: await diagnoses }
}

async function examineMachine({ settings, clock }: DoctorParts): Promise<Diagnosis[]> {
  const checks = await Promise.all([
    checkMode(settings),
    checkClock(clock.now(), settings.data.directory).then((each) => [each]),
    checkData(settings.data),
    checkCertificate(settings, clock.now()),
    checkListeners(settings, clock),
  ])
  return checks.flat()
}

function checkMode({ delivery, domain }: Settings): Diagnosis[] {
  const told = about('mode', 'delivery.mode')
  const findings: Diagnosis[] = []
  if (delivery.mode === 'sandbox') {
    const message = 'this is the sandbox: all mail goes to the pretend internet, none to real recipients'
    findings.push(
      told.different({
        severity: 'note',
        message,
        found: 'sandbox',
        cure: 'set delivery.mode = "internet" when the trial is over',
      }),
    )
  }
  if (domain.length === 0) {
    const message = 'there is no sender domain: mail goes out unsigned, and bounces that come later are not captured'
    findings.push(
      about('mode', 'domain').missing({
        severity: 'warning',
        message,
        cure: 'add a [[domain]]; docs/identity.md says how',
      }),
    )
  }
  return findings
}

function examineResolvers({ settings, lookup, servers, clock }: DoctorParts): Promise<Diagnosis[]> {
  const { port25Domain: domain } = settings.doctor
  return checkResolver({ lookup, servers, domain, timeoutMs: settings.delivery.dnsTimeout, clock })
}

async function examineSources(parts: DoctorParts): Promise<Diagnosis[]> {
  const { settings, lookup, blocklists, clock } = parts
  const { mode, port } = settings.delivery
  const sources = sourcesOf(parts)
  const checks = await Promise.all([
    ...sources.map(checkLocalAddresses),
    ...sources.map((source) => checkSource(source, lookup)),
    checkPort25({ sources, domain: settings.doctor.port25Domain, port, lookup, clock, mode }),
    checkBlocklists({ sources, zones: blocklists, lookup }),
  ])
  return checks.flat()
}
