// The values that hold for one place, and where each comes from. Layers, the narrow one wins, value by value:
//
//   [delivery] of the configuration  <  [default]  <  [provider.…]  <  [site."…"]  <  [domain."…"]
//
// Within a layer the part for one source wins over the rest, and the operator's file over the shipped presets. Pure:
// files were read before. Invariant: an answer is the same object for the same place, so that it can be compared.

import type { Settings } from '../config/schema.ts'
import type { Rate } from '../config/units.ts'
import { type ProviderHost, type ProviderTable, providerOf, providerOfHosts } from './provider.ts'
import type { Rule } from './rule.ts'
import { createRuleLayers, type RuleLayers } from './rule-layers.ts'
import { LEVELS, type Level, type Place } from './section.ts'
import type { Section, ShapingFile } from './shaping-file.ts'
import { PATH_VALUES, snake, TLS_STRENGTH, VALUE_NAMES, type ValueName, type Values } from './values.ts'

export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'env'; readonly variable: string }
  /** The configuration file, in which a line holds one option. */
  | { readonly kind: 'config'; readonly option: string; readonly file?: string; readonly line?: number }
  | ({ readonly kind: 'preset' | 'file' } & Place & { readonly note?: string })

export interface Sourced<Value> {
  readonly value: Value
  readonly from: Origin
}

/** Where a message goes to, and where from. */
export interface Whither {
  readonly domain: string
  readonly site: string
  readonly provider: string | undefined
  readonly source: string | undefined
}

export interface Effective {
  readonly values: Values
  readonly from: { readonly [Name in ValueName]: Origin }
  /** The domain has limits of its own: it does not share the path of its site. */
  readonly ownPath: boolean
}

export interface Shaping {
  effective(place: Whither): Effective
  /** Every provider that hosts are known of. */
  readonly providers: ReadonlySet<string>
  providerOf(host: string): string | undefined
  providerOfHosts(hosts: readonly ProviderHost[]): string | undefined
  /** What is done about which reply from there, in the order in which rules are asked. */
  rulesFor(place: Omit<Whither, 'source'>): readonly Rule[]
  /** What a source may send over all its paths. */
  sourceRate(source: string): Sourced<Rate> | undefined
}

export interface ShapingParts {
  readonly settings: Pick<Settings, 'delivery' | 'queue'>
  /** Narrow ones first: the operator's, then the presets. */
  readonly files: readonly { readonly kind: 'file' | 'preset'; readonly file: ShapingFile }[]
  /** MX host ends of the families that the classifier knows. */
  readonly families: ProviderTable
  /** Where an option of the configuration file comes from. */
  readonly originOf?: (option: readonly [string, string]) => Origin
}

const PROVIDER_ONLY: ReadonlySet<ValueName> = new Set([
  'providerConnections',
  'providerConnectionsPerSource',
  'providerMessageRate',
])

export function createShaping(parts: ShapingParts): Shaping {
  return new LayeredShaping(parts)
}

interface Layer {
  readonly kind: 'file' | 'preset'
  readonly section: Section
}

class LayeredShaping implements Shaping {
  readonly #parts: ShapingParts
  readonly #providers: ProviderTable
  /** By level, name and source. */
  readonly #layers = new Map<string, Layer[]>()
  readonly #sources = new Map<string, Sourced<Rate>>()
  readonly #rules: RuleLayers
  readonly #known = new Map<string, Effective>()

  constructor(parts: ShapingParts) {
    this.#parts = parts
    this.#rules = createRuleLayers(parts.files.map(({ file }) => file))
    for (const { kind, file } of parts.files) {
      for (const section of file.sections) {
        const key = layerKey(section.level, section.name, section.source)
        this.#layers.set(key, [...(this.#layers.get(key) ?? []), { kind, section }])
      }
      for (const { name, messageRate, place } of file.sources)
        if (!this.#sources.has(name)) this.#sources.set(name, { value: messageRate, from: { kind, ...place } })
    }
    this.#providers = tableOf(parts)
  }

  effective(place: Whither): Effective {
    // Places that no section tells apart are one: the memory is bounded by the sections, not by the domains in use.
    const names = this.#namesOf(place)
    const key = `${LEVELS.map((level) => names[level] ?? '').join('\0')}\0${this.#sourceKey(names, place.source)}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = this.#make(names, place.source)
    this.#known.set(key, made)
    return made
  }

  get providers(): ReadonlySet<string> {
    return new Set(this.#providers.values())
  }

  providerOf(host: string): string | undefined {
    return providerOf(this.#providers, host)
  }

  providerOfHosts(hosts: readonly ProviderHost[]): string | undefined {
    return providerOfHosts(this.#providers, hosts)
  }

  rulesFor({ domain, site, provider }: Omit<Whither, 'source'>): readonly Rule[] {
    return this.#rules.rulesFor({ default: '', site, domain, ...(provider !== undefined && { provider }) })
  }

  sourceRate(source: string): Sourced<Rate> | undefined {
    return this.#sources.get(source)
  }

  #namesOf({ domain, site, provider }: Whither): Names {
    return {
      default: '',
      ...(provider !== undefined && { provider }),
      ...(this.#hasSection('site', site) && { site }),
      ...(this.#hasSection('domain', domain) && { domain }),
    }
  }

  readonly #named = new Map<string, boolean>()

  #hasSection(level: Level, name: string): boolean {
    if (this.#named.size === 0) {
      this.#named.set('', false)
      for (const layers of this.#layers.values())
        for (const { section } of layers) this.#named.set(`${section.level}\0${section.name}`, true)
    }
    return this.#named.has(`${level}\0${name}`)
  }

  #sourceKey(names: Names, source: string | undefined): string {
    if (source === undefined) return ''
    const isNamed = LEVELS.some(
      (level) => names[level] !== undefined && this.#layers.has(layerKey(level, names[level] ?? '', source)),
    )
    return isNamed ? source : ''
  }

  #make(names: Names, source: string | undefined): Effective {
    // Narrow first.
    const layers = LEVELS.toReversed().flatMap((level) => {
      const name = names[level]
      if (name === undefined) return []
      const ofSource = source === undefined ? [] : (this.#layers.get(layerKey(level, name, source)) ?? [])
      return [...ofSource, ...(this.#layers.get(layerKey(level, name, undefined)) ?? [])]
    })
    const found = VALUE_NAMES.map((name) => [name, this.#valueOf(name, layers)] as const)
    return {
      values: Object.fromEntries(found.map(([name, { value }]) => [name, value])) as unknown as Values,
      from: Object.fromEntries(found.map(([name, { from }]) => [name, from])) as Effective['from'],
      ownPath: layers.some(
        ({ section }) => section.level === 'domain' && PATH_VALUES.some((name) => name in section.values),
      ),
    }
  }

  #valueOf(name: ValueName, layers: readonly Layer[]): Sourced<unknown> {
    const saying = layers.filter(({ section }) => section.values[name] !== undefined)
    const layer = name === 'tls' ? demandingMost(saying) : saying[0]
    if (layer === undefined) return this.#base(name)
    const { kind, section } = layer
    const from = { kind, ...section.placeOf(name), ...(section.note !== undefined && { note: section.note }) }
    return { value: section.values[name], from }
  }

  #base(name: ValueName): Sourced<unknown> {
    const { settings, originOf } = this.#parts
    if (PROVIDER_ONLY.has(name))
      return { value: name === 'providerMessageRate' ? 'unlimited' : undefined, from: { kind: 'default' } }
    const option = [name === 'retry' ? 'queue' : 'delivery', snake(name)] as const
    const value = baseValue(name, settings)
    return { value: value ?? 'unlimited', from: originOf?.(option) ?? { kind: 'default' } }
  }
}

function baseValue(name: ValueName, { delivery, queue }: ShapingParts['settings']): unknown {
  if (name === 'retry') return queue.retry
  // What [delivery] calls required is checked, which a section calls verify, as [[tls_policy]] does.
  return name === 'tls' && delivery.tls === 'required' ? 'verify' : Reflect.get(delivery, name)
}

/** A preset demands more TLS than the operator wrote for a wider place, never less. */
function demandingMost([first, ...wider]: readonly Layer[]): Layer | undefined {
  if (first?.kind !== 'preset') return first
  const own = wider.find(({ kind }) => kind === 'file')
  return own !== undefined && tlsStrength(own) > tlsStrength(first) ? own : first
}

function tlsStrength({ section }: Layer): number {
  return TLS_STRENGTH.indexOf(section.values.tls ?? 'none')
}

type Names = { readonly [Name in Level]?: string }

function layerKey(level: Level, name: string, source: string | undefined): string {
  return `${level}\0${name}\0${source ?? ''}`
}

/** The longest end wins, whoever has it; of two that are equal, the first file's. */
function tableOf({ files, families }: ShapingParts): ProviderTable {
  const table = new Map(families)
  for (const { file } of files.toReversed())
    for (const { name, mx } of file.providers) for (const end of mx ?? []) table.set(end, name)
  return table
}
