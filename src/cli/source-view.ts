// Sources for people: a table of all, and the plan of one that warms up. Pure: what the API says in, lines out.

import type { Source, SourceState, WarmUpStory } from '../http/source-operations.ts'
import { type Page, proseLines } from './output.ts'
import { table } from './table.ts'
import { type Colour, truncate } from './terminal.ts'
import { countText, dateText, durationText } from './time.ts'

const COLOURS: Readonly<Record<SourceState, Colour>> = {
  ready: 'green',
  warming: 'yellow',
  'not-yet': 'dim',
  drained: 'yellow',
  suspended: 'yellow',
  missing: 'red',
  unused: 'dim',
}
const UNLIMITED = '–'

export function sourceTable(sources: readonly Source[], page: Page): string[] {
  const rows = table(
    sources,
    [
      { title: 'SOURCE', value: ({ name }) => name },
      { title: 'POOLS', value: poolsText, least: 10 },
      { title: 'STATE', value: (source) => stateText(source), colour: ({ state }) => COLOURS[state], least: 12 },
      { title: 'LIMIT', value: limitText, least: 8 },
      { title: 'HOUR', align: 'right', value: (source) => countText(source.sent_last_hour) },
      { title: 'DAY', align: 'right', value: (source) => countText(source.sent_last_day) },
      { title: 'SPARE', align: 'right', value: spareText },
    ],
    page,
  )
  const below = sources.flatMap((source) => remarks(source, page))
  return [...rows, ...(page.isFile === true ? below : below.map((line) => truncate(line, page.width)))]
}

function poolsText({ pools }: Source): string {
  return pools.map(({ pool, weight }) => (weight === 1 ? pool : `${pool} ×${weight}`)).join(', ') || 'none'
}

function stateText({ state, warm_up: warmUp, missing }: Source): string {
  if (state === 'ready') return (missing?.length ?? 0) > 0 ? `warm, without ${missing?.join(', ')}` : 'warm'
  if (state === 'not-yet') return `from ${warmUp?.since}`
  if (state !== 'warming' || warmUp === undefined) return state
  const day = `warming, day ${Math.min(warmUp.day, warmUp.days)} of ${warmUp.days}`
  return warmUp.providers.some((each) => each.is_braked) ? `${day}, braked` : day
}

/** Of a source that warms up: what a provider gets where nothing has braked it. */
function limitText({ limit, warm_up: warmUp }: Source): string {
  const furthest = warmUp?.providers.filter((each) => each.limit !== undefined).sort((a, b) => b.step - a.step)[0]
  const plan = furthest?.limit
  return [limit?.rate, plan && `${plan.rate} each`].filter((each) => each !== undefined).join(', ') || UNLIMITED
}

function spareText({ limit, warm_up: warmUp }: Source): string {
  const plans = warmUp?.providers.map((each) => each.limit?.spare) ?? []
  if (plans.some((spare) => spare !== undefined)) {
    const open = plans.reduce<number>((sum, spare) => sum + (spare ?? 0), 0)
    return countText(Math.min(open, limit?.spare ?? open))
  }
  return limit?.spare === undefined ? UNLIMITED : countText(limit.spare)
}

function remarks(source: Source, page: Page): string[] {
  const { name, drain, suspension, rests, missing = [], addresses } = source
  const still = (until: string): string => durationText(Date.parse(until) - page.now)
  return [
    ...(drain === undefined ? [] : [`${name} is drained by ${drain.who} since ${dateText(drain.since)}: ${drain.why}`]),
    ...(suspension === undefined ? [] : [`${name} is suspended, still ${still(suspension.until)}: ${suspension.why}`]),
    ...(missing.length > 0 && missing.length === addresses.length
      ? [`${name} sends nothing: ${missing.join(' and ')} is not on this machine`]
      : []),
    ...rests.map(({ place, until, why }) => `${name} rests at ${place}, still ${still(until)}: ${why}`),
  ]
}

export function warmUpLines({ source, plan }: WarmUpStory, page: Page): string[] {
  const { warm_up: warmUp } = source
  if (warmUp === undefined) return []
  const overflow = warmUp.overflow
    ? 'What is beyond it leaves from warm sources of the pool.'
    : 'What is beyond it waits.'
  const today = warmUp.day < 1 ? `begins on ${warmUp.since}` : `day ${warmUp.day} since ${warmUp.since}`
  return [
    ...proseLines(`${source.name}: ${today}, ${warmUp.days} days. ${overflow}`, page, ''),
    '',
    ...table(
      plan,
      [
        { title: 'DAY', align: 'right', value: ({ day }) => (day > warmUp.days ? 'then' : String(day)) },
        { title: 'DATE', value: ({ date }) => date },
        { title: 'EACH PROVIDER', align: 'right', value: ({ rate }) => rate },
        {
          title: 'HERE TODAY',
          value: ({ here }) => here.join(', '),
          colour: ({ here }) => (here.length > 0 ? 'yellow' : undefined),
          least: 10,
        },
      ],
      page,
    ),
    '',
    ...providerTable(warmUp.providers, page),
  ]
}

function providerTable(providers: NonNullable<Source['warm_up']>['providers'], page: Page): string[] {
  return table(
    providers,
    [
      { title: 'PROVIDER', value: ({ provider }) => provider },
      { title: 'NOW', align: 'right', value: ({ limit }) => limit?.rate ?? 'unlimited' },
      { title: 'HOUR', align: 'right', value: (each) => countText(each.sent_last_hour) },
      { title: 'DAY', align: 'right', value: (each) => countText(each.sent_last_day) },
      {
        title: 'SPARE',
        align: 'right',
        value: ({ limit }) => (limit?.spare === undefined ? UNLIMITED : countText(limit.spare)),
      },
      {
        title: 'BRAKE',
        value: ({ is_braked: isBraked, why, braked_at: at }) =>
          at === undefined ? '' : `${isBraked ? 'since' : 'last'} ${dateText(at)}: ${why ?? ''}`,
        colour: ({ is_braked: isBraked }) => (isBraked ? 'yellow' : 'dim'),
        least: 12,
      },
    ],
    page,
  )
}
