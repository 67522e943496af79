// A picture of one receiver and three senders: what is taken each minute, over time. The same seed draws the same picture,
// byte by byte.

import type { Model } from './pacing-models.ts'
import { SENDERS } from './pacing-senders.ts'
import { simulate, sum } from './pacing-simulation.ts'

const WIDTH = 860
const HEIGHT = 340
const PLOT = { left: 48, top: 56, right: 16, bottom: 40 }
const LINES = [
  { sender: 'Studs', colour: '#0b6e4f', width: 2.2 },
  { sender: 'Postfix', colour: '#c1440e', width: 1.2 },
  { sender: 'KumoMTA, 3/h: suspend 30 min', colour: '#3b5bdb', width: 1.2 },
] as const
const MINUTE_OF_SECONDS = 60

interface Scale {
  x(minute: number): number
  y(rate: number): number
}

export function picture(model: Model, seed: number): string {
  const courses = LINES.map(({ sender }) => {
    const make = SENDERS[sender]
    if (make === undefined) throw new Error(`no sender ${sender}`)
    return simulate(model, make, seed)
  })
  const hidden = minutely(courses[0]?.possible ?? new Float64Array())
  const most = 1.15 * Math.max(...hidden)
  const scale = scaleOf(hidden.length, most)
  const lines = LINES.map(({ sender, colour, width }, n) => {
    const rates = minutely(courses[n]?.accepted ?? new Float64Array())
    return `<path d="${lineOf(rates, scale)}" fill="none" stroke="${colour}" stroke-width="${width}"><title>${sender}</title></path>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>Messages taken a second by a receiver of ${model.name}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${PLOT.left}" y="20" font-size="14">Messages taken a second; a receiver of ${model.name}</text>`,
    ...axes(hidden.length, most, scale),
    `<path d="${areaOf(hidden, scale)}" fill="#e9ecef" stroke="#868e96"/>`,
    ...lines.toReversed(),
    ...legend(),
    '</svg>',
    '',
  ].join('\n')
}

function minutely(seconds: Float64Array): number[] {
  return Array.from(
    { length: Math.floor(seconds.length / MINUTE_OF_SECONDS) },
    (_, minute) => sum(seconds, minute * MINUTE_OF_SECONDS, (minute + 1) * MINUTE_OF_SECONDS) / MINUTE_OF_SECONDS,
  )
}

function scaleOf(minutes: number, most: number): Scale {
  const width = WIDTH - PLOT.left - PLOT.right
  const height = HEIGHT - PLOT.top - PLOT.bottom
  return {
    x: (minute) => PLOT.left + (minute / minutes) * width,
    y: (rate) => PLOT.top + height * (1 - rate / most),
  }
}

function lineOf(rates: readonly number[], { x, y }: Scale): string {
  return rates
    .map((rate, minute) => `${minute === 0 ? 'M' : 'L'}${x(minute + 0.5).toFixed(1)} ${y(rate).toFixed(1)}`)
    .join('')
}

/** Steps, down to the ground. */
function areaOf(rates: readonly number[], { x, y }: Scale): string {
  const steps = rates.map(
    (rate, minute) => `L${x(minute).toFixed(1)} ${y(rate).toFixed(1)}H${x(minute + 1).toFixed(1)}`,
  )
  return `M${x(0).toFixed(1)} ${y(0).toFixed(1)}${steps.join('')}V${y(0).toFixed(1)}Z`
}

function axes(minutes: number, most: number, { x, y }: Scale): string[] {
  const rates = Array.from({ length: Math.floor(most / 10) + 1 }, (_, n) => n * 10)
  const hours = Array.from({ length: Math.floor(minutes / 30) + 1 }, (_, n) => n * 30)
  return [
    ...rates.map((rate) => `<path d="M${PLOT.left} ${y(rate).toFixed(1)}H${WIDTH - PLOT.right}" stroke="#dee2e6"/>`),
    ...rates.map(
      (rate) => `<text x="${PLOT.left - 8}" y="${(y(rate) + 4).toFixed(1)}" text-anchor="end">${rate}</text>`,
    ),
    ...hours.map(
      (minute) => `<text x="${x(minute).toFixed(1)}" y="${HEIGHT - 18}" text-anchor="middle">${minute / 60} h</text>`,
    ),
  ]
}

function legend(): string[] {
  const entries = [
    ...LINES.map(({ sender, colour }) => ({ text: sender, colour })),
    { text: 'would be taken', colour: '#868e96' },
  ]
  let x = PLOT.left
  return entries.map(({ text, colour }) => {
    const entry = `<rect x="${x}" y="32" width="14" height="10" fill="${colour}"/><text x="${x + 20}" y="41">${text}</text>`
    x += 50 + text.length * 6.5
    return entry
  })
}
