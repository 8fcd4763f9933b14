import type { Figure } from './benchmark.js'

/** Figures as rows of text, the first row naming the columns. */
export function rowsOf(figures: readonly Figure[]): string[][] {
  const rows = figures.map(({ name, value, unit, beside, ratio, ok, ...bounds }) => [
    name,
    `${grouped(value)} ${unit}`,
    beside ? `${grouped(beside.value)} (${beside.name})` : '–',
    ratio === undefined ? '–' : `${ratio}×`,
    boundOf(bounds, unit),
    ok ? 'ok' : 'NOT REACHED',
  ])
  return [['figure', 'Grantlog', 'beside', 'ratio', 'bound', ''], ...rows]
}

function boundOf(bounds: Partial<Figure>, unit: string): string {
  const { atLeast, atMost, valueAtLeast, valueAtMost } = bounds
  const parts = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}×`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}×`]),
    ...(valueAtLeast === undefined ? [] : [`at least ${grouped(valueAtLeast)} ${unit}`]),
    ...(valueAtMost === undefined ? [] : [`at most ${grouped(valueAtMost)} ${unit}`]),
  ]
  return parts.join(', ') || '–'
}

const grouped = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 6 })
