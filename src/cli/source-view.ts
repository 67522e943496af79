// Sources for people: a table of all, and the plan of one that warms up. Pure: what the API says in, lines out.

import type { Source, SourceState, WarmUpStory } from '../http/source-operations.ts'
import { rateShown } from './limit-words.ts'
import { type Page, proseLines } from './output.ts'
import { table } from './table.ts'
import type { Colour } from './terminal.ts'
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
      { title: 'POOLS', value: poolsText, least: 10, long: 'wrap' },
      {
        title: 'STATE',
        value: (source) => stateText(source),
        colour: ({ state }) => COLOURS[state],
        least: 12,
        long: 'wrap',
      },
      { title: 'LIMIT', value: limitText, least: 8, long: 'wrap' },
      { title: 'HOUR', align: 'right', value: (source) => countText(source.sent_last_hour) },
      { title: 'DAY', align: 'right', value: (source) => countText(source.sent_last_day) },
      { title: 'SPARE', align: 'right', value: spareText },
    ],
    page,
  )
  const below = sources.flatMap((source) => remarks(source, page))
  return [...rows, ...below.flatMap((line) => proseLines(line, page))]
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
  return (
    [limit?.rate, plan && `${plan.rate} each`]
      .filter((each) => each !== undefined)
      .map(rateShown)
      .join(', ') || UNLIMITED
  )
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

/** Days before and after today that are shown of a plan. */
const NEAR_DAYS = 7

export function warmUpLines({ source, plan }: WarmUpStory, page: Page, isWhole = false): string[] {
  const { warm_up: warmUp } = source
  if (warmUp === undefined) return []
  const rows = isWhole ? plan : nearRows(plan, warmUp)
  const hint = rows.length === plan.length ? [] : [page.paint('dim', `All ${warmUp.days} days: --all`)]
  return [
    ...proseLines(`${source.name}: ${progressText(plan, warmUp)}`, page, ''),
    '',
    ...planTable(rows, warmUp, page),
    ...hint,
    '',
    ...providerTable(warmUp.providers, page),
  ]
}

type WarmUp = NonNullable<Source['warm_up']>
/** `undefined`: days that are left out. */
type PlanRow = WarmUpStory['plan'][number] | undefined

function progressText(plan: WarmUpStory['plan'], { day, days, since, overflow }: WarmUp): string {
  const warmOn = plan.find((each) => each.day > days)?.date
  const ends = warmOn === undefined ? '' : `, warm from ${warmOn} on where nothing brakes it`
  const today = day < 1 ? `begins on ${since}, ${days} days` : `day ${Math.min(day, days)} of ${days}, since ${since}`
  if (day > days) return `its plan of ${days} days since ${since} is over.`
  const beyond = overflow ? 'What is beyond it leaves from warm sources of the pool.' : 'What is beyond it waits.'
  return `${today}${ends}. ${beyond}`
}

/** Today and what is near, where providers stand, and how it ends. */
function nearRows(plan: WarmUpStory['plan'], { day: today, days }: WarmUp): PlanRow[] {
  const isShown = ({ day, here }: WarmUpStory['plan'][number]): boolean =>
    Math.abs(day - Math.max(1, today)) <= NEAR_DAYS || here.length > 0 || day >= days
  return plan.flatMap((row, at): PlanRow[] => {
    if (isShown(row)) return [row]
    const before = plan[at - 1]
    return before === undefined || isShown(before) ? [undefined] : []
  })
}

function planTable(rows: readonly PlanRow[], { day: today, days }: WarmUp, page: Page): string[] {
  return table(
    rows,
    [
      {
        title: 'DAY',
        align: 'right',
        value: (row) => (row === undefined ? '…' : row.day > days ? 'then' : String(row.day)),
      },
      { title: 'DATE', value: (row) => row?.date ?? '' },
      { title: 'EACH PROVIDER', align: 'right', value: (row) => rateShown(row?.rate ?? '') },
      {
        title: 'HERE TODAY',
        value: (row) => row?.here.join(', ') ?? '',
        colour: (row) => ((row?.here.length ?? 0) > 0 ? 'yellow' : undefined),
        least: 10,
      },
      { title: '', value: (row) => (row?.day === today ? '← today' : '') },
    ],
    page,
  )
}

function providerTable(providers: NonNullable<Source['warm_up']>['providers'], page: Page): string[] {
  return table(
    providers,
    [
      { title: 'PROVIDER', value: ({ provider }) => provider },
      { title: 'NOW', align: 'right', value: ({ limit }) => rateShown(limit?.rate ?? 'unlimited') },
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
        long: 'below',
      },
    ],
    page,
  )
}
