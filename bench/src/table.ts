import type { Figure } from './benchmark.js'

/** Figures as a table of text. */
export function textTable(figures: readonly Figure[]): string {
  const lines = rowsOf(figures)
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0))) ?? []
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Figures as a table of Markdown. */
export function markdownTable(figures: readonly Figure[]): string {
  const [head = [], ...rows] = rowsOf(figures)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Figures as rows of text, the first row naming the columns. */
function rowsOf(figures: readonly Figure[]): string[][] {
  const rows = figures.map(({ group: _, name, value, unit, beside, ratio, ok, ...bounds }) => [
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
