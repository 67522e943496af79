import { describe, expect, test } from 'vitest'
import { shippedRules } from '../bounce/rules.ts'
import { type Settings, schema } from '../config/schema.ts'
import { MINUTE, SECOND } from '../util/clock.ts'
import { shippedPresets } from './load-shaping.ts'
import { createShaping, type Effective, type Shaping, type Whither } from './shaping.ts'
import { readShapingFile } from './shaping-file.ts'
import { camel, VALUE_NAMES, type ValueName } from './values.ts'

const camelKeys = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(camelKeys)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [camel(key), camelKeys(item)]))
      : value
const SETTINGS = camelKeys(schema.parse({})) as Settings
const FAMILIES = shippedRules().providers

const OWN = `# 1
[default]
connections = 7
message_rate = "50/s"

[default.source.cold]
message_rate = "20/h"

[provider.google]
connections = 3
note = "our contract"

[provider.google.source.cold]
connections = 1

[provider.group]
mx = [".mx.group.example", "relay.group.example"]
provider_connections = 6
message_rate = "unlimited"

[site."mx.shared.example"]
connections = 4
retry = ["1m", "2m"]

[domain."picky.example"]
connections = 2
tls = "required"

[domain."polite.example"]
greeting_timeout = "30s"

[source.cold]
message_rate = "100/d"
`

function shaping(own: string | undefined, presets = true): Shaping {
  return createShaping({
    settings: SETTINGS,
    families: FAMILIES,
    files: [
      ...(own === undefined ? [] : [{ kind: 'file' as const, file: readShapingFile(own, 'shaping.toml') }]),
      ...(presets ? [{ kind: 'preset' as const, file: shippedPresets() }] : []),
    ],
    originOf: ([section, key]) => ({ kind: 'config', option: `${section}.${key}`, file: 'studs.toml', line: 12 }),
  })
}

const at = (place: Partial<Whither>): Whither => ({
  domain: 'a.example',
  site: 'mx.a.example',
  provider: undefined,
  source: 'warm',
  ...place,
})

/** `file:line` or where else a value comes from. */
function placeOf({ from }: Effective, name: ValueName): string {
  const origin = from[name]
  return origin.kind === 'file' || origin.kind === 'preset'
    ? `${origin.kind} ${origin.section} ${origin.line}`
    : origin.kind
}

const PRESET_LINES = new Map(shippedPresets().sections.map((section) => [section.name, section]))
const preset = (name: string, key: ValueName): string => {
  const { section, line } = PRESET_LINES.get(name)!.placeOf(key)
  return `preset ${section} ${line}`
}

describe('a preset never asks for less TLS than the operator does anywhere', () => {
  const asked = (own: string, provider = 'google') => {
    const { values, from } = shaping(own).effective(at({ provider }))
    return [values.tls, from.tls.kind]
  }

  test.each<[string, string, string, string]>([
    ['verify for everybody', '[default]\ntls = "verify"', 'verify', 'file'],
    ['opportunistic for everybody', '[default]\ntls = "opportunistic"', 'required', 'preset'],
    ['none for everybody', '[default]\ntls = "none"', 'required', 'preset'],
    ['less for the provider itself', '[default]\ntls = "verify"\n[provider.google]\ntls = "none"', 'none', 'file'],
    ['more for one source', '[default.source.warm]\ntls = "verify"', 'verify', 'file'],
  ])('%s', (_, own, tls, kind) => {
    expect(asked(own)).toEqual([tls, kind])
  })
})

describe('layers', () => {
  const layered = shaping(OWN)
  test.each<[string, Partial<Whither>, ValueName, unknown, string]>([
    ['nothing known: the configuration', {}, 'messagesPerConnection', 100, 'config'],
    ['[default] over the configuration', {}, 'connections', 7, 'file [default] 3'],
    [
      '[default] for one source',
      { source: 'cold' },
      'messageRate',
      { count: 20, per: 60 * MINUTE },
      'file [default.source.cold] 7',
    ],
    ['a value that the part for the source has not', { source: 'cold' }, 'connections', 7, 'file [default] 3'],
    ['own provider over preset', { provider: 'google' }, 'connections', 3, 'file [provider.google] 10'],
    [
      'preset where the own section says nothing',
      { provider: 'google' },
      'messagesPerConnection',
      50,
      preset('google', 'messagesPerConnection'),
    ],
    ['preset over own [default]', { provider: 'yahoo' }, 'connections', 10, preset('yahoo', 'connections')],
    [
      'source within provider',
      { provider: 'google', source: 'cold' },
      'connections',
      1,
      'file [provider.google.source.cold] 14',
    ],
    [
      'a wide section for the source gives way to a narrow one',
      { provider: 'yahoo-japan', source: 'cold' },
      'messageRate',
      { count: 10, per: SECOND },
      preset('yahoo-japan', 'messageRate'),
    ],
    ['a limit taken back', { provider: 'group' }, 'messageRate', 'unlimited', 'file [provider.group] 19'],
    ['a limit of a provider', { provider: 'group' }, 'providerConnections', 6, 'file [provider.group] 18'],
    ['none without a provider', {}, 'providerConnections', undefined, 'default'],
    [
      'site over provider',
      { provider: 'google', site: 'mx.shared.example' },
      'connections',
      4,
      'file [site."mx.shared.example"] 22',
    ],
    ['a list', { site: 'mx.shared.example' }, 'retry', [MINUTE, 2 * MINUTE], 'file [site."mx.shared.example"] 23'],
    [
      'domain over site',
      { site: 'mx.shared.example', domain: 'picky.example' },
      'connections',
      2,
      'file [domain."picky.example"] 26',
    ],
    ['domain: TLS', { domain: 'picky.example' }, 'tls', 'required', 'file [domain."picky.example"] 27'],
    [
      'domain: timeouts',
      { domain: 'polite.example' },
      'greetingTimeout',
      30 * SECOND,
      'file [domain."polite.example"] 30',
    ],
  ])('%s', (_, place, name, value, origin) => {
    const effective = layered.effective(at(place))
    expect(effective.values[name]).toEqual(value)
    expect(placeOf(effective, name)).toBe(origin)
  })

  test('every value has an origin, everywhere', () => {
    for (const provider of [undefined, ...new Set(FAMILIES.values())]) {
      const { values, from } = layered.effective(at({ provider }))
      for (const name of VALUE_NAMES)
        expect([name, name in values, from[name].kind]).toEqual([name, true, expect.any(String)])
    }
  })

  test('a domain with limits of its own has a path of its own; one with timeouts has not', () => {
    const own = ['picky.example', 'polite.example', 'a.example'].map(
      (domain) => layered.effective(at({ domain })).ownPath,
    )
    expect(own).toEqual([true, false, false])
  })

  test('places that nothing tells apart are one object: memory is bounded by sections', () => {
    const one = layered.effective(at({ domain: 'x.example', site: 'mx.x.example' }))
    expect(layered.effective(at({ domain: 'y.example', site: 'mx.y.example', source: 'another' }))).toBe(one)
    expect(layered.effective(at({ source: 'cold' }))).not.toBe(one)
  })

  test('without presets only the own file counts', () => {
    expect(shaping(undefined, false).effective(at({ provider: 'google' })).values).toMatchObject({
      connections: 10,
      tls: 'opportunistic',
    })
  })

  test('a source over all its paths', () => {
    expect(layered.sourceRate('cold')).toMatchObject({
      value: { count: 100 },
      from: { line: 33, section: '[source.cold]' },
    })
    expect(layered.sourceRate('warm')).toBeUndefined()
  })
})

describe('providers', () => {
  const layered = shaping(OWN)
  test.each([
    ['aspmx.l.google.com', 'google'],
    ['outlook-com.olc.protection.outlook.com', 'outlook'],
    ['hotmail-com.OLC.protection.outlook.com', 'outlook'],
    ['firm-example.mail.protection.outlook.com', 'microsoft-365'],
    ['firm-example.a-v1.mx.microsoft', 'microsoft-365'],
    ['mta5.am0.yahoodns.net', 'yahoo'],
    ['mx5.mail.yahoo.co.jp', 'yahoo-japan'],
    ['mx01.mail.icloud.com', 'apple'],
    ['mx1a1.comcast.net', 'comcast'],
    ['smtp-in.orange.fr', 'orange'],
    ['mx-ha02.web.de', 'gmx'],
    ['eu-smtp-inbound-1.mimecast.com', 'mimecast'],
    ['d1.ess.barracudanetworks.com', 'barracuda'],
    ['mx1.qq.com', 'qq'],
    ['163mx01.mxmail.netease.com', 'netease'],
    ['mail.kpnmail.nl', 'kpn'],
    ['a.mx.group.example', 'group'],
    ['relay.group.example', 'group'],
    ['other.group.example', undefined],
    ['notgoogle.com', undefined],
    ['google.com.evil.example', undefined],
    ['127.0.0.1', undefined],
  ])('%s', (host, provider) => expect(layered.providerOf(host)).toBe(provider))

  test.each<[string, [string, number][], string | undefined]>([
    [
      'all hosts',
      [
        ['a.google.com', 1],
        ['b.googlemail.com', 5],
      ],
      'google',
    ],
    [
      'a spare host elsewhere',
      [
        ['a.google.com', 1],
        ['mx.own.example', 50],
      ],
      'google',
    ],
    [
      'equal hosts that disagree',
      [
        ['a.google.com', 10],
        ['mx.own.example', 10],
      ],
      undefined,
    ],
    [
      'the spare one alone',
      [
        ['mx.own.example', 1],
        ['a.google.com', 50],
      ],
      undefined,
    ],
  ])('of a set: %s', (_, hosts, provider) => {
    expect(layered.providerOfHosts(hosts.map(([name, preference]) => ({ name, preference })))).toBe(provider)
  })

  test('every preset says where its numbers come from, and belongs to hosts that somebody knows', () => {
    const file = shippedPresets()
    expect(file.sections.filter(({ note }) => note === undefined).map(({ name }) => name)).toEqual([])
    const known = new Set(FAMILIES.values())
    expect(file.providers.filter(({ name, mx }) => mx === undefined && !known.has(name))).toEqual([])
  })

  test.each<[string, object]>([
    ['google', { providerConnectionsPerSource: 5, messagesPerConnection: 50, tls: 'required' }],
    ['outlook', { connections: 5, messagesPerConnection: 50 }],
    ['microsoft-365', { connections: 5, messagesPerConnection: 50 }],
    ['yahoo', { connections: 10, messagesPerConnection: 20 }],
    ['yahoo-japan', { connections: 2, messagesPerConnection: 20, messageRate: { count: 10, per: SECOND } }],
    ['apple', { connections: 10, messagesPerConnection: 5 }],
    ['comcast', { connections: 25, messagesPerConnection: 1000, tls: 'required' }],
    ['orange', { connections: 2, messagesPerConnection: 100, tls: 'required' }],
    ['gmx', { connections: 4, messagesPerConnection: 20, tls: 'required' }],
    ['mimecast', { connections: 10, messagesPerConnection: 100 }],
    ['barracuda', { connections: 10, messagesPerConnection: 15 }],
    ['netvigator', { connections: 5, messagesPerConnection: 10 }],
    ['kpn', { connections: 10, messagesPerConnection: 10 }],
    ['qq', { connections: 4, messagesPerConnection: 8 }],
    ['netease', { connections: 4, messagesPerConnection: 7 }],
  ])('the preset of %s', (provider, values) => {
    expect(shaping(undefined).effective(at({ provider })).values).toMatchObject(values)
  })
})
